package import TensorCore
internal import TorchRandom

/// What scripts do to tensors beyond filling them: parts, casts, replaced modules, copies.
extension Initialization {
  /// Plans new values for a part of a tensor that has values.
  mutating func planPart(
    of name: TensorName, _ view: StridedPart, _ initializer: any Initializer
  ) throws {
    guard let original = originals[name], let whole = infos[original] else { return }
    try CheckpointError.placing(tensor: name.text) {
      let part = try TensorInfo(dtype: whole.dtype, shape: view.sizes)
      generator.settle()
      let start = generator
      let isContiguous = view.isContiguous
      let fill = try skip(part, initializer, isContiguous: isContiguous)
      if case .nothing = fill { return }
      guard let before = values[original] else {
        throw CheckpointError(.missing, "its values are unknown, so no part of it can be filled")
      }
      let filled = TensorValues(
        info: part, initializer: initializer, fill: fill, start: start, isContiguous: isContiguous)
      let patched = Patched(before: before, part: filled, view: view)
      values[original] = TensorValues(
        info: whole, initializer: patched, fill: try patched.fill(for: whole), start: start)
    }
  }

  /// The steps, with only the draws of those whose values the next step on their tensor replaces.
  ///
  /// Constructors of many models fill their layers twice. Draws that are thrown away cost next to
  /// nothing, however many they are.
  func withoutReplaced(_ steps: [ConstructionStep]) -> [ConstructionStep] {
    // Whether the next step about a tensor fills the whole of it.
    var isReplaced: [TensorName: Bool] = [:]
    var result = steps
    for index in steps.indices.reversed() {
      if case .fill(let name, let initializer) = steps[index].kind {
        let original = original(of: TensorName(name))
        if isReplaced.updateValue(true, forKey: original) == true, let info = infos[original],
          info.elementCount > 0
        {
          result[index] = .discard(shape: info.shape.sizes, dtype: info.dtype, initializer)
        }
        continue
      }
      _ = steps[index].renamed { name in
        isReplaced[original(of: TensorName(name))] = false
        return name
      }
    }
    return result
  }

  /// Rounds a tensor to another floating-point type; one that is of no such type stays.
  mutating func cast(_ name: TensorName, to dtype: DType) throws {
    guard let original = originals[name], let info = infos[original], info.dtype != dtype,
      info.dtype.isFloatingPoint, dtype.isFloatingPoint
    else { return }
    let new = try TensorInfo(dtype: dtype, shape: info.shape)
    infos[original] = new
    guard let known = values[original] else { return }
    let cast = CastValues(source: known)
    values[original] = TensorValues(
      info: new, initializer: cast, fill: try cast.fill(for: new), start: known.start)
  }

  /// Rounds the selected tensors, all without a selector, to another floating-point type.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` with code `missing` when nothing is selected.
  package mutating func cast(to dtype: DType, _ selector: Selector? = nil) throws {
    let selection = try selector.map { try SelectedTensors($0, modules: namedModules) }
    let selected = try tensors.filter { try selection?.contains($0.name) ?? true }
    let built = selected.filter { !isPending($0.name.text) }
    if built.isEmpty, !selected.isEmpty {
      throw CheckpointError(
        .missing,
        "'cast \(dtype.torchName)\(selector.map { " \($0)" } ?? "")' selects only modules that "
          + "are constructed after it")
    }
    for tensor in built { try cast(tensor.name, to: dtype) }
  }

  /// Puts another module in the place of one, as `model.fc = nn.Linear(…)` does, and constructs it.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` with code `missing` when the one is not constructed yet.
  package mutating func replace(at path: String, with module: Module) throws {
    if isPending(path) {
      throw CheckpointError(.missing, "'was \(path)': it is constructed after this line")
    }
    var tree = tree
    tree[path] = module
    var next = try Initialization(of: tree, dtype: dtype, generator: generator)
    let inside = Set(next.namedModules.filter { $0.path.isSameText(path) }.map(\.path))
    for (name, info) in infos where next.infos[name] != nil {
      if inside.contains(where: { name.text.utf8.starts(with: "\($0).".utf8) }) { continue }
      next.infos[name] = info
      next.values[name] = values[name]
    }
    next.pending = pending
    self = next
    try construct(at: path)
  }

  /// Gives a tensor, or every tensor of a module, the values of its counterpart: `load_state_dict`.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` with code `missing` or `mismatched` when one of the two is
  ///   not there or they differ in type or shape.
  package mutating func copyAll(from source: String, to target: String) throws {
    if let copy = try PartCopy(from: source, to: target) { return try copyPart(copy) }
    let pairs = copies(from: source, to: target)
    if pairs.isEmpty {
      throw CheckpointError(
        .missing, "'\(target) <- \(source)': the model has no tensors of '\(source)'")
    }
    let late = pairs.lazy.flatMap { [$0.source.text, $0.target.text] }.first { isPending($0) }
    if let late {
      throw CheckpointError(
        .missing, "'\(target) <- \(source)': '\(late)' is constructed after it")
    }
    for (source, target) in pairs {
      guard let from = info(of: source), let to = info(of: target), from == to else {
        throw CheckpointError(
          .mismatched, "cannot take the values of '\(source)': another shape or type",
          tensor: target.text)
      }
      copy(source, to: target)
    }
  }

  private mutating func copyPart(_ copy: PartCopy) throws {
    let step = try copy.step { info(of: TensorName($0)) }
    for name in [copy.source, copy.target] {
      if isPending(name) {
        throw CheckpointError(.missing, "'\(name)' is constructed after it is copied")
      }
      guard values(of: TensorName(name)) != nil else {
        throw CheckpointError(
          .missing, "its values are unknown, so no part of it can be copied", tensor: name)
      }
    }
    try perform(step)
  }

  /// The tensors at or below a path, each with its counterpart.
  func copies(
    from source: String, to target: String
  ) -> [(source: TensorName, target: TensorName)] {
    tensors.compactMap { tensor in
      if tensor.name == TensorName(source) { return (tensor.name, TensorName(target)) }
      let prefix = "\(source)."
      guard tensor.name.text.utf8.starts(with: prefix.utf8) else { return nil }
      let rest = Substring(tensor.name.text.utf8.dropFirst(prefix.utf8.count))
      return (tensor.name, TensorName("\(target).\(rest)"))
    }
  }

  /// Whether a tensor's module comes into being later.
  private func isPending(_ name: String) -> Bool {
    pending.contains { path in
      path.isEmpty || name.isSameText(path) || name.utf8.starts(with: "\(path).".utf8)
    }
  }

  /// Whether a step is about a tensor whose module comes into being later.
  func concernsPending(_ step: ConstructionStep) -> Bool {
    if pending.isEmpty { return false }
    var isFound = false
    _ = step.renamed { name in
      isFound = isFound || isPending(name)
      return name
    }
    return isFound
  }
}
