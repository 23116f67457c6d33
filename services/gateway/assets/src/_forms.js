// What happens to what was typed? Empty fields of a filter stay out of the address; a form is sent once, and only when somebody takes it.
import { away, reach, sent } from "./_away.js";
import { signedOut } from "./_live.js";
import { openSheets } from "./_page.js";

const TYPED = "textarea:not([hidden]), input:not([type=hidden], [type=radio], [type=checkbox])";
const LONGEST = 60_000;
const underWay = new Map(); // form -> the button that was pressed, which says that it works
let sending = null;

function begin(form, submitter) {
  underWay.set(form, submitter);
  submitter?.setAttribute("aria-busy", "true");
  // An answer that opens elsewhere, or never comes, leaves this page here.
  setTimeout(() => end(form), LONGEST);
}

function end(form) {
  underWay.get(form)?.removeAttribute("aria-busy");
  underWay.delete(form);
}

/** Asks before the page is left for an answer: with the server away, or the session over, what was typed would be lost. */
async function send(form, submitter) {
  const found = await reach();
  if (found !== "there") {
    end(form);
    return found === "away" ? away({ kept: true }) : signedOut({ kept: true });
  }
  sent();
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
    if (form.method === "dialog" || event.defaultPrevented || sending === form) return;
    if (underWay.has(form)) return event.preventDefault();
    begin(form, event.submitter);
    if (!form.querySelector(TYPED)) return;
    event.preventDefault();
    send(form, event.submitter);
  });
  addEventListener("pageshow", () => [...underWay.keys()].forEach(end));
  document.addEventListener("click", (event) => {
    for (const open of openSheets()) {
      if (!open.contains(event.target)) open.open = false;
    }
  });
}
