// What has just happened, and how is it undone? Ten seconds each, longer while pointer or focus is on it.
import { text } from "./_page.js";

const LASTS = 10_000;
const undoable = [];
const done = new Map();

/** Remembers that this page changed a customer, so that the change is not told as news. */
export const doing = (caller) => done.set(caller, Date.now());
export const didMyself = (caller) => Date.now() - (done.get(caller) ?? 0) < LASTS;

/** Shows a sentence; `undo` is what its button (and the key u) does. */
export function toast(words, { undo, caller = "", label = text("undo"), bad = false } = {}) {
  const box = document.createElement("div");
  box.className = bad ? "toast bad" : "toast";
  const sentence = document.createElement("span");
  sentence.textContent = words;
  box.append(sentence);
  const entry = { box, undo };
  box.dataset.about = caller;
  if (undo) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label === text("undo") ? `${label} (U)` : label;
    button.addEventListener("click", () => take(entry));
    box.append(button);
  }
  const place = document.getElementById("toasts");
  // Only the last word about a customer counts, and only it can be undone.
  if (caller) for (const old of [...undoable]) if (old.box.dataset.about === caller) drop(old);
  for (const old of caller ? [...place.children] : []) if (old.dataset.about === caller) old.remove();
  place.append(box);
  if (undo && label === text("undo")) undoable.push(entry);
  while (place.children.length > 3) place.firstElementChild.remove();
  let left = LASTS;
  const timer = setInterval(() => {
    if (!box.isConnected) left = 0;
    else if (!box.matches(":hover, :focus-within")) left -= 500;
    if (left > 0) return;
    clearInterval(timer);
    drop(entry);
  }, 500);
}

function drop(entry) {
  entry.box.remove();
  const at = undoable.indexOf(entry);
  if (at >= 0) undoable.splice(at, 1);
}

function take(entry) {
  drop(entry);
  entry.undo();
}

/** Undoes what was done last, as long as its toast is there. */
export function undoLast() {
  const last = undoable.at(-1);
  if (last) take(last);
}
