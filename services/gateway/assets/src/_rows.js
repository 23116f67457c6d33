// In which state is a row of the list? Marks that never move anything: what left stays in its place until the list is idle.
import { sign, since, text } from "./_page.js";

const STAYS = 4000;
let quietFrom = 0;

/** Until when rows that have just been marked keep their place. */
export const heldUntil = () => quietFrom;

function mark(row, state, icon, words) {
  restore(row);
  const [first, second] = row.cells;
  row.dataset.state = state;
  row.classList.add("taken", state);
  row._was = [...first.childNodes];
  const box = document.createElement("span");
  box.className = "av";
  const label = document.createElement("span");
  label.textContent = words;
  box.title = words;
  box.append(sign(icon), label);
  first.replaceChildren(box);
  first.colSpan = 2;
  second.hidden = true;
  quietFrom = Date.now() + STAYS;
  return label;
}

/** Somebody else holds it: says who, and since when. */
export function taken(row, name, instant) {
  const words = () => (instant ? text("reserved_by", { name, ago: since(instant) }) : text("calling_by", { name }));
  const label = mark(row, "held", "lock", words());
  row._tick = () => { label.textContent = words(); };
}

export const own = (row) => mark(row, "own", "reached", text("reserved_by_you"));
export const gone = (row, words) => mark(row, "gone", "closed", words || text("gone"));

/** Feedback of the first instant: the reservation is on its way. */
export function busy(row) {
  row.setAttribute("aria-busy", "true");
}

/** Makes a row free again. */
export function restore(row) {
  row.removeAttribute("aria-busy");
  if (!row._was) return;
  const [first, second] = row.cells;
  first.replaceChildren(...row._was);
  first.removeAttribute("colspan");
  second.hidden = false;
  row.classList.remove("taken", "held", "own", "gone");
  row.dataset.state = "free";
  row._was = row._tick = undefined;
}

const rows = () => [...document.querySelectorAll("#rows > tr")];

/** Moves the focus to the next free row, if it was in `row` or nowhere: to the same kind of control. */
export function focusNext(row) {
  const here = document.activeElement;
  if (here !== document.body && !row.contains(here) && here?.isConnected && !here.hidden) return;
  const all = rows();
  const from = all.indexOf(row);
  const next = [...all.slice(from + 1), ...all.slice(0, Math.max(from, 0)).reverse()].find((one) => one.dataset.state === "free");
  const kind = here?.matches?.("a") ? "th a" : ".take";
  if (next) next.querySelector(kind).focus();
  else document.getElementById("main").focus();
}

setInterval(() => { for (const row of rows()) row._tick?.(); }, 1000);
