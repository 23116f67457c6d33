// How does the report of today stay true? It reads itself again every few seconds and takes over the figures.
const EVERY = 5000;
const figures = document.getElementById("figures");

async function again() {
  if (document.hidden) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const tile of page.querySelectorAll("[data-figure]")) {
    const shown = figures.querySelector(`[data-figure="${tile.dataset.figure}"] .value`);
    const value = tile.querySelector(".value").textContent;
    const sameSection = tile.closest("section").firstElementChild.id === shown?.closest("section").firstElementChild.id;
    if (sameSection && shown.textContent !== value) shown.textContent = value;
  }
}

if (figures.hasAttribute("data-live-day")) setInterval(again, EVERY);
document.getElementById("print")?.addEventListener("click", () => print());
