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
  }

  /// Describes the converted checkpoint; nothing is read but metadata until it is written.
  ///
  /// - Throws: `CheckpointError` when a selector matches nothing, two tensors would get one
  ///   name, or `dtype` is no type that values can be rounded to.
  public func callAsFunction(_ input: Checkpoint) throws -> Result {
    var result = Result(checkpoint: input)
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
      isRenamed = isRenamed || new != old
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
    guard ElementConversion.canEncode(dtype) else {
      throw CheckpointError(
        .unsupported, "dtype \(dtype.torchName): required float32, float64, bfloat16 or float16")
    }
    var isCast = false
    result.checkpoint.entries = try result.checkpoint.entries.map { entry in
      guard entry.info.dtype.isFloatingPoint, entry.info.dtype != dtype else { return entry }
      isCast = true
      return try entry.cast(to: dtype)
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

extension Checkpoint.Entry {
  /// The tensor with its values rounded to another floating-point type as they are read.
  ///
  /// To nearest even, as PyTorch's `Tensor.to`; NaN stays NaN; too large becomes infinite.
  public func cast(to dtype: DType) throws -> Checkpoint.Entry {
    let source = self
    let info = try TensorInfo(dtype: dtype, shape: info.shape)
    return Checkpoint.Entry(name: name, info: info, alias: alias) { range, target in
      let (old, new) = (source.info.dtype.byteWidth, dtype.byteWidth)
      // Ranges need not begin or end between elements.
      let elements = range.lowerBound / new..<(range.upperBound + new - 1) / new
      var input = ChunkBuffer(capacity: elements.count * old)
      let bytes = try source.read(elements.lowerBound * old, elements.count * old, using: &input)
      var values: [Double] = []
      ElementConversion.decode(bytes, as: source.info.dtype, into: &values)
      var output = ChunkBuffer(capacity: elements.count * new)
      var encoded = output.mutableBytes(elements.count * new)
      ElementConversion.encode(values.span, as: dtype, into: &encoded)
      let start = range.lowerBound - elements.lowerBound * new
      target.copy(from: output.bytes(elements.count * new).extracting(start..<start + range.count))
    }
  }
}
