// How old is what the page shows? One stream of changes; its state is always told, and stale data cannot be reserved.
//
// Not htmx's hx-sse: a change of one customer can concern rows, cards and counters at once, and rows that left must
// keep their place while the list is in use. EventSource resumes by Last-Event-ID by itself (`_stream.js`).
import { clock, me, now, text } from "./_page.js";
import { patch, refresh, saw, settle } from "./_refresh.js";
import { again, isConnected, listen, stop } from "./_stream.js";
import { toast } from "./_toast.js";

const FRESH = 15_000;
const SILENT = 12_000; // longer than two heartbeats are apart: the stream does not get through
const POLL = 5_000;
const PAUSE = 700;
const body = document.body;
let heardAt = now();
let opened = false;
let ended = false;
let polled = false;
let polledAt = 0;
let position = Number(body.dataset.position ?? 0);
let timer = null;
let last = 0;

/** Whether the data is young enough to decide on. */
export const isFresh = () => !body.dataset.live || (!ended && navigator.onLine && now() - heardAt < FRESH);

/** The session is over: says so and leaves the page as it is, with the way back in; beside it when something is typed. */
export function signedOut({ kept = false } = {}) {
  if (ended && !kept) return;
  ended = true;
  stop();
  toast(text("signed_out"), {
    bad: true,
    label: text("sign_in"),
    undo: () => {
      const way = `/login?ended=1&next=${encodeURIComponent(location.pathname + location.search)}`;
      if (kept) open(way, "_blank");
      else location.href = way;
    },
  });
  tellState();
}

/** The stream is there, having told all up to `at`; what this page missed before it listened is read now. */
function connected(at) {
  heard();
  if (opened || at > position) soon(0);
  opened = true;
}

/** A proxy may hold streams back: then the page asks, as long as nothing is heard. */
async function poll() {
  if (now() - heardAt < (polled ? POLL : SILENT) || Date.now() - polledAt < POLL || !navigator.onLine || ended) return;
  polledAt = Date.now();
  if (!(await refresh())) return;
  heard();
  polled = true;
}

function heard() {
  polled = false;
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
  const there = isConnected() && navigator.onLine && !ended;
  const name = polled && age < FRESH && navigator.onLine ? "polling" : there && age < FRESH ? "live" : !navigator.onLine || ended || age > 60_000 ? "offline" : "reconnecting";
  const words = text(name, { time: clock(heardAt) });
  state.dataset.state = name;
  const label = document.getElementById("state-text");
  if (label.textContent !== words) label.textContent = words;
  document.getElementById("state-time").textContent = name === "live" ? clock(now()) : "";
  document.documentElement.classList.toggle("stale", !isFresh());
}

export function startLive() {
  if (!body.dataset.live) return;
  const handlers = { position: () => position, open: connected, beat: heard, change: (change) => { heard(); take(change); }, lost: tellState, closed: signedOut };
  listen(handlers);
  setInterval(() => { tellState(); settle(); poll(); }, 1000);
  addEventListener("online", () => { if (!ended) again(); });
  addEventListener("offline", tellState);
  addEventListener("pagehide", stop);
  addEventListener("pageshow", (event) => { if (event.persisted && !ended) listen(handlers); });
}
