// What does a change of the good moment mean? The indicator of the list, tried on a customer of the settings page.
import { refreshAvailability } from "./_availability.js";
import { sign } from "./_page.js";

const minutes = document.querySelector("[name=availability_minutes]");
const last = document.getElementById("preview-at");
const hours = document.getElementById("preview-hours");
const mark = document.querySelector("#preview .av");
const clock = (value) => {
  const day = ((value % 1440) + 1440) % 1440;
  return `${String(Math.floor(day / 60)).padStart(2, "0")}:${String(day % 60).padStart(2, "0")}`;
};

function preview() {
  const [hour, minute] = last.value.split(":").map(Number);
  const at = hour * 60 + minute;
  // From half a day on every moment is a good one; the hours of one minute less show the same.
  const around = Math.min(719, Number(minutes.value));
  if (!/^\d+$/.test(minutes.value.trim()) || Number.isNaN(at)) { hours.textContent = ""; return; }
  mark.dataset.from = clock(at - around);
  mark.dataset.to = clock(at + around);
  hours.textContent = `${mark.dataset.from} – ${mark.dataset.to}`;
  refreshAvailability(mark.parentElement);
}

minutes.addEventListener("input", preview);
last.addEventListener("input", preview);
preview();

// What has to be pasted elsewhere is taken as a whole.
for (const field of document.querySelectorAll(".paste")) field.addEventListener("focus", () => field.select());

// Is the PBX set up right? Asked with what the form holds; the answer stands below the button.
const tester = document.querySelector("#pbx-test button");
const found = document.getElementById("pbx-answer");

function show(place, lines) {
  place.replaceChildren(...lines.map(({ ok, text }) => {
    const line = document.createElement("p");
    line.className = ok ? "saved" : "wrong";
    line.append(sign(ok ? "reached" : "failed"), text);
    return line;
  }));
}

async function ask(address, options) {
  const answer = await fetch(address, { headers: { Accept: "application/json" }, ...options });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return (await answer.json()).lines;
}

tester.addEventListener("click", async () => {
  if (tester.getAttribute("aria-busy") === "true") return;
  // The button stays where the focus is: it is busy, not disabled.
  tester.setAttribute("aria-busy", "true");
  found.replaceChildren(Object.assign(document.createElement("p"), { textContent: tester.dataset.asking }));
  try {
    show(found, await ask("/settings/pbx/test", { method: "POST", body: new FormData(tester.form) }));
  } catch {
    show(found, [{ ok: false, text: tester.dataset.failed }]);
  } finally {
    tester.removeAttribute("aria-busy");
  }
});

ask("/settings/pbx/poll").then((lines) => show(document.getElementById("poll-state"), lines), () => {});
