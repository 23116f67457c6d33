// What happens to what was typed? Empty fields of a filter stay out of the address; a form is sent only when somebody takes it.
import { signedOut } from "./_live.js";
import { openSheets, text } from "./_page.js";
import { toast } from "./_toast.js";

const TYPED = "textarea:not([hidden]), input:not([type=hidden], [type=radio], [type=checkbox])";
let sending = null;

/** Asks before the page is left for an answer: with the server away, or the session over, what was typed would be lost. */
async function send(form, submitter) {
  const answer = await fetch("/api/v1/session").catch(() => null);
  if (!answer) return toast(text("unreachable_kept"), { bad: true });
  if (answer.status === 401) return signedOut({ kept: true });
  sending = form;
  form.requestSubmit(submitter);
  sending = null;
}

export function startForms() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "get") return;
    for (const field of form.querySelectorAll("input, select")) if (field.name && field.value === "") field.disabled = true;
    setTimeout(() => { for (const field of form.elements) field.disabled = false; });
  }, true);
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented || sending === form || !form.querySelector(TYPED)) return;
    event.preventDefault();
    send(form, event.submitter);
  });
  document.addEventListener("click", (event) => {
    for (const open of openSheets()) {
      if (!open.contains(event.target)) open.open = false;
    }
  });
}
