public import CheckpointFormats
public import TensorCore

/// Selects, renames, and rounds a checkpoint's tensors.
public struct Conversion: Sendable {
  /// The tensors to keep.
  public var selection: Selection
  /// How they are renamed; by default all names stay.
  public var names = NameMap()
  /// Floating-point tensors are rounded to this type; others stay as they are.
  ///
  /// Quantized tensors are replaced by their values, rounded to it, and their scales are left out.
  public var dtype: DType?
  /// Whether ``dtype`` rounds stored numbers even where they are codes of quantized tensors or scales.
  public var castsStored = false

  /// Tensors that are left out because they are damaged.
  public var damaged: Set<TensorName> = []

  /// What users of the command can do about parts that are left out: the end of the note about them.
  package var remedy = "pass --all for every part, --key for another"
  /// Keys of parts that the output has anyway, being a copy of the file.
  public var keptParts: Set<TensorName> = []

  /// Keeps a selection, renamed and rounded.
  public init(
    _ selection: Selection = Selection(), names: NameMap = NameMap(), dtype: DType? = nil,
    castsStored: Bool = false
  ) {
    self.selection = selection
    self.names = names
    self.dtype = dtype
    self.castsStored = castsStored
  }

  /// The result of a conversion.
  public struct Result: Sendable {
    /// The checkpoint to write.
    public var checkpoint: Checkpoint
    /// What the result does not hold, one sentence each.
    public var notes: [String] = []
    /// Whether values or names differ from the input's.
    public var isChanged = false
    /// For each renamed tensor, its name in the input.
    package var origins: [TensorName: TensorName] = [:]
    /// Values that became infinite; complete once the checkpoint has been written.
    public let overflows = OverflowCount()
  }

  /// Describes the converted checkpoint; nothing is read but metadata and tensors of which the file
  /// claims that they are tied, until it is written.
  ///
  /// - Throws: `CheckpointError` when a selector matches nothing, two tensors would get one
  ///   name, or `dtype` is not a type that values can be rounded to.
  public func applied(to opened: Opened) throws -> Result {
    var opened = opened
    var notes: [String] = []
    // What is left out is not read: it may be damaged.
    let kept = Set(try selection.entries(of: opened.checkpoint) { notes.append($0) }.map(\.name))
      .subtracting(damaged)
    notes += try opened.confirmTies(among: kept)
    let input = opened.checkpoint
    var result = Result(checkpoint: input, notes: notes)
    leaveOutParts(of: opened, &result)
    let entries = input.entries.filter { kept.contains($0.name) }
    if entries.count != input.entries.count {
      result.isChanged = true
      dropTree(&result, because: "tensors were left out", keeping: part(of: input))
      dropSkeletons(of: input, keeping: kept, &result)
    }
    result.checkpoint.entries = entries.map { entry in
      var entry = entry
      if let alias = entry.alias, !kept.contains(alias) { entry.alias = nil }
      return entry
    }
    let quantized = try dequantize(input, &result)
    try rename(&result)
    followTensors(of: input, &result)
    try cast(&result, quantized)
    _ = try result.checkpoint.total()
    return result
  }

  /// Renames and leaves out values that belong to one tensor, `NAME@ATTRIBUTE`, along with it.
  private func followTensors(of input: Checkpoint, _ result: inout Result) {
    var names: [TensorName: TensorName] = [:]
    for entry in result.checkpoint.entries {
      names[result.origins[entry.name] ?? entry.name] = entry.name
    }
    let known = Set(input.entries.map(\.name))
    result.checkpoint.values = result.checkpoint.values.compactMap { named in
      guard let mark = named.name.utf8.lastIndex(of: UInt8(ascii: "@")) else { return named }
      let owner = TensorName(String(named.name[..<mark]))
      guard known.contains(owner) else { return named }
      return names[owner].map { Checkpoint.Named($0.text + named.name[mark...], named.value) }
    }
  }

  /// Leaves out the values of parts that were not opened, and those that were not read.
  private func leaveOutParts(of opened: Opened, _ result: inout Result) {
    var parts: [String] = []
    for part in opened.parts where !part.isOpened {
      let values = result.checkpoint.removeValue(at: part.key)?.leafCount ?? 0
      if opened.isChosenPart || keptParts.contains(TensorName(part.key)) { continue }
      let counts = [(part.tensorCount, "tensor"), (values, "value")].filter { $0.0 > 0 }
      let what = counts.map { "\($0.0) \($0.1)\($0.0 == 1 ? "" : "s")" }.joined(separator: ", ")
      parts.append("\(part.key) (\(what))")
    }
    if !parts.isEmpty {
      let list = parts.joined(separator: ", ")
      result.notes.append("converting \(opened.openedParts); left out \(list): \(remedy)")
    }
    for named in result.checkpoint.values {
      for (address, reason) in named.value.objects(at: named.name, where: \.isUnread) {
        result.notes.append("left out '\(address)', \(reason)")
      }
    }
    result.checkpoint.values.removeAll { $0.value.isUnread }
  }

  /// Leaves out dictionaries that were only there for tensors that are left out.
  private func dropSkeletons(
    of input: Checkpoint, keeping kept: Set<TensorName>, _ result: inout Result
  ) {
    guard input.values.contains(where: { $0.value.isSkeleton || $0.value.kind == .dictionary })
    else { return }
    func containers(_ names: some Sequence<TensorName>) -> Set<TensorName> {
      var found: Set<TensorName> = []
      for name in names {
        let text = name.text
        let dots = text.utf8.indices.lazy.filter { text.utf8[$0] == UInt8(ascii: ".") }
        for dot in dots.prefix(Value.maxDepth) { found.insert(TensorName(String(text[..<dot]))) }
        found.insert(name)
      }
      return found
    }
    let empty = containers(input.entries.map(\.name)).subtracting(containers(kept))
    func pruned(_ value: Value, at address: String) -> Value? {
      if value.isSkeleton, empty.contains(TensorName(address)) { return nil }
      guard case .dictionary(let members) = value else { return value }
      return .dictionary(
        members.compactMap { member in
          pruned(member.value, at: "\(address).\(member.name)").map { Value.Member(member.key, $0) }
        })
    }
    result.checkpoint.values = result.checkpoint.values.compactMap { named in
      pruned(named.value, at: named.name).map { Checkpoint.Named(named.name, $0) }
    }
  }

  private func rename(_ result: inout Result) throws {
    if names.isEmpty { return }
    try names.requireMatches(among: result.checkpoint.entries.map(\.name))
    let renamed = names.renaming()
    var sources: [TensorName: TensorName] = [:]
    var isRenamed = false
    for index in result.checkpoint.entries.indices {
      let old = result.checkpoint.entries[index].name
      let new = try renamed(old)
      if let other = sources.updateValue(old, forKey: new) {
        throw CheckpointError(
          .mismatched,
          "'\(other)' and '\(old)' would both be called '\(new)'; change --rename or --map")
      }
      if new != old {
        isRenamed = true
        result.origins[new] = result.origins[old] ?? old
      }
      result.checkpoint.entries[index].name = new
      if let alias = result.checkpoint.entries[index].alias {
        result.checkpoint.entries[index].alias = try renamed(alias)
      }
    }
    let used = Set(sources.values)
    for old in names.names.keys where !used.contains(old) {
      throw CheckpointError(.missing, "--map renames '\(old)', but there is no such tensor")
    }
    if isRenamed {
      result.isChanged = true
      // New names say nothing about the dictionaries that the old ones were in.
      result.checkpoint.isNested = false
      dropTree(&result, because: "tensors were renamed")
    }
  }

  /// The recipe of what is selected; `nil` where it cannot be told by the selectors alone.
  private func part(of input: Checkpoint) -> Recipe? {
    guard selection.model == nil, var recipe = try? input.recipe() else { return nil }
    recipe.steps.append(.keep(match: selection.match, exclude: selection.exclude))
    return recipe
  }

  func dropTree(
    _ result: inout Result, because reason: String, keeping recipe: Recipe? = nil
  ) {
    let hadRecipe = result.checkpoint.metadata[Checkpoint.recipeKey] != nil
    if let text = try? recipe?.json {
      result.checkpoint.setText(text, for: Checkpoint.recipeKey)
      if !result.checkpoint.modules.isEmpty {
        result.notes.append("\(reason), so the module tree was left out")
      }
      result.checkpoint.modules = []
      return
    }
    result.checkpoint.setText(nil, for: Checkpoint.recipeKey)
    if !result.checkpoint.modules.isEmpty || hadRecipe {
      result.notes.append("\(reason), so the module tree and the recipe were left out")
    }
    result.checkpoint.modules = []
  }
}
