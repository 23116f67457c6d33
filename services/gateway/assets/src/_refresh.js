// How does the page take over what the server shows now? It reads itself again and changes the parts that differ.
import { refreshAvailability } from "./_availability.js";
import { signedOut } from "./_live.js";
import { notice } from "./_notices.js";
import { text } from "./_page.js";
import { didMyself, toast } from "./_toast.js";
import { gone, heldUntil, own, taken } from "./_rows.js";

const SMALL = ["summary", "count", "nav-count", "withheld", "mine-count"];
const RECENT = 8000;
/** Milliseconds after which a reading that has not come is given up. */
export const PATIENCE = 20_000;
let touchedAt = 0;
let held = null;
let reading = null; // the reading that is under way
let following = null; // the one after it: whoever asks meanwhile shares it
let merging = false;
let seen = Number(document.body.dataset.position ?? 0);

for (const kind of ["keydown", "pointerdown", "focusin", "wheel"]) {
  document.addEventListener(kind, () => { touchedAt = Date.now(); }, { passive: true, capture: true });
}

/** Whether pointer or focus is at work in the list. */
export function inUse() {
  const panel = document.getElementById("queue");
  if (!panel) return false;
  if (Date.now() < heldUntil()) return true;
  if (matchMedia("(hover: hover)").matches && panel.matches(":hover")) return true;
  return panel.contains(document.activeElement) && Date.now() - touchedAt < RECENT;
}

let otherwise = null;
/** A page with a list of its own says how it is read again. */
export const readsItself = (how) => { otherwise = how; };

export const saw = (position) => { seen = Math.max(seen, position); };

/** Reads the page again, at least as new as `position`; with `merge` the list is taken over whatever is going on.
 *  One reading at a time: on a slow network none would ever come to its end otherwise. Answers true when the server did. */
export async function refresh({ position = 0, merge = false } = {}) {
  if (!document.body.dataset.live) return;
  saw(position);
  merging ||= merge;
  if (!reading) return (reading = read().finally(() => { reading = null; }));
  const next = () => {
    following = null;
    return refresh();
  };
  return (following ??= reading.then(next, next));
}

async function read() {
  const merge = merging;
  merging = false;
  if (otherwise) return otherwise({ position: seen, merge });
  let html;
  try {
    const answer = await fetch(location.href, {
      headers: { Accept: "text/html", "Min-Position": String(seen) },
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (answer.redirected && new URL(answer.url).pathname === "/login") return signedOut();
    if (!answer.ok) return false;
    html = await answer.text();
  } catch {
    return false; // The state of the connection says so; the next change or the reconnection asks again.
  }
  const page = new DOMParser().parseFromString(html, "text/html");
  for (const id of SMALL) swapText(id, page);
  tellWhatChanged(page);
  for (const id of ["calling", "mine"]) reconcile(document.getElementById(id), page.getElementById(id));
  refreshAvailability(page);
  held = page;
  if (merge || !inUse()) takeOver();
  else announce();
  return true;
}

/** Own cards that came or went by somebody else's doing are told, for they are easily missed. */
function tellWhatChanged(page) {
  const cards = (root) => new Map([...root.querySelectorAll("#mine > [data-caller], #calling > [data-caller]")].map((one) => [one.dataset.caller, one.dataset]));
  const before = cards(document);
  const after = cards(page);
  for (const [caller, { number, state }] of before) {
    if (!after.has(caller) && !didMyself(caller)) tellAndKeep(text(state === "calling" ? "call_ended" : "expired", { number }), caller);
  }
  for (const [caller, { number, assigned }] of after) {
    if (!before.has(caller) && assigned && !didMyself(caller)) tellAndKeep(text("assigned", { number }), caller);
  }
}

function tellAndKeep(words, caller) {
  toast(words);
  notice(words, caller);
}

/** Takes over what waits, if anything does and the list is idle. */
export function settle() {
  if (held && !inUse()) takeOver();
}

function takeOver() {
  const page = held;
  held = null;
  reconcile(document.getElementById("rows"), page.getElementById("rows"));
  for (const id of ["empty", "paging"]) swapHtml(id, page);
  refreshAvailability();
  pill(0);
}

function announce() {
  const here = new Set([...document.querySelectorAll("#rows > tr")].map((row) => row.id));
  pill([...held.querySelectorAll("#rows > tr")].filter((row) => !here.has(row.id)).length);
}

function pill(count) {
  const button = document.getElementById("pill");
  button.hidden = count === 0;
  button.querySelector("span").textContent = count === 1 ? text("new_one") : text("new_many", { n: count });
}

function swapText(id, page) {
  const old = document.getElementById(id);
  const fresh = page.getElementById(id);
  if (old && fresh && old.textContent !== fresh.textContent) old.textContent = fresh.textContent;
}

function swapHtml(id, page) {
  const old = document.getElementById(id);
  const fresh = page.getElementById(id);
  if (old.innerHTML !== fresh.innerHTML) old.innerHTML = fresh.innerHTML;
}

/** Makes the children of `old` those of `fresh`: known ones stay the same elements, and the focus stays where it was. */
export function reconcile(old, fresh) {
  const focused = document.activeElement;
  const place = focused && old.contains(focused) ? pathTo(focused, old) : null;
  const wanted = [...fresh.children];
  const ids = new Set(wanted.map((one) => one.id));
  for (const child of [...old.children]) if (!ids.has(child.id)) child.remove();
  wanted.forEach((one, index) => {
    let child = one.id && document.getElementById(one.id);
    if (!child || child.parentNode !== old) child = document.importNode(one, true);
    else if (child._was || child.outerHTML !== one.outerHTML) {
      const copy = document.importNode(one, true);
      child.replaceWith(copy);
      child = copy;
    }
    if (old.children[index] !== child) old.insertBefore(child, old.children[index] ?? null);
  });
  if (place && document.activeElement !== focused) back(place, old);
}

function pathTo(focused, root) {
  const item = [...root.children].find((one) => one.contains(focused));
  return { id: item?.id, index: [...root.children].indexOf(item), what: focused.dataset.do, tag: focused.localName };
}

function back({ id, index, what, tag }, root) {
  const item = document.getElementById(id) ?? root.children[Math.min(index, root.children.length - 1)];
  const control = what && item?.querySelector(`${tag}[data-do="${what}"]`);
  const next = control ?? item?.querySelector("[data-do]") ?? document.getElementById("main");
  next.focus({ preventScroll: true });
}

/** Changes the rows on screen as a change of the stream says. */
export function patch(change, me) {
  const touched = new Set(change.callers);
  const items = new Map(change.items.map((item) => [item.request_id, item]));
  for (const row of document.querySelectorAll("#rows > tr")) {
    if (touched.has(row.dataset.caller)) update(row, items.get(row.id.slice("row-".length)), me);
  }
}

function update(row, item, me) {
  if (item?.state === "free") {
    const made = document.createElement("template");
    made.innerHTML = item.html;
    const fresh = made.content.firstElementChild;
    refreshAvailability(made.content);
    const focused = row.contains(document.activeElement) ? document.activeElement.dataset.do : null;
    row.replaceWith(fresh);
    if (focused) (fresh.querySelector(`[data-do="${focused}"]`) ?? fresh.querySelector("[data-do]")).focus({ preventScroll: true });
  } else if (item && item.reserved_by === me) {
    if (row.dataset.state !== "own") own(row);
  } else if (item && (item.reserved_by_name || item.calling_by_name)) {
    if (row.dataset.state !== "held") taken(row, item.reserved_by_name ?? item.calling_by_name, item.reserved_at);
  } else if (row.dataset.state !== "gone") gone(row);
}
