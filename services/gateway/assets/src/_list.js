// What does the list of requests need besides its rows? The stream, and the place of the focus in it.
import { startLive } from "./_live.js";

/** The row or card that has the focus, else the one that was chosen last. */
export const current = () => document.activeElement?.closest("#rows > tr, #callers > tr, .mine, .strip");

export function startList() {
  startLive();
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest?.("#rows > tr, #callers > tr, .mine");
    if (!row) return;
    for (const other of document.querySelectorAll(".sel")) other.classList.remove("sel");
    row.classList.add("sel");
  });
}
