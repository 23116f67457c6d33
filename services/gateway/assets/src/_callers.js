// Which customers of the list are selected, and how does the list follow what others do? For Assign and Flush.
import { text } from "./_page.js";
import { PATIENCE, readsItself, reconcile } from "./_refresh.js";

const picked = new Map(); // caller id -> number
const byId = (id) => document.getElementById(id);
const rows = () => [...document.querySelectorAll("#callers > tr")];
let waiting = null;
let due = false; // an own decision has to be shown, even when a later reading overtakes its own

export const selection = () => new Map(picked);

/** Selects these callers, or none; the footer tells how many. */
export function select(callers) {
  picked.clear();
  for (const [caller, number] of callers) picked.set(caller, number);
  show();
}

function show() {
  for (const row of rows()) row.querySelector(".pick-one").checked = picked.has(row.dataset.caller);
  const here = rows().filter((row) => picked.has(row.dataset.caller)).length;
  const all = byId("pick-page");
  all.checked = here > 0 && here === rows().length;
  all.indeterminate = here > 0 && !all.checked;
  byId("picked").hidden = picked.size === 0;
  byId("picked-count").textContent = picked.size === 1 ? text("selected_one") : text("selected_many", { n: picked.size });
}

const inUse = () => {
  const panel = document.querySelector(".callers-panel");
  return panel.contains(document.activeElement) || panel.matches(":hover") || picked.size > 0;
};

/** Reads the page again, at least as new as `position`; while the list is in use only rows that are there change. Answers true when the server did. */
async function readAgain({ position, merge }) {
  due ||= merge;
  const answer = await fetch(location.href, {
    headers: { Accept: "text/html", "Min-Position": String(position) },
    signal: AbortSignal.timeout(PATIENCE),
  }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const html = await answer.text().catch(() => null);
  if (html === null) return;
  const page = new DOMParser().parseFromString(html, "text/html");
  byId("count").textContent = page.getElementById("count").textContent;
  if (byId("loads")) reconcile(byId("loads"), page.getElementById("loads"));
  waiting = page;
  if (due || !inUse()) {
    takeOver();
    return true;
  }
  for (const row of rows()) {
    const fresh = page.getElementById(row.id);
    const chosen = row.querySelector("select")?.value || row.contains(document.activeElement);
    if (fresh && !chosen && fresh.outerHTML !== row.outerHTML) row.replaceWith(document.importNode(fresh, true));
  }
  show();
  return true;
}

function takeOver() {
  const page = waiting;
  waiting = null;
  due = false;
  const chosen = rows().map((row) => [row.id, row.querySelector("select")?.value, row.dataset.holder]);
  reconcile(byId("callers"), page.getElementById("callers"));
  // What is chosen but not yet decided stays chosen, unless that is what has just happened.
  for (const [id, value, holder] of chosen) if (value && byId(id)?.dataset.holder === holder) byId(id).querySelector("select").value = value;
  for (const id of ["empty", "paging"]) byId(id).replaceChildren(...[...page.getElementById(id).childNodes].map((one) => document.importNode(one, true)));
  show();
}

export function startCallers() {
  readsItself(readAgain);
  setInterval(() => { if (waiting && !inUse()) takeOver(); }, 1000);
  document.addEventListener("change", ({ target }) => {
    if (target.id === "pick-page") for (const row of rows()) toggle(row, target.checked);
    else if (target.matches(".pick-one")) toggle(target.closest("tr"), target.checked);
    else return;
    show();
  });
  byId("pick-none").addEventListener("click", () => { select([]); byId("pick-page").focus(); });
  show();
}

function toggle(row, on) {
  if (on) picked.set(row.dataset.caller, row.dataset.number);
  else picked.delete(row.dataset.caller);
}
