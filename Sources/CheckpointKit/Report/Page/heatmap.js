// A grid of colored cells on a canvas, for the pointer and for the keyboard.

/// Colors and words of a measure whose values may be missing, not finite, or zero.
function colorScale(values, { isDiverging = false, isShare = false, text = numberText } = {}) {
  const found = values.filter(value => Number.isFinite(value));
  if (isDiverging) {
    const most = largest(found.map(Math.abs), 0.01);
    return {
      color: value => value === null ? null : Number.isFinite(value) ? diverging(value / most) : palette.bad,
      ends: [`−${text(most)}`, "0", text(most)], at: share => diverging(share * 2 - 1),
    };
  }
  if (isShare) {
    return {
      color: value => value === null ? null : value === 0 ? palette.still : Number.isFinite(value) ? sequential(value) : palette.bad,
      ends: ["0 %", "50 %", "100 %"], at: sequential,
    };
  }
  // A logarithmic scale, from the smallest but for the lowest twentieth.
  const sorted = found.filter(value => value > 0).sort((one, other) => one - other);
  const high = sorted.length ? sorted[sorted.length - 1] : 1;
  const low = Math.min(sorted.length ? Math.max(sorted[Math.floor(sorted.length / 20)], high * 1e-8) : 0.1, high / 4);
  const share = value => Math.min(Math.max(Math.log(value / low) / Math.log(high / low), 0), 1);
  return {
    color: value => value === null ? null : !Number.isFinite(value) ? palette.bad : value <= 0 ? palette.still : sequential(share(value)),
    ends: [text(low), text(Math.sqrt(low * high)), text(high)], at: sequential,
  };
}

/// A heat map; `value(row, column)` is `undefined` where there is no cell, `null` where it has no value.
///
/// Returns the element and a function that takes another measure: its values, its scale, and the
/// legend's words for it.
function heatMap({ rowNames, columnNames, columnLabels = columnNames, label, describe, choose }) {
  const space = 12;
  const longest = largest(rowNames.map(name => Math.min(name.length, 34)), 4);
  const left = longest * 6.7 + space;
  const canvas = html("canvas", { tabindex: 0, role: "img", "aria-label": `${label}. Arrow keys move from cell to cell, Enter shows its tensors.` });
  const legend = html("div", { class: "legend" });
  const box = html("div", { class: "scroll map" }, canvas);
  let current = null, measure = null, width = 18, height = 17, top = 70;

  const draw = () => {
    if (!measure) return;
    const room = Math.max(box.clientWidth || 900, 320) - left - 4;
    width = Math.max(Math.min(Math.floor(room / columnNames.length), 34), columnNames.length > 2000 ? 2 : 7);
    height = rowNames.length > 60 ? 12 : 17;
    top = largest(columnLabels.map(name => Math.min(name.length, 18)), 1) * 5.9 + 12;
    const [full, tall] = [left + width * columnNames.length + 60, top + height * rowNames.length + 4];
    const ratio = devicePixelRatio || 1;
    canvas.width = full * ratio;
    canvas.height = tall * ratio;
    canvas.style.width = `${full}px`;
    canvas.style.height = `${tall}px`;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    context.font = "11px ui-monospace, Menlo, Consolas, monospace";
    context.fillStyle = rgb(palette.quiet);
    context.textBaseline = "middle";
    context.textAlign = "right";
    rowNames.forEach((name, row) => context.fillText(shortened(name, 34), left - 8, top + (row + 0.5) * height));
    context.textAlign = "left";
    const every = Math.ceil(11 / width);
    columnLabels.forEach((name, column) => {
      if (column % every !== 0) return;
      context.save();
      context.translate(left + (column + 0.5) * width, top - 6);
      context.rotate(-Math.PI / 3);
      context.fillText(shortened(name, 18), 0, 0);
      context.restore();
    });
    for (let row = 0; row < rowNames.length; row += 1) {
      for (let column = 0; column < columnNames.length; column += 1) {
        const value = measure.value(row, column);
        if (value === undefined) continue;
        const color = measure.scale.color(value);
        const [x, y] = [left + column * width, top + row * height];
        if (color) {
          context.fillStyle = rgb(color);
          context.fillRect(x, y, width - 1, height - 1);
          if (Number.isFinite(value)) continue;
          // Not told by the color alone.
          context.strokeStyle = inkOn(color);
          context.beginPath();
          context.moveTo(x + 2, y + 2);
          context.lineTo(x + width - 3, y + height - 3);
          context.moveTo(x + width - 3, y + 2);
          context.lineTo(x + 2, y + height - 3);
          context.stroke();
        } else {
          context.strokeStyle = rgb(palette.line);
          context.strokeRect(x + 0.5, y + 0.5, width - 2, height - 2);
        }
      }
    }
    if (current) {
      context.strokeStyle = rgb(palette.text);
      context.lineWidth = 2;
      context.strokeRect(left + current[1] * width - 1, top + current[0] * height - 1, width + 1, height + 1);
    }
    drawLegend();
  };
  const drawLegend = () => {
    const strip = html("canvas", { width: 160, height: 10, "aria-hidden": "true" });
    const context = strip.getContext("2d");
    for (let x = 0; x < 160; x += 1) {
      context.fillStyle = rgb(measure.scale.at(x / 159));
      context.fillRect(x, 0, 1, 10);
    }
    const swatch = color => html("i", { class: "swatch", style: `background:${rgb(color)}` });
    legend.replaceChildren(
      html("span", {}, measure.words), html("span", {}, measure.scale.ends[0]), strip,
      html("span", {}, `${measure.scale.ends[2]}`),
      measure.still ? html("span", {}, swatch(palette.still), measure.still) : "",
      measure.hasBad ? html("span", {}, swatch(palette.bad), "× NaN or infinite") : "",
      measure.hasMissing ? html("span", {}, html("i", { class: "swatch" }), measure.missing) : "");
  };
  const cellAt = event => {
    const bounds = canvas.getBoundingClientRect();
    const [row, column] = [Math.floor((event.clientY - bounds.top - top) / height), Math.floor((event.clientX - bounds.left - left) / width)];
    const isCell = row >= 0 && row < rowNames.length && column >= 0 && column < columnNames.length;
    return isCell && measure.value(row, column) !== undefined ? [row, column] : null;
  };
  const tell = (cell, x, y, isSpoken) => showTip(x, y, describe(cell[0], cell[1], measure), isSpoken);
  const move = (rows, columns) => {
    if (!current) [rows, columns] = [0, 1];
    let [row, column] = current ?? [0, -1];
    // Empty cells are passed over.
    for (let tries = 0; tries < rowNames.length * columnNames.length; tries += 1) {
      row += rows;
      column += columns;
      if (row < 0 || row >= rowNames.length || column < 0 || column >= columnNames.length) return;
      if (measure.value(row, column) !== undefined) break;
    }
    if (measure.value(row, column) === undefined) return;
    current = [row, column];
    draw();
    const bounds = canvas.getBoundingClientRect();
    const [x, y] = [left + column * width, top + row * height];
    box.scrollLeft = Math.max(0, Math.min(box.scrollLeft, x - left), x + width * 2 - box.clientWidth);
    tell(current, bounds.left + x, bounds.top + y, true);
  };
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  canvas.addEventListener("mousemove", event => {
    const cell = cellAt(event);
    if (cell) tell(cell, event.clientX, event.clientY);
    else hideTip();
  });
  canvas.addEventListener("mouseleave", hideTip);
  canvas.addEventListener("click", event => {
    const cell = cellAt(event);
    if (!cell) return;
    current = cell;
    draw();
    choose?.(...cell);
  });
  canvas.addEventListener("keydown", event => {
    if (steps[event.key]) {
      event.preventDefault();
      move(...steps[event.key]);
    } else if (event.key === "Enter" && current) {
      choose?.(...current);
    }
  });
  canvas.addEventListener("blur", () => { hideTip(); current = null; draw(); });
  redraws.push(draw);
  let lastWidth = 0;
  new ResizeObserver(() => {
    if (box.clientWidth !== lastWidth) draw();
    lastWidth = box.clientWidth;
  }).observe(box);
  return {
    element: html("div", {}, box, legend),
    show(next) { measure = next; draw(); },
  };
}
