// How long has a request waited? Recomputed here for a page that stays open; past the limit it says so in shape, text and colour.
import { now, text } from "./_page.js";

function told(instant) {
  const minutes = Math.max(0, Math.floor((now() - Date.parse(instant)) / 60_000));
  if (minutes < 60) return text("minutes", { n: minutes });
  return minutes < 2880 ? text("hours", { n: Math.floor(minutes / 60) }) : text("days", { n: Math.floor(minutes / 1440) });
}

/** Sets shape, text and colour of every age below `root`. */
export function refreshAges(root = document) {
  for (const mark of root.querySelectorAll(".age[data-since]")) {
    const late = now() >= Date.parse(mark.dataset.late);
    const age = told(mark.dataset.since);
    const words = late ? text("late", { age }) : age;
    if (mark.classList.contains("late") !== late) {
      mark.classList.toggle("late", late);
      mark.querySelector("use").setAttribute("href", late ? "#i-warning" : "#i-clock");
    }
    const label = mark.querySelector("span");
    if (label.textContent !== words) label.textContent = words;
  }
}
