// Which colours does a chart paint with? Those of the style sheet, whatever the scheme.

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
