package import TensorCore

/// A module tree guessed from tensors' names and shapes alone, for a file that carries none.
///
/// What belongs to one module is everything up to the last dot of a name. Its class follows from
/// the tensors it has, as a person would guess; a module whose tensors match no class gets the class
/// `Module` and owns them with no known initial values. So do the tensors of a module that may be of
/// classes with different initial values. Classes of `torch.nn` count; those of another library only
/// if the tensors of some module match them and none of `torch.nn`, as the layers of GPT-2 do.
package struct InferredModel: Sendable {
  /// The tree; the root's class is `Module`.
  package let tree: Module
  /// Sentences for the user: what was inferred, how many of each class, and what was not.
  package let notes: [String]
  private let root: Branch
  private let libraries: Set<String>
  /// Paths of the modules that may be of classes with different initial values, each with their number.
  private let ambiguous: [(path: TensorName, count: Int)]

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
    var libraries: Set<String> = []
    root.collectLibraries(into: &libraries)
    var counts: [(kind: String, count: Int)] = []
    var unknown: [String] = []
    var ambiguous: [(path: TensorName, count: Int)] = []
    tree = root.module(path: "", libraries: libraries, choice: { _ in nil }) { kind, path, groups in
      if groups > 1 { ambiguous.append((TensorName(path), groups)) }
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
    self.root = root
    self.libraries = libraries
    self.ambiguous = ambiguous
    notes = Self.notes(counts, unknown)
  }

  /// Guesses from a checkpoint's entries.
  package init(_ checkpoint: Checkpoint) throws {
    try self.init(checkpoint.entries.map { ($0.name, $0.info) })
  }

  /// Length of notes that fit on one line together with a short file name.
  private static let width = 64

  private static func notes(
    _ counts: [(kind: String, count: Int)], _ unknown: [String]
  ) -> [String] {
    var notes: [String] = []
    for named in [4, 3, 2, 1] where notes.isEmpty || notes.reduce(0, { $0 + $1.utf8.count }) > width
    {
      notes = Self.notes(counts, unknown, named: named)
    }
    return notes
  }

  /// The notes, with at most `named` of the classes.
  private static func notes(
    _ counts: [(kind: String, count: Int)], _ unknown: [String], named: Int
  ) -> [String] {
    var notes: [String] = []
    if !counts.isEmpty {
      var list = counts.prefix(named).map { "\($0.count) \($0.kind)" }.joined(separator: ", ")
      let more = counts.count - named
      if more > 0 {
        list += "\(named > 1 ? "," : "") and \(more) more \(more == 1 ? "class" : "classes")"
      }
      notes.append("inferred \(list)")
    }
    if unknown.count == 1 {
      notes.append("no class inferred for \(unknown[0])")
    } else if !unknown.isEmpty {
      notes.append("no class inferred for \(unknown.count) modules such as \(unknown[0])")
    }
    return notes
  }

  /// The trees in which every module has one of the classes that it may be of, so that all values are
  /// known but those of tensors that match no class; the likeliest first, at most `limit`.
  ///
  /// Tensors without known values are left out.
  package func alternatives(limit: Int) -> [Module] {
    var count = 1
    for module in ambiguous where count < limit { count *= module.count }
    return (0..<min(count, limit)).map { number in
      var choices: [TensorName: Int] = [:]
      var rest = number
      for module in ambiguous {
        choices[module.path] = rest % module.count
        rest /= module.count
      }
      return root.module(
        path: "", libraries: libraries, choice: { choices[TensorName($0)] }, note: { _, _, _ in }
      ).withoutUnknownValues
    }
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

  /// The libraries that alone have classes with the tensors of some module.
  func collectLibraries(into libraries: inout Set<String>) {
    if !tensors.isEmpty, LayerGuess(name: "", tensors: tensors, libraries: []).groups.isEmpty {
      for library in Set(KnownLayers.all.compactMap { $0.library }).subtracting(libraries)
      where !LayerGuess(name: "", tensors: tensors, libraries: [library]).groups.isEmpty {
        libraries.insert(library)
      }
    }
    for branch in branches.values { branch.collectLibraries(into: &libraries) }
  }

  /// The module; `choice` says which of the classes with different values one at a path is of, where
  /// it may be of several.
  func module(
    path: String, madeBy outer: (any Layer)? = nil, libraries: Set<String>,
    choice: (_ path: String) -> Int?,
    note: (_ kind: String?, _ path: String, _ groups: Int) -> Void
  ) -> Module {
    let name = path.utf8.split(separator: UInt8(ascii: ".")).last.map { String(Substring($0)) }
    let guess = LayerGuess(
      name: name ?? "", tensors: tensors, madeBy: outer, libraries: libraries)
    let chosen = choice(path)
    let layer = guess.groups.isEmpty ? nil : guess.groups[chosen ?? 0][0]
    let children = order.compactMap { name in
      branches[TensorName(name)].map {
        Module.Child(
          name,
          $0.module(
            path: TensorName.text(of: name, in: path), madeBy: layer, libraries: libraries,
            choice: choice, note: note))
      }
    }
    if let layer {
      note(layer.kind, path, guess.groups.count)
      var module = Module(
        kind: layer.kind, arguments: layer.arguments, layer: layer, children: children)
      module.possibleKinds = guess.kinds
      if guess.groups.count > 1, chosen == nil {
        module.ownParameters = module.ownParameters.map { $0.ambiguous(guess.kindList) }
      }
      return guess.completing(module)
    }
    if !tensors.isEmpty { note(nil, path, 0) }
    // A `Sequential` and a `ModuleList` name their children 0, 1, 2, …; others leave no such trace.
    let isNumbered =
      !children.isEmpty
      && children.enumerated().allSatisfy {
        $0.element.name == String($0.offset)
      }
    var module = Module(kind: isNumbered ? "Sequential" : "Module", children: children)
    if isNumbered { module.possibleKinds = ["Sequential", "ModuleList"] }
    return guess.completing(module)
  }
}

extension Module {
  /// The tree without the parameters whose initial values are unknown.
  fileprivate var withoutUnknownValues: Module {
    var copy = self
    copy.ownParameters.removeAll { $0.initializer == nil }
    for index in copy.ownChildren.indices {
      copy.ownChildren[index].module = copy.ownChildren[index].module?.withoutUnknownValues
    }
    return copy
  }
}

extension Parameter {
  /// The parameter of a module that may be of several classes, from which no values are drawn.
  fileprivate func ambiguous(_ classes: String) -> Parameter {
    var copy = Parameter(name, shape: shape.sizes, dtype: dtype)
    copy.reason = "without a module tree it may be \(classes); pass --model"
    return copy
  }
}
