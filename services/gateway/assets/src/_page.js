// What does the page say about itself? Its texts, its user, and the server's clock.
const data = document.body.dataset;
const texts = JSON.parse(document.getElementById("texts").textContent);
const offset = Date.parse(data.now) - Date.now();
const timeOfDay = new Intl.DateTimeFormat("it", { timeZone: data.zone, hour: "2-digit", minute: "2-digit", second: "2-digit" });

export const me = data.user;
/** The menus and forms that are folded out. */
export const openSheets = () => document.querySelectorAll("details[open]:has(> .sheet)");
export const now = () => (data.asOf ? Date.parse(data.asOf) : Date.now() + offset);
export const clock = (instant) => timeOfDay.format(instant);

/** A text of the catalogue with its {values} filled in; "" for one that does not exist. */
export function text(name, values = {}) {
  return (texts[name] ?? "").replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}

/** Minutes since midnight on the site's clock. */
export function siteMinutes() {
  const [hours, minutes] = clock(now()).split(":");
  return Number(hours) * 60 + Number(minutes);
}

/** "3 s", "2 min": how long ago an instant was. */
export function since(instant) {
  const seconds = Math.max(0, Math.round((now() - Date.parse(instant)) / 1000));
  if (seconds < 60) return text("seconds", { n: seconds });
  if (seconds < 3600) return text("minutes", { n: Math.floor(seconds / 60) });
  return text("hours", { n: Math.floor(seconds / 3600) });
}

/** A copy of a sign of the sprite. */
export function sign(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "i");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}
