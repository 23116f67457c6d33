// How does a click become a decision? The JSON API of the same origin; the row tells the answer, never a modal.
import { me, text } from "./_page.js";
import { busy, focusNext, gone, own, restore, taken } from "./_rows.js";
import { asOf } from "./_past.js";
import { refresh } from "./_refresh.js";
import { isFresh, signedOut } from "./_live.js";
import { doing, toast } from "./_toast.js";
import { closeDetails, openDetails } from "./_details.js";

const API = "/api/v1";

/** Carries out a command of the API. Answers {ok, status, body}; status 0 when nobody answered. */
export const command = (method, path, body) => send(method, API + path, body);

/** The same for any address of this origin. */
export async function send(method, address, body) {
  if (asOf && method !== "GET") return { ok: false, status: 409, body: { title: text("past") } };
  const key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16).padStart(2, "0")).join("");
  const headers = { Accept: "application/json", "Idempotency-Key": key };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    const answer = await fetch(address, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    const told = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
    if (answer.status === 401) signedOut();
    return { ok: answer.ok, status: answer.status, body: told };
  } catch {
    return { ok: false, status: 0, body: {} };
  }
}

/** Tells a refusal in the user's language. */
export function tell(answer) {
  const kind = (answer.body.type ?? "").split("/").pop();
  const detail = answer.body.errors?.map((one) => one.message).join(" ");
  toast(answer.status === 0 ? text("unreachable") : detail || text(`problem:${kind}`) || answer.body.title || text("failed"), { bad: true });
}

function path(caller, what) {
  doing(caller);
  return `/callers/${encodeURIComponent(caller)}/${what}`;
}

export async function reserve(caller, number, row) {
  if (!isFresh()) return toast(text("stale"), { bad: true });
  if (row) busy(row);
  const answer = await command("PUT", path(caller, "reservation"));
  if (answer.ok) {
    if (row) { own(row); focusNext(row); }
    toast(text("reserved", { number }), { caller, undo: () => release(caller, number) });
    return refresh({ position: answer.body.position });
  }
  if (row) refused(row, answer);
  if (!row || answer.status !== 409) tell(answer);
}

function refused(row, { status, body }) {
  restore(row);
  const kind = (body.type ?? "").split("/").pop();
  if (status !== 409) return;
  if (kind === "already-reserved" && body.reserved_by !== me) taken(row, body.reserved_by_name, body.since);
  else if (kind === "being-called") taken(row, body.called_by_name, null);
  else gone(row, text(`problem:${kind}`));
  focusNext(row);
}

export async function release(caller, number) {
  const answer = await command("DELETE", path(caller, "reservation"));
  if (!answer.ok) return tell(answer);
  toast(text("released", { number }), { caller, undo: () => reserve(caller, number) });
  await refresh({ position: answer.body.position });
}

async function call(caller, number) {
  const answer = await command("POST", path(caller, "recalls"));
  if (!answer.ok) return tell(answer);
  toast(text("called", { number }), { caller });
  await refresh({ position: answer.body.position });
  if (answer.body.how === "link" && /^tel:/.test(answer.body.link ?? "")) location.href = answer.body.link;
}

async function putBack(caller, number) {
  const answer = await command("DELETE", path(caller, "hiding"));
  if (!answer.ok) return tell(answer);
  toast(text("put_back", { number }), { caller });
  await refresh({ position: answer.body.position });
}

async function keep(caller) {
  const answer = await command("PUT", path(caller, "reservation"));
  if (!answer.ok) return tell(answer);
  toast(text("kept"));
  await refresh({ position: answer.body.position });
  if (document.activeElement === document.body) document.querySelector(`#mine [data-caller="${caller}"] .btn.call`)?.focus();
}

async function show(caller, number) {
  const answer = await command("DELETE", path(caller, "hiding"));
  if (!answer.ok) return tell(answer);
  toast(text("shown_again", { number }), { caller });
  await refresh({ position: answer.body.position, merge: true });
}

async function dispute(caller, _number, button) {
  const answer = await command("POST", path(caller, "disputes"), { call: button.dataset.call });
  if (!answer.ok) return tell(answer);
  toast(text("disputed"));
  button.remove();
  await refresh({ position: answer.body.position });
}

async function undoFlush(_caller, _number, button) {
  const answer = await command("DELETE", `/flushes/${encodeURIComponent(button.dataset.flush)}`);
  if (!answer.ok) return tell(answer);
  toast(text("flush_undone"));
  button.remove();
  await refresh({ position: answer.body.position, merge: true });
}

const working = new Set();

/** Does what a control with data-do says, once at a time for each customer. */
export async function perform(control) {
  if (control.disabled) return;
  const holder = control.closest("[data-caller]");
  const what = control.dataset.do;
  if (what === "merge") return refresh({ merge: true });
  if (what === "close-details") return closeDetails();
  if (!holder) return;
  const { caller, number } = holder.dataset;
  if (what === "details") return openDetails(caller, control);
  if (what === "note") return openDetails(caller, control, "#note-text");
  const mark = `${what} ${caller}`;
  if (working.has(mark)) return;
  working.add(mark);
  if (holder.dataset.state !== "free") control.setAttribute("aria-busy", "true");
  try {
    if (what === "reserve") await reserve(caller, number, holder.closest("tr"));
    else if (what === "release") await release(caller, number);
    else if (what === "call") await call(caller, number);
    else if (what === "put-back") await putBack(caller, number);
    else if (what === "keep") await keep(caller);
    else if (what === "show") await show(caller, number);
    else if (what === "dispute") await dispute(caller, number, control);
    else if (what === "undo-flush") await undoFlush(caller, number, control);
  } finally {
    working.delete(mark);
    control.removeAttribute("aria-busy");
  }
}

export function startCommands() {
  document.addEventListener("click", (event) => {
    const control = event.target.closest("[data-do]");
    if (!control || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    perform(control);
  });
}
