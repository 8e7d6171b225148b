import TensorCore

/// Reads a tensor that is divided into parts, each a box of it.
///
/// Trailing dimensions that no part divides are merged into blocks: what remains are *lines* of
/// blocks along the last divided dimension, each of which several parts may share.
struct BoxedTensor: Sendable {
  /// A part of a tensor, as a box in it.
  struct Box: Sendable {
    let offsets: [Int]
    let sizes: [Int]
    /// Opens the part, which must be of the type and shape that it is given.
    let open: @Sendable (TensorInfo) throws -> Checkpoint.Entry
  }

  private let parts: [Part]
  /// Sizes of the dimensions up to the last divided one, which is that of the lines.
  private let shape: ArraySlice<Int>
  /// Size in bytes of a block, one step along a line.
  private let blockBytes: Int

  private struct Part: Sendable {
    let offsets: [Int]
    let sizes: [Int]
    let entry: @Sendable () throws -> Checkpoint.Entry
  }

  /// Checks that the parts are boxes inside the tensor, and together as large as it.
  init(_ info: TensorInfo, _ boxes: [Box]) throws(CheckpointError) {
    let rank = info.shape.count
    var volume = 0
    var parts: [Part] = []
    for box in boxes {
      guard box.offsets.count == rank, box.sizes.count == rank else {
        throw CheckpointError(
          .malformed, "a part at \(box.offsets) does not match shape \(info.shape)")
      }
      for (dimension, size) in info.shape.enumerated() {
        let (start, count) = (box.offsets[dimension], box.sizes[dimension])
        guard start >= 0, count >= 0, start <= size, count <= size - start else {
          throw CheckpointError(
            .malformed,
            "a part at \(box.offsets) of sizes \(box.sizes) is outside shape \(info.shape)")
        }
      }
      let part = try TensorInfo(dtype: info.dtype, shape: box.sizes)
      let sum = volume + part.byteCount  // each below 2^62
      guard sum <= info.byteCount else {
        throw CheckpointError(
          .malformed,
          "its parts have more bytes together than the \(info.byteCount) of shape \(info.shape)")
      }
      volume = sum
      parts.append(
        Part(offsets: box.offsets, sizes: box.sizes) { [open = box.open] in try open(part) })
    }
    guard volume == info.byteCount else {
      throw CheckpointError(
        .malformed,
        "expected \(info.byteCount) bytes for shape \(info.shape), found \(volume) in its parts")
    }
    var divided = rank
    while divided > 0,
      parts.allSatisfy({ $0.sizes[divided - 1] == info.shape[divided - 1] })
    {
      divided -= 1
    }
    self.parts = parts
    shape = info.shape[..<divided]
    // With the width still below 2^62, since zeros beside it were left out when that was checked.
    blockBytes = info.shape.product(along: divided...) * info.dtype.byteWidth
  }

  /// Reads bytes `range` of the tensor.
  func read(_ range: Range<Int>, into target: inout MutableRawSpan) throws {
    guard let length = shape.last else {
      guard let part = parts.first else { return }
      return try part.entry().read(range, into: &target)
    }
    let lineBytes = length * blockBytes
    var position = range.lowerBound
    while position < range.upperBound {
      let line = position / lineBytes
      let end = min(range.upperBound, (line + 1) * lineBytes)
      var done = position
      let outer = indices(ofLine: line)
      for part in parts where holds(part, outer) {
        let first = line * lineBytes + part.offsets[shape.count - 1] * blockBytes
        let last = first + part.sizes[shape.count - 1] * blockBytes
        // Parts may come in any order along the line. A pass over them that finds no next byte
        // means a gap, which equal volumes alone do not rule out, since parts may overlap.
        guard done >= first, done < last else { continue }
        let count = min(end, last) - done
        let start = self.start(of: outer, in: part) + done - first
        let offset = done - range.lowerBound
        var piece = target._mutatingExtracting(offset..<offset + count)
        try part.entry().read(start..<start + count, into: &piece)
        done += count
        if done == end { break }
      }
      guard done > position else {
        throw CheckpointError(.malformed, "no part holds its byte \(position)")
      }
      position = done
    }
  }

  private func indices(ofLine line: Int) -> [Int] {
    var rest = line
    var indices: [Int] = []
    for size in shape.dropLast().reversed() {
      indices.append(rest % size)
      rest /= size
    }
    return indices.reversed()
  }

  private func holds(_ part: Part, _ outer: [Int]) -> Bool {
    outer.indices.allSatisfy {
      outer[$0] >= part.offsets[$0] && outer[$0] < part.offsets[$0] + part.sizes[$0]
    }
  }

  /// Offset in bytes of a line in a part.
  private func start(of outer: [Int], in part: Part) -> Int {
    var line = 0
    for (dimension, index) in outer.enumerated() {
      line = line * part.sizes[dimension] + index - part.offsets[dimension]
    }
    return line * part.sizes[shape.count - 1] * blockBytes
  }
}
