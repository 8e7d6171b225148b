import CKernels

/// The filter `palette`: up to 256 distinct words, and for each word its index among them.
///
/// The content is one byte k - 1, the k words in ascending order as planes of their differences, and the
/// indices in 1, 2, 4, or 8 bits each, whichever is the least that suffices for k, packed lowest bits
/// first. The differences of a scale's multiples are few.
package enum Palette {
  /// Encodes words; `target` needs room for 1 + 256 · `width` bytes and one byte per word.
  ///
  /// - Returns: k and the size of the whole content; `nil` if there are more than 256 distinct words, or
  ///   none.
  package static func encode(
    _ words: RawSpan, width: Int, into target: inout MutableRawSpan
  ) -> (known: Int, all: Int)? {
    let count = wordCount(words.byteCount, width, of: Planes.widths)
    let room = 1 + 256 * width
    precondition(
      target.byteCount >= room + count, "\(count) words into \(target.byteCount) bytes")
    if count == 0 { return nil }
    // Words are numbered as they first occur, a byte each, after the room for the largest table. Packing
    // moves them forward, never over those that are still to be read, as ranks in ascending order.
    var table = [UInt64](repeating: 0, count: 256)
    let known = unsafe words.withUnsafeBytes { words in
      unsafe target.withUnsafeMutableBytes { target in
        unsafe ckpt_palette_number(
          words.baseAddress, count, width, target.firstByte.map { unsafe $0 + room }, &table)
      }
    }
    if known > 256 { return nil }
    var ranks = [UInt8](repeating: 0, count: 256)
    let ascending = (0..<known).sorted { table[$0] < table[$1] }
    target.storeBytes(of: UInt8(known - 1), toByteOffset: 0, as: UInt8.self)
    var last: UInt64 = 0
    for (rank, number) in ascending.enumerated() {
      ranks[number] = UInt8(rank)
      for byte in 0..<width {
        target.storeBytes(
          of: UInt8(truncatingIfNeeded: (table[number] - last) >> UInt64(8 * byte)),
          toByteOffset: 1 + byte * known + rank, as: UInt8.self)
      }
      last = table[number]
    }
    let tableSize = 1 + known * width
    let bits = indexBits(known)
    unsafe target.withUnsafeMutableBytes { target in
      guard let first = unsafe target.firstByte else { return }
      unsafe ckpt_palette_pack(first + room, ranks, count, bits, first + tableSize)
    }
    return (known, tableSize + packedSize(count, bits))
  }

  /// The size of the content for `m` words that begins with `byte`.
  package static func size(first byte: UInt8, width: Int, words m: Int) -> Int {
    let known = Int(byte) + 1
    return 1 + known * width + packedSize(m, indexBits(known))
  }

  /// Decodes words.
  ///
  /// - Returns: Whether the content is valid: its size is right, the words of its table ascend, no
  ///   index is too large, and unused bits are 0.
  package static func decode(
    _ content: RawSpan, width: Int, into words: inout MutableRawSpan
  ) -> Bool {
    let count = wordCount(words.byteCount, width, of: Planes.widths)
    if content.isEmpty { return false }
    let first = content.littleEndian(UInt8.self, at: 0)
    let (known, bits) = (Int(first) + 1, indexBits(Int(first) + 1))
    guard content.byteCount == size(first: first, width: width, words: count) else { return false }
    var table = [UInt64](repeating: 0, count: 256)
    let mask = UInt64.max >> UInt64(64 - 8 * width)
    for index in 0..<known {
      for byte in 0..<width {
        let value = content.littleEndian(UInt8.self, at: 1 + byte * known + index)
        table[index] |= UInt64(value) << UInt64(8 * byte)
      }
      if index > 0 {
        table[index] = (table[index] &+ table[index - 1]) & mask
        if table[index - 1] >= table[index] { return false }
      }
    }
    let indices = content.extracting((1 + known * width)...)
    let unused = indices.byteCount * 8 - count * bits
    if unused > 0 {
      let last = indices.littleEndian(UInt8.self, at: indices.byteCount - 1)
      if last >> UInt8(8 - unused) != 0 { return false }
    }
    return unsafe indices.withUnsafeBytes { indices in
      unsafe words.withUnsafeMutableBytes { words in
        if unsafe ckpt_palette_largest(indices.firstByte, count, bits) > first { return false }
        unsafe ckpt_palette_unpack(
          indices.firstByte, table, count, bits, words.baseAddress, width)
        return true
      }
    }
  }

  /// Bits of an index among `known` words.
  private static func indexBits(_ known: Int) -> Int {
    switch known {
    case ...2: 1
    case ...4: 2
    case ...16: 4
    default: 8
    }
  }

  private static func packedSize(_ count: Int, _ bits: Int) -> Int {
    let perByte = 8 / bits
    return (count + perByte - 1) / perByte
  }
}
