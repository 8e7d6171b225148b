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

  /// Bytes that one byte of a chunk can stand for, at most.
  var ratio: Int { packing == 0 ? 1 : packing == 2 ? LZ4.ratio : Zstandard.ratio }

  /// Undoes the filter on a chunk of at most `limit` bytes.
  func stage(_ input: FilterInput, limit: Int) throws(CheckpointError) -> any FilterStage {
    if packing == 0 { return BitTransposition(input, width: width, blockSize: blockCount * width) }
    var input = input
    let high = try input.bigEndian()
    let size = high << 32 | (try input.bigEndian())
    let stated = try input.bigEndian()
    guard size <= limit, stated % width == 0, stated / width % 8 == 0 else {
      throw CheckpointError(
        .malformed,
        "bitshuffle: expected at most \(limit) bytes in blocks of 8 elements, found "
          + "\(size) in blocks of \(stated) bytes")
    }
    let blockBytes = stated > 0 ? stated : blockCount * width
    let unit = 8 * width
    let unpacked: any FilterStage =
      packing == 2
      ? LZStage(input, LZ4(size: size, blockSize: blockBytes, unit: unit))
      : ZstandardBlocks(input, size: size, blockSize: blockBytes, unit: unit)
    return BitTransposition(
      FilterInput(unpacked, limit: size), width: width, blockSize: blockBytes)
  }
}

/// Gathers the bits of the elements of each block.
private final class BitTransposition: FilterStage {
  private var input: FilterInput
  private let width: Int
  private let blockSize: Int
  private var block: [UInt8] = []
  private var position = 0

  /// Takes blocks of `blockSize` bytes, of which the last may have fewer.
  init(_ input: FilterInput, width: Int, blockSize: Int) {
    (self.input, self.width, self.blockSize) = (input, width, blockSize)
  }

  func read(into target: inout MutableRawSpan) throws(CheckpointError) -> Int {
    if position == block.count {
      let bytes = try input.prefix(blockSize)
      block = bytes
      // What is less than 8 elements follows as it is.
      Self.transpose(bytes, bytes.count / (8 * width) * 8, width, into: &block)
      position = 0
    }
    let count = min(target.byteCount, block.count - position)
    var part = target._mutatingExtracting(..<count)
    part.copyBytes(from: block[position..<position + count].rawBytes)
    position += count
    return count
  }

  /// Gathers each element's bits: row `8 j + k` of the block has bit `k` of byte `j` of all elements.
  private static func transpose(
    _ block: [UInt8], _ count: Int, _ width: Int, into target: inout [UInt8]
  ) {
    let rowSize = count / 8
    for byte in 0..<width {
      let row = 8 * byte * rowSize
      for column in 0..<rowSize {
        var bits: UInt64 = 0
        for bit in 0..<8 { bits |= UInt64(block[row + bit * rowSize + column]) << UInt64(8 * bit) }
        bits = transposed(bits)
        for index in 0..<8 {
          target[(8 * column + index) * width + byte] =
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
