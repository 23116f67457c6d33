// What happened to my customers without my doing? A list under the bell, kept in this browser for each user.
import { clock, me, now, text } from "./_page.js";
import { toast } from "./_toast.js";

const KEPT = 50;
const SAME = 60_000; // Ten tabs tell one thing once.
const LOG = `notices ${me}`;
const SEEN = `notices seen ${me}`;
const BROWSER = `notices browser ${me}`;
const byId = (id) => document.getElementById(id);

function kept() {
  try {
    return JSON.parse(localStorage.getItem(LOG)) ?? [];
  } catch {
    return []; // Somebody else wrote there: the list begins anew.
  }
}

function show() {
  const all = kept();
  const seen = Number(localStorage.getItem(SEEN) ?? 0);
  const unread = all.filter((one) => one.at > seen).length;
  byId("bell-count").hidden = unread === 0;
  byId("bell-count").textContent = unread;
  byId("notices-none").hidden = all.length > 0;
  byId("notices").replaceChildren(...all.map(({ at, words, caller }) => {
    const line = document.createElement("li");
    const time = document.createElement("time");
    time.dateTime = new Date(at).toISOString();
    time.textContent = clock(at);
    const link = Object.assign(document.createElement("a"), { href: `/callers/${encodeURIComponent(caller)}`, textContent: words });
    line.append(time, " ", link);
    return line;
  }));
}

/** Keeps a notice, and hands it to the browser when the user wants that and looks elsewhere. */
export function notice(words, caller) {
  const all = kept();
  if (all.some((one) => one.words === words && now() - one.at < SAME)) return;
  localStorage.setItem(LOG, JSON.stringify([{ at: now(), words, caller }, ...all].slice(0, KEPT)));
  show();
  if (document.hidden && wanted()) new Notification("Richiamo", { body: words, tag: caller });
}

const wanted = () => "Notification" in window && Notification.permission === "granted" && localStorage.getItem(BROWSER) === "on";

export function startNotices() {
  const bell = byId("bell");
  if (!bell) return;
  const box = byId("notify-browser");
  box.closest("label").hidden = !("Notification" in window);
  box.checked = wanted();
  box.addEventListener("change", async () => {
    // Asked for by this click and never before.
    if (box.checked && (await Notification.requestPermission()) !== "granted") {
      box.checked = false;
      toast(text("notify_refused"), { bad: true });
    }
    localStorage.setItem(BROWSER, box.checked ? "on" : "off");
  });
  bell.addEventListener("toggle", () => {
    if (!bell.open) return;
    localStorage.setItem(SEEN, String(now()));
    show();
  });
  addEventListener("storage", (event) => { if (event.key === LOG || event.key === SEEN) show(); });
  show();
}
