import ByteIO
import TensorCore

/// Scales of the blocks into which a tensor is divided along its axes.
struct ScaleGrid: Sendable {
  private let shape: [Int]
  /// Elements of a block along each axis; the last block of an axis may have fewer.
  private let blocks: [Int]
  private let scales: Checkpoint.Entry
  /// Scales along each axis.
  private let counts: [Int]

  init(_ shape: Shape, blocks: [Int], of scales: Checkpoint.Entry) {
    (self.shape, self.blocks, self.scales) = (shape.sizes, blocks, scales)
    counts = zip(shape, blocks).map { $0 == 0 ? 0 : ($0 - 1) / $1 + 1 }
  }

  /// The block that gives a tensor of `shape` as many scales as it has; `nil` if there is none.
  ///
  /// Along each axis: all elements have a scale of their own, or share one, or 128 share one, as in
  /// DeepSeek's files, or as many as divide the axis evenly.
  static func blocks(_ shape: Shape, scales: Shape) -> [Int]? {
    if scales.elementCount == 1 { return shape.map { max($0, 1) } }
    var counts = scales.sizes
    // One scale per row may come without the axis that it is multiplied along.
    if counts.count < shape.count, counts == Array(shape.prefix(counts.count)) {
      counts += [Int](repeating: 1, count: shape.count - counts.count)
    }
    guard counts.count == shape.count else { return nil }
    var blocks: [Int] = []
    for (size, count) in zip(shape, counts) {
      if count == size {
        blocks.append(1)
      } else if count == 1 {
        blocks.append(max(size, 1))
      } else if count > 0, size > 0, (size - 1) / 128 + 1 == count {
        blocks.append(128)
      } else if count > 0, size > count, size % count == 0 {
        blocks.append(size / count)
      } else {
        return nil
      }
    }
    return blocks
  }

  /// The blocks in words: `scales of 128×128`, `a scale per row`, `one scale`.
  static func text(_ blocks: [Int], _ shape: Shape) -> String {
    if zip(blocks, shape).allSatisfy({ $0 >= $1 }) { return "one scale" }
    if let last = blocks.last, last == shape[shape.count - 1],
      blocks.dropLast().allSatisfy({ $0 == 1 })
    {
      return "a scale per row"
    }
    return "scales of " + blocks.map(String.init).joined(separator: "×")
  }

  /// Multiplies the values of the elements that begin at `first`, in row-major order.
  func multiply(_ values: inout [Float], at first: Int) throws {
    let columns = shape.last ?? 1
    let block = blocks.last ?? 1
    // All scales are read at once if they are few, else those of a row's elements at a time.
    var loaded = 0..<0
    var factors: [Float] = []
    if counts.reduce(1, { $0.saturated(times: $1) }) <= max(values.count, 64) {
      loaded = 0..<scales.info.elementCount
      factors = try self.factors(loaded)
    }
    var index = 0
    while index < values.count {
      let (row, column) = ((first + index) / columns, (first + index) % columns)
      let count = min(columns - column, values.count - index)
      let start = scaleRow(row) * (counts.last ?? 1)
      let needed = start + column / block..<start + (column + count - 1) / block + 1
      if needed.lowerBound < loaded.lowerBound || needed.upperBound > loaded.upperBound {
        loaded = needed
        factors = try self.factors(needed)
      }
      let offset = start - loaded.lowerBound
      for step in 0..<count {
        values[index + step] *= factors[offset + (column + step) / block]
      }
      index += count
    }
  }

  /// The row of scales that a row of the tensor has.
  private func scaleRow(_ row: Int) -> Int {
    var (rest, scaleRow, step) = (row, 0, 1)
    for axis in shape.indices.dropLast().reversed() {
      scaleRow += rest % shape[axis] / blocks[axis] * step
      rest /= shape[axis]
      step *= counts[axis]
    }
    return scaleRow
  }

  /// Scales as factors; bytes are exponents of 2 with a bias of 127, as in MX formats.
  private func factors(_ range: Range<Int>) throws -> [Float] {
    guard scales.info.dtype == .uint8 else { return try scales.singles(range) }
    return try scales.bytes(range).map { Self.power($0) }
  }

  /// 2 to the power of a byte less 127; infinite for 255, as PyTorch computes it.
  static func power(_ exponent: UInt8) -> Float {
    exponent == 255 ? .infinity : Float(sign: .plus, exponent: Int(exponent) - 127, significand: 1)
  }
}
