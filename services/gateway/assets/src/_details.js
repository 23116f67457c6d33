// What has this customer been through? A panel beside the list; the same address opens it as a page.
import { text } from "./_page.js";
import { freeze, then } from "./_past.js";
import { toast } from "./_toast.js";

let opener = null;
let leaving = false; // closing was asked once already, with a note half written
const drawer = () => document.getElementById("details");

/** Whether somebody is in the middle of writing there. */
const unsaved = (panel) => {
  const note = panel?.querySelector("#note-text");
  return Boolean(panel?.open && note && note.value !== note.defaultValue);
};

/** Opens the panel of a customer; the focus goes to `target` in it, else to its close button. */
export async function openDetails(caller, from, target = "[data-do=close-details]") {
  const address = then(`/callers/${encodeURIComponent(caller)}`);
  const panel = drawer();
  if (!panel) { location.href = address; return; }
  if (unsaved(panel)) { panel.querySelector("#note-text").focus(); return toast(text("note_unsaved"), { bad: true }); }
  let answer;
  try {
    answer = await fetch(address, { headers: { Accept: "text/html" } });
  } catch {
    toast(text("unreachable"), { bad: true });
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const history = page.getElementById("history");
  if (!history) { toast(page.querySelector("h1")?.textContent ?? text("failed"), { bad: true }); return; }
  panel.replaceChildren(document.importNode(history, true));
  panel.querySelector("h1").outerHTML = panel.querySelector("h1").outerHTML.replace(/^<h1/, "<h2").replace(/h1>$/, "h2>");
  freeze(panel);
  opener = from?.id || from?.dataset?.do ? from : document.activeElement;
  if (!panel.open) panel.show();
  (panel.querySelector(target) ?? panel.querySelector("[data-do=close-details]")).focus();
}

/** Closes the panel; the focus goes back where it came from. Answers whether there was one. */
export function closeDetails() {
  const panel = drawer();
  if (!panel?.open) {
    if (document.getElementById("history") && !panel) history.length > 1 ? history.back() : location.assign("/");
    return false;
  }
  if (unsaved(panel) && !leaving) {
    leaving = true;
    setTimeout(() => { leaving = false; }, 5000);
    toast(text("note_unsaved_close"), { bad: true });
    return true;
  }
  leaving = false;
  panel.close();
  (opener?.isConnected ? opener : document.querySelector("#rows a, #main"))?.focus();
  return true;
}
