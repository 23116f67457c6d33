// Does the server take what is typed here? When it does not, a bar says since when, what becomes of it, and what to do next.
import { clock, now, text } from "./_page.js";

const AGAIN = 3000;
const PATIENCE = 20_000;
const bar = document.createElement("p");
let answeredAt = now();
let timer = null;
let typed = false;

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
  if (!bar.isConnected) document.querySelector("header.top").after(bar);
}

/** Says so until the server is back, and then that it is; `kept`: somebody has tried to send what was typed. */
export function away({ kept }) {
  typed ||= kept;
  say(text(typed ? "away_kept" : "offline", { time: clock(answeredAt) }), "away");
  timer ??= setTimeout(tryAgain, AGAIN);
}

async function tryAgain() {
  const found = await reach();
  timer = null;
  if (found === "away") return away({ kept: false });
  if (typed) say(text("back"), "back");
  else bar.remove();
}

/** What was typed is on its way. */
export function sent() {
  typed = false;
  bar.remove();
}

export function startAway() {
  // Where a stream tells the state of the connection, it needs no second word.
  if (document.getElementById("state")) return;
  addEventListener("offline", () => away({ kept: false }));
}
