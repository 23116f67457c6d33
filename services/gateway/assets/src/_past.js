// Does the page show the past? Then nothing on it can be changed, and what it leads to shows the same instant.
export const asOf = document.body.dataset.asOf;
const READS = "[data-do=details], [data-do=close-details]";
const WRITES = "[data-do], [data-assign], .give-to select, input[type=checkbox].pick-one, #pick-page, #picked button, form[method=post]:not([data-reads]) :is(button, input, select, textarea)";

/** An address of this site at the same instant. */
export function then(address) {
  if (!asOf) return address;
  const url = new URL(address, location.href);
  url.searchParams.set("as_of", asOf);
  return url.pathname + url.search;
}

/** Takes the commands out of what `root` shows. */
export function freeze(root) {
  if (!asOf) return;
  for (const control of root.querySelectorAll(WRITES)) {
    if (control.closest("header.top") || control.matches(READS)) continue;
    control.disabled = true;
  }
  for (const link of root.querySelectorAll("a[href^='/']:not([data-now])")) {
    if (!link.closest("nav, header.top") || link.hasAttribute("data-past")) link.href = then(link.href);
  }
  for (const form of root.querySelectorAll("main form[method=get]")) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "as_of", value: asOf }));
  }
}

export const startPast = () => freeze(document);
