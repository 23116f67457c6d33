// What do the figures look like? Stacked columns from the numbers in the table; the legend is buttons, the table stays.
import { BarChart } from "echarts/charts";
import { BrushComponent, GridComponent, ToolboxComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

echarts.use([BarChart, BrushComponent, GridComponent, ToolboxComponent, TooltipComponent, SVGRenderer]);

const box = document.getElementById("chart");
const table = document.getElementById("days");
const keys = [...document.querySelectorAll("[data-series]")];
const whole = document.getElementById("whole");
const rows = [...table.tBodies[0].rows];
const all = rows.map((row) => ({ label: row.cells[0].textContent, cells: [...row.querySelectorAll("[data-outcome]")] }));
let range = [0, all.length - 1];
const chart = echarts.init(box, null, { renderer: "svg" });

/** A custom property as a colour that the chart can paint, whatever the scheme. */
function painted(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  box.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

function draw() {
  const days = all.slice(range[0], range[1] + 1);
  const shown = keys.filter((key) => key.getAttribute("aria-pressed") === "true");
  chart.setOption({
    animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    grid: { left: 8, right: 8, top: 16, bottom: 8, outerBoundsMode: "same" },
    tooltip: { trigger: "axis", axisPointer: { type: "shadow" }, backgroundColor: painted("--surface"), borderColor: painted("--line"), textStyle: { color: painted("--text") } },
    toolbox: { show: false },
    brush: { toolbox: [], xAxisIndex: 0, brushType: "lineX", brushMode: "single", transformable: false, brushStyle: { color: painted("--picked"), borderColor: painted("--accent") } },
    xAxis: { type: "category", data: days.map((day) => day.label), axisLabel: { color: painted("--muted"), hideOverlap: true }, axisLine: { lineStyle: { color: painted("--line") } }, axisTick: { show: false } },
    yAxis: { type: "value", minInterval: 1, axisLabel: { color: painted("--muted") }, splitLine: { lineStyle: { color: painted("--line") } } },
    series: shown.map((key) => ({
      name: key.textContent.trim(),
      type: "bar",
      stack: "all",
      barMaxWidth: 48,
      itemStyle: { color: painted(`--${key.dataset.series}`), borderColor: painted("--surface"), borderWidth: 1 },
      data: days.map((day) => Number(day.cells.find((cell) => cell.dataset.outcome === key.dataset.series).dataset.value)),
    })),
  }, true);
  if (days.length > 2) chart.dispatchAction({ type: "takeGlobalCursor", key: "brush", brushOption: { brushType: "lineX", brushMode: "single" } });
  whole.hidden = range[0] === 0 && range[1] === all.length - 1;
}

chart.on("brushEnd", (event) => {
  const chosen = event.areas[0]?.coordRange;
  if (!chosen || chosen[1] <= chosen[0]) return;
  range = [range[0] + Math.max(0, chosen[0]), range[0] + Math.min(range[1] - range[0], chosen[1])];
  draw();
  if (!whole.hidden) whole.focus();
});
whole.addEventListener("click", () => {
  range = [0, all.length - 1];
  draw();
  keys[0].focus();
});
for (const key of keys) {
  key.addEventListener("click", () => {
    key.setAttribute("aria-pressed", String(key.getAttribute("aria-pressed") !== "true"));
    draw();
  });
}
new ResizeObserver(() => chart.resize()).observe(box);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
document.getElementById("print")?.addEventListener("click", () => print());
draw();
