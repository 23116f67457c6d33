// Where is that number, or that page? A dialog over any page; the same address as a page works without it.
const PAUSE = 150;
const byId = (id) => document.getElementById(id);
let asked = 0;
let timer = null;

async function find() {
  const mine = ++asked;
  const q = byId("finder-q").value.trim();
  if (!q) return byId("found").replaceChildren();
  const answer = await fetch(`/search?q=${encodeURIComponent(q)}`, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || mine !== asked) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (mine === asked) byId("found").replaceChildren(...[...page.getElementById("results").childNodes].map((one) => document.importNode(one, true)));
}

export function openFinder() {
  byId("finder").showModal();
  byId("finder-q").select();
}

export function startFinder() {
  const dialog = byId("finder");
  if (!dialog) return;
  byId("find").addEventListener("click", (event) => {
    event.preventDefault();
    openFinder();
  });
  byId("finder-q").addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(find, PAUSE);
  });
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const stops = [byId("finder-q"), ...dialog.querySelectorAll("#found a")];
    stops[Math.min(stops.length - 1, Math.max(0, stops.indexOf(document.activeElement) + step))].focus();
  });
}
