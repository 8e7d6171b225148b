// A table of any number of rows that can be sorted and filtered: only rows in view are in the document.

const rowHeight = 27;
const mostPrinted = 2000;

/// Shows rows; a column has `key`, `title`, `value(row)` to sort by, `text(row)` or `cell(row)`, `width`.
///
/// `marks` are buttons that keep the rows for which `keeps(row)` holds; `details(row)` is shown beside.
function tableView({ rows, columns, marks, label, nameOf, details }) {
  let sorted = { key: null, isDescending: false };
  let shown = rows;
  let mark = null;
  let current = -1;
  let isPrinting = false;
  const search = html("input", {
    type: "search", placeholder: "Filter by name: words, or a * pattern", "aria-label": "Filter by name", spellcheck: "false", autocomplete: "off",
    input: () => refresh(),
    keydown(event) { if (event.key === "Escape") { search.value = ""; refresh(); } },
  });
  const status = html("span", { class: "count", role: "status" });
  const buttons = marks.map(one => html("button", {
    type: "button", "aria-pressed": "false",
    click() {
      mark = mark === one ? null : one;
      buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(marks[at] === mark)));
      refresh();
    },
  }, `${one.title} ${count(rows.filter(one.keeps).length)}`));
  const headings = columns.map(column => html("th", { scope: "col", class: column.isText ? null : "number", style: `width:${column.width}` },
    html("button", { type: "button", title: column.hint, tabindex: 0, click: () => sortBy(column) }, column.title)));
  const body = html("tbody");
  const grid = html("div", {
    class: "grid", tabindex: 0, role: "grid", "aria-label": label, "aria-rowcount": rows.length + 1, "aria-colcount": columns.length,
    keydown: event => press(event),
  }, html("table", { role: "presentation", style: `min-width:${columns.reduce((sum, column) => sum + parseInt(column.width, 10), 0)}px` },
    html("thead", {}, html("tr", { role: "row" }, ...headings)), body));
  const aside = html("aside", { class: "details", "aria-label": "Details", hidden: "" });
  const split = html("div", { class: "split" }, grid, aside);

  /// Words must all be in the name; with a `*`, a word is a pattern of all of it.
  const matcher = text => {
    const tests = text.toLowerCase().split(/\s+/).filter(Boolean).map(word => {
      if (!word.includes("*")) return name => name.includes(word);
      const parts = word.split("*");
      return name => {
        if (!name.startsWith(parts[0])) return false;
        let at = parts[0].length;
        for (const part of parts.slice(1, -1)) {
          const found = name.indexOf(part, at);
          if (found < 0) return false;
          at = found + part.length;
        }
        const last = parts[parts.length - 1];
        return name.endsWith(last) && name.length - last.length >= at;
      };
    });
    return name => tests.every(test => test(name));
  };
  const refresh = () => {
    const matches = matcher(search.value);
    shown = rows.filter(row => (!mark || mark.keeps(row)) && matches(nameOf(row).toLowerCase()));
    const column = columns.find(one => one.key === sorted.key);
    if (column) {
      const factor = sorted.isDescending ? -1 : 1;
      shown.sort((one, other) => {
        const [left, right] = [column.value(one), column.value(other)];
        // What has no value comes last, whatever the order.
        const [isLeft, isRight] = [left !== null && left !== undefined, right !== null && right !== undefined];
        if (!isLeft || !isRight) return isRight - isLeft || one.at - other.at;
        return (left < right ? -1 : left > right ? 1 : 0) * factor || one.at - other.at;
      });
    }
    status.textContent = shown.length === rows.length ? plural(rows.length, "tensor") : `${count(shown.length)} of ${plural(rows.length, "tensor")}`;
    grid.setAttribute("aria-rowcount", shown.length + 1);
    current = -1;
    grid.scrollTop = 0;
    drawnLines.clear();
    draw();
  };
  const sortBy = column => {
    const isSame = sorted.key === column.key;
    // Numbers: the largest first; texts: in their order; a third time as in the file.
    if (isSame && sorted.isDescending === Boolean(column.isText)) sorted = { key: null, isDescending: false };
    else sorted = { key: column.key, isDescending: isSame ? !sorted.isDescending : !column.isText };
    headings.forEach((heading, at) => {
      if (columns[at].key === sorted.key) heading.setAttribute("aria-sort", sorted.isDescending ? "descending" : "ascending");
      else heading.removeAttribute("aria-sort");
    });
    refresh();
  };
  const line = (row, at) => html("tr", {
    role: "row", id: `row-${at}`, "aria-rowindex": at + 2, "aria-selected": "false",
    click() { select(at, true); },
  }, ...columns.map(column => html("td", { role: "gridcell", class: column.isText ? null : "number" },
    column.cell ? column.cell(row) : column.text(row))));
  const space = height => html("tr", { class: "space", "aria-hidden": "true" }, html("td", { colspan: columns.length, style: `height:${height}px` }));
  // Lines that are in the document, by their place in `shown`; those that stay in view are kept.
  let drawnLines = new Map();
  const inView = () => {
    const from = Math.floor(grid.scrollTop / rowHeight);
    return [from, Math.min(from + Math.ceil(Math.max(grid.clientHeight, 560) / rowHeight), shown.length)];
  };
  const draw = () => {
    const [first, last] = inView();
    const from = isPrinting ? 0 : Math.max(first - 10, 0);
    const to = isPrinting ? Math.min(shown.length, mostPrinted) : Math.min(last + 10, shown.length);
    const lines = [], kept = drawnLines;
    drawnLines = new Map();
    for (let at = from; at < to; at += 1) {
      const made = kept.get(at) ?? line(shown[at], at);
      made.setAttribute("aria-selected", String(at === current));
      drawnLines.set(at, made);
      lines.push(made);
    }
    if (isPrinting) body.replaceChildren(...lines);
    else body.replaceChildren(space(from * rowHeight), ...lines, space((shown.length - to) * rowHeight));
    if (current >= 0) grid.setAttribute("aria-activedescendant", `row-${current}`);
    else grid.removeAttribute("aria-activedescendant");
  };
  let isWaiting = false;
  grid.addEventListener("scroll", () => {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => {
      isWaiting = false;
      const [first, last] = inView();
      if (first < last && !(drawnLines.has(first) && drawnLines.has(last - 1))) draw();
    });
  }, { passive: true });

  const select = (at, opens) => {
    current = at;
    const [y, height] = [at * rowHeight, grid.clientHeight - 36];
    if (y < grid.scrollTop) grid.scrollTop = y;
    if (y + rowHeight > grid.scrollTop + height) grid.scrollTop = y + rowHeight - height;
    if (opens || !aside.hidden) show(shown[at]);
    draw();
  };
  const show = row => {
    aside.hidden = false;
    split.classList.add("open");
    const close = html("button", { type: "button", class: "close", "aria-label": "Close the details", click() { hide(); grid.focus(); } }, "✕");
    aside.replaceChildren(close, ...details(row));
  };
  const hide = () => {
    aside.hidden = true;
    split.classList.remove("open");
  };
  const press = event => {
    if (event.target !== grid || shown.length === 0) return;
    const page = Math.max(Math.floor(grid.clientHeight / rowHeight) - 2, 1);
    const targets = {
      ArrowDown: current + 1, ArrowUp: Math.max(current - 1, 0), PageDown: current + page, PageUp: current - page,
      Home: 0, End: shown.length - 1,
    };
    if (event.key in targets) {
      event.preventDefault();
      select(Math.min(Math.max(targets[event.key], 0), shown.length - 1), false);
    } else if (event.key === "Enter" && current >= 0) {
      show(shown[current]);
    } else if (event.key === "Escape") {
      hide();
    }
  };
  addEventListener("keydown", event => {
    if (event.key !== "/" || event.target.matches("input, select, textarea")) return;
    event.preventDefault();
    search.focus();
  });
  const printing = value => () => { isPrinting = value; draw(); };
  addEventListener("beforeprint", printing(true));
  addEventListener("afterprint", printing(false));
  drawn(refresh);
  return {
    element: html("div", {}, html("div", { class: "tools" }, search, ...buttons, status), split),
    filter(text, scrolls = true) {
      search.value = text;
      refresh();
      if (scrolls) split.scrollIntoView({ block: "nearest" });
    },
    open(row) { const at = shown.indexOf(row); if (at >= 0) select(at, true); },
  };
}
