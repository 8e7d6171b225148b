public import CheckpointFormats
public import TensorCore

/// What a conversion would write, and what the target cannot hold.
///
/// Reads no tensor.
public struct ConversionPlan: Sendable, Encodable {
  /// One tensor of the output.
  public struct Tensor: Sendable, Encodable {
    /// Name in the input.
    public let from: String
    /// Name in the output.
    public let name: String
    /// Element type in the input.
    public let oldDtype: String
    /// Element type in the output.
    public let dtype: String
    /// Sizes in the output, outermost first.
    public let shape: Shape
    /// Bytes in the output, before any compression.
    public let bytes: Int
    /// The tensor whose bytes it shares in the output.
    public let tiedTo: String?
    /// Why the output cannot hold it.
    public let obstacle: String?
  }

  /// Every tensor of the output, in its order.
  public let tensors: [Tensor]
  /// Names of the input's tensors that are not in the output.
  public let leftOut: [String]
  /// What the output does not hold, one sentence each.
  public let losses: [String]

  /// Which tied tensors stay tied, in a sentence; `nil` if there is none.
  public let ties: String?

  /// Plans the writing of what a conversion made of `input`; `isCopy` says that a copy of a file of
  /// the format is filled, which keeps all that is in that file.
  public init(
    of result: Conversion.Result, from input: Checkpoint, to format: CheckpointFormat,
    options: WriteOptions = WriteOptions(), isCopy: Bool = false
  ) {
    let inputs = Dictionary(keepingFirst: input.entries.map { ($0.name, $0.info) })
    var used: Set<TensorName> = []
    tensors = result.checkpoint.entries.map { entry in
      let origin = result.origins[entry.name] ?? entry.name
      used.insert(origin)
      let isHeld = format.capabilities.dtypes.contains(entry.info.dtype)
      return Tensor(
        from: origin.text, name: entry.name.text,
        oldDtype: (inputs[origin] ?? entry.info).dtype.rawValue, dtype: entry.info.dtype.rawValue,
        shape: entry.info.shape, bytes: entry.info.byteCount,
        tiedTo: format.capabilities.keepsTies ? entry.alias?.text : nil,
        obstacle: isHeld
          ? nil : "\(format.name) has no element type \(entry.info.dtype.rawValue)")
    }
    leftOut = input.entries.map(\.name).filter { !used.contains($0) }.map(\.text)
    let tied = result.checkpoint.entries.filter { $0.alias != nil }
    ties = tied.first.flatMap { first in
      guard !isCopy, format.capabilities.keepsTies, let original = first.alias else { return nil }
      let more = tied.count == 1 ? "" : " and \(tied.count - 1) more"
      let how =
        format.capabilities.sharesBytes
        ? "stay tied" : "are each written out, and tied again when ckpt reads them"
      return "tied tensors \(how): '\(first.name)' (= '\(original)')\(more)"
    }
    losses =
      isCopy
      ? result.notes
      : result.notes
        + format.capabilities.losses(of: result.checkpoint, options, format: format.name)
  }
}
