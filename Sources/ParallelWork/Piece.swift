package import TensorCore

/// A range of one tensor: the unit of every parallel job.
package struct Piece: Sendable, Hashable {
  /// The tensor's index in the list that was cut.
  package let tensor: Int
  /// Bytes of the tensor.
  package let range: Range<Int>
  /// Whether the tensor ends here.
  package let isLast: Bool
  /// Whether this and all other pieces of the tensor begin at multiples of 1 MiB, where a digest's
  /// chunks do.
  package var isChunked = false

  /// Whether this is all of the tensor.
  package var isWhole: Bool { range.lowerBound == 0 && isLast }
}

/// Cuts tensors into pieces, in their order: the one place where work is divided.
///
/// A tensor of more than `size` bytes gives pieces of its own, one at a time; smaller ones are not
/// cut, and neighbors are gathered up to `size` bytes. Nothing is made before it is asked for, so
/// that the size of a tensor costs no memory. A tensor without bytes gives an empty piece.
package struct Pieces: Sequence, IteratorProtocol, Sendable {
  /// Where large tensors are cut.
  package enum Cut: Sendable {
    /// Every `size` bytes, wherever elements end.
    case exact
    /// Between elements.
    case elements
    /// Where the source's chunks end, so that none is unpacked twice.
    case source
    /// The same, but at multiples of 1 MiB, where a digest's chunks begin.
    case chunks
    /// Where the function says that the piece ends which begins at an offset of a tensor.
    case target(@Sendable (_ tensor: Int, _ offset: Int) -> Int)
  }

  private let entries: [Checkpoint.Entry]
  private let size: Int
  private let cut: Cut
  private let maxGathered: Int
  private var tensor = 0
  private var offset = 0

  /// Cuts these tensors; at most `maxGathered` are one unit of work.
  package init(
    of entries: [Checkpoint.Entry], size: Int, cut: Cut, maxGathered: Int = WorkLimits.maxGathered
  ) {
    self.entries = entries
    self.size = size
    self.cut = cut
    self.maxGathered = maxGathered
  }

  /// Bytes of the largest unit of work.
  package var maxSize: Int { entries.map { Swift.min(step($0), $0.info.byteCount) }.max() ?? 0 }

  /// The pieces of the next unit of work: one of a large tensor, or small tensors.
  package mutating func next() -> [Piece]? {
    guard tensor < entries.count else { return nil }
    let total = entries[tensor].info.byteCount
    // A large tensor is a unit of its own even in its last, short piece, so that where the next
    // tensors are gathered does not depend on its size.
    if total > size {
      let end = Swift.min(end(entries[tensor]), total)
      var piece = Piece(tensor: tensor, range: offset..<end, isLast: end == total)
      piece.isChunked = isChunked(entries[tensor])
      (tensor, offset) = end == total ? (tensor + 1, 0) : (tensor, end)
      return [piece]
    }
    var pieces: [Piece] = []
    var room = size
    while tensor < entries.count, pieces.count < maxGathered {
      let count = entries[tensor].info.byteCount
      if count > room { break }
      pieces.append(Piece(tensor: tensor, range: 0..<count, isLast: true))
      room -= count
      tensor += 1
    }
    return pieces
  }

  /// Leaves out what is left of the tensor that is being cut.
  package mutating func skipTensor() {
    if offset > 0 { (tensor, offset) = (tensor + 1, 0) }
  }

  private func end(_ entry: Checkpoint.Entry) -> Int {
    if case .target(let end) = cut { return end(tensor, offset) }
    return offset + step(entry)
  }

  private func isChunked(_ entry: Checkpoint.Entry) -> Bool {
    if case .target = cut { return false }
    return step(entry) % TreeDigest.chunkSize == 0
  }

  private func step(_ entry: Checkpoint.Entry) -> Int {
    switch cut {
    case .exact, .target: return size
    case .elements:
      let width = entry.info.dtype.block.bytes
      return Swift.max(size / width, 1) * width
    case .source:
      let unit = Swift.max(entry.preferredReadSize, 1)
      return (size + unit - 1) / unit * unit
    case .chunks:
      return TreeDigest.chunkCount(Swift.max(size, entry.preferredReadSize)) * TreeDigest.chunkSize
    }
  }
}
