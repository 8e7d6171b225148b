package import TensorCore

/// A module tree guessed from tensors' names and shapes alone, for a file that carries none.
///
/// What belongs to one module is everything up to the last dot of a name. Its class follows from
/// the tensors it has, as a person would guess; a module whose tensors match no class gets the class
/// `Module` and owns them with no known initial values.
package struct InferredModel: Sendable {
  /// The tree; the root's class is `Module`.
  package let tree: Module
  /// Sentences for the user: what was inferred, how many of each class, and what was not.
  package let notes: [String]

  /// Guesses from names, types and shapes in file order.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` with code `unsupported` when names nest deeper than a
  ///   model may.
  package init(_ tensors: [(name: TensorName, info: TensorInfo)]) throws {
    var root = Branch()
    for tensor in tensors {
      let parts = tensor.name.text.utf8.split(
        separator: UInt8(ascii: "."), omittingEmptySubsequences: false
      ).map { String(Substring($0)) }
      guard parts.count <= PrintedModel.maxDepth else {
        throw CheckpointError(
          .unsupported, "expected fewer than 1000 parts in the name, found \(parts.count)",
          tensor: tensor.name.text)
      }
      root.insert(tensor.info, at: parts[...])
    }
    var counts: [(kind: String, count: Int)] = []
    var unknown: [String] = []
    tree = root.module(path: "") { kind, path in
      guard let kind else {
        unknown.append(path.isEmpty ? "the model itself" : path)
        return
      }
      if let index = counts.firstIndex(where: { $0.kind == kind }) {
        counts[index].count += 1
      } else {
        counts.append((kind, 1))
      }
    }
    counts.sort { ($1.count, $0.kind) < ($0.count, $1.kind) }
    let total = counts.reduce(0) { $0 + $1.count }
    var notes: [String] = []
    if total > 0 {
      let list = counts.map { "\($0.count) \($0.kind)" }.joined(separator: ", ")
      notes.append("inferred \(total == 1 ? "1 module" : "\(total) modules"): \(list)")
    }
    if !unknown.isEmpty {
      let list = unknown.prefix(5).joined(separator: ", ") + (unknown.count > 5 ? ", …" : "")
      let count = unknown.count == 1 ? "" : "\(unknown.count) modules: "
      notes.append("no class inferred for the tensors of \(count)\(list)")
    }
    self.notes = notes
  }

  /// Guesses from a checkpoint's entries.
  package init(_ checkpoint: Checkpoint) throws {
    try self.init(checkpoint.entries.map { ($0.name, $0.info) })
  }
}

/// One part of a name with all that follows it.
private struct Branch {
  private var order: [String] = []
  private var branches: [TensorName: Branch] = [:]
  private var tensors: [(name: String, info: TensorInfo)] = []

  mutating func insert(_ info: TensorInfo, at parts: ArraySlice<String>) {
    guard let first = parts.first else { return }
    if parts.count == 1 {
      tensors.append((first, info))
      return
    }
    if branches[TensorName(first)] == nil { order.append(first) }
    branches[TensorName(first), default: Branch()].insert(info, at: parts.dropFirst())
  }

  func module(path: String, note: (_ kind: String?, _ path: String) -> Void) -> Module {
    let children = order.compactMap { name in
      branches[TensorName(name)].map {
        Module.Child(
          name, $0.module(path: path.isEmpty ? name : "\(path).\(name)", note: note))
      }
    }
    let leaf = path.utf8.split(separator: UInt8(ascii: ".")).last.map { String(Substring($0)) }
    let guess = LayerGuess(name: leaf ?? "", tensors: tensors)
    if let (layer, ambiguity) = guess.choice {
      note(layer.kind, path)
      var module = Module(
        kind: layer.kind, arguments: layer.arguments, layer: layer, children: children)
      if !ambiguity.isEmpty {
        module.ownParameters = module.ownParameters.map { $0.ambiguous(ambiguity) }
      }
      return guess.completing(module)
    }
    if !tensors.isEmpty { note(nil, path) }
    // `Sequential` names its children 0, 1, 2, …; no other container leaves such a trace.
    let isNumbered =
      !children.isEmpty
      && children.enumerated().allSatisfy {
        $0.element.name == String($0.offset)
      }
    return guess.completing(
      Module(kind: isNumbered ? "Sequential" : "Module", children: children))
  }
}

/// The class that a module's own tensors speak for.
private struct LayerGuess {
  private let name: String
  private let own: OwnTensors
  private let names: Set<TensorName>
  private let tensors: [(name: String, info: TensorInfo)]

  init(name: String, tensors: [(name: String, info: TensorInfo)]) {
    self.name = name.lowercased()
    own = OwnTensors(shapes: tensors.map { ($0.name, $0.info.shape.sizes) })
    self.tensors = tensors
    names = Set(tensors.map { TensorName($0.name) })
  }

  /// The layers with these tensors and no others, the likeliest first.
  private var candidates: [any Layer] {
    // A layer multiplies its sizes, by the number of its gates at most.
    guard own.shapes.allSatisfy({ $0.shape.allSatisfy { $0 <= PrintedArguments.maxSize } }) else {
      return []
    }
    var (likely, unlikely): ([any Layer], [any Layer]) = ([], [])
    for type in KnownLayers.all {
      guard let layer = type.inferred(from: own), matches(layer) else { continue }
      if type.suits(moduleName: name) { likely.append(layer) } else { unlikely.append(layer) }
    }
    return likely + unlikely
  }

  /// The likeliest layer, and the classes among which it was chosen if they draw other values.
  var choice: (layer: any Layer, ambiguity: [String])? {
    let candidates = candidates
    guard let layer = candidates.first else { return nil }
    func draws(_ layer: any Layer) -> [String] {
      layer.parameters.map { "\($0.name) \($0.initializer.map { "\($0)" } ?? "unknown")" }
    }
    let isClear = candidates.allSatisfy { draws($0) == draws(layer) }
    return (layer, isClear ? [] : candidates.map(\.kind).sorted())
  }

  private func matches(_ layer: any Layer) -> Bool {
    // By name, since a recurrent layer may have any number of tensors.
    let expected = Dictionary(
      layer.parameters.map { (TensorName($0.name), $0.shape) }
        + layer.buffers.map { (TensorName($0.name), $0.shape) },
      uniquingKeysWith: { first, _ in first })
    return own.shapes.allSatisfy { tensor in
      expected[TensorName(tensor.name)].map { $0 == tensor.shape } ?? false
    } && expected.keys.allSatisfy { names.contains($0) || $0 == "num_batches_tracked" }
  }

  /// The module with all tensors that are there and no others: the layer's in the order in which it
  /// draws them, whatever the file's, then those that it does not know.
  func completing(_ module: Module) -> Module {
    var module = module
    let parameters = module.ownParameters
    module.ownBuffers = module.ownBuffers.filter { names.contains(TensorName($0.name)) }
    let known = Set(
      (parameters.map(\.name) + module.ownBuffers.map(\.name)).map { TensorName($0) })
    module.ownParameters =
      parameters.filter { names.contains(TensorName($0.name)) }
      + tensors.filter { !known.contains(TensorName($0.name)) }.map {
        Parameter($0.name, shape: $0.info.shape.sizes)
      }
    return module
  }
}

extension Parameter {
  /// The parameter of a module that may be of several classes, from which no values are drawn.
  fileprivate func ambiguous(_ classes: [String]) -> Parameter {
    var copy = Parameter(name, shape: shape.sizes, dtype: dtype)
    copy.reason =
      "without a module tree it may be \(classes.joined(separator: " or ")); pass --model"
    return copy
  }
}
