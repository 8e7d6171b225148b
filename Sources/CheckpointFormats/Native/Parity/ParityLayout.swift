import ByteIO
import TensorCore

/// What a parity record covers, and how: what each of its shards says at its beginning.
///
/// The covered bytes are cut into blocks, which take turns in rows: block *t* is in row *t* modulo the
/// number of rows. So damage in one place hits all rows alike. Each row has `shards` parity blocks.
struct ParityLayout: Hashable, Sendable {
  /// The first byte that is covered.
  var start: Int
  /// Where the record begins.
  var offset: Int
  /// Where what is covered after the record ends.
  var end: Int
  /// Bytes of a block.
  var blockSize: Int
  /// Most blocks of a row.
  var columns: Int
  var rows: Int
  /// Parity blocks of a row.
  var shards: Int
  /// What was asked for.
  var percent: Int
  /// The digest of the index that lists the record, so that shards of different files never mix.
  var digest = Digest(bytes: [UInt8](repeating: 0, count: 32))

  /// The kind of the record.
  static let kind = "parity"
  /// The first bytes of every shard.
  static let magic: [UInt8] = [0x89, 0x43, 0x4b, 0x50, 0x0d, 0x0a, 0x1a, 0x0a]
  /// Bytes of a shard before the checksums.
  static let headerSize = 96
  /// Bytes after its parity, which make its CRC-32 0.
  static let sealSize = 4
  static let blockSizes = 512...1 << 16
  /// Most rows: no product of what a shard states can then exceed 2^61.
  static let maxRows = 1 << 32

  /// Where the parity of a shard begins in it.
  var parityOffset: Int { Self.headerSize + 4 * columns }
  var shardSize: Int { parityOffset + blockSize + Self.sealSize }
  /// Bytes of the record.
  var size: Int { shards * rows * shardSize }
  /// Where what is covered continues after the record.
  var resume: Int { offset + size }
  /// Blocks before the record.
  var leadingBlocks: Int { Self.count(offset - start, blockSize) }
  /// All blocks.
  var blocks: Int { leadingBlocks + Self.count(end - resume, blockSize) }
  var code: ReedSolomon { ReedSolomon(columns: columns, shards: shards) }

  private static func count(_ bytes: Int, _ size: Int) -> Int { (bytes + size - 1) / size }

  /// What the index says of the record: shards have the CRC-32 0, so all of them have.
  var record: NativeIndex.Record {
    NativeIndex.Record(kind: Self.kind, offset: offset, length: size, crc32: 0)
  }

  // MARK: - Choosing

  /// A layout for `offset - start` bytes before the record and `trailing` after it.
  ///
  /// Small blocks hit by small damage leave more intact, but every shard has a checksum for each block of
  /// its row: a block has 4 KiB, a sector of most disks, in files of up to 32 MiB.
  init(start: Int, offset: Int, trailing: Int, percent: Int) {
    let size = offset - start + trailing
    var blockSize = Self.blockSizes.lowerBound
    while blockSize < 4096 && blockSize * 1024 < size
      || blockSize < 65536 && blockSize * 8192 < size
    {
      blockSize *= 2
    }
    // One more, so that the index may grow by the digits of what is chosen here.
    let count = Self.count(offset - start, blockSize) + Self.count(trailing, blockSize) + 1
    let most = (ReedSolomon.maxLength - 1) * 100 / (100 + percent)
    var rows = Self.count(count, most)
    while true {
      let columns = Self.count(count, rows)
      let shards = Self.shards(count, rows, percent)
      if columns + shards <= ReedSolomon.maxLength {
        (self.start, self.offset, self.blockSize) = (start, offset, blockSize)
        (self.columns, self.rows, self.shards) = (columns, rows, shards)
        self.percent = percent
        end = offset
        end = resume + trailing
        return
      }
      rows += 1
    }
  }

  /// Parity blocks of each row: three more in all than the percentage asks for, since damage that begins
  /// and ends within blocks, and reaches over the end of the chunks, touches three more.
  private static func shards(_ blocks: Int, _ rows: Int, _ percent: Int) -> Int {
    count(blocks * percent + 300, 100 * rows)
  }

  /// Whether the layout has room and parity enough for this many bytes after the record.
  func holds(trailing: Int) -> Bool {
    let count = leadingBlocks + Self.count(trailing, blockSize)
    return count <= columns * rows && shards >= Self.shards(count, rows, percent)
  }

  // MARK: - Places

  /// Where a block is, the last ones before and after the record perhaps shorter; `nil` for columns that
  /// are filled with zeros.
  func block(_ number: Int) -> Range<Int>? {
    let leading = leadingBlocks
    if number < leading {
      let begin = start + number * blockSize
      return begin..<min(begin + blockSize, offset)
    }
    let begin = resume + (number - leading) * blockSize
    return begin < end ? begin..<min(begin + blockSize, end) : nil
  }

  /// Where the block of a row in a column is.
  func block(column: Int, row: Int) -> Range<Int>? { block(column * rows + row) }

  /// The number of a shard in the record; rows go on taking turns.
  func number(ofShard shard: Int, row: Int) -> Int {
    shard * rows + (row + rows - leadingBlocks % rows) % rows
  }

  /// Where a shard begins.
  func place(ofShard number: Int) -> Int { offset + number * shardSize }

  /// Whether a file that was cut to `size` bytes lacks no more blocks than there are shards.
  func canRestore(to size: Int) -> Bool {
    let all = shards * rows
    let left = max(0, min(all, (size - offset) / shardSize))
    let cut = max(0, end - max(size, resume)) / blockSize
    return cut <= left
  }

  // MARK: - In a file

  /// The first bytes of a shard.
  func header(ofShard number: Int) -> [UInt8] {
    var header = Self.magic
    for number in [start, offset, end, rows, number] {
      header.appendLittleEndian(UInt64(number))
    }
    header += digest.bytes
    header.appendLittleEndian(UInt32(blockSize))
    for number in [columns, shards, percent] { header.appendLittleEndian(UInt16(number)) }
    return header + [UInt8](repeating: 0, count: Self.headerSize - header.count)
  }

  /// Reads the first bytes of a shard at byte `position`; `nil` if they are not such.
  init?(_ header: [UInt8], at position: Int) {
    guard header.count == Self.headerSize, header.starts(with: Self.magic) else { return nil }
    var numbers: [Int] = []
    for offset in stride(from: 8, to: 48, by: 8) {
      guard let number = Int(exactly: header.littleEndian(UInt64.self, at: offset)),
        number < 1 << 60
      else { return nil }
      numbers.append(number)
    }
    (start, offset, end, rows) = (numbers[0], numbers[1], numbers[2], numbers[3])
    digest = Digest(bytes: Array(header[48..<80]))
    blockSize = Int(header.littleEndian(UInt32.self, at: 80))
    columns = Int(header.littleEndian(UInt16.self, at: 84))
    shards = Int(header.littleEndian(UInt16.self, at: 86))
    percent = Int(header.littleEndian(UInt16.self, at: 88))
    guard Self.blockSizes.contains(blockSize), columns > 0, shards > 0, (1...100).contains(percent),
      columns + shards <= ReedSolomon.maxLength, rows > 0, start <= offset,
      rows <= Self.maxRows, header[90...].allSatisfy({ $0 == 0 })
    else { return nil }
    // Rows are full but for one block each, so that what a few bytes claim is bounded by those that exist.
    guard resume < end, blocks <= columns * rows, blocks > (columns - 1) * rows - 2, columns > 1,
      numbers[4] < shards * rows, place(ofShard: numbers[4]) == position
    else { return nil }
  }
}
