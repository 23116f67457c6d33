// Who logs in while the server is away? The form stays with what was typed, and a bar says since when.
import { away, reach, sent, startAway } from "./_away.js";

const form = document.querySelector("form.login");
const button = form.querySelector("button");

startAway();
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (button.hasAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  if ((await reach()) === "away") {
    button.removeAttribute("aria-busy");
    return away({ kept: true });
  }
  sent();
  form.submit();
});
addEventListener("pageshow", () => button.removeAttribute("aria-busy"));
