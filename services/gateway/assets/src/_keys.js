// What do the keys do? Letters only while nothing is typed, and only when the user wants them (WCAG 2.1.4).
import { perform } from "./_commands.js";
import { closeDetails } from "./_details.js";
import { openFinder } from "./_finder.js";
import { current } from "./_list.js";
import { openSheets } from "./_page.js";
import { shortcutsOn } from "./_preferences.js";
import { refresh } from "./_refresh.js";
import { undoLast } from "./_toast.js";

let going = 0;

const stops = () => [...document.querySelectorAll("#rows > tr, #callers > tr, .mine")];
const handle = (stop) => stop.querySelector("th a, [data-do=call].btn");

function step(by) {
  const all = stops();
  if (!all.length) return;
  const at = all.indexOf(current() ?? document.querySelector(".sel"));
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
  handle(next).focus();
  next.scrollIntoView({ block: "nearest" });
}

/** Presses a control of the row or card that has the focus, or of the only card there is. */
function press(what) {
  const here = current()?.querySelector(`[data-do="${what}"]`);
  if (here) return perform(here);
  if (what === "reserve" || what === "details") return;
  const all = document.querySelectorAll(`.mine [data-do="${what}"].btn`);
  if (all.length === 1) perform(all[0]);
  else all[0]?.focus();
}

function close() {
  if (closeDetails()) return;
  for (const open of openSheets()) {
    open.open = false;
    open.querySelector("summary").focus();
  }
}

/** Folds a sheet out, for its first control. */
const unfold = (id) => () => {
  const box = document.getElementById(id);
  if (!box) return;
  box.open = true;
  box.querySelector(".sheet :is(a, input:not([type=hidden]), select)").focus();
};

const help = () => document.getElementById("help").showModal();
const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  p: () => press("reserve"),
  r: () => press("release"),
  c: () => press("call"),
  x: () => current()?.querySelector(".pick-one")?.click(),
  ".": () => refresh({ merge: true }),
  u: undoLast,
  "/": openFinder,
  f: unfold("search"),
  v: unfold("look"),
  "?": help,
};

const typing = (element) => element.isContentEditable || /^(input|textarea|select)$/.test(element.localName) && element.type !== "radio" && element.type !== "checkbox";

export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape") return document.querySelector("dialog:modal") ? undefined : close();
    if (!shortcutsOn() || typing(event.target) || document.querySelector("dialog:modal")) return;
    if (Date.now() - going < 1500) {
      going = 0;
      const place = document.querySelector(`#menu [data-key="${CSS.escape(event.key)}"]`);
      if (place) { event.preventDefault(); place.click(); return; }
    }
    if (event.key === "g") { going = Date.now(); return; }
    const action = KEYS[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
