// How does a chart paint and write? In the colours of the style sheet, whatever the scheme, and in the locale of the page.

/** Figures as the tables write them: in the locale of the page. */
export const count = new Intl.NumberFormat(document.documentElement.lang, { useGrouping: "always" });

/** A bar of a stack; of nothing without its border, which would rub out the axis. */
export const bar = (value) => (value ? { value } : { value, itemStyle: { borderWidth: 0 } });

/** A custom property as a colour that the chart can paint; `box` is where it will be painted. */
export function painter(box) {
  return (name) => {
    const probe = document.createElement("span");
    probe.style.color = `var(${name})`;
    box.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  };
}

/** Calls `draw` again whenever the colours change. */
export function onColours(draw) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}
