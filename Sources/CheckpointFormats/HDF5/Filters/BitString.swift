import TensorCore

/// Numbers of a few bits that follow each other, the highest bit first.
struct BitString {
  private let bytes: [UInt8]
  /// Position of the next bit.
  private var position: Int

  /// Begins at a byte.
  ///
  /// - Throws: ``CheckpointError`` `malformed` where `count` numbers of `width` bits are not there.
  init(
    _ bytes: [UInt8], from start: Int, count: Int, width: Int
  ) throws(CheckpointError) {
    let needed = ([count.saturated(times: width), 7].saturatedSum()) / 8
    guard start <= bytes.count, needed <= bytes.count - start else {
      throw CheckpointError(
        .malformed, "expected \(needed) packed bytes, found \(max(bytes.count - start, 0))")
    }
    self.bytes = bytes
    position = 8 * start
  }

  /// The next number of `width` bits, at most 64.
  mutating func next(_ width: Int) -> UInt64 {
    var value: UInt64 = 0
    var left = width
    while left > 0 {
      let free = 8 - position & 7
      let taken = min(free, left)
      let byte = UInt64(bytes[position >> 3]) >> UInt64(free - taken)
      value = value << UInt64(taken) | byte & (1 << UInt64(taken) - 1)
      position += taken
      left -= taken
    }
    return value
  }
}

extension [UInt8] {
  /// Appends the lowest `width` bytes of a word.
  mutating func append(_ word: UInt64, width: Int, isBig: Bool) {
    for index in 0..<width {
      let place = isBig ? width - 1 - index : index
      append(UInt8(truncatingIfNeeded: word >> UInt64(8 * place)))
    }
  }
}
