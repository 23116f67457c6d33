// What do the figures look like? Charts drawn from the numbers in the table; legends are buttons, the table stays.
import { BarChart, LineChart, PieChart } from "echarts/charts";
import { BrushComponent, GridComponent, ToolboxComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { startFigures } from "./_figures.js";
import { bar, count, onColours, painter } from "./_paint.js";

echarts.use([BarChart, LineChart, PieChart, BrushComponent, GridComponent, ToolboxComponent, TooltipComponent, SVGRenderer]);

const boxes = [...document.querySelectorAll("[data-chart]")];
const keys = [...document.querySelectorAll(".key[data-series]")];
const whole = document.getElementById("whole");
const rows = [...(document.getElementById("days")?.tBodies[0].rows ?? [])];
let range = [0, rows.length - 1];
const charts = boxes.map((box) => ({ box, chart: echarts.init(box, null, { renderer: "svg" }) }));

const painted = painter(document.body);
const share = new Intl.NumberFormat(document.documentElement.lang, { style: "percent", maximumFractionDigits: 1 });

const valueOf = (row, name) => Number(row.querySelector(`[data-of="${name}"] .fig`).dataset.value);
const on = () => keys.filter((key) => key.getAttribute("aria-pressed") === "true");
const look = (key) => ({ name: key.textContent.trim(), itemStyle: { color: painted(`--${key.dataset.series}`), borderColor: painted("--surface"), borderWidth: 1 } });

function tooltip(trigger) {
  return { trigger, valueFormatter: (value) => count.format(value), axisPointer: { type: "shadow" }, confine: true, backgroundColor: painted("--surface"), borderColor: painted("--line"), textStyle: { color: painted("--text") } };
}

function donut(days) {
  return {
    tooltip: tooltip("item"),
    series: [{
      type: "pie",
      radius: ["42%", "62%"],
      label: { color: painted("--text"), formatter: ({ percent }) => share.format(percent / 100), overflow: "none", minMargin: 4, edgeDistance: 4 },
      labelLine: { length: 6, length2: 4 },
      data: on().map((key) => ({ ...look(key), value: days.reduce((sum, row) => sum + valueOf(row, key.dataset.series), 0) })).filter((part) => part.value),
    }],
  };
}

function axes(days, series) {
  return {
    grid: { left: 8, right: 8, top: 16, bottom: 8, outerBoundsMode: "same" },
    tooltip: tooltip("axis"),
    toolbox: { show: false },
    brush: { toolbox: [], xAxisIndex: 0, brushType: "lineX", brushMode: "single", transformable: false, brushStyle: { color: painted("--picked"), borderColor: painted("--accent") } },
    xAxis: { type: "category", data: days.map((row) => row.querySelector("th a").textContent), axisLabel: { color: painted("--muted"), hideOverlap: true }, axisLine: { lineStyle: { color: painted("--line") } }, axisTick: { show: false } },
    yAxis: { type: "value", minInterval: 1, axisLabel: { color: painted("--muted"), width: 34, formatter: (value) => count.format(value) }, splitLine: { lineStyle: { color: painted("--line") } } },
    series,
  };
}

function options(box, days) {
  if (box.dataset.chart === "donut") return donut(days);
  if (box.dataset.chart === "line") {
    const name = box.dataset.series;
    const title = document.getElementById(box.closest("section").getAttribute("aria-labelledby")).textContent;
    return axes(days, [{ type: "line", name: title, lineStyle: { color: painted(`--${name}`) }, itemStyle: { color: painted(`--${name}`) }, symbolSize: 6, data: days.map((row) => valueOf(row, name)) }]);
  }
  return axes(days, on().map((key) => ({ ...look(key), type: "bar", stack: "all", barMaxWidth: 48, data: days.map((row) => bar(valueOf(row, key.dataset.series))) })));
}

function draw() {
  const days = rows.slice(range[0], range[1] + 1);
  const animation = !matchMedia("(prefers-reduced-motion: reduce)").matches;
  for (const { box, chart } of charts) {
    chart.setOption({ animation, ...options(box, days) }, true);
    if (box.dataset.chart !== "donut" && days.length > 2) chart.dispatchAction({ type: "takeGlobalCursor", key: "brush", brushOption: { brushType: "lineX", brushMode: "single" } });
  }
  whole.hidden = range[0] === 0 && range[1] === rows.length - 1;
}

function zoom(event) {
  const chosen = event.areas[0]?.coordRange;
  if (!chosen || chosen[1] <= chosen[0]) return;
  range = [range[0] + Math.max(0, chosen[0]), range[0] + Math.min(range[1] - range[0], chosen[1])];
  draw();
  if (!whole.hidden) whole.focus();
}

/** A click anywhere above a day opens what is behind it, as its link in the table does. */
function open(chart, event) {
  const nth = chart.convertFromPixel({ xAxisIndex: 0 }, event.offsetX);
  if (!chart.containPixel("grid", [event.offsetX, event.offsetY])) return;
  rows[range[0] + nth]?.querySelector("th a")?.click();
}

for (const { box, chart } of charts) {
  new ResizeObserver(() => chart.resize()).observe(box);
  if (box.dataset.chart === "donut") continue;
  chart.on("brushEnd", zoom);
  chart.getZr().on("click", (event) => open(chart, event));
}
whole?.addEventListener("click", () => {
  range = [0, rows.length - 1];
  draw();
  keys[0].focus();
});
for (const key of keys) {
  key.addEventListener("click", () => {
    key.setAttribute("aria-pressed", String(key.getAttribute("aria-pressed") !== "true"));
    draw();
  });
}
if (charts.length) {
  onColours(draw);
  draw();
}
startFigures(() => { if (charts.length) draw(); });
