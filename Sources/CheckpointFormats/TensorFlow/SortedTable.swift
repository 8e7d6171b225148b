import ByteIO
import TensorCore

/// Reads a sorted table of LevelDB, the kind of file that the index of a TensorFlow checkpoint is: keys
/// with their values, in blocks with a CRC-32C each.
///
/// Source: github.com/google/leveldb, doc/table_format.md; tensorflow 2.21, `tsl/lib/io`.
struct SortedTable {
  /// The last eight bytes of a file.
  static let magic: [UInt8] = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]
  private static let footerSize = 48
  /// Bytes after a block's content: the kind of compression, and the checksum.
  private static let trailerSize = 5
  /// Largest block, in bytes, as it is stored and unpacked; TensorFlow's have 256 KiB.
  private static let maxBlockSize = 1 << 26
  /// Longest key, in bytes.
  private static let maxKeySize = 1 << 16

  private let file: ByteSource
  private var memory: Budget.Account

  init(_ file: ByteSource) {
    self.file = file
    memory = Budget.current.account(of: .tableEntries, size: file.size)
  }

  /// Reads all keys and values in their order.
  mutating func read() throws(CheckpointError) -> [(key: [UInt8], value: [UInt8])] {
    guard file.size >= Self.footerSize else {
      throw CheckpointError(
        .malformed, "expected at least \(Self.footerSize) bytes, found \(file.size)", offset: 0)
    }
    let start = file.size - Self.footerSize
    let footer = try file.bytes(start..<file.size)
    guard footer.suffix(8).elementsEqual(Self.magic) else {
      throw CheckpointError(
        .malformed, "expected the mark of a sorted table at the end of the file", offset: start + 40
      )
    }
    var cursor = ByteCursor(file, start..<file.size - 8)
    let other = try Self.handle(&cursor)
    _ = try block(other)  // about filters; it is empty, and only its checksum is compared
    var entries: [(key: [UInt8], value: [UInt8])] = []
    var end = 0
    for block in try self.block(try Self.handle(&cursor)) {
      var handle = ByteCursor(ByteSource(block.value, name: file.name))
      let range = try Self.handle(&handle)
      // Blocks follow one another: none is read twice.
      guard range.lowerBound >= end else {
        throw CheckpointError(
          .malformed, "expected a block from byte \(end) on", offset: range.lowerBound)
      }
      end = range.upperBound
      entries += try self.block(range)
    }
    for (one, next) in zip(entries, entries.dropFirst())
    where !one.key.lexicographicallyPrecedes(next.key) {
      throw CheckpointError(.malformed, "expected keys in ascending order, found others")
    }
    return entries
  }

  /// Where a block is: its offset and its size.
  private static func handle(_ cursor: inout ByteCursor) throws(CheckpointError) -> Range<Int> {
    let start = cursor.position
    let (offset, size) = (try cursor.varint(), try cursor.varint())
    guard let offset = Int(exactly: offset), let size = Int(exactly: size),
      offset < Shape.limit, size <= maxBlockSize
    else {
      throw CheckpointError(
        .malformed, "expected the place of a block, found \(size) bytes at \(offset)", offset: start
      )
    }
    return offset..<offset + size
  }

  // MARK: - Blocks

  /// The entries of a block, whose checksum is compared.
  private mutating func block(
    _ range: Range<Int>
  ) throws(CheckpointError) -> [(key: [UInt8], value: [UInt8])] {
    let end = range.upperBound + Self.trailerSize
    guard end <= file.size else {
      throw CheckpointError(
        .malformed, "expected a block up to byte \(end), but the file has \(file.size)",
        offset: range.lowerBound)
    }
    let stored = try file.bytes(range.lowerBound..<end)
    let summed = stored[..<(stored.count - 4)]
    let sum = MaskedChecksum(of: summed.rawBytes)
    guard sum.value == stored.littleEndian(UInt32.self, at: stored.count - 4) else {
      throw CheckpointError(
        .malformed,
        "expected CRC-32C \(stored.littleEndian(UInt32.self, at: stored.count - 4)), found \(sum.value)",
        offset: range.lowerBound)
    }
    var content = Array(stored.dropLast(Self.trailerSize))
    switch stored[content.count] {
    case 0: break
    case 1: content = try Snappy.unpacked(content, limit: Self.maxBlockSize)
    case let kind:
      throw CheckpointError(
        .unsupported, "expected a plain or a Snappy block, found compression \(kind)",
        offset: range.lowerBound)
    }
    do throws(CheckpointError) {
      return try entries(of: content)
    } catch {
      throw CheckpointError(error.code, error.message, offset: range.lowerBound)
    }
  }

  /// Entries with a common prefix left out of each key, then the places of those with whole keys.
  private mutating func entries(
    of content: [UInt8]
  ) throws(CheckpointError) -> [(key: [UInt8], value: [UInt8])] {
    let restarts =
      content.count >= 4 ? Int(content.littleEndian(UInt32.self, at: content.count - 4)) : -1
    guard restarts >= 0, restarts <= (content.count - 4) / 4 else {
      throw CheckpointError(.malformed, "expected a block with its restarts, found another")
    }
    let end = content.count - 4 - restarts * 4
    var cursor = ByteCursor(ByteSource(content, name: file.name), 0..<end)
    var entries: [(key: [UInt8], value: [UInt8])] = []
    var key: [UInt8] = []
    while !cursor.isAtEnd {
      let (shared, own) = (try cursor.varint(), try cursor.varint())
      let size = try cursor.varint()
      guard shared <= key.count, own <= Self.maxKeySize, key.count <= Self.maxKeySize else {
        throw CheckpointError(.malformed, "expected a key of at most \(Self.maxKeySize) bytes")
      }
      key = Array(key.prefix(Int(shared))) + (try cursor.bytes(own))
      let value = try cursor.bytes(size)
      guard memory.charge(key.count + value.count.saturated(times: 8) + 64) else {
        throw CheckpointError(
          .unsupported,
          "keys and values need more than \(memory.limit) bytes of memory; pass --allow-large to "
            + "read them")
      }
      entries.append((key, value))
    }
    return entries
  }
}

/// A CRC-32C as LevelDB and TensorFlow store it: rotated, and with a number added, so that a sum of
/// bytes that contain sums is not a weak one (`crc32c::Mask`).
struct MaskedChecksum: Equatable {
  /// The sum before it is masked.
  private(set) var sum: UInt32 = 0

  /// The sum of no bytes.
  init() {}

  init(of bytes: RawSpan) { add(bytes) }

  mutating func add(_ bytes: RawSpan) { sum = Checksum.crc32c(bytes, after: sum) }

  /// Adds the four bytes of the masked sum so far, the least significant first.
  mutating func addOwnValue() {
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(value)
    add(bytes.rawBytes)
  }

  /// As it is stored.
  var value: UInt32 { (sum >> 15 | sum << 17) &+ 0xa282_ead8 }
}
