// How does the report of today stay true? It reads itself again every few seconds, and says so when it cannot.
import { clock, now, text } from "./_page.js";

const EVERY = 5000;
const figures = document.getElementById("figures");
const freshness = document.getElementById("freshness");
let heardAt = now();

function tell(words) {
  figures.classList.toggle("stale", words !== "");
  if (freshness.textContent !== words) freshness.textContent = words;
}

async function again() {
  if (document.hidden) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (answer?.redirected || answer?.status === 401) return tell(text("signed_out"));
  if (!answer?.ok) return tell(text("offline", { time: clock(heardAt) }));
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const tile of page.querySelectorAll("[data-figure]")) {
    const shown = figures.querySelector(`#${tile.closest("section").id} [data-figure="${tile.dataset.figure}"] .value`);
    const value = tile.querySelector(".value").textContent;
    if (shown.textContent !== value) shown.textContent = value;
  }
  heardAt = now();
  tell("");
}

if (figures.hasAttribute("data-live-day")) setInterval(again, EVERY);
document.getElementById("print")?.addEventListener("click", () => print());
