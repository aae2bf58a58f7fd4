// Draws every <figure class="analytics-chart" data-chart="URL">: fetches its JSON,
// draws it with ECharts in the page's colours, and writes the same numbers into a table.

const NARROW = "\u202f";
const NOTHING = "–";
const drawn = new Map();

/** A value as people read it: 12 430, 85 ms, 0.42 %. The same texts as the server's. */
export function text(value, unit) {
  if (value === null || value === undefined) return NOTHING;
  if (unit === "%") return `${value.toFixed(2)}${NARROW}%`;
  if (unit === "µs") return duration(value);
  if (unit === "bytes") return size(value);
  const digits = Number.isInteger(value) ? 0 : 2;
  return value
    .toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })
    .replaceAll(",", NARROW);
}

function duration(value) {
  if (value < 999.5) return `${value.toFixed(0)} µs`;
  if (value < 999500) return `${(value / 1e3).toFixed(0)} ms`;
  if (value < 99950000) return `${(value / 1e6).toFixed(1)} s`;
  return `${(value / 6e7).toFixed(0)} min`;
}

function size(value) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let place = 0;
  while (value >= 1000 && place < units.length - 1) {
    value /= 1000;
    place += 1;
  }
  return `${place ? value.toFixed(1) : value} ${units[place]}`;
}

/** Fetch and draw a figure, or draw it anew. */
export async function show(figure) {
  try {
    const answer = await fetch(figure.dataset.chart, { headers: { Accept: "application/json" } });
    const type = answer.headers.get("Content-Type") || "";
    if (!type.includes("json")) throw new Error("Sign in again to see this chart.");
    const data = await answer.json();
    if (!answer.ok) throw new Error(data.error || "This chart cannot be drawn.");
    say(figure, data.series.length ? "" : "Nothing was counted in these days.");
    paint(figure, data);
    tabulate(figure, data);
  } catch (error) {
    const lost = error instanceof TypeError;
    say(figure, lost ? "The server does not answer. What is shown may be old." : error.message, "problem");
  }
}

function say(figure, sentence, kind = "note") {
  let note = figure.querySelector("[role=status]");
  if (!note) {
    note = document.createElement("p");
    note.setAttribute("role", "status");
    figure.append(note);
  }
  note.className = `analytics-chart-${kind}`;
  note.textContent = sentence;
  note.hidden = !sentence;
}

function paint(figure, data) {
  let plot = figure.querySelector(".analytics-plot");
  if (!plot) {
    plot = document.createElement("div");
    plot.className = "analytics-plot";
    figure.querySelector("figcaption").after(plot);
  }
  let chart = drawn.get(figure)?.chart;
  if (!chart) {
    chart = window.echarts.init(plot, null, { renderer: "canvas" });
    new ResizeObserver(() => chart.resize()).observe(plot);
  }
  drawn.set(figure, { chart, data });
  chart.setOption(options(data, colours(figure)), { notMerge: true });
  plot.setAttribute("aria-label", `${data.title}: chart. The table below has its numbers.`);
  figure.dataset.drawn = data.series.map((one) => one.values.length).join(" ");
}

function colours(figure) {
  const style = getComputedStyle(figure);
  const read = (name, fallback) => style.getPropertyValue(name).trim() || fallback;
  return {
    series: [
      read("--chart-1", "#0f766e"),
      read("--chart-2", "#c2570c"),
      read("--chart-3", "#4f63c6"),
      read("--chart-4", "#a8781a"),
      read("--chart-5", "#9d3c72"),
      read("--chart-6", "#5b6770"),
    ],
    muted: read("--chart-muted", "#8a8f94"),
    grid: read("--chart-grid", read("--hairline-color", "#e0e0e0")),
    text: read("--body-quiet-color", "#666"),
    ground: read("--body-bg", "#fff"),
    strong: read("--body-fg", "#222"),
    font: style.fontFamily,
  };
}

function options(data, colour) {
  const pie = data.type === "pie";
  const axis = { color: colour.text, fontFamily: colour.font };
  return {
    animation: false,
    color: colour.series,
    // Patterns tell apart what shares a colour.
    aria: { enabled: true, decal: { show: data.series.length > colour.series.length } },
    textStyle: { fontFamily: colour.font },
    tooltip: {
      trigger: pie ? "item" : "axis",
      // The default, HTML, sets inline styles, which a strict policy refuses.
      renderMode: "richText",
      confine: true,
      backgroundColor: colour.ground,
      borderColor: colour.grid,
      textStyle: { color: colour.strong },
      valueFormatter: (value) => text(value, data.unit),
    },
    legend: {
      show: data.series.length > 1 || pie,
      type: data.series.length > 4 ? "scroll" : "plain",
      bottom: 0,
      icon: "roundRect",
      itemHeight: 10,
      textStyle: axis,
    },
    grid: { left: 4, right: 12, top: 16, bottom: data.series.length > 1 ? 36 : 8, containLabel: true },
    ...(pie ? {} : axes(data, colour, axis)),
    series: pie ? slices(data) : data.series.map((one, place) => line(one, place, data, colour)),
  };
}

function axes(data, colour, axis) {
  return {
    xAxis: {
      type: "category",
      data: data.labels,
      boundaryGap: data.type === "bar",
      axisLine: { lineStyle: { color: colour.grid } },
      axisTick: { show: false },
      axisLabel: { ...axis, hideOverlap: true },
    },
    yAxis: {
      type: "value",
      min: 0,
      minInterval: data.unit === "" ? 1 : 0,
      splitLine: { lineStyle: { color: colour.grid } },
      axisLabel: { ...axis, formatter: (value) => text(value, data.unit) },
    },
  };
}

function line(one, place, data, colour) {
  const bars = data.type === "bar";
  const own = one.compare ? colour.muted : colour.series[place % colour.series.length];
  return {
    name: one.name,
    type: bars && !one.compare ? "bar" : "line",
    data: one.values.map((value) => (value === null ? "-" : value)),
    stack: data.type === "stacked" ? "all" : undefined,
    itemStyle: { color: own },
    lineStyle: { width: one.compare ? 1.5 : 2.5, type: one.compare ? "dashed" : "solid", color: own },
    areaStyle: one.compare || bars ? undefined : { color: own, opacity: data.type === "stacked" ? 0.6 : 0.12 },
    showSymbol: hasLonePoint(one.values),
    symbolSize: 6,
    barMaxWidth: 28,
    z: one.compare ? 1 : 2,
    markArea: place === 0 ? shades(one, data, colour) : undefined,
  };
}

function isKnown(value) {
  return value !== null && value !== undefined;
}

/** A point without another one beside it is in no line. */
function hasLonePoint(values) {
  return values.some((value, place) => isKnown(value) && !isKnown(values[place - 1]) && !isKnown(values[place + 1]));
}

/** Over what still runs, whose low end is no fall, and over what was not recorded. */
function shades(one, data, colour) {
  const last = data.running;
  const areas = gaps(one, data);
  if (typeof last === "number") {
    areas.push(shade(data.type === "bar" ? last : last - 1, last, "so far", "insideTop", 0.14));
  }
  if (!areas.length) return undefined;
  return {
    silent: true,
    itemStyle: { color: colour.muted },
    label: { color: colour.text, fontFamily: colour.font },
    data: areas,
  };
}

function shade(from, to, name, position, opacity) {
  return [{ xAxis: Math.max(from, 0), name, label: { position }, itemStyle: { opacity } }, { xAxis: to }];
}

/** One shade for gaps beside each other, as wide as the break in the line; the widest
    one has the words. What still runs has a shade of its own. */
function gaps(one, data) {
  const runs = [];
  for (const place of one.gaps ?? []) {
    if (place === data.running) continue;
    const run = runs.at(-1);
    if (run && run.to === place - 1) run.to = place;
    else runs.push({ from: place, to: place });
  }
  const widest = runs.reduce((wide, run) => (wide && wide.to - wide.from >= run.to - run.from ? wide : run), null);
  return runs.map((run) => {
    const to = Math.min(run.to + 1, data.labels.length - 1);
    // A narrow shade's words are wider than it: beside an edge they grow inwards.
    const side = run.from === 0 ? "Left" : to === data.labels.length - 1 ? "Right" : "";
    return shade(run.from - 1, to, run === widest ? data.gap : "", `insideBottom${side}`, 0.07);
  });
}

function slices(data) {
  const sums = data.series.map((one) => ({
    name: one.name,
    value: one.values.reduce((sum, value) => sum + (value || 0), 0),
  }));
  return [{ type: "pie", radius: ["45%", "72%"], center: ["50%", "45%"], label: { show: false }, data: sums }];
}

function tabulate(figure, data) {
  let details = figure.querySelector("details.analytics-twin");
  if (!details) {
    details = document.createElement("details");
    details.className = "analytics-twin";
    const summary = document.createElement("summary");
    summary.textContent = "Show as a table";
    details.append(summary);
    figure.append(details);
  }
  const box = document.createElement("div");
  box.className = "analytics-twin-box";
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", `${data.title}: table`);
  box.append(table(data));
  details.querySelector(".analytics-twin-box")?.remove();
  details.append(box);
}

function table(data) {
  const made = document.createElement("table");
  const head = made.createTHead().insertRow();
  for (const name of ["When", ...data.series.map((one) => one.name)]) head.append(cell("th", name, "col"));
  const body = made.createTBody();
  data.labels.forEach((label, place) => {
    const row = body.insertRow();
    row.append(cell("th", label, "row"));
    for (const one of data.series) {
      const value = one.values[place];
      const td = cell("td", one.gaps?.includes(place) ? data.gap : text(value, data.unit));
      if (isKnown(value)) td.dataset.value = value;
      row.append(td);
    }
  });
  return made;
}

function cell(kind, content, scope) {
  const made = document.createElement(kind);
  made.textContent = content;
  if (scope) made.scope = scope;
  return made;
}

/** The page went from light to dark, or back: the canvas has to be painted again. */
function repaint() {
  for (const [figure, { data }] of drawn) paint(figure, data);
}

new MutationObserver(repaint).observe(document.documentElement, { attributeFilter: ["data-theme"] });
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);

for (const figure of document.querySelectorAll("figure.analytics-chart")) show(figure);
