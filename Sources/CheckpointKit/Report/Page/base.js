"use strict";
// What all parts of the page use: elements, numbers, colors, and the tooltip.

const data = JSON.parse(document.getElementById("data").textContent);

/// Makes an element: functions among the attributes are listeners, texts among the children are text.
function make(space, tag, attributes, children) {
  const made = space ? document.createElementNS(space, tag) : document.createElement(tag);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value);
  }
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}
const html = (tag, attributes, ...children) => make(null, tag, attributes, children);
const svg = (tag, attributes, ...children) => make("http://www.w3.org/2000/svg", tag, attributes, children);

/// A name from a file, which may be in any script.
const nameText = (text, attributes = {}) => html("bdi", { class: "name", ...attributes }, text);

// Numbers

const groups = new Intl.NumberFormat("en-US");
const count = number => groups.format(number);
const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;

/// The largest of any number of numbers, and of `least`.
const largest = (list, least) => list.reduce((most, value) => value > most ? value : most, least);

function compact(number) {
  for (const [unit, size] of [["T", 1e12], ["B", 1e9], ["M", 1e6], ["k", 1e4]]) {
    if (number >= size) return `${(number / (unit === "k" ? 1e3 : size)).toPrecision(3)} ${unit}`;
  }
  return count(number);
}

function bytesText(number) {
  if (number < 1024) return `${number} B`;
  let unit = -1;
  do { number /= 1024; unit += 1; } while (number >= 1023.95 && unit < 4);
  return `${number.toFixed(1)} ${["KiB", "MiB", "GiB", "TiB", "PiB"][unit]}`;
}

/// Four significant digits; a dash for what is missing.
function numberText(number, digits = 4) {
  if (number === null || number === undefined || Number.isNaN(number)) return "–";
  if (number === 0) return "0";
  if (!Number.isFinite(number)) return number < 0 ? "−∞" : "∞";
  const size = Math.abs(number);
  if (size >= 1e4 && size < 1e6) return count(Math.round(number)).replace("-", "−");
  const text = size >= 1e6 || size < 1e-3 ? number.toExponential(digits - 2) : number.toPrecision(digits);
  return text.replace(/(\.\d*?)0+(e|$)/, "$1$2").replace(/\.(e|$)/, "$1").replace("e+", "e").replace("-", "−").replace("e-", "e−");
}

function percentText(share) {
  if (share === null || share === undefined) return "–";
  if (share === 0) return "0 %";
  if (share < 0.0005) return "<0.1 %";
  if (share > 0.9995 && share < 1) return ">99.9 %";
  return `${(share * 100).toFixed(share < 0.0995 || share > 0.995 && share < 1 ? 1 : 0)} %`;
}

/// The middle of a long name left out, since both ends tell more.
const shortened = (text, most) => text.length <= most ? text : `${text.slice(0, most / 2 - 1)}…${text.slice(1 - most / 2)}`;

// Colors

let palette = {};
function readColors() {
  const probe = document.body.appendChild(html("i"));
  for (const name of ["low", "middle", "high", "still", "shrank", "even", "grew", "bad", "line", "text", "quiet", "surface", "accent"]) {
    probe.style.color = `var(--${name})`;
    palette[name] = getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number);
  }
  probe.remove();
}
const rgb = color => `rgb(${color.map(Math.round).join(" ")})`;
const mix = (from, to, share) => from.map((part, index) => part + (to[index] - part) * share);

/// From little to much, for shares of 0 to 1.
const sequential = share => share < 0.5
  ? mix(palette.low, palette.middle, share * 2) : mix(palette.middle, palette.high, share * 2 - 1);
/// From one side to the other, for -1 to 1.
const diverging = share => mix(palette.even, share < 0 ? palette.shrank : palette.grew, Math.min(Math.abs(share), 1));
/// The text color that can be read on a color.
const inkOn = color => color[0] * 0.299 + color[1] * 0.587 + color[2] * 0.114 > 140 ? "#15181c" : "#ffffff";

const redraws = [];
/// Draws now, and again whenever colors change.
function drawn(draw) {
  redraws.push(draw);
  draw();
}
function redrawAll() {
  readColors();
  for (const draw of redraws) draw();
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);

// Paper is light.
let themeBefore;
addEventListener("beforeprint", () => {
  themeBefore = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
  redrawAll();
});
addEventListener("afterprint", () => {
  if (themeBefore === undefined) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = themeBefore;
  redrawAll();
});

function themeButton() {
  const names = ["system", "light", "dark"];
  let at = 0;
  const button = html("button", {
    type: "button", title: "Colors: the system's, light, or dark",
    click() {
      at = (at + 1) % 3;
      if (at === 0) delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = names[at];
      button.textContent = `Colors: ${names[at]}`;
      redrawAll();
    },
  }, "Colors: system");
  return button;
}

// Tooltip

const tip = document.getElementById("tip");
/// Shows lines beside a point of the window; the first one is a name.
function showTip(x, y, lines, isSpoken = false) {
  tip.replaceChildren(nameText(lines[0]), ...lines.slice(1).filter(Boolean).map(line => html("div", {}, line)));
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - box.width - 8))}px`;
  tip.style.top = `${y + 18 + box.height > innerHeight ? Math.max(4, y - box.height - 10) : y + 18}px`;
  if (isSpoken) document.getElementById("spoken").textContent = lines.filter(Boolean).join(", ");
}
function hideTip() { tip.hidden = true; }
addEventListener("scroll", hideTip, { capture: true, passive: true });
addEventListener("keydown", event => { if (event.key === "Escape") hideTip(); });

/// A section with a title, a sentence, and controls.
function section(title, note, controls, ...content) {
  const heading = html("h2", {}, title);
  return html("section", { "aria-label": title },
    html("div", { class: "head" }, heading, html("p", {}, note ?? ""), ...controls), ...content);
}

function picker(label, choices, onChange) {
  const select = html("select", { "aria-label": label, change() { onChange(select.value); } },
    ...choices.map(([value, text]) => html("option", { value }, text)));
  return select;
}

function facts(pairs) {
  return html("dl", { class: "facts" }, ...pairs.filter(Boolean).map(([label, value, isBad]) =>
    html("div", {}, html("dt", {}, label), html("dd", { class: isBad ? "bad" : null }, value))));
}
