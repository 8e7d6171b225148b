import ByteIO
import TensorCore

/// The filter bitshuffle: the bits of the elements of a block are stored by their position in the
/// element, and then packed by lz4 or zstd, or not at all.
///
/// Source: bitshuffle 0.5 `bshuf_h5filter.c`, `bitshuffle_core.c`, and `bitshuffle.c`.
struct Bitshuffle {
  private let width: Int
  /// Elements of a block; a multiple of 8.
  private let blockCount: Int
  private let packing: Int

  /// Takes the filter's parameters: two version numbers, the width of an element, elements of a block
  /// (0 for the default), and the packing.
  init(_ values: [Int]) throws(CheckpointError) {
    guard values.count >= 3, (1...1 << 20).contains(values[2]) else {
      throw CheckpointError(.malformed, "bitshuffle: expected the width of an element")
    }
    width = values[2]
    let stated = values.count > 3 ? values[3] : 0
    guard stated % 8 == 0, stated <= 1 << 30 else {
      throw CheckpointError(
        .malformed, "bitshuffle: expected blocks of a multiple of 8 elements, found \(stated)")
    }
    // About 8192 bytes, and at least 128 elements.
    blockCount = stated > 0 ? stated : max(8192 / width / 8 * 8, 128)
    packing = values.count > 4 ? values[4] : 0
    guard [0, 2, 3].contains(packing) else {
      throw CheckpointError(.unsupported, "bitshuffle: unknown packing \(packing)")
    }
  }

  /// Whether chunks keep their size.
  var keepsSize: Bool { packing == 0 }

  /// Undoes the filter on a chunk of at most `limit` bytes.
  func decode(_ source: [UInt8], limit: Int) throws(CheckpointError) -> [UInt8] {
    if packing == 0 {
      guard source.count <= limit else {
        throw CheckpointError(.malformed, "expected at most \(limit) bytes, found \(source.count)")
      }
      return try decode(size: source.count, blockCount) { start, count throws(CheckpointError) in
        source[start..<start + count]
      }
    }
    var reader = LZ4Reader(source)
    let high = try reader.bigEndian()
    let size = high << 32 | (try reader.bigEndian())
    let blockBytes = try reader.bigEndian()
    guard size <= limit, blockBytes % width == 0, blockBytes / width % 8 == 0 else {
      throw CheckpointError(
        .malformed,
        "bitshuffle: expected at most \(limit) bytes in blocks of 8 elements, found "
          + "\(size) in blocks of \(blockBytes) bytes")
    }
    if packing == 2 { try LZ4.check(size, from: source.count) }
    let blockCount = blockBytes > 0 ? blockBytes / width : self.blockCount
    return try decode(size: size, blockCount) { _, count throws(CheckpointError) in
      // What is less than 8 elements follows as it is.
      if count < 8 * width { return try reader.part(count) }
      let stored = try reader.part(try reader.bigEndian())
      if packing == 3 { return try Zstandard.decode(Array(stored), size: count)[...] }
      var block: [UInt8] = []
      block.reserveCapacity(count)
      try LZ4.decodeBlock(stored, size: count, into: &block)
      return block[...]
    }
  }

  /// Undoes the transposition, block by block; `bytes` gives those of the block at an offset.
  private func decode(
    size: Int, _ blockCount: Int,
    _ bytes: (_ start: Int, _ count: Int) throws(CheckpointError) -> ArraySlice<UInt8>
  ) throws(CheckpointError) -> [UInt8] {
    var target = [UInt8](repeating: 0, count: size)
    let count = size / width
    var first = 0
    while count - first >= 8 {
      let elements = min(blockCount, (count - first) / 8 * 8)
      let offset = first * width
      transpose(try bytes(offset, elements * width), elements, into: &target, at: offset)
      first += elements
    }
    let start = first * width
    if start < size {
      for (index, byte) in try bytes(start, size - start).enumerated() {
        target[start + index] = byte
      }
    }
    return target
  }

  /// Gathers each element's bits: row `8 j + k` of the block has bit `k` of byte `j` of all elements.
  private func transpose(
    _ block: ArraySlice<UInt8>, _ count: Int, into target: inout [UInt8], at offset: Int
  ) {
    let rowSize = count / 8
    for byte in 0..<width {
      let row = block.startIndex + 8 * byte * rowSize
      for column in 0..<rowSize {
        var bits: UInt64 = 0
        for bit in 0..<8 { bits |= UInt64(block[row + bit * rowSize + column]) << UInt64(8 * bit) }
        bits = Self.transposed(bits)
        for index in 0..<8 {
          target[offset + (8 * column + index) * width + byte] =
            UInt8(truncatingIfNeeded: bits >> UInt64(8 * index))
        }
      }
    }
  }

  /// Transposes 8×8 bits (Warren, *Hacker's Delight*, 7-3).
  private static func transposed(_ bits: UInt64) -> UInt64 {
    var bits = bits
    var swap = (bits ^ bits >> 7) & 0x00aa_00aa_00aa_00aa
    bits ^= swap ^ swap << 7
    swap = (bits ^ bits >> 14) & 0x0000_cccc_0000_cccc
    bits ^= swap ^ swap << 14
    swap = (bits ^ bits >> 28) & 0x0000_0000_f0f0_f0f0
    return bits ^ swap ^ swap << 28
  }
}
