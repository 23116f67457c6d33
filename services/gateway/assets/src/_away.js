// Is the server there? When it is not, a bar says since when, what becomes of what was typed, and that other pages wait.
import { clock, now, text } from "./_page.js";

const AGAIN = 3000;
const PATIENCE = 20_000;
const bar = document.createElement("p");
let answeredAt = now();
let timer = null;
let typed = false;
let left = false;

bar.className = "past away";
bar.setAttribute("role", "alert");

/** Asks whether something could be kept now. Answers "there", "away" or "signed_out". */
export async function reach() {
  const ask = (address) => fetch(address, { signal: AbortSignal.timeout(PATIENCE) }).catch(() => null);
  const [session, ready] = await Promise.all(["/api/v1/session", "/readyz"].map(ask));
  // Of the parts that may be missing only these two keep what a form sends.
  const { missing = {} } = ready?.status === 503 ? await ready.json().catch(() => ({})) : {};
  if (!session || session.status >= 500 || missing.database || missing.log) return "away";
  answeredAt = now();
  return session.status === 401 ? "signed_out" : "there";
}

function say(words, state) {
  bar.dataset.state = state;
  bar.textContent = words;
  if (bar.isConnected) return;
  const head = document.querySelector("header.top");
  if (head) head.after(bar);
  else document.body.prepend(bar);
}

/** Says so until the server is back; `kept`: somebody has tried to send what was typed, `leaving`: to open another page. */
export function away({ kept = false, leaving = false }) {
  typed ||= kept;
  left ||= leaving;
  say(text(typed ? "away_kept" : left ? "away_left" : "offline", { time: clock(answeredAt) }), "away");
  timer ??= setTimeout(tryAgain, AGAIN);
}

async function tryAgain() {
  const found = await reach();
  timer = null;
  if (found === "away") return away({});
  left = false;
  if (typed) say(text("back"), "back");
  else bar.remove();
}

/** What was typed is on its way. */
export function sent() {
  typed = false;
  bar.remove();
}

/** Whether something on this page says that the server may be away. */
const doubtful = () => !navigator.onLine || bar.isConnected
  || document.querySelector('#state:is([data-state="reconnecting"], [data-state="offline"]), #report.stale') !== null;

/** A link followed now would change this page for the browser's own, which knows nothing: asks first. */
async function follow(event) {
  const link = event.target.closest?.("a[href]");
  const elsewhere = !link || link.target || link.origin !== location.origin || link.getAttribute("href").startsWith("#");
  if (elsewhere || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || !doubtful()) return;
  event.preventDefault();
  if ((await reach()) === "away") away({ leaving: true });
  else location.assign(link.href);
}

export function startAway() {
  document.addEventListener("click", follow);
  // Where a stream tells the state of the connection, it needs no second word.
  if (document.getElementById("state")) return;
  addEventListener("offline", () => away({}));
}
