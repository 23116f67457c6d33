// Is now a good moment to call? Recomputed here from the hours in each row, for a page that stays open all day.
import { refreshAges } from "./_age.js";
import { now, siteMinutes, text } from "./_page.js";

const SOON = 60;
const LINE = 60_000;
const minutes = (clock) => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5));
const day = (value) => ((value % 1440) + 1440) % 1440;

// The opening hours by day, in minutes; none: always open.
const opening = JSON.parse(document.body.dataset.opening);
const weekday = new Intl.DateTimeFormat("en", { timeZone: document.body.dataset.zone, weekday: "short" });

function isOpen(at) {
  const today = opening[weekday.format(now()).toLowerCase()];
  return !today || today.some(([first, last]) => first <= at && at < last);
}

function state(from, to, at, open) {
  if (!open) return ["off", text("off")];
  if (day(at - from) <= day(to - from)) return ["now", text("now")];
  const wait = day(from - at);
  return wait <= SOON ? ["soon", text("in_minutes", { n: wait })] : ["off", text("off")];
}

/** Sets shape, text and colour of every indicator below `root`. */
export function refreshAvailability(root = document) {
  refreshAges(root);
  const at = siteMinutes();
  const open = isOpen(at);
  for (const mark of root.querySelectorAll(".av[data-from]")) {
    const [name, words] = state(minutes(mark.dataset.from), minutes(mark.dataset.to), at, open);
    if (!mark.classList.contains(name)) {
      mark.className = `av ${name}`;
      mark.querySelector("use").setAttribute("href", `#i-${name}`);
    }
    const label = mark.querySelector("span");
    if (label.textContent !== words) label.textContent = words;
  }
  for (const note of root.querySelectorAll(".maybe[data-since]")) note.hidden = now() - Date.parse(note.dataset.since) > LINE;
}

export function startAvailability() {
  refreshAvailability();
  setInterval(() => refreshAvailability(), 5000);
}
