// The module tree: a line per module, with a bar that shows where its bytes lie among all.

const mostModules = 1500;

/// Shows the tree; `figure(node)` gives the last column's text and color, `choose(path, scrolls)` takes a module.
function treeView(root, { barTitle, figureTitle, figure, choose }) {
  const total = Math.max(root.sums.bytes, 1);
  const open = new Set([root]);
  // As many levels as fit without scrolling much.
  for (let level = [root]; level.length > 0;) {
    const next = level.flatMap(node => [...node.children.values()]);
    let shown = 0;
    for (const node of open) shown += node.children.size;
    if (shown + next.reduce((sum, node) => sum + node.children.size, 0) > 26) break;
    next.forEach(node => open.add(node));
    level = next;
  }
  const list = html("div", { class: "tree", role: "tree", "aria-label": "Modules" });
  let current = null;

  const visible = () => {
    const lines = [];
    const visit = node => {
      for (const child of node.children.values()) {
        if (lines.length === mostModules) return;
        lines.push(child);
        if (open.has(child)) visit(child);
      }
    };
    visit(root);
    return lines;
  };
  const line = node => {
    const hasChildren = node.children.size > 0;
    const { text, color } = figure(node);
    const share = node.sums.bytes / total * 100;
    const isChanged = node.sums.differing > 0;
    const made = html("div", {
      class: "node", role: "treeitem", "aria-level": node.depth + 1, tabindex: node === current ? 0 : -1,
      "aria-expanded": hasChildren ? String(open.has(node)) : null, "data-path": node.path,
      click() { current = node; if (hasChildren) toggle(node); choose(node.path, false); },
      keydown(event) { press(event, node); },
    },
    html("span", { style: `padding-left:${Math.min(node.depth, 12) * 16}px` },
      html("span", { class: "twist", "aria-hidden": "true" }, hasChildren ? open.has(node) ? "▾" : "▸" : ""),
      nameText(node.name), " ", html("span", { class: "quiet" }, node.kind)),
    html("span", { class: "bar", "aria-hidden": "true" },
      html("i", { class: isChanged ? "changed" : null, style: `left:${node.start / total * 100}%;width:${share}%` })),
    html("span", { class: "number" }, bytesText(node.sums.bytes)),
    html("span", { class: "number" }, html("span", {
      class: "chip", style: color ? `background:${rgb(color)};color:${inkOn(color)}` : null,
    }, text)));
    made.title = `${node.path}\n${plural(node.sums.tensors, "tensor")}, ${plural(node.sums.elements, "element")}`;
    return made;
  };
  const draw = focuses => {
    const lines = visible();
    if (!current || !lines.includes(current)) current = lines[0] ?? null;
    const place = list.scrollTop;
    list.replaceChildren(...lines.map(line), lines.length < mostModules ? "" : html("p", { class: "quiet" }, "More modules are in the table."));
    list.scrollTop = place;
    if (focuses) list.querySelector('[tabindex="0"]')?.focus();
  };
  const toggle = node => {
    if (open.has(node)) open.delete(node);
    else open.add(node);
    draw(true);
  };
  const press = (event, node) => {
    const lines = visible();
    const at = lines.indexOf(node);
    const go = next => { if (next) { current = next; draw(true); } };
    const keys = {
      ArrowDown: () => go(lines[at + 1]),
      ArrowUp: () => go(lines[at - 1]),
      Home: () => go(lines[0]),
      End: () => go(lines[lines.length - 1]),
      ArrowRight: () => open.has(node) ? go(node.children.values().next().value) : node.children.size > 0 && toggle(node),
      ArrowLeft: () => open.has(node) && node.children.size > 0 ? toggle(node) : node.parent !== root && go(node.parent),
      Enter: () => choose(node.path, true),
      " ": () => node.children.size > 0 && toggle(node),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  };
  drawn(() => draw(false));
  const heading = html("div", { class: "node quiet", "aria-hidden": "true" },
    html("span", {}, "module"), html("span", { class: "bar-title" }, barTitle), html("span", { class: "number" }, "size"),
    html("span", { class: "number" }, figureTitle));
  return html("div", {}, heading, list);
}
