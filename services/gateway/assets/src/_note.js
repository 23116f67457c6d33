// What is written about a customer, and what if two write at once? Nothing that was typed is ever lost or overwritten unseen.
import { command, tell } from "./_commands.js";
import { now, since, text } from "./_page.js";
import { refresh } from "./_refresh.js";
import { toast } from "./_toast.js";

const field = (form) => form.querySelector("textarea");

function saved(form, { text: words, version, by_name, at }) {
  form.dataset.version = version;
  field(form).defaultValue = words;
  if (by_name) form.querySelector("#note-about").textContent = text("note_by", { name: by_name, ago: since(at ?? new Date(now()).toISOString()) });
  form.querySelector(".alert").hidden = true;
  changed(form);
}

function changed(form) {
  form.querySelector("button").disabled = field(form).value === field(form).defaultValue;
}

async function save(form) {
  const { caller } = form.closest("[data-caller]").dataset;
  const typed = field(form).value;
  const button = form.querySelector("button");
  if (button.getAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  const answer = await command("PUT", `/callers/${encodeURIComponent(caller)}/note`, { text: typed, version: form.dataset.version });
  button.removeAttribute("aria-busy");
  if (answer.status === 409 && answer.body.note) return meanwhile(form, answer.body.note);
  if (!answer.ok) return tell(answer);
  saved(form, { text: typed, version: answer.body.version, by_name: document.querySelector(".who .name").textContent });
  toast(text("note_saved"));
  await refresh({ position: answer.body.position });
}

/** Shows what the other wrote; what was typed stays in its field until somebody chooses. */
function meanwhile(form, other) {
  const box = form.querySelector(".alert");
  form._other = other;
  box.querySelector("[data-who]").textContent = text(other.text ? "note_changed" : "note_emptied", { name: other.by_name ?? "" });
  box.querySelector("blockquote").textContent = other.text;
  box.hidden = false;
  box.querySelector("button").focus();
}

function choose(form, which) {
  const other = form._other;
  const mine = field(form).value;
  saved(form, other);
  if (which === "theirs") field(form).value = other.text;
  else if (which === "both") field(form).value = [other.text, mine].filter(Boolean).join("\n");
  changed(form);
  if (which === "mine") return save(form);
  field(form).focus();
}

export function startNotes() {
  document.addEventListener("input", ({ target }) => { if (target.id === "note-text") changed(target.form); });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "note") return;
    event.preventDefault();
    save(event.target);
  });
  document.addEventListener("click", ({ target }) => {
    const chosen = target.closest("[data-note]");
    if (chosen) choose(chosen.form, chosen.dataset.note);
  });
}
