// How does a supervisor hand customers out? One by the chooser of its row, the selected ones together.
import { select, selection, startCallers } from "./_callers.js";
import { command, send, tell } from "./_commands.js";
import { text } from "./_page.js";
import { refresh } from "./_refresh.js";
import { doing, toast } from "./_toast.js";

const path = (caller) => `/callers/${encodeURIComponent(caller)}/assignment`;
const put = (caller, operator) => (operator ? command("PUT", path(caller), { operator }) : command("DELETE", path(caller)));

/** Gives a customer to an operator, or to nobody; the undo gives it back to who had it. */
async function give({ caller, number, holder }, operator, words) {
  doing(caller);
  const answer = await put(caller, operator);
  if (!answer.ok) return tell(answer);
  toast(words, { caller, undo: () => give({ caller, number, holder: operator }, holder, text("assignment_undone", { number })) });
  // Not waited for: the next decision need not wait until this one is on the page.
  refresh({ position: answer.body.position, merge: true });
}

async function share() {
  const chosen = document.getElementById("share-to");
  const one = chosen.value !== "*";
  const operators = one ? [chosen.value] : [...chosen.options].slice(1).map((option) => option.value);
  const before = [...selection().keys()].map((caller) => ({ caller, holder: document.getElementById(`caller-${caller}`)?.dataset.holder }));
  if (!before.length) return;
  const answer = await send("POST", "/assign/shares", { caller_ids: before.map((each) => each.caller), operators });
  if (!answer.ok) return tell(answer);
  toast(text("shared_out", { n: before.length }), { undo: () => takeBack(before) });
  select([]);
  await refresh({ position: answer.body.position, merge: true });
}

async function takeBack(before) {
  let position = 0;
  let refused = null;
  for (const { caller, holder } of before) {
    const answer = await put(caller, holder);
    if (answer.ok) position = Math.max(position, answer.body.position);
    else refused = answer;
  }
  if (refused) tell(refused);
  else toast(text("sharing_undone"));
  await refresh({ position, merge: true });
}

let working = false;

/** One command at a time; the pressed control says that it works. */
async function once(control, run) {
  if (working) return;
  working = true;
  control.setAttribute("aria-busy", "true");
  try { await run(); } finally { working = false; control.removeAttribute("aria-busy"); }
}

export function startAssign() {
  if (!document.getElementById("assign")) return;
  startCallers();
  document.getElementById("share").addEventListener("click", (event) => once(event.currentTarget, share));
  document.getElementById("callers").addEventListener("click", (event) => {
    const control = event.target.closest("[data-assign]");
    if (!control) return;
    const row = control.closest("tr");
    const { number, holderName } = row.dataset;
    if (control.dataset.assign === "take") return once(control, () => give(row.dataset, "", text("taken_away", { number, name: holderName })));
    const chooser = row.querySelector("select");
    if (!chooser.value) return chooser.focus();
    const name = chooser.selectedOptions[0].dataset.name;
    return once(control, () => give({ ...row.dataset }, chooser.value, text("assigned_to", { number, name })));
  });
}
