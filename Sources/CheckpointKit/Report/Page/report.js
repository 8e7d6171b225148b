// The page of one checkpoint, or of two and how they differ.

function reportPage() {
  const isPair = data.page === "comparison";
  const rows = tensorRows(data.tensors);
  const [first, second] = data.files;
  const kinds = new Map((second?.modules.length ? second : first).modules);
  const root = moduleTree(rows, kinds);
  const page = document.getElementById("page");
  const table = tensorTable(rows, isPair);
  const choose = (path, scrolls) => table.filter(`${path}.*`, scrolls);
  page.append(
    html("header", {}, html("div", {},
      html("h1", {}, nameText(first.path), isPair ? html("span", { class: "arrow" }, "→") : null, isPair ? nameText(second.path) : null),
      html("p", { class: "answer" }, isPair ? `${data.answer[0].toUpperCase()}${data.answer.slice(1)}.` : `${plural(rows.length, "tensor")}, ${plural(root.sums.elements, "element")}, ${bytesText(root.sums.bytes)}, ${first.format}`),
      data.unread.length ? html("p", { class: "bad" }, `${plural(data.unread.length, "tensor")} cannot be read: ${data.unread.slice(0, 5).join(", ")}${data.unread.length > 5 ? ", …" : ""}`) : null),
    themeButton()),
    facts(isPair ? pairFacts(rows, root) : fileFacts(rows, root, first)),
    layers(rows, isPair, table),
    html("div", { class: "columns" },
      section("Modules", isPair ? "Blue bars hold tensors that differ. A module filters the table." : "Bars show where a module's bytes lie. A module filters the table.", [],
        treeView(root, {
          barTitle: "place and share of bytes", figureTitle: isPair ? "change" : "rms", choose,
          figure: node => isPair ? changeFigure(node.sums) : { text: squareText(rows, node), color: null },
        })),
      section("Types", null, [], ...types(rows, isPair), ...top(rows, isPair, table))),
    section("Tensors", "A title sorts; / filters; arrow keys move in the table, Enter shows details.", [], table.element),
    values(isPair), origins());
  const change = isPair ? " Change is the norm of the difference, relative to the norm before." : "";
  page.append(html("footer", {}, `Measures are of finite numbers.${change} Written by ckpt report; this page loads nothing.`));
}

function pairFacts(rows, root) {
  const change = relativeChange(root.sums);
  const differing = rows.filter(row => !row.isSame).length;
  return [
    ["tensors", count(rows.length)], ["that differ", count(differing)], ["elements", compact(root.sums.elements)],
    ["elements changed", percentText(root.sums.compared ? root.sums.changed / root.sums.compared : 0)],
    ["change of all together", root.sums.unmeasured ? "NaN" : numberText(change, 3), root.sums.unmeasured > 0],
    ["NaN or infinite", count(root.sums.nonfinite), root.sums.nonfinite > 0],
  ];
}

function fileFacts(rows, root, file) {
  return [
    ["tensors", count(rows.length)], ["elements", compact(root.sums.elements)], ["bytes", bytesText(root.sums.bytes)],
    ["format", file.format], ["NaN or infinite", count(root.sums.nonfinite), root.sums.nonfinite > 0],
  ];
}

function changeFigure(sums) {
  if (sums.compared === 0 && sums.differing > 0) return { text: "differs", color: palette.still };
  if (sums.differing === 0) return { text: "none", color: null };
  if (sums.unmeasured > 0) return { text: "NaN", color: palette.bad };
  const change = relativeChange(sums);
  // Integers alone differ, or zeros by their sign, or values that cannot be read.
  if (change === 0) return { text: "differs", color: null };
  return { text: numberText(change, 3), color: change ? sequential(Math.min(Math.max((Math.log10(change) + 5) / 6, 0), 1)) : null };
}

/// Root mean square of what a module holds.
function squareText(rows, node) {
  const [squares, elements] = node.squares ??= (() => {
    const prefix = `${node.path}.`;
    const held = rows.filter(row => row.name.startsWith(prefix) && !row.alias && isWeight(row));
    return [held.reduce((sum, row) => sum + (row.before?.norm ?? 0) ** 2, 0), held.reduce((sum, row) => sum + row.elements, 0)];
  })();
  return numberText(elements ? Math.sqrt(squares / elements) : null, 3);
}

// Layers by depth

function layers(rows, isPair, table) {
  const grid = layerGrid(rows.filter(row => !row.alias));
  const over = (take, join) => (row, column) => {
    const cell = grid.cell(row, column);
    if (cell.length === 0) return undefined;
    const found = cell.map(take);
    if (found.some(value => Number.isNaN(value))) return NaN;
    const known = found.filter(value => value !== null);
    return known.length === 0 ? null : join(known);
  };
  const most = list => largest(list, list[0]);
  const outermost = list => list.reduce((far, value) => Math.abs(value) > Math.abs(far) ? value : far, 0);
  const bad = (row, value) => row.isCompared && row.change === null && row.specials ? NaN : value;
  const measures = isPair ? {
    change: ["relative change", over(row => bad(row, row.relative), most), {}, "identical"],
    growth: ["norm: shrank or grew (log₂)", over(row => bad(row, row.growth), outermost), { isDiverging: true }],
    share: ["share of elements changed", over(row => row.share, most), { isShare: true, text: percentText }, "none"],
  } : {
    size: ["root mean square", over(row => row.nonfinite ? NaN : rootMeanSquare(row), most), {}, "zero"],
    mean: ["mean in standard deviations", over(row => row.nonfinite ? NaN : row.before?.std ? row.before.mean / row.before.std : null, outermost), { isDiverging: true }],
    zeros: ["share of zeros", over(row => row.before ? row.before.zeros / Math.max(row.elements, 1) : null, most), { isShare: true, text: percentText }, "none"],
  };
  const map = heatMap({
    ...grid, label: "Layers by depth",
    describe(row, column, measure) {
      const cell = grid.cell(row, column);
      const value = measure.value(row, column);
      const text = Number.isNaN(value) ? "NaN or infinite" : measure.format(value);
      const one = cell[0];
      return [cell.length === 1 ? one.name : `${grid.columnNames[column]}: ${plural(cell.length, "tensor")}`,
        `${measure.words}: ${text}`, `${one.dtype} [${one.shape.join(", ")}]${isPair ? `, ${one.kind}` : ""}`, one.specials];
    },
    choose(row, column) {
      const cell = grid.cell(row, column);
      table.filter(cell[0].name);
      table.open(cell[0]);
    },
  });
  const show = key => {
    const [words, value, options, still] = measures[key];
    const cells = grid.rowNames.flatMap((_, row) => grid.columnNames.map((_, column) => value(row, column))).filter(one => one !== undefined);
    const all = cells.filter(one => one !== null);
    map.show({ words, value, still, hasMissing: all.length < cells.length, missing: isPair ? "not relative to anything" : "no value", format: options.text ?? numberText, hasBad: all.some(Number.isNaN), scale: colorScale(all, options) });
  };
  show(Object.keys(measures)[0]);
  return section(isPair ? "Change by layer and depth" : "Layers by depth",
    `${grid.note} Enter shows a tensor.`,
    [picker("Measure", Object.entries(measures).map(([key, [words]]) => [key, words]), show)], map.element);
}

/// The tensors that matter most: those that changed most, or the largest.
function top(rows, isPair, table) {
  const weight = isPair ? row => row.specials ? Infinity : row.relative ?? (row.isCompared ? 0 : -1) : row => row.alias ? 0 : row.bytes;
  const best = rows.filter(row => weight(row) > 0).sort((one, other) => weight(other) - weight(one)).slice(0, 12);
  if (best.length === 0) return [];
  return [
    html("h3", { class: "small" }, isPair ? "Largest relative changes" : "Largest tensors"),
    html("div", { class: "top" }, ...best.flatMap(row => [
      html("button", { type: "button", title: row.name, click() { table.filter(row.name); table.open(row); } }, nameText(shortened(row.name, 46))),
      html("span", { class: `number ${isPair && row.specials ? "bad" : ""}` }, isPair ? row.specials ? "NaN, Inf" : numberText(row.relative, 3) : bytesText(row.bytes)),
    ])),
  ];
}

// Types

function types(rows, isPair) {
  const totals = new Map();
  for (const row of rows) {
    if (row.alias) continue;
    const type = isPair && row.newDtype !== row.dtype ? `${row.dtype} → ${row.newDtype}` : row.dtype;
    const total = totals.get(type) ?? { tensors: 0, bytes: 0 };
    totals.set(type, { tensors: total.tensors + 1, bytes: total.bytes + row.bytes });
  }
  const sorted = [...totals].sort((one, other) => other[1].bytes - one[1].bytes);
  const all = Math.max(sorted.reduce((sum, [, total]) => sum + total.bytes, 0), 1);
  const stripe = html("div", { class: "stripe", "aria-hidden": "true" });
  const list = html("div", { class: "pairs" });
  drawn(() => {
    const color = at => rgb(mix(palette.accent, palette.still, Math.min(at * 0.28, 0.85)));
    stripe.replaceChildren(...sorted.map(([, total], at) => html("span", { style: `flex:${total.bytes / all} 0 0;background:${color(at)}` })));
    list.replaceChildren(...sorted.flatMap(([type, total], at) => [
      html("span", {}, html("i", { class: "swatch", style: `background:${color(at)}` }), type),
      html("span", {}, plural(total.tensors, "tensor")), html("span", {}, bytesText(total.bytes)),
      html("span", { class: "quiet" }, percentText(total.bytes / all)),
    ]));
  });
  return [stripe, list];
}

// Tensors

function tensorTable(rows, isPair) {
  const best = row => row.after ?? row.before;
  const shape = row => `[${row.shape.join(", ")}]`;
  const measure = (key, title, hint) => ({ key, title, hint, width: "86px", value: row => best(row)?.[key], text: row => numberText(best(row)?.[key]) });
  const columns = [
    { key: "name", title: "name", width: "300px", isText: true, value: row => row.name, cell: row => nameText(shortened(row.name, 44), { title: row.name }) },
    isPair && { key: "kind", title: "what", width: "92px", isText: true, value: row => row.kind, cell: row => row.specials ? html("span", { class: "word nan" }, "NaN, Inf") : html("span", { class: `word ${row.kind}` }, row.kind) },
    { key: "dtype", title: "type", width: "66px", isText: true, value: row => row.dtype, text: row => row.dtype },
    { key: "shape", title: "shape", hint: "Sorted by number of elements", width: "120px", value: row => row.elements, text: shape },
    isPair && { key: "relative", title: "change", hint: "Norm of the difference, relative to the norm before", width: "86px", value: row => row.relative, text: row => row.relative === 0 ? "" : numberText(row.relative) },
    isPair && { key: "share", title: "changed", hint: "Share of elements that differ", width: "84px", value: row => row.share, text: row => row.share === 0 ? "" : percentText(row.share) },
    isPair && { key: "max", title: "max abs", hint: "Largest absolute difference", width: "86px", value: row => row.max, text: row => row.max === 0 ? "" : numberText(row.max) },
    isPair && { key: "cosine", title: "cosine", hint: "Cosine of the angle between before and after", width: "84px", value: row => row.cosine, text: row => row.isSame ? "" : numberText(row.cosine) },
    isPair && { key: "flips", title: "flips", hint: "Numbers whose sign is another", width: "72px", value: row => row.flips, text: row => row.flips ? count(row.flips) : "" },
    { key: "histogram", title: "values", hint: "Histogram; sorted by the norm", width: "124px", value: row => best(row)?.norm, cell: row => histogramChart(isPair && !row.isSame ? [row.before, row.after] : [best(row)], 108, 21, { isSmall: true }) },
    measure("norm", "norm", "Euclidean norm"), measure("mean", "mean"), measure("std", "std", "Standard deviation"),
    measure("min", "min"), measure("max", "max"),
    { key: "zeros", title: "zeros", width: "72px", value: row => best(row)?.zeros, text: row => best(row)?.zeros ? count(best(row).zeros) : "" },
    { key: "nonfinite", title: "NaN, Inf", hint: "Numbers that are not finite", width: "76px", value: row => row.nonfinite, cell: row => row.nonfinite ? html("span", { class: "bad" }, count(row.nonfinite)) : "" },
  ].filter(Boolean).map((column, at) => ({ ...column, key: `${column.key}-${at}` }));
  const marks = isPair
    ? data.tensors.kinds.filter(kind => rows.some(row => row.kind === kind)).map(kind => ({ title: kind, keeps: row => row.kind === kind }))
    : [];
  if (rows.some(row => row.nonfinite)) marks.push({ title: "NaN, Inf", keeps: row => row.nonfinite > 0 });
  if (rows.some(row => row.alias)) marks.push({ title: "tied names", keeps: row => Boolean(row.alias) });
  return tableView({ rows, columns, marks, label: "Tensors", nameOf: row => row.newName ? `${row.name} ${row.newName}` : row.name, details: row => tensorDetails(row, isPair) });
}

function tensorDetails(row, isPair) {
  const list = isPair && !row.isSame ? [row.before, row.after] : [row.after ?? row.before];
  const chart = html("div");
  let isLogarithmic = false;
  const draw = () => chart.replaceChildren(histogramChart(list, 308, 150, { isLogarithmic }));
  draw();
  const lines = [["min", "min"], ["max", "max"], ["mean", "mean"], ["std", "std"], ["norm", "norm"]].map(([title, key]) =>
    [title, ...list.map(measures => numberText(measures?.[key]))]);
  for (const [title, key] of [["zeros", "zeros"], ["NaN", "nans"], ["infinite", "infinities"]]) {
    if (list.some(measures => measures?.[key])) lines.push([title, ...list.map(measures => measures ? count(measures[key]) : "–")]);
  }
  const facts = [
    `${row.dtype}${isPair && row.newDtype !== row.dtype ? ` → ${row.newDtype}` : ""} [${row.shape.join(", ")}]${row.newShape ? ` → ${row.newShape}` : ""}, ${plural(row.elements, "element")}, ${bytesText(row.bytes)}`,
    row.newName ? `named ${row.newName} in the second` : null, row.alias ? `tied to ${row.alias}` : null, isPair ? row.kind : null, row.specials,
    isPair && row.isCompared && !row.isSame ? `${plural(row.changed, "element")} ${row.changed === 1 ? "differs" : "differ"}, change ${numberText(row.relative)}, max abs ${numberText(row.max)}, cosine ${numberText(row.cosine)}, ${plural(row.flips, "sign flip")}` : null,
  ].filter(Boolean);
  const logButton = html("button", {
    type: "button", "aria-pressed": "false",
    click() { isLogarithmic = !isLogarithmic; logButton.setAttribute("aria-pressed", String(isLogarithmic)); draw(); },
  }, "Logarithmic counts");
  return [
    html("h3", {}, nameText(row.name)), ...facts.map(text => html("p", { class: "quiet" }, text)), chart,
    html("table", {},
      list.length === 2 ? html("thead", {}, html("tr", {}, ...["", "before", "after"].map(text => html("th", {}, text)))) : null,
      html("tbody", {}, ...lines.map(line => html("tr", {}, ...line.map(text => html("td", {}, text)))))),
    html("p", { style: "margin-top:8px" }, logButton),
  ];
}

// Values, recipe, provenance

function values(isPair) {
  if (data.values.length === 0) return "";
  const titles = isPair ? ["address", "before", "after"] : ["address", "value"];
  const changed = data.values.filter(row => row[3]).length;
  const more = data.valueCount - data.values.length;
  const note = [isPair ? `${more > 0 && changed === data.values.length ? "at least " : ""}${count(changed)} of ${plural(data.valueCount, "value")} ${changed === 1 ? "differs" : "differ"}` : plural(data.valueCount, "value"), more > 0 ? `${count(more)} not listed` : ""].filter(Boolean).join("; ");
  return section("Values", note, [], html("div", { class: "values", tabindex: 0, role: "region", "aria-label": "Values" }, html("table", {},
    html("thead", {}, html("tr", {}, ...titles.map(title => html("th", { scope: "col" }, title)))),
    html("tbody", {}, ...data.values.map(row => html("tr", { class: row[3] ? "changed" : null },
      ...row.slice(0, titles.length).map(text => html("td", {}, text === null ? "" : nameText(text)))))))));
}

function origins() {
  const parts = data.files.flatMap(file => {
    const found = [];
    if (file.recipe) {
      let text = file.recipe;
      // A model in it has several lines, which are shown as such.
      try { text = JSON.stringify(JSON.parse(text), null, 2).replaceAll("\\n", "\n        "); } catch { /* shown as it is */ }
      found.push(html("p", {}, "Recipe of ", nameText(file.path)), html("pre", { tabindex: 0 }, text));
    }
    if (file.provenance.length > 0) {
      found.push(html("p", {}, "Commands that made ", nameText(file.path)),
        html("pre", { tabindex: 0 }, file.provenance.map(step => `ckpt ${step.join(" ")}`).join("\n")));
    }
    return found;
  });
  return parts.length === 0 ? "" : section("Recipe and provenance", "As the files carry them.", [], ...parts);
}
