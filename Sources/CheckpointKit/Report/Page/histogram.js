// Histograms: bins are powers of two wide and begin at multiples of their width, so that any two can be
// drawn over one another once the narrower bins have been joined in pairs.

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Exponent of the width, first bin, and shares of the highest bin; `null` if there is none.
function unpackHistogram(packed, value) {
  if (!packed) return null;
  const [exponent, first, text] = packed;
  // All numbers are equal: one narrow bin around them.
  if (exponent === null) {
    const narrow = value ? Math.max(Math.floor(Math.log2(Math.abs(value))) - 3, -1074) : -10;
    return { exponent: narrow, first: Math.floor(value / 2 ** narrow), bins: [1] };
  }
  const bins = [];
  for (let at = 0; at < text.length; at += 2) bins.push((digits.indexOf(text[at]) * 64 + digits.indexOf(text[at + 1])) / 4095);
  return { exponent, first, bins };
}

function joined(histogram) {
  const first = Math.floor(histogram.first / 2);
  const bins = new Array(Math.floor((histogram.first + histogram.bins.length - 1) / 2) - first + 1).fill(0);
  histogram.bins.forEach((share, at) => { bins[Math.floor((histogram.first + at) / 2) - first] += share; });
  return { exponent: histogram.exponent + 1, first, bins };
}

/// The histograms of several measures with the same bins, and the range of these.
function alignedHistograms(list) {
  let all = list.map(measures => measures ? unpackHistogram(measures.histogram, measures.mean) : null);
  const known = all.filter(Boolean);
  if (known.length === 0) return null;
  const widen = exponent => all = all.map(one => { while (one && one.exponent < exponent) one = joined(one); return one; });
  let exponent = Math.max(...known.map(one => one.exponent));
  widen(exponent);
  const range = () => {
    const found = all.filter(Boolean);
    return [Math.min(...found.map(one => one.first)), Math.max(...found.map(one => one.first + one.bins.length))];
  };
  while (range()[1] - range()[0] > 66) widen(exponent += 1);
  let [low, high] = range();
  // A few bins are not as wide as the chart: they would look like a uniform distribution.
  while (high - low < 12) [low, high] = [low - 1, high + 1];
  const series = all.map(one => {
    if (!one) return null;
    const bins = new Array(high - low).fill(0);
    const total = one.bins.reduce((sum, share) => sum + share, 0);
    one.bins.forEach((share, at) => { bins[one.first + at - low] = share / total; });
    return bins;
  });
  return { low: low * 2 ** exponent, high: high * 2 ** exponent, series };
}

/// Histograms over one another: the first filled, the second as a line.
function histogramChart(list, width, height, { isSmall = false, isLogarithmic = false } = {}) {
  const found = alignedHistograms(list);
  const bottom = isSmall ? height : height - 16;
  const chart = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  if (!found) return chart;
  const top = Math.max(...found.series.filter(Boolean).flat());
  const scale = isLogarithmic
    ? share => share > 0 ? Math.max(0.03, 1 + Math.log10(share / top) / 4) : 0
    : share => share > 0 ? Math.max(0.015, share / top) : 0;
  const step = width / found.series.find(Boolean).length;
  found.series.forEach((bins, at) => {
    if (!bins) return;
    let path = `M0 ${bottom}`;
    bins.forEach((share, bin) => {
      const y = (bottom - scale(share) * (bottom - 2)).toFixed(1);
      path += `L${(bin * step).toFixed(1)} ${y}L${((bin + 1) * step).toFixed(1)} ${y}`;
    });
    const isOnly = list.filter(Boolean).length === 1 && at === 0;
    chart.append(svg("path", { d: `${path}L${width} ${bottom}`, class: isOnly ? "shape-only" : at === 0 ? "shape-before" : "shape-after" }));
  });
  if (isSmall) return chart;
  if (found.low < 0 && found.high > 0) {
    const zero = -found.low / (found.high - found.low) * width;
    chart.append(svg("line", { x1: zero, x2: zero, y1: 0, y2: bottom, class: "zero" }));
  }
  chart.append(
    svg("line", { x1: 0, x2: width, y1: bottom, y2: bottom, class: "axis" }),
    svg("text", { x: 0, y: height - 3 }, numberText(found.low, 3)),
    svg("text", { x: width, y: height - 3, "text-anchor": "end" }, numberText(found.high, 3)));
  return chart;
}
