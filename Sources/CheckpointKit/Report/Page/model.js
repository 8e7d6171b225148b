// Tensors as rows, modules as a tree, and a grid of layers by depth; nothing here draws.

/// One row per tensor from the columns of the page's data.
function tensorRows(columns) {
  const measures = (from, at) => from?.norm[at] === null && !from.nans[at] && !from.infinities[at] && !from.histogram[at]
    ? null
    : {
      min: from.min[at], max: from.max[at], mean: from.mean[at], std: from.std[at], norm: from.norm[at],
      zeros: from.zeros[at], nans: from.nans[at], infinities: from.infinities[at], histogram: from.histogram[at],
    };
  return columns.name.map((name, at) => {
    const row = {
      at, name, alias: columns.alias[at], shape: columns.shape[at], elements: columns.elements[at], bytes: columns.bytes[at],
      dtype: columns.dtypes[columns.dtype[at]], before: measures(columns.before, at),
    };
    row.nonfinite = (row.before?.nans ?? 0) + (row.before?.infinities ?? 0);
    if (!columns.kind) return row;
    row.kind = columns.kinds[columns.kind[at]];
    row.newName = columns.newName[at];
    row.newDtype = columns.dtypes[columns.newDtype[at]];
    row.newShape = columns.newShape[at];
    const isSame = row.kind === "identical" || row.kind === "renamed";
    row.isSame = isSame;
    if (row.kind === "added" || (row.kind === "tied" && !row.before)) {
      row.after = measures(columns.after, at);
    } else {
      row.after = isSame ? row.before : measures(columns.after, at);
    }
    row.nonfinite = row.after ? row.after.nans + row.after.infinities : row.nonfinite;
    row.specials = columns.difference.specials[at];
    row.changed = isSame ? 0 : columns.difference.changed[at];
    row.isCompared = row.changed >= 0;
    row.share = row.isCompared ? (row.elements ? row.changed / row.elements : 0) : null;
    row.change = isSame ? 0 : columns.difference.norm[at];
    row.cosine = isSame ? null : columns.difference.cosine[at];
    row.flips = isSame ? 0 : columns.difference.signFlips[at];
    row.max = isSame ? 0 : columns.difference.max[at];
    row.relative = row.change === 0 ? 0 : row.change !== null && row.before?.norm ? row.change / row.before.norm : null;
    row.growth = row.before?.norm && row.after?.norm ? Math.log2(row.after.norm / row.before.norm) : null;
    return row;
  });
}

const rootMeanSquare = row => {
  const measures = row.after ?? row.before;
  return measures?.norm === null || !measures || !row.elements ? null : measures.norm / Math.sqrt(row.elements);
};

/// Whether a tensor counts where changes are added up: counters would outweigh all weights.
const isWeight = row => /^(F|BF|C)\d/.test(row.dtype);

/// Sums over tensors: sizes, and squares of norms, which add up where norms do not.
function newSums() {
  return { tensors: 0, elements: 0, bytes: 0, changed: 0, differing: 0, compared: 0, changeSquares: 0, squares: 0, nonfinite: 0, unmeasured: 0 };
}
function addToSums(sums, row) {
  sums.tensors += 1;
  sums.nonfinite += row.nonfinite;
  if (row.alias) return;
  sums.elements += row.elements;
  sums.bytes += row.bytes;
  if (!row.kind) return;
  if (!row.isSame) sums.differing += 1;
  if (!row.isCompared) return;
  sums.compared += row.elements;
  sums.changed += row.changed;
  if (!isWeight(row)) return;
  // Values of a packed type cannot be read.
  if (row.change === null && !(row.before && row.after)) return;
  if (row.change === null) sums.unmeasured += 1;
  else sums.changeSquares += row.change ** 2;
  sums.squares += (row.before?.norm ?? 0) ** 2;
}
const relativeChange = sums => sums.squares > 0 ? Math.sqrt(sums.changeSquares / sums.squares) : sums.changeSquares > 0 ? null : 0;

/// Numbers in their order, since files that sort names have 10 before 9.
function sortNumbers(node) {
  const children = [...node.children];
  if (children.length > 1 && children.every(([name]) => /^\d+$/.test(name))) {
    node.children = new Map(children.sort(([one], [other]) => one - other));
  }
  for (const child of node.children.values()) sortNumbers(child);
}

/// The modules above the tensors, each with its sums; `kinds` has class names by path.
function moduleTree(rows, kinds) {
  const root = { name: "", path: "", kind: kinds.get("") ?? "", children: new Map(), depth: -1, sums: newSums() };
  for (const row of rows) {
    let node = root;
    addToSums(node.sums, row);
    const parts = row.name.split(".");
    for (let depth = 0; depth < Math.min(parts.length - 1, 64); depth += 1) {
      let child = node.children.get(parts[depth]);
      if (!child) {
        const path = node.path === "" && depth === 0 ? parts[0] : `${node.path}.${parts[depth]}`;
        child = { name: parts[depth], path, kind: kinds.get(path) ?? "", children: new Map(), depth, parent: node, sums: newSums() };
        node.children.set(parts[depth], child);
      }
      node = child;
      addToSums(node.sums, row);
    }
  }
  sortNumbers(root);
  // Where each begins among the bytes of all.
  const place = (node, start) => {
    node.start = start;
    let next = start;
    for (const child of node.children.values()) {
      place(child, next);
      next += child.sums.bytes;
    }
  };
  place(root, 0);
  return root;
}

/// The numbered block that a name is in, and what the tensor is in it: `h.3`, `attn.weight`.
function divided(name, useLast) {
  const parts = name.split(".");
  let cut = -1;
  for (let at = 0; at < parts.length - 1; at += 1) {
    if (/^\d+$/.test(parts[at])) {
      cut = at;
      if (!useLast) break;
    }
  }
  if (cut < 0) cut = parts.length - 2;
  return [parts.slice(0, cut + 1).join("."), parts.slice(cut + 1).join(".")];
}

/// Tensors in the order of the file, line by line, where names have no structure that a map could show.
function plainGrid(rows) {
  const width = Math.max(100, Math.ceil(rows.length / 1000));
  const columnNames = Array.from({ length: width }, (_, at) => `+${at}`);
  return {
    columnNames, columnLabels: columnNames.map((name, at) => at % 10 === 0 ? name : ""),
    rowNames: Array.from({ length: Math.ceil(rows.length / width) }, (_, at) => count(at * width)),
    cell: (row, column) => rows.slice(row * width + column, row * width + column + 1),
    note: `Tensors in the order of the file, ${count(width)} per line.`,
  };
}

/// Tensors as a grid: a column per block in the order of the file, a row per role in a block.
///
/// Blocks are what the first number of a name counts, or the last, whichever leaves fewer cells empty.
function layerGrid(rows) {
  const tries = [false, true].map(useLast => {
    const grid = { columns: new Map(), roles: new Map(), cells: new Map() };
    for (const row of rows) {
      const [block, role] = divided(row.name, useLast);
      if (!grid.columns.has(block)) grid.columns.set(block, grid.columns.size);
      if (!grid.roles.has(role)) grid.roles.set(role, grid.roles.size);
      const key = `${grid.roles.get(role)},${grid.columns.get(block)}`;
      if (!grid.cells.has(key)) grid.cells.set(key, []);
      grid.cells.get(key).push(row);
    }
    grid.size = grid.columns.size * grid.roles.size;
    return grid;
  });
  const best = tries[0].size <= tries[1].size ? tries[0] : tries[1];
  if (best.size > 20 * rows.length + 10000 || best.columns.size > 2000 || best.roles.size > 1000) return plainGrid(rows);
  // Blocks of one list stand where the first of them does, in the order of their numbers.
  const lists = new Map();
  for (const name of best.columns.keys()) {
    const [, list, number] = /^(.*?)(\d*)$/s.exec(name);
    if (!lists.has(list)) lists.set(list, []);
    lists.get(list).push([name, Number(number)]);
  }
  const columnNames = [...lists.values()].flatMap(list => list.sort((one, other) => one[1] - other[1]).map(([name]) => name));
  const places = columnNames.map(name => best.columns.get(name));
  return {
    columnNames, rowNames: [...best.roles.keys()],
    // The first of a list names it, the others are numbers.
    columnLabels: [...lists.values()].flatMap(list => list.map(([name, number], at) => at > 0 ? String(number) : name)),
    cell: (row, column) => best.cells.get(`${row},${places[column]}`) ?? [],
    note: "A column per block in the order of the file, a row per role in it.",
  };
}
