// How does a board stay live, and how is it arranged by hand? It reads itself again; forms are sent without a reload.
import { BarChart, PieChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { clock, now, text } from "./_page.js";
import { asOf } from "./_past.js";
import { bar, count, onColours, painter } from "./_paint.js";

echarts.use([BarChart, PieChart, GridComponent, TooltipComponent, SVGRenderer]);

const EVERY = 5000;
const board = document.getElementById("board");
const freshness = document.getElementById("freshness");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
let heardAt = now();
let dragged = null;

function options(data, paint) {
  const shared = {
    animation: !calm.matches,
    tooltip: { valueFormatter: (value) => count.format(value), backgroundColor: paint("--surface"), borderColor: paint("--line"), textStyle: { color: paint("--text") } },
  };
  const colour = (series) => paint(`--${series.colour}`);
  if (data.form === "donut") {
    const slices = data.series.map((series) => ({ name: series.name, value: series.values[0] ?? 0, itemStyle: { color: colour(series) } }));
    return { ...shared, series: [{ type: "pie", radius: ["45%", "80%"], label: { color: paint("--text"), formatter: ({ name, value }) => `${name}: ${count.format(value)}` }, itemStyle: { borderColor: paint("--surface"), borderWidth: 2 }, data: slices }] };
  }
  return {
    ...shared,
    tooltip: { ...shared.tooltip, trigger: "axis", axisPointer: { type: "shadow" } },
    grid: { left: 8, right: 8, top: 12, bottom: 8, outerBoundsMode: "same" },
    xAxis: { type: "category", data: data.labels, axisLabel: { color: paint("--muted"), hideOverlap: true }, axisLine: { lineStyle: { color: paint("--line") } }, axisTick: { show: false } },
    yAxis: { type: "value", minInterval: 1, axisLabel: { color: paint("--muted"), formatter: (value) => count.format(value) }, splitLine: { lineStyle: { color: paint("--line") } } },
    series: data.series.map((series) => ({ name: series.name, type: "bar", stack: "all", barMaxWidth: 48, itemStyle: { color: colour(series), borderColor: paint("--surface"), borderWidth: 1 }, data: series.values.map(bar) })),
  };
}

function draw(box) {
  const chart = echarts.getInstanceByDom(box) ?? echarts.init(box, null, { renderer: "svg" });
  chart.setOption(options(JSON.parse(box.dataset.chart), painter(box)), true);
  return chart;
}

const drawAll = () => { for (const box of document.querySelectorAll("[data-chart]")) draw(box); };

// A chart takes the size of its widget, also when it is printed.
const sizes = new ResizeObserver((boxes) => { for (const { target } of boxes) echarts.getInstanceByDom(target)?.resize(); });
function watch() {
  drawAll();
  for (const box of document.querySelectorAll("[data-chart]")) sizes.observe(box);
}

const parsed = async (answer) => new DOMParser().parseFromString(await answer.text(), "text/html");

/** Reads the board again and changes the contents that differ; a table that was opened stays open. */
async function again() {
  if (document.hidden || dragged) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (answer?.status === 401 || (answer?.redirected && new URL(answer.url).pathname === "/login")) return tell(text("signed_out"));
  if (!answer?.ok) return tell(text("offline", { time: clock(heardAt) }));
  const page = await parsed(answer);
  for (const fresh of page.querySelectorAll("#board .widget")) {
    const shown = document.getElementById(fresh.id);
    if (shown) patch(shown.querySelector(".content"), fresh.querySelector(".content"));
  }
  heardAt = now();
  tell("");
}

function patch(shown, fresh) {
  const value = shown.querySelector(".value");
  if (value) {
    const words = fresh.querySelector(".value")?.textContent;
    if (words !== undefined && value.textContent !== words) value.textContent = words;
    return;
  }
  const body = shown.querySelector("tbody");
  const rows = fresh.querySelector("tbody");
  if (body && rows && body.innerHTML !== rows.innerHTML) body.replaceWith(document.adoptNode(rows));
  const chart = shown.querySelector("[data-chart]");
  const data = fresh.querySelector("[data-chart]")?.dataset.chart;
  if (chart && data && chart.dataset.chart !== data) { chart.dataset.chart = data; draw(chart); }
}

function tell(words) {
  board.classList.toggle("stale", words !== "");
  if (freshness.textContent !== words) freshness.textContent = words;
}

/** Sends one change and shows the board as it is then; the focus goes where it was, or to the widget. */
async function change(address, fields, tool) {
  const answer = await fetch(address, { method: "POST", body: new URLSearchParams(fields), headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) return tell(text(answer ? "failed" : "unreachable"));
  const page = await parsed(answer);
  const fresh = page.getElementById("board");
  if (!fresh) { location.href = answer.url; return; }
  board.replaceChildren(...document.adoptNode(fresh).childNodes);
  watch();
  tell("");
  const widget = document.getElementById(address.split("/").at(-2));
  const same = tool && widget?.querySelector(`[data-tool="${tool}"]:not(:disabled)`);
  (same || widget || board.querySelector(".widget"))?.focus();
}

const address = (widget, what) => `/widgets/${board.dataset.board}/${widget.id}/${what}`;

function arrange() {
  board.addEventListener("submit", (event) => {
    event.preventDefault();
    const fields = [...new FormData(event.target, event.submitter)];
    change(new URL(event.target.action).pathname, fields, event.submitter?.dataset.tool);
  });
  board.addEventListener("keydown", (event) => {
    const widget = event.target;
    if (!widget.matches?.(".widget") || event.ctrlKey || event.metaKey || event.altKey) return;
    const place = Number(widget.dataset.place);
    const size = widget.className.match(/size-([SML])/)[1];
    const moves = { ArrowLeft: place - 1, ArrowUp: place - 1, ArrowRight: place + 1, ArrowDown: place + 1 };
    const grown = { "+": "SML"["SML".indexOf(size) + 1], "-": "SML"["SML".indexOf(size) - 1] };
    if (event.key in moves) change(address(widget, "move"), { to: Math.max(0, moves[event.key]) });
    else if (event.key in grown) { if (grown[event.key]) change(address(widget, "size"), { size: grown[event.key] }); }
    else if (event.key === "Delete") change(address(widget, "remove"), {});
    else return;
    event.preventDefault();
  });
  board.addEventListener("dragstart", (event) => {
    dragged = event.target.closest(".widget");
    dragged.classList.add("dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.id);
  });
  board.addEventListener("dragover", (event) => {
    const over = event.target.closest(".widget");
    if (!dragged || !over) return;
    event.preventDefault();
    for (const one of board.querySelectorAll(".under")) one.classList.remove("under");
    over.classList.add("under");
  });
  board.addEventListener("drop", (event) => {
    event.preventDefault();
    const over = event.target.closest(".widget");
    if (dragged && over && over !== dragged) change(address(dragged, "move"), { to: Number(over.dataset.place) });
  });
  board.addEventListener("dragend", () => {
    for (const one of board.querySelectorAll(".under, .dragged")) one.classList.remove("under", "dragged");
    dragged = null;
  });
}

watch();
onColours(drawAll);
if (board?.hasAttribute("data-edit")) {
  arrange();
  if (location.hash) document.getElementById(location.hash.slice(1))?.focus();
}
if (board && !asOf) setInterval(again, EVERY);
document.getElementById("print")?.addEventListener("click", () => print());
if (new URLSearchParams(location.search).has("kiosk")) document.documentElement.classList.add("kiosk");
