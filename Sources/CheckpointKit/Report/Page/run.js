// The page of a training run: norms and changes over its steps, and where NaN begins.

function runRows() {
  const columns = data.tensors;
  return columns.name.map((name, at) => {
    const norms = columns.norms[at], changes = columns.changes[at], changed = columns.changed[at];
    const special = columns.special[at];
    const onset = special ? special[0].findIndex((nans, step) => nans + special[1][step] > 0) : -1;
    const relatives = changes.map((change, step) => step === 0 || changed[step] < 0 ? undefined
      : change === null ? (norms[step] === null && !special ? null : NaN) : norms[step - 1] ? change / norms[step - 1] : change === 0 ? 0 : null);
    const last = norms.reduce((found, norm, step) => norm === null ? found : step, -1);
    const base = norms.find(norm => norm);
    return {
      at, name, dtype: data.dtypes[columns.dtype[at]], shape: columns.shape[at], elements: columns.elements[at], bytes: columns.bytes[at],
      norms, changes, changed, special, onset, relatives, norm: last < 0 ? null : norms[last],
      growth: last >= 0 && base ? Math.log2(norms[last] / base) : null,
      total: relatives.reduce((sum, value) => sum + (value || 0), 0),
      still: changed.every((number, step) => step === 0 || number === 0),
      nonfinite: special ? special[0][special[0].length - 1] + special[1][special[1].length - 1] : 0,
    };
  });
}

function runPage() {
  const rows = runRows();
  const weights = rows.filter(isWeight);
  const steps = data.steps;
  const page = document.getElementById("page");
  const onset = rows.filter(row => row.onset >= 0).sort((one, other) => one.onset - other.onset);
  const table = runTable(rows);
  const sums = steps.map((_, step) => {
    const known = weights.filter(row => row.norms[step] !== null);
    const changed = weights.filter(row => Number.isFinite(row.changes[step]) && row.changes[step] !== null && step > 0);
    const before = Math.sqrt(changed.reduce((sum, row) => sum + (row.norms[step - 1] ?? 0) ** 2, 0));
    const isBad = step > 0 && rows.some(row => Number.isNaN(row.relatives[step]));
    return {
      norm: Math.sqrt(known.reduce((sum, row) => sum + row.norms[step] ** 2, 0)),
      change: step === 0 || isBad ? null : before ? Math.sqrt(changed.reduce((sum, row) => sum + row.changes[step] ** 2, 0)) / before : null,
      nonfinite: rows.reduce((sum, row) => sum + (row.special ? row.special[0][step] + row.special[1][step] : 0), 0),
    };
  });
  const isStill = rows.filter(row => row.still).length;
  const text = [
    `${plural(steps.length, "step")}, ${plural(rows.length, "tensor")}`,
    onset.length > 0 ? `NaN or infinite numbers begin at step ${onset[0].onset} (${steps[onset[0].onset]}) in ${onset[0].name}${onset.length > 1 ? ` and reach ${plural(onset.length, "tensor")}` : ""}` : "no number is NaN or infinite",
    isStill > 0 ? `${plural(isStill, "tensor")} never ${isStill === 1 ? "changes" : "change"}` : null,
  ].filter(Boolean).join("; ");
  page.append(
    html("header", {}, html("div", {}, html("h1", {}, nameText(data.title)), html("p", { class: "answer" }, `${text}.`)), themeButton()),
    facts([
      ["steps", count(steps.length)], ["tensors", count(rows.length)], ["elements", compact(rows.reduce((sum, row) => sum + row.elements, 0))],
      ["never change", count(isStill)], ["NaN begins", onset.length > 0 ? `step ${onset[0].onset}` : "never", onset.length > 0],
    ]),
    section("Over the steps", `Arrow keys move along a focused curve.${data.scalarsLeftOut ? ` ${plural(data.scalarsLeftOut, "number")} in lists, or beyond the first 64, not shown.` : ""}`, [], html("div", { class: "multiples" },
      curve("norm of all tensors", sums.map(sum => sum.norm)),
      curve("change from the step before", sums.map(sum => sum.change)),
      sums.some(sum => sum.nonfinite) ? curve("numbers that are NaN or infinite", sums.map(sum => sum.nonfinite)) : null,
      ...data.scalars.map(([address, values]) => curve(address, values)))),
    runMap(rows, table),
    section("Tensors", "A title sorts; / filters; arrow keys move in the table, Enter shows details.", [], table.element));
  page.append(html("footer", {}, "Steps are in the order given. Change is the norm of the difference from the step before, relative to the norm there. Written by ckpt report; this page loads nothing."));
}

/// A line through the values of all steps; gaps where there is none.
function curve(title, values, { width = 300, height = 96 } = {}) {
  const known = values.filter(value => value !== null && Number.isFinite(value));
  const [low, high] = [-largest(known.map(value => -value), -Infinity), largest(known, -Infinity)];
  const x = step => 6 + (values.length > 1 ? step / (values.length - 1) : 0.5) * (width - 12);
  const y = value => high > low ? height - 10 - (value - low) / (high - low) * (height - 22) : height / 2;
  let path = "", isOpen = false;
  values.forEach((value, step) => {
    if (value === null || !Number.isFinite(value)) { isOpen = false; return; }
    path += `${isOpen ? "L" : "M"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`;
    isOpen = true;
  });
  const dot = svg("circle", { r: 3.5, class: "dot", visibility: "hidden" });
  const lastAt = values.findLastIndex(value => value !== null && Number.isFinite(value));
  let current = -1;
  const show = (step, isSpoken) => {
    current = Math.min(Math.max(step, 0), values.length - 1);
    const value = values[current];
    const bounds = chart.getBoundingClientRect();
    const scale = bounds.width / width;
    if (value !== null && Number.isFinite(value)) {
      dot.setAttribute("cx", x(current));
      dot.setAttribute("cy", y(value));
      dot.setAttribute("visibility", "visible");
    } else dot.setAttribute("visibility", "hidden");
    showTip(bounds.left + x(current) * scale, bounds.top + 20, [title, `step ${current}, ${data.steps[current]}`, numberText(value)], isSpoken);
  };
  const leave = () => { hideTip(); dot.setAttribute("visibility", "hidden"); current = -1; };
  const chart = svg("svg", {
    viewBox: `0 0 ${width} ${height}`, width: "100%", tabindex: 0, role: "img",
    "aria-label": `${title}: from ${numberText(values.find(value => value !== null))} to ${numberText(values[lastAt])}`,
    mousemove(event) {
      const bounds = chart.getBoundingClientRect();
      show(Math.round(((event.clientX - bounds.left) / bounds.width * width - 6) / (width - 12) * (values.length - 1)));
    },
    mouseleave: leave, blur: leave,
    keydown(event) {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!by) return;
      event.preventDefault();
      show(current < 0 ? (by > 0 ? 0 : values.length - 1) : current + by, true);
    },
  },
  svg("line", { x1: 0, x2: width, y1: height - 4, y2: height - 4, class: "axis" }),
  svg("path", { d: path, class: "curve" }), dot);
  return html("figure", {},
    html("figcaption", {}, nameText(title, { title }), html("span", { class: "quiet" }, lastAt < 0 ? "–" : numberText(values[lastAt]))),
    chart,
    html("figcaption", { class: "quiet" }, html("span", {}, known.length ? `${numberText(low, 3)} to ${numberText(high, 3)}` : "")));
}

/// Modules as deep as there is room for, and what each tensor belongs to.
function runGroups(rows) {
  let best = null;
  for (let depth = 1; depth <= 6; depth += 1) {
    const groups = new Map();
    for (const row of rows) {
      if (!isWeight(row)) continue;
      const parts = row.name.split(".");
      const key = parts.slice(0, Math.max(Math.min(depth, parts.length - 1), 1)).join(".");
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(row);
    }
    if (best && (groups.size > 44 || groups.size === best.size)) break;
    best = groups;
  }
  return best;
}

function runMap(rows, table) {
  const groups = [...runGroups(rows)];
  const each = step => step > 0;
  const measures = {
    change: ["relative change from the step before", (row, step) => {
      if (!each(step)) return undefined;
      const members = groups[row][1];
      if (members.some(one => Number.isNaN(one.relatives[step]) || one.special && one.special[0][step] + one.special[1][step] > 0)) return NaN;
      const known = members.filter(one => one.changed[step] >= 0);
      if (known.length === 0) return undefined;
      const before = known.reduce((sum, one) => sum + (one.norms[step - 1] ?? 0) ** 2, 0);
      const change = known.reduce((sum, one) => sum + one.changes[step] ** 2, 0);
      return before > 0 ? Math.sqrt(change / before) : change > 0 ? null : 0;
    }, {}, "identical"],
    growth: ["norm since the first step: shrank or grew (log₂)", (row, step) => {
      const members = groups[row][1].filter(one => one.norms[0] !== null && one.norms[step] !== null);
      if (groups[row][1].some(one => one.special && one.special[0][step] + one.special[1][step] > 0)) return NaN;
      const [from, to] = [0, step].map(at => members.reduce((sum, one) => sum + one.norms[at] ** 2, 0));
      return from > 0 && to > 0 ? Math.log2(to / from) / 2 : null;
    }, { isDiverging: true }],
  };
  const map = heatMap({
    rowNames: groups.map(([name]) => name), columnNames: data.steps, label: "Change by module and step",
    describe(row, step, measure) {
      const value = measure.value(row, step);
      return [groups[row][0], `step ${step}, ${data.steps[step]}`, `${measure.words}: ${Number.isNaN(value) ? "NaN or infinite" : numberText(value)}`, plural(groups[row][1].length, "tensor")];
    },
    choose(row) { table.filter(groups[row][1].length === 1 ? groups[row][1][0].name : `${groups[row][0]}.*`); },
  });
  const show = key => {
    const [words, value, options, still] = measures[key];
    const cells = groups.flatMap((_, row) => data.steps.map((_, step) => value(row, step))).filter(one => one !== undefined);
    const all = cells.filter(one => one !== null);
    map.show({ words, value, still, hasMissing: all.length < cells.length, missing: "not relative to anything", hasBad: all.some(Number.isNaN), scale: colorScale(all, options) });
  };
  show("change");
  return section("Change by module and step", "A column per step, a row per module. Enter filters the table.",
    [picker("Measure", Object.entries(measures).map(([key, [words]]) => [key, words]), show)], map.element);
}

/// A curve in a cell of the table.
function spark(values, width = 116, height = 21) {
  const known = values.filter(value => value !== null && value !== undefined && Number.isFinite(value));
  const chart = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  if (known.length === 0) return chart;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  let path = "", isOpen = false;
  values.forEach((value, step) => {
    const x = 2 + (values.length > 1 ? step / (values.length - 1) : 0.5) * (width - 4);
    if (value === null || value === undefined || !Number.isFinite(value)) {
      if (Number.isNaN(value)) chart.append(svg("circle", { cx: x, cy: 3, r: 2, class: "dot bad" }));
      isOpen = false;
      return;
    }
    path += `${isOpen ? "L" : "M"}${x.toFixed(1)} ${(high > low ? height - 3 - (value - low) / (high - low) * (height - 6) : height / 2).toFixed(1)}`;
    isOpen = true;
  });
  chart.append(svg("path", { d: path, class: "curve" }));
  return chart;
}

function runTable(rows) {
  const columns = [
    { key: "name", title: "name", width: "340px", isText: true, value: row => row.name, cell: row => nameText(shortened(row.name, 50), { title: row.name }) },
    { key: "dtype", title: "type", width: "66px", isText: true, value: row => row.dtype, text: row => row.dtype },
    { key: "shape", title: "shape", hint: "Sorted by number of elements", width: "130px", value: row => row.elements, text: row => `[${row.shape.join(", ")}]` },
    { key: "norm", title: "norm", hint: "Euclidean norm in the last step", width: "86px", value: row => row.norm, text: row => numberText(row.norm) },
    { key: "norms", title: "norm over steps", hint: "Sorted by how much the norm grew", width: "140px", value: row => row.growth, cell: row => spark(row.norms) },
    { key: "changes", title: "change per step", hint: "Sorted by the sum of relative changes", width: "140px", value: row => row.total, cell: row => spark(row.relatives) },
    { key: "total", title: "sum of changes", hint: "Relative changes of all steps, added up", width: "120px", value: row => row.total, text: row => row.still ? "none" : numberText(row.total) },
    { key: "onset", title: "NaN from", hint: "First step with a number that is not finite", width: "90px", value: row => row.onset < 0 ? null : row.onset, cell: row => row.onset < 0 ? "" : html("span", { class: "bad" }, `step ${row.onset}`) },
  ];
  const marks = [{ title: "never change", keeps: row => row.still }, { title: "NaN, Inf", keeps: row => row.onset >= 0 }].filter(mark => rows.some(mark.keeps));
  return tableView({ rows, columns, marks, label: "Tensors", nameOf: row => row.name, details: runDetails });
}

function runDetails(row) {
  return [
    html("h3", {}, nameText(row.name)),
    html("p", { class: "quiet" }, `${row.dtype} [${row.shape.join(", ")}], ${plural(row.elements, "element")}, ${bytesText(row.bytes)}`),
    curve("norm", row.norms), curve("relative change", row.relatives.map(value => value ?? null)),
    html("table", {}, html("thead", {}, html("tr", {}, ...["step", "norm", "change", "changed"].map(text => html("th", {}, text)))),
      html("tbody", {}, ...data.steps.slice(0, 200).map((_, step) => html("tr", {},
        html("td", {}, String(step)), html("td", {}, numberText(row.norms[step])), html("td", {}, Number.isNaN(row.relatives[step]) ? "NaN" : numberText(row.relatives[step])),
        html("td", {}, row.changed[step] < 0 ? "–" : count(row.changed[step])))))),
  ];
}
