import ByteIO
import ParallelWork
import TensorCore

/// A copy of a file with new bytes in place of some ranges, written from its beginning to its end.
///
/// What lies between is copied by the system where it can. A range may get more or fewer bytes than
/// it had, so that what follows moves.
struct PatchedCopy: Sendable {
  /// What goes in place of a range.
  fileprivate enum Content {
    case bytes([UInt8])
    case source(ByteSource)
    case tensor(Checkpoint.Entry)
  }

  private let source: ByteSource
  private var patches: [(range: Range<Int>, content: Content)] = []

  /// A copy without changes so far.
  init(of source: ByteSource) { self.source = source }

  /// Puts bytes in place of a range.
  mutating func replace(_ range: Range<Int>, with bytes: [UInt8]) {
    patches.append((range, .bytes(bytes)))
  }

  /// Puts all bytes of another source in place of a range.
  mutating func replace(_ range: Range<Int>, with content: ByteSource) {
    patches.append((range, .source(content)))
  }

  /// Adds the changes of a copy of a part that begins at an offset.
  mutating func add(_ part: PatchedCopy, at offset: Int) {
    for (range, content) in part.patches {
      patches.append((offset + range.lowerBound..<offset + range.upperBound, content))
    }
  }

  /// Puts a tensor's bytes in place of those that begin at an offset.
  mutating func replace(at offset: Int, with entry: Checkpoint.Entry) {
    patches.append((offset..<offset + entry.info.byteCount, .tensor(entry)))
  }

  /// Writes the copy; `threads` tasks read the tensors.
  ///
  /// - Throws: ``CheckpointError`` `malformed` for two tensors that share bytes, and what reading and
  ///   writing throws.
  func write(to sink: ByteSink, threads: Int) async throws {
    let patches = patches.sorted {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    for (first, second) in zip(patches, patches.dropFirst())
    where first.range.upperBound > second.range.lowerBound {
      throw CheckpointError(
        .unsupported, "shares bytes with another tensor, so that it cannot be filled alone",
        path: source.name, tensor: second.content.tensor?.name.text,
        offset: second.range.lowerBound)
    }
    let tensors = patches.indices.filter { patches[$0].content.tensor != nil }
    var rest = patches[...]
    var end = 0
    /// Writes all that comes before the next tensor, or all that is left.
    func advance() throws {
      while let patch = rest.first {
        try sink.append(end..<patch.range.lowerBound, of: source)
        end = patch.range.upperBound
        rest = rest.dropFirst()
        switch patch.content {
        case .tensor: return
        case .bytes(let bytes): try sink.append(bytes.rawBytes)
        case .source(let content): try sink.append(0..<content.size, of: content)
        }
      }
      try sink.append(end..<source.size, of: source)
    }
    let entries = tensors.compactMap { patches[$0].content.tensor }
    try await TensorStream(entries, threads: threads).forEachChunk { chunk, bytes in
      if chunk.offset == 0 { try advance() }
      try sink.append(bytes)
    }
    try advance()
  }
}

extension PatchedCopy.Content {
  /// The tensor, if that is what it is.
  fileprivate var tensor: Checkpoint.Entry? {
    if case .tensor(let entry) = self { entry } else { nil }
  }
}
