// Which forms leave the page where it is? The filter: empty fields stay out of the address.
import { openSheets } from "./_page.js";

export function startForms() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "get") return;
    for (const field of form.querySelectorAll("input, select")) if (field.name && field.value === "") field.disabled = true;
    setTimeout(() => { for (const field of form.elements) field.disabled = false; });
  }, true);
  document.addEventListener("click", (event) => {
    for (const open of openSheets()) {
      if (!open.contains(event.target)) open.open = false;
    }
  });
}
