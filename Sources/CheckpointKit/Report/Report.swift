public import ParallelWork
public import TensorCore

/// What one checkpoint holds, or what became of it in another, measured in bounded memory: the content
/// of a page of `ckpt report`.
///
/// Each tensor is read once, and so is each pair: while ``CheckpointDiff`` compares the two, both are
/// measured.
public struct Report: Sendable {
  /// A checkpoint to report on.
  public struct Input: Sendable {
    /// What the report calls it, most often its path.
    public var path: String
    /// Name of its format.
    public var format: String
    /// Its tensors, modules, and values.
    public var checkpoint: Checkpoint

    /// Names a checkpoint.
    public init(path: String, format: String, checkpoint: Checkpoint) {
      (self.path, self.format, self.checkpoint) = (path, format, checkpoint)
    }
  }

  /// A tensor of one checkpoint, or a pair of two.
  public struct Tensor: Sendable {
    /// What became of a tensor; raw values are the words of the report.
    public enum Kind: String, Sendable, CaseIterable, Encodable {
      /// In both, equal bit for bit.
      case identical
      /// In both, with other values.
      case changed
      /// In both, of another element type; the values are compared all the same.
      case retyped
      /// In both, of another shape.
      case reshaped
      /// In both, with the axes in another order.
      case transposed
      /// In both, with the same bytes, under names that nothing pairs.
      case renamed
      /// Only in the second.
      case added
      /// Only in the first.
      case removed
      /// In one under a further name, because it is tied there to a tensor that both have.
      case tied
    }

    /// Name in the first; of a tensor that only the second has, its name there.
    public let name: TensorName
    /// Name in the second, where it is another.
    public internal(set) var newName: TensorName?
    /// What became of it; `nil` in a report on one checkpoint.
    public internal(set) var kind: Kind?
    /// Type and shape in the first; `nil` if it is not there.
    public internal(set) var old: TensorInfo?
    /// Type and shape in the second; `nil` if it is not there.
    public internal(set) var new: TensorInfo?
    /// The tensor that this one is tied to in its file.
    public internal(set) var alias: TensorName?
    /// Measures of the first's values; `nil` if it is not there.
    public internal(set) var before: TensorSummary?
    /// Measures of the second's values; `nil` if it is not there.
    public internal(set) var after: TensorSummary?
    /// How far the values are apart, where they can be compared and differ.
    public internal(set) var difference: TensorDifference?
  }

  /// A value that is not a tensor, as text of at most ``maxValueLength`` characters.
  public struct ValueRow: Sendable, Encodable {
    /// Dotted address, such as `optimizer.param_groups.0.lr`.
    public let address: String
    /// The value in the first; `nil` if it is not there.
    public let before: String?
    /// The value in the second; `nil` if it is not there, or in a report on one checkpoint.
    public let after: String?
    /// Whether the two differ; `false` in a report on one checkpoint.
    public let isChanged: Bool
  }

  /// Characters of a value that are shown.
  public static let maxValueLength = 200
  /// Values that are listed; ``valueCount`` counts all.
  public static let maxValues = 2000

  /// The checkpoints: one or two.
  public let inputs: [Input]
  /// What the comparison of two comes to; `nil` in a report on one checkpoint.
  public let answer: DiffAnswer?
  /// All tensors, in the first's order, then those that only the second has.
  public let tensors: [Tensor]
  /// Values that are not tensors: first those that differ.
  public let values: [ValueRow]
  /// Number of values, whether or not they are listed.
  public let valueCount: Int
  /// Names of tensors that the files have and that cannot be read, sorted; they are not among
  /// ``tensors``.
  public let unread: [TensorName]
  /// The commands that made each checkpoint, oldest first.
  public let provenance: [[Provenance.Step]]

  /// Measures one checkpoint.
  ///
  /// `threads` tasks are at work; the result does not depend on their number.
  /// - Throws: `CheckpointError` when a tensor cannot be read.
  public init(on input: Input, threads: Int = Threads.available) async throws {
    (inputs, answer) = ([input], nil)
    provenance = [Self.steps(of: input)]
    unread = input.checkpoint.leftOut.keys.sorted()
    (values, valueCount) = Self.values(of: input.checkpoint)
    tensors = try await Self.tensors(of: input.checkpoint, threads: threads)
  }

  /// Measures two checkpoints and how they differ.
  ///
  /// Tensors are paired by name; those left over by equal bytes, and are then `renamed`.
  /// `map` holds names in the first that stand for another name in the second; `threads` tasks are at
  /// work, and the result does not depend on their number.
  /// - Throws: `CheckpointError` when a tensor cannot be read.
  public init(
    from first: Input, to second: Input, map: [TensorName: TensorName] = [:],
    threads: Int = Threads.available
  ) async throws {
    inputs = [first, second]
    provenance = inputs.map(Self.steps)
    unread = Set(inputs.flatMap(\.checkpoint.leftOut.keys)).sorted()
    (values, valueCount) = Self.values(of: first.checkpoint, and: second.checkpoint)
    (tensors, answer) = try await Self.tensors(
      from: first.checkpoint, to: second.checkpoint, map: map, threads: threads)
  }

  /// The provenance that can be read; a report on a file does not fail for a damaged note in it.
  private static func steps(of input: Input) -> [Provenance.Step] {
    (try? Provenance(of: input.checkpoint))?.steps ?? []
  }
}
