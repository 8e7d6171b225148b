import ByteIO
import TensorCore

/// The filter lz4: a chunk is a sequence of LZ4 blocks, each preceded by its size.
///
/// Matches reach no further back than their block. Sources: The HDF Group's registered filter 32004
/// (`H5Zlz4.c`), LZ4 block format 1.6 (`lz4_Block_format.md`).
struct LZ4: LZGrammar {
  /// Bytes that one byte of a block can stand for, at most.
  static let ratio = 255

  /// Bytes to unpack after the block.
  private var left: Int
  private let blockSize: Int
  /// A block is a multiple of this many bytes; what is left at the end follows as it is.
  private let unit: Int
  /// Whether a block that was not packed is stored as it is.
  private let storesBlocks: Bool
  /// Where the block begins and ends, and how many bytes of it are still packed; `nil` between blocks.
  private var block: (start: Int, end: Int)?
  private var packed = 0
  /// The length of the match that follows the literals.
  private var matchBits: UInt8?

  /// The bytes of the filter bitshuffle, `size` in blocks of `blockSize`, each a multiple of `unit`.
  init(size: Int, blockSize: Int, unit: Int) {
    (left, self.blockSize, self.unit, storesBlocks) = (size, blockSize, unit, false)
  }

  /// A chunk of at most `limit` bytes, which begins with its size; numbers in it are big-endian.
  ///
  /// - Throws: ``CheckpointError`` `malformed`.
  init(_ input: inout FilterInput, limit: Int) throws(CheckpointError) {
    let high = try input.bigEndian()
    left = high << 32 | (try input.bigEndian())
    blockSize = try input.bigEndian()
    guard left <= limit, left == 0 || blockSize > 0 else {
      throw CheckpointError(
        .malformed,
        "lz4: expected at most \(limit) bytes in blocks, found \(left) in blocks of \(blockSize)")
    }
    (unit, storesBlocks) = (1, true)
  }

  mutating func next(_ input: inout FilterInput, made: Int) throws(CheckpointError) -> LZStep? {
    if let bits = matchBits {
      matchBits = nil
      // The last sequence of a block has no match.
      if packed > 0 { return try match(bits, &input, made: made) }
    }
    if packed == 0 {
      if let block, made != block.end {
        throw CheckpointError(
          .malformed,
          "lz4: expected a block of \(block.end - block.start) bytes, found \(made - block.start)")
      }
      block = nil
      if let step = try beginBlock(&input, made: made) { return step }
      if block == nil { return nil }
    }
    let token = try byte(&input)
    let count = try length(token >> 4, &input)
    guard count <= packed else { throw FilterInput.cutShort }
    try check(count, made: made)
    packed -= count
    matchBits = token & 15
    return .literals(count)
  }

  /// Its blocks are short; each step is taken by itself.
  func unpack(
    _ input: inout FilterInput, into window: inout LZWindow
  ) throws(CheckpointError) {}

  /// Begins the next block, if there is one; returns the step for bytes that are stored as they are.
  private mutating func beginBlock(
    _ input: inout FilterInput, made: Int
  ) throws(CheckpointError) -> LZStep? {
    if left == 0 { return nil }
    let count = min(blockSize, left / unit * unit)
    if count == 0 {
      defer { left = 0 }
      return .literals(left)
    }
    left -= count
    packed = try input.bigEndian()
    if storesBlocks, packed == count {
      packed = 0
      return .literals(count)
    }
    guard packed > 0 else { throw FilterInput.cutShort }
    block = (made, made + count)
    return nil
  }

  private mutating func match(
    _ bits: UInt8, _ input: inout FilterInput, made: Int
  ) throws(CheckpointError) -> LZStep {
    let low = Int(try byte(&input))
    let distance = low | Int(try byte(&input)) << 8
    let count = try length(bits, &input) + 4
    let start = block?.start ?? made
    guard distance > 0, distance <= made - start else {
      throw CheckpointError(
        .malformed,
        "lz4: refers \(distance) bytes back, but only \(made - start) were unpacked")
    }
    try check(count, made: made)
    return .match(distance: distance, count: count)
  }

  /// A length whose first 4 bits are given; more bytes follow if all are set.
  private mutating func length(
    _ bits: UInt8, _ input: inout FilterInput
  ) throws(CheckpointError) -> Int {
    var length = Int(bits)
    guard bits == 15 else { return length }
    while true {
      let byte = try byte(&input)
      length += Int(byte)
      if byte < 255 { return length }
    }
  }

  private mutating func byte(_ input: inout FilterInput) throws(CheckpointError) -> UInt8 {
    guard packed > 0 else { throw FilterInput.cutShort }
    packed -= 1
    return try input.byte()
  }

  private func check(_ count: Int, made: Int) throws(CheckpointError) {
    guard let block, count > block.end - made else { return }
    throw CheckpointError(
      .malformed, "lz4: a block holds more than \(block.end - block.start) bytes")
  }
}
