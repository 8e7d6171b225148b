public import TensorCore

/// Trees as lists of labels, which checkpoints store, and back.
extension Module {
  /// The tree as labels in pre-order, which is how checkpoint files carry it; modules that stand
  /// at several places appear at each, and a child that is `None` has that kind.
  public var labels: [ModuleLabel] {
    var labels: [ModuleLabel] = []
    var pending: [(path: String, module: Module?)] = [("", self)]
    while let (path, module) = pending.popLast() {
      labels.append(
        ModuleLabel(
          path: path, kind: module?.kind ?? "None", arguments: module?.arguments ?? ""))
      for child in module?.ownChildren.reversed() ?? [] {
        pending.append((path.isEmpty ? child.name : "\(path).\(child.name)", child.module))
      }
    }
    return labels
  }

  /// Builds the tree that labels describe.
  ///
  /// Parents come before their children, as ``labels`` writes them. Tensors that the labels do not
  /// would show are not there: an unknown class owns none.
  /// - Throws: ``TensorCore/CheckpointError`` with code `malformed` when there is no root, a parent is
  ///   missing, a path occurs twice, or a known class's arguments cannot be read.
  public init(labels: [ModuleLabel]) throws(CheckpointError) {
    try self.init(labels: labels, tensors: nil)
  }

  /// Builds the tree that the labels of a file describe, in which a layer has the initial values of its
  /// class only if its tensors are those that the class makes.
  ///
  /// Options of a constructor that are not printed follow from the tensors. A class whose arguments are
  /// not there, or that has other tensors, is only a name: its tensors have no known initial values.
  /// - Throws: as ``init(labels:)``, but not for arguments.
  package init(
    labels: [ModuleLabel], of tensors: [(name: TensorName, info: TensorInfo)]
  ) throws(CheckpointError) {
    var own: [TensorName: [(name: String, info: TensorInfo)]] = [:]
    for (name, info) in tensors {
      let (path, leaf) = name.parentAndLeaf
      own[TensorName(path), default: []].append((leaf, info))
    }
    try self.init(labels: labels, tensors: own)
  }

  private init(
    labels: [ModuleLabel], tensors: [TensorName: [(name: String, info: TensorInfo)]]?
  ) throws(CheckpointError) {
    guard let root = labels.first, root.path.isEmpty, root.kind != "None" else {
      throw CheckpointError(.malformed, "the module tree has no root (path '')")
    }
    var positions: [TensorName: Int] = [:]
    var children = [[Int]](repeating: [], count: labels.count)
    for (position, label) in labels.enumerated() {
      guard positions.updateValue(position, forKey: TensorName(label.path)) == nil else {
        throw CheckpointError(.malformed, "module '\(label.path)' appears twice")
      }
      guard position > 0 else { continue }
      let parent = TensorName(label.path).parentAndLeaf.parent
      guard let index = positions[TensorName(parent)], index < position else {
        throw CheckpointError(
          .malformed, "found module '\(label.path)' before its parent '\(parent)'")
      }
      guard label.path.utf8.count(where: { $0 == UInt8(ascii: ".") }) < PrintedModel.maxDepth else {
        throw CheckpointError(
          .malformed, "modules nest deeper than \(PrintedModel.maxDepth) levels")
      }
      children[index].append(position)
    }
    var built = [Module?](repeating: nil, count: labels.count)
    for position in labels.indices.reversed() {
      let label = labels[position]
      if label.kind == "None" && children[position].isEmpty { continue }
      let entries = children[position].map {
        Child(TensorName(labels[$0].path).parentAndLeaf.leaf, built[$0])
      }
      do throws(ArgumentError) {
        built[position] = try Module(label, children: entries)
      } catch {
        guard tensors != nil else {
          throw CheckpointError(.malformed, "module '\(label.path)': \(error.message)")
        }
        built[position] = Module(
          kind: label.kind, arguments: label.arguments, children: entries)
      }
      if let tensors {
        built[position] = built[position]?.agreeing(with: tensors[TensorName(label.path)] ?? [])
      }
      for child in children[position] { built[child] = nil }
    }
    guard let module = built[0] else {
      throw CheckpointError(.malformed, "the module tree has no root (path '')")
    }
    self = module
  }

  /// A node of a tree: a class that is known, or that prints like one, has its layer.
  private init(_ label: ModuleLabel, children: [Child]) throws(ArgumentError) {
    let base = KnownLayers.guessedBase(
      kind: label.kind, arguments: label.arguments, children: children)
    let layer = try KnownLayers.layer(
      kind: label.kind, base: base, arguments: label.arguments, children: children,
      isDescribed: true)
    self.init(kind: label.kind, arguments: label.arguments, layer: layer, children: children)
    self.base = base
    isBaseGuessed = base != nil && !label.kind.hasPrefix(KnownLayers.parametrized)
    if base != nil, label.kind.hasPrefix(KnownLayers.parametrized) { self = try parametrized() }
  }
}
