/// The rearrangement before packing: all first bytes of a chunk's words, then all second bytes and so on.
///
/// A float's sign is noise and stands in the same byte as the upper part of its exponent, which is
/// not. Rotated left by one bit, the word keeps its exponent's upper eight bits in the last plane
/// and its sign in the lowest bit of the first.
package enum Planes {
  /// Word sizes that can be divided, in bytes.
  package static let widths = [1, 2, 4, 8]

  /// Divides little-endian words of `width` bytes into planes, the lowest bytes first.
  ///
  /// `source` and `target` must be of one size, a multiple of `width`.
  package static func split(
    _ source: RawSpan, width: Int, rotated: Bool, into target: inout MutableRawSpan
  ) {
    precondition(
      widths.contains(width) && source.byteCount % width == 0
        && source.byteCount == target.byteCount)
    unsafe source.withUnsafeBytes { source in
      unsafe target.withUnsafeMutableBytes { target in
        guard let source = source.baseAddress, let planes = target.baseAddress else {
          return
        }
        let count = target.count / width
        switch width {
        case 2: unsafe split(UInt16.self, source, planes, count: count, rotated: rotated)
        case 4: unsafe split(UInt32.self, source, planes, count: count, rotated: rotated)
        case 8: unsafe split(UInt64.self, source, planes, count: count, rotated: rotated)
        default: unsafe planes.copyMemory(from: source, byteCount: count)
        }
      }
    }
  }

  /// Puts planes together again, the inverse of ``split(_:width:rotated:into:)``.
  package static func merge(
    _ source: RawSpan, width: Int, rotated: Bool, into target: inout MutableRawSpan
  ) {
    precondition(
      widths.contains(width) && source.byteCount % width == 0
        && source.byteCount == target.byteCount)
    unsafe source.withUnsafeBytes { source in
      unsafe target.withUnsafeMutableBytes { target in
        guard let planes = source.baseAddress, let words = target.baseAddress else {
          return
        }
        let count = target.count / width
        switch width {
        case 2: unsafe merge(UInt16.self, planes, words, count: count, rotated: rotated)
        case 4: unsafe merge(UInt32.self, planes, words, count: count, rotated: rotated)
        case 8: unsafe merge(UInt64.self, planes, words, count: count, rotated: rotated)
        default: unsafe words.copyMemory(from: planes, byteCount: count)
        }
      }
    }
  }

  @unsafe
  private static func split<Word: FixedWidthInteger & UnsignedInteger>(
    _: Word.Type, _ words: UnsafeRawPointer, _ planes: UnsafeMutableRawPointer, count: Int,
    rotated: Bool
  ) {
    let bits = Word(Word.bitWidth - 1)
    var index = 0
    while index < count {
      let offset = index &* MemoryLayout<Word>.size
      var word = Word(
        littleEndian: unsafe words.loadUnaligned(fromByteOffset: offset, as: Word.self))
      if rotated { word = word &<< 1 | word &>> bits }
      var place = index
      for _ in 0..<MemoryLayout<Word>.size {
        unsafe planes.storeBytes(
          of: UInt8(truncatingIfNeeded: word), toByteOffset: place, as: UInt8.self)
        word = word &>> 8
        place = place &+ count
      }
      index = index &+ 1
    }
  }

  @unsafe
  private static func merge<Word: FixedWidthInteger & UnsignedInteger>(
    _: Word.Type, _ planes: UnsafeRawPointer, _ words: UnsafeMutableRawPointer, count: Int,
    rotated: Bool
  ) {
    let bits = Word(Word.bitWidth - 1)
    var index = 0
    while index < count {
      var word: Word = 0
      var place = index
      var shift: Word = 0
      for _ in 0..<MemoryLayout<Word>.size {
        let byte = unsafe planes.load(fromByteOffset: place, as: UInt8.self)
        word |= Word(truncatingIfNeeded: byte) &<< shift
        shift = shift &+ 8
        place = place &+ count
      }
      if rotated { word = word &>> 1 | word &<< bits }
      unsafe words.storeBytes(
        of: word.littleEndian, toByteOffset: index &* MemoryLayout<Word>.size, as: Word.self)
      index = index &+ 1
    }
  }
}
