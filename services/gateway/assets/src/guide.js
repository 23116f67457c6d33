// Which states come about only while somebody works? Brought about here by the scripts of the pages, on samples.
import { text } from "./_page.js";
import { busy, gone, own, taken } from "./_rows.js";
import { toast } from "./_toast.js";

// Nothing in the guide is sent or decided.
const main = document.getElementById("main");
const still = (event) => {
  if (!event.target.closest("[data-do], [data-note], form, .views a")) return;
  if (event.type === "submit" || event.target.closest("button, .views a, [data-do]")) event.preventDefault();
  event.stopImmediatePropagation();
};
for (const kind of ["click", "submit"]) main.addEventListener(kind, still, true);

const rows = [...document.querySelectorAll("#rows > tr")];
if (rows.length) {
  const before = new Date(Date.now() - 3000).toISOString();
  const [held, mine, left, asked] = rows.slice(-4);
  taken(held, "Anna Bianchi", before);
  own(mine);
  gone(left);
  busy(asked);
  rows[0].classList.add("sel");
}

for (const box of document.querySelectorAll(".mine[data-ends] .ending")) {
  box.hidden = false;
  box.querySelector("span").textContent = text("ends_in", { left: "4:32" });
}
for (const note of document.querySelectorAll(".maybe")) note.hidden = false;

const state = document.querySelector("#states > .state");
for (const name of state ? ["live", "reconnecting", "polling", "offline"] : []) {
  const copy = state.cloneNode(true);
  for (const one of [copy, ...copy.querySelectorAll("[id]")]) one.removeAttribute("id");
  copy.removeAttribute("role");
  copy.dataset.state = name;
  copy.lastElementChild.textContent = text(name, { time: "10:42:07" });
  state.parentElement.append(copy);
}

for (const swatch of document.querySelectorAll("[data-colour]")) swatch.style.setProperty("--kind", `var(--${swatch.dataset.colour})`);

document.querySelector("[data-guide=toasts]")?.addEventListener("click", () => {
  toast(text("reserved", { number: "+39 050 123 4500" }), { undo: () => {} });
  toast(text("note_saved"));
  toast(text("unreachable"), { bad: true });
});
