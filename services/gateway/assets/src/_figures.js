// How do the figures of a report stay true? The page reads itself again when something changed, and says so when it cannot.
import { clock, now, text } from "./_page.js";
import { asOf } from "./_past.js";
import { listen, stop } from "./_stream.js";

const EVERY = 5000;
const SOON = 150;
const report = document.getElementById("report");
const freshness = document.getElementById("freshness");
let heardAt = now();
let position = 0;
let reading = false;
let due = null;

function tell(words) {
  report.classList.toggle("stale", words !== "");
  if (freshness.textContent !== words) freshness.textContent = words;
}

/** Copies figures, links and tooltips of the page just read; true when any of them changed. */
function take(page) {
  const fresh = [...page.querySelectorAll("#report .fig, #report .change")];
  const shown = [...report.querySelectorAll(".fig, .change")];
  if (fresh.length !== shown.length) {
    location.reload();
    return false;
  }
  let changed = false;
  shown.forEach((old, nth) => {
    if (old.isEqualNode(fresh[nth])) return;
    changed = true;
    const held = old === document.activeElement;
    old.replaceWith(fresh[nth]);
    if (held) fresh[nth].focus();
  });
  return changed;
}

async function again(onChange) {
  if (document.hidden || reading) return;
  reading = true;
  const answer = await fetch(location.href, { headers: { Accept: "text/html", ...(position && { "Min-Position": position }) } }).catch(() => null);
  const html = answer?.ok ? await answer.text().catch(() => null) : null;
  reading = false;
  if (answer?.redirected || answer?.status === 401) return tell(text("signed_out"));
  if (html === null) return tell(text("offline", { time: clock(heardAt) }));
  if (take(new DOMParser().parseFromString(html, "text/html"))) onChange();
  heardAt = now();
  tell("");
}

/** Follows the changes while the page is open; `onChange` is called when a figure has another value. */
export function startFigures(onChange = () => {}) {
  document.getElementById("print")?.addEventListener("click", () => print());
  if (!report) return;
  for (const mark of document.querySelectorAll(".mark")) mark.addEventListener("click", () => { document.getElementById("restated").open = true; });
  // The old figures stay, dimmed, until those of the new choice are there.
  for (const form of document.querySelectorAll("form[role=search]")) form.addEventListener("submit", () => report.classList.add("stale"));
  for (const link of document.querySelectorAll(".sheet a, .chip a")) link.addEventListener("click", () => report.classList.add("stale"));
  addEventListener("pageshow", () => report.classList.remove("stale"));
  if (!report.hasAttribute("data-live-report") || asOf) return;
  const soon = () => {
    clearTimeout(due);
    due = setTimeout(() => again(onChange), SOON);
  };
  listen({
    position: () => position,
    open: soon,
    beat: () => {},
    change: (change) => {
      position = Math.max(position, change.position);
      soon();
    },
    lost: () => {},
    closed: soon,
  });
  addEventListener("pagehide", stop);
  setInterval(() => again(onChange), EVERY);
}
