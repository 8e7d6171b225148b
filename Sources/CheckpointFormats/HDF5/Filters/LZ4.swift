import ByteIO
import TensorCore

/// The filter lz4: a chunk is a sequence of LZ4 blocks, each preceded by its size.
///
/// Sources: The HDF Group's registered filter 32004 (`H5Zlz4.c`), LZ4 block format 1.6
/// (`lz4_Block_format.md`).
enum LZ4 {
  /// Bytes that one byte of a block can stand for, at most.
  private static let ratio = 255

  /// Unpacks a chunk of at most `limit` bytes; numbers in it are big-endian.
  ///
  /// - Throws: ``CheckpointError`` `malformed`.
  static func decode(_ source: [UInt8], limit: Int) throws(CheckpointError) -> [UInt8] {
    var reader = LZ4Reader(source)
    let high = try reader.bigEndian()
    let size = high << 32 | (try reader.bigEndian())
    let blockSize = try reader.bigEndian()
    guard size <= limit, size == 0 || blockSize > 0 else {
      throw CheckpointError(
        .malformed,
        "lz4: expected at most \(limit) bytes in blocks, found \(size) in blocks of "
          + "\(blockSize)")
    }
    try check(size, from: source.count)
    var target: [UInt8] = []
    target.reserveCapacity(size)
    while target.count < size {
      let count = min(blockSize, size - target.count)
      let stored = try reader.bigEndian()
      let part = try reader.part(stored)
      if stored == count {
        target += part
      } else {
        try decodeBlock(part, size: count, into: &target)
      }
    }
    return target
  }

  /// Refuses a size that no stream of `count` bytes unpacks to, before there is memory for it.
  static func check(_ size: Int, from count: Int) throws(CheckpointError) {
    guard size <= count.saturated(times: ratio) else {
      throw CheckpointError(.malformed, "lz4: \(count) bytes cannot expand to \(size)")
    }
  }

  /// Unpacks one block, which must hold exactly `size` bytes, after those that `target` has; matches
  /// reach no further back than the block.
  static func decodeBlock(
    _ source: ArraySlice<UInt8>, size: Int, into target: inout [UInt8]
  ) throws(CheckpointError) {
    let start = target.count
    let end = start + size
    var position = source.startIndex
    /// The rest of a length whose first 4 bits are all set.
    func length(_ bits: UInt8) throws(CheckpointError) -> Int {
      var length = Int(bits)
      guard bits == 15 else { return length }
      while true {
        guard position < source.endIndex else { throw cutShort }
        let byte = source[position]
        position += 1
        length += Int(byte)
        if byte < 255 { return length }
      }
    }
    while position < source.endIndex {
      let token = source[position]
      position += 1
      let literals = try length(token >> 4)
      guard literals <= source.endIndex - position else { throw cutShort }
      guard literals <= end - target.count else { throw tooLong(size) }
      target += source[position..<position + literals]
      position += literals
      // The last sequence has no match.
      if position == source.endIndex { break }
      guard source.endIndex - position >= 2 else { throw cutShort }
      let distance = Int(source[position]) | Int(source[position + 1]) << 8
      position += 2
      let count = try length(token & 15) + 4
      guard distance > 0, distance <= target.count - start else {
        throw CheckpointError(
          .malformed,
          "lz4: refers \(distance) bytes back, but only \(target.count - start) were unpacked")
      }
      guard count <= end - target.count else { throw tooLong(size) }
      for _ in 0..<count { target.append(target[target.count - distance]) }
    }
    guard target.count == end else {
      throw CheckpointError(
        .malformed, "lz4: expected a block of \(size) bytes, found \(target.count - start)")
    }
  }

  private static var cutShort: CheckpointError {
    CheckpointError(.malformed, "lz4: a block ends within a sequence")
  }

  private static func tooLong(_ size: Int) -> CheckpointError {
    CheckpointError(.malformed, "lz4: a block holds more than \(size) bytes")
  }
}

/// A position in the bytes of a chunk whose blocks are preceded by big-endian sizes.
struct LZ4Reader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  /// The next 4 bytes as a number.
  mutating func bigEndian() throws(CheckpointError) -> Int {
    try part(4).reduce(0) { $0 << 8 | Int($1) }
  }

  /// The next `count` bytes.
  mutating func part(_ count: Int) throws(CheckpointError) -> ArraySlice<UInt8> {
    guard count <= rest.count else {
      throw CheckpointError(.malformed, "expected \(count) more bytes, found \(rest.count)")
    }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }
}
