// How old is what the page shows? One stream of changes; its state is always told, and stale data cannot be reserved.
//
// Not htmx's hx-sse: a change of one customer can concern rows, cards and counters at once, and rows that left must
// keep their place while the list is in use. EventSource resumes by Last-Event-ID by itself.
import { clock, me, now, text } from "./_page.js";
import { patch, refresh, saw, settle } from "./_refresh.js";
import { toast } from "./_toast.js";

const FRESH = 15_000;
const PAUSE = 700;
const body = document.body;
let source = null;
let heardAt = now();
let opened = false;
let ended = false;
let position = Number(body.dataset.position ?? 0);
let timer = null;
let last = 0;

/** Whether the data is young enough to decide on. */
export const isFresh = () => !body.dataset.live || (!ended && navigator.onLine && now() - heardAt < FRESH);

/** The session is over: says so and leaves the page as it is, with the way back in. */
export function signedOut() {
  if (ended) return;
  ended = true;
  source?.close();
  toast(text("signed_out"), {
    bad: true,
    label: text("sign_in"),
    undo: () => { location.href = `/login?ended=1&next=${encodeURIComponent(location.pathname + location.search)}`; },
  });
  tellState();
}

function connect() {
  source?.close();
  source = new EventSource(`${body.dataset.live}?after=${position}`);
  source.addEventListener("open", () => {
    heard();
    if (opened) soon(0);
    opened = true;
  });
  source.addEventListener("beat", heard);
  source.addEventListener("message", (event) => {
    heard();
    take(JSON.parse(event.data));
  });
  source.addEventListener("error", async () => {
    tellState();
    if (source.readyState !== EventSource.CLOSED || ended) return;
    const answer = await fetch("/api/v1/session").catch(() => null);
    if (answer?.status === 401) return signedOut();
    setTimeout(() => { if (!ended) connect(); }, 2000);
  });
}

function heard() {
  heardAt = now();
  tellState();
}

function take(change) {
  position = Math.max(position, change.position);
  saw(change.position);
  patch(change, me);
  const own = change.callers.some((caller) => document.querySelector(`#mine [data-caller="${caller}"], #calling [data-caller="${caller}"]`));
  if (own || change.resync || change.items.some((item) => item.reserved_by === me)) soon(0);
  else soon(PAUSE);
}

/** Reads the page again within `wait` ms, and not more often than that. */
function soon(wait) {
  const due = wait === 0 ? 0 : Math.max(150, last + wait - Date.now());
  if (timer && wait > 0) return;
  clearTimeout(timer);
  timer = setTimeout(() => {
    timer = null;
    last = Date.now();
    refresh();
  }, due);
}

function tellState() {
  const state = document.getElementById("state");
  if (!state) return;
  const age = now() - heardAt;
  const connected = source?.readyState === EventSource.OPEN && navigator.onLine && !ended;
  const name = connected && age < FRESH ? "live" : !navigator.onLine || ended || age > 60_000 ? "offline" : "reconnecting";
  const words = text(name, { time: clock(heardAt) });
  state.dataset.state = name;
  const label = document.getElementById("state-text");
  if (label.textContent !== words) label.textContent = words;
  document.getElementById("state-time").textContent = name === "live" ? clock(now()) : "";
  document.documentElement.classList.toggle("stale", !isFresh());
}

export function startLive() {
  if (!body.dataset.live) return;
  connect();
  setInterval(() => { tellState(); settle(); }, 1000);
  addEventListener("online", () => { if (!ended) connect(); });
  addEventListener("offline", tellState);
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => { if (event.persisted) connect(); });
}
