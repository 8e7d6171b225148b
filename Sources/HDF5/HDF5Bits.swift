import TensorCore

/// An integer that does not fill its bytes, which are little-endian: where its bits are.
package struct HDF5Bits: Sendable, Hashable {
  /// Bytes of a word, at most 8.
  let width: Int
  /// Position of the lowest bit, and the number of bits.
  let (first, count): (Int, Int)
  let isSigned: Bool

  /// Puts the integers into all of their bytes; what is in the other bits is dropped.
  package func widen(_ bytes: inout MutableRawSpan) {
    let unused = UInt64(64 - count)
    for index in 0..<bytes.byteCount / width {
      let top = (bytes.bytes.word(index, width: width) >> UInt64(first)) << unused
      let word =
        isSigned ? UInt64(bitPattern: Int64(bitPattern: top) >> Int64(unused)) : top >> unused
      store(word, in: &bytes, at: index * width)
    }
  }

  /// Puts integers that fill their bytes where ``widen(_:)`` takes them from.
  package func narrow(_ bytes: inout MutableRawSpan) {
    let mask = UInt64.max >> UInt64(64 - count)
    for index in 0..<bytes.byteCount / width {
      let word = (bytes.bytes.word(index, width: width) & mask) << UInt64(first)
      store(word, in: &bytes, at: index * width)
    }
  }

  private func store(_ word: UInt64, in bytes: inout MutableRawSpan, at offset: Int) {
    for index in 0..<width {
      let byte = UInt8(truncatingIfNeeded: word >> UInt64(8 * index))
      bytes.storeBytes(of: byte, toByteOffset: offset + index, as: UInt8.self)
    }
  }
}
