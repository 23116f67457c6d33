// When does a reservation of mine end? Five minutes before, its card counts down and offers to keep it; told once aloud.
import { notice } from "./_notices.js";
import { now, text } from "./_page.js";
import { refresh } from "./_refresh.js";

const WARN = 300_000;
const LAST = 60_000;
const told = new Map(); // caller -> what was said of which end

const left = (ms) => `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, "0")}`;

function say(card, remaining) {
  const { caller, number, ends } = card.dataset;
  const stage = `${ends} ${remaining > LAST ? "soon" : "last"}`;
  if (told.get(caller) === stage) return;
  const first = !told.get(caller)?.startsWith(ends);
  told.set(caller, stage);
  // Other work of mine may have moved the end meanwhile: asked once before it is believed.
  if (first) refresh();
  const words = text("ends_soon", { number, left: left(remaining) });
  document.getElementById("ending-said").textContent = words;
  if (first) notice(words, caller);
}

function tick() {
  for (const card of document.querySelectorAll(".mine[data-ends]")) {
    const remaining = Math.max(0, Date.parse(card.dataset.ends) - now());
    const box = card.querySelector(".ending");
    box.hidden = remaining > WARN;
    if (box.hidden) continue;
    const words = text("ends_in", { left: left(remaining) });
    const label = box.querySelector("span");
    if (label.textContent !== words) label.textContent = words;
    say(card, remaining);
  }
}

export function startEnding() {
  if (!document.getElementById("mine")) return;
  tick();
  setInterval(tick, 1000);
}
