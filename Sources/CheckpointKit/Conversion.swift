import ParallelWork
public import TensorCore

/// What is done to a checkpoint's tensors on their way from one file to another.
public struct Conversion: Sendable {
  /// Which tensors are taken.
  public var selection: Selection
  /// What they are called afterwards.
  public var names = NameMap()
  /// Floating-point tensors are rounded to this type; others stay as they are.
  public var dtype: DType?

  /// Takes everything of a selection as it is.
  public init(_ selection: Selection) { self.selection = selection }

  /// What a conversion gave.
  public struct Result: Sendable {
    /// The checkpoint to write.
    public var checkpoint: Checkpoint
    /// What the result does not carry, one sentence each.
    public var notes: [String] = []
    /// Whether values or names differ from the input's.
    public var isChanged = false
    /// The name in the input of each tensor that is called otherwise now.
    public var origins: [TensorName: TensorName] = [:]
    /// What became infinite, known when the checkpoint has been written.
    public let overflows = OverflowCount()
  }

  /// Describes the converted checkpoint; nothing is read but metadata until it is written.
  ///
  /// - Throws: `CheckpointError` when a selector matches nothing, two tensors would get one
  ///   name, or `dtype` is no type that values can be rounded to.
  public func apply(to input: Checkpoint) throws -> Result {
    var input = input
    let known = input.notes.count
    try input.confirmTies()
    var result = Result(checkpoint: input)
    result.notes += input.notes[known...]
    let entries = try selection.entries(of: input) { result.notes.append($0) }
    if entries.count != input.entries.count {
      result.isChanged = true
      dropTree(&result, because: "tensors were left out")
    }
    let kept = Set(entries.map(\.name))
    result.checkpoint.entries = entries.map { entry in
      var entry = entry
      if let alias = entry.alias, !kept.contains(alias) { entry.alias = nil }
      return entry
    }
    try rename(&result)
    try cast(&result)
    return result
  }

  private func rename(_ result: inout Result) throws {
    if names.isEmpty { return }
    var sources: [TensorName: TensorName] = [:]
    var isRenamed = false
    for index in result.checkpoint.entries.indices {
      let old = result.checkpoint.entries[index].name
      let new = names(old)
      if let other = sources.updateValue(old, forKey: new) {
        throw CheckpointError(
          .mismatched,
          "'\(other)' and '\(old)' would both be called '\(new)'; change --rename or --map")
      }
      if new != old {
        isRenamed = true
        result.origins[new] = old
      }
      result.checkpoint.entries[index].name = new
      if let alias = result.checkpoint.entries[index].alias {
        result.checkpoint.entries[index].alias = names(alias)
      }
    }
    for old in names.names.keys where !sources.values.contains(old) {
      throw CheckpointError(.missing, "--map names the tensor '\(old)', which is not there")
    }
    if isRenamed {
      result.isChanged = true
      dropTree(&result, because: "tensors were renamed")
    }
  }

  private func cast(_ result: inout Result) throws {
    guard let dtype else { return }
    guard dtype.isFloatingPoint else {
      throw CheckpointError(
        .unsupported,
        "dtype \(dtype.torchName): expected \(DType.floatingPoint.alternatives)")
    }
    var isCast = false
    let overflows = result.overflows
    result.checkpoint.entries = try result.checkpoint.entries.map { entry in
      guard entry.info.dtype.isFloatingPoint, entry.info.dtype != dtype else { return entry }
      isCast = true
      return try entry.cast(to: dtype, overflows: overflows)
    }
    guard isCast else { return }
    result.isChanged = true
    if result.checkpoint.metadata.removeValue(forKey: Checkpoint.recipeKey) != nil {
      result.notes.append("the recipe does not describe rounded values and is left out")
    }
  }

  private func dropTree(_ result: inout Result, because reason: String) {
    let hadRecipe = result.checkpoint.metadata.removeValue(forKey: Checkpoint.recipeKey) != nil
    if !result.checkpoint.modules.isEmpty || hadRecipe {
      result.notes.append("\(reason), so the module tree and the recipe are left out")
    }
    result.checkpoint.modules = []
  }
}
