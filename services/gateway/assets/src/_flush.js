// How does a supervisor close many customers at once? Select, say why, and undo when it was wrong.
import { select, selection, startCallers } from "./_callers.js";
import { command, tell } from "./_commands.js";
import { text } from "./_page.js";
import { refresh } from "./_refresh.js";
import { toast } from "./_toast.js";

const SAMPLE = 5;
const PAGE = 1000;
const byId = (id) => document.getElementById(id);
const count = (one, many, n) => (n === 1 ? text(one) : text(many, { n }));

/** Selects every customer that the filters match, beyond this page too. */
async function selectAll() {
  const found = new Map();
  let after = "";
  do {
    const query = new URLSearchParams(byId("flush").dataset.query);
    query.set("view", "open");
    query.set("limit", PAGE);
    if (after) query.set("after", after);
    const answer = await command("GET", `/callers?${query}`);
    if (!answer.ok) return tell(answer);
    for (const item of answer.body.items) found.set(item.caller_id, item.number);
    after = answer.body.next;
  } while (after);
  select(found);
}

function ask() {
  const chosen = selection();
  const numbers = [...chosen.values()];
  byId("sure-count").textContent = count("flush_one", "flush_many", chosen.size);
  byId("sure-sample").textContent = numbers.slice(0, SAMPLE).join(", ").replaceAll(" ", "\u00a0").replaceAll(",\u00a0", ", ") + (numbers.length > SAMPLE ? " …" : "");
  byId("sure").showModal();
  byId("reason").focus();
}

async function flush() {
  const chosen = selection();
  const reason = byId("reason").value.trim();
  if (!reason) return byId("reason").focus();
  const answer = await command("POST", "/flushes", { caller_ids: [...chosen.keys()], reason });
  byId("sure").close();
  if (!answer.ok) return tell(answer);
  byId("reason").value = "";
  toast(count("flushed_one", "flushed_many", answer.body.callers ?? chosen.size), { undo: () => undo(answer.body.flush_id) });
  select([]);
  await refresh({ position: answer.body.position, merge: true });
  byId("pick-page").focus();
}

async function undo(flushId) {
  const answer = await command("DELETE", `/flushes/${encodeURIComponent(flushId)}`);
  if (!answer.ok) return tell(answer);
  toast(text("flush_undone"));
  await refresh({ position: answer.body.position, merge: true });
}

let working = false;

/** One at a time, so that a second press does nothing. */
async function once(control, run) {
  if (working) return;
  working = true;
  control.setAttribute("aria-busy", "true");
  try { await run(); } finally { working = false; control.removeAttribute("aria-busy"); }
}

export function startFlush() {
  if (!byId("flush")) return;
  startCallers();
  byId("pick-all").addEventListener("click", (event) => once(event.currentTarget, selectAll));
  byId("ask-flush").addEventListener("click", ask);
  byId("sure-not").addEventListener("click", () => byId("sure").close());
  byId("sure-form").addEventListener("submit", (event) => {
    event.preventDefault();
    once(event.currentTarget, flush);
  });
}
