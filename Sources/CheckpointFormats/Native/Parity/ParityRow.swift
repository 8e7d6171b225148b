import ByteIO
import ParallelWork
import TensorCore

/// A row of blocks and its shards in memory.
struct ParityRow: ~Copyable {
  private let layout: ParityLayout
  private let code: ReedSolomon
  /// The blocks, and after them parity of intact shards.
  private var data: ChunkBuffer
  private var shards: ChunkBuffer
  /// Lost blocks that were restored.
  private var restored: ChunkBuffer

  /// Apart by more than a power of two: else the same bytes of all blocks would share few places in a
  /// cache.
  private var stride: Int { layout.blockSize + 320 }
  private var rows: ReedSolomon.Rows {
    ReedSolomon.Rows(stride: stride, count: layout.blockSize)
  }

  init(_ layout: ParityLayout, _ code: ReedSolomon) {
    (self.layout, self.code) = (layout, code)
    let stride = layout.blockSize + 320
    data = ChunkBuffer(capacity: (layout.columns + layout.shards) * stride)
    shards = ChunkBuffer(capacity: layout.shards * layout.shardSize)
    restored = ChunkBuffer(capacity: layout.shards * stride)
  }

  // MARK: - Data

  /// Reads the blocks of a row, filled up with zeros; returns their checksums, `nil` for one that lies
  /// beyond the end of the file.
  mutating func read(_ row: Int, of source: ByteSource) throws(CheckpointError) -> [UInt32?] {
    let (layout, stride) = (layout, stride)
    return try Self.read(row, of: source, layout, into: &data, stride)
  }

  private static func read(
    _ row: Int, of source: ByteSource, _ layout: ParityLayout, into data: inout ChunkBuffer,
    _ stride: Int
  ) throws(CheckpointError) -> [UInt32?] {
    var sums: [UInt32?] = []
    let capacity = data.capacity
    for column in 0..<layout.columns {
      let range = layout.block(column: column, row: row)
      let (start, count) = (column * stride, range?.count ?? 0)
      var all = data.mutableBytes(capacity)
      var block = all._mutatingExtracting(start..<start + layout.blockSize)
      if let range, range.upperBound > source.size {
        block.fill([], from: 0)
        sums.append(nil)
        continue
      }
      if let range {
        var content = block._mutatingExtracting(0..<count)
        try source.read(at: range.lowerBound, into: &content)
      }
      if count < layout.blockSize {
        var rest = block._mutatingExtracting(count..<layout.blockSize)
        rest.fill([], from: 0)
      }
      sums.append(Checksum.crc32(block.bytes))
    }
    return sums
  }

  // MARK: - Shards

  /// Makes all shards of a row from its blocks.
  mutating func encode(_ row: Int, _ sums: [UInt32]) {
    var listed: [UInt8] = []
    for sum in sums { listed.appendLittleEndian(sum) }
    let (layout, rows, code) = (layout, rows, code)
    Self.encode(data, rows, code, at: layout.parityOffset, into: &shards, layout.shardSize)
    for shard in 0..<layout.shards {
      let header = layout.header(ofShard: layout.number(ofShard: shard, row: row)) + listed
      Self.seal(&shards, shard, of: layout, header)
    }
  }

  /// Completes a shard whose parity is there.
  private static func seal(
    _ shards: inout ChunkBuffer, _ shard: Int, of layout: ParityLayout, _ header: [UInt8]
  ) {
    let (start, size, capacity) = (shard * layout.shardSize, layout.shardSize, shards.capacity)
    let end = size - ParityLayout.sealSize
    var all = shards.mutableBytes(capacity)
    var own = all._mutatingExtracting(start..<start + size)
    for (index, byte) in header.enumerated() {
      own.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
    }
    let sum = Checksum.crc32(own.bytes.extracting(0..<end)) ^ sealOfNothing
    own.storeBytes(of: sum.littleEndian, toByteOffset: end, as: UInt32.self)
  }

  /// The four bytes, as a number, whose CRC-32 is 0.
  private static let sealOfNothing: UInt32 = 0x6dd9_0a9d

  private static func encode(
    _ data: borrowing ChunkBuffer, _ rows: ReedSolomon.Rows, _ code: ReedSolomon, at offset: Int,
    into shards: inout ChunkBuffer, _ shardSize: Int
  ) {
    let sources = data.bytes(data.capacity)
    let capacity = shards.capacity
    var all = shards.mutableBytes(capacity)
    var targets = all._mutatingExtracting(offset..<capacity)
    code.encode(sources, rows, into: &targets, stride: shardSize)
  }

  /// Lets `body` read a shard.
  func lend<Failure: Error>(
    shard: Int, to body: (RawSpan) throws(Failure) -> Void
  ) throws(Failure) {
    let start = shard * layout.shardSize
    try body(shards.bytes(shards.capacity).extracting(start..<start + layout.shardSize))
  }

  /// Reads the shards of a row; returns the numbers of those that are intact, and the checksums of the
  /// blocks, which all intact ones have.
  mutating func readShards(
    _ row: Int, of source: ByteSource
  ) throws(CheckpointError) -> (intact: [Int], sums: [UInt32]) {
    let layout = layout
    return try Self.readShards(row, of: source, layout, into: &shards)
  }

  private static func readShards(
    _ row: Int, of source: ByteSource, _ layout: ParityLayout, into shards: inout ChunkBuffer
  ) throws(CheckpointError) -> (intact: [Int], sums: [UInt32]) {
    var intact: [Int] = []
    var sums: [UInt32] = []
    let (size, capacity) = (layout.shardSize, shards.capacity)
    for shard in 0..<layout.shards {
      let number = layout.number(ofShard: shard, row: row)
      let place = layout.place(ofShard: number)
      guard place + size <= source.size else { continue }
      var all = shards.mutableBytes(capacity)
      var own = all._mutatingExtracting(shard * size..<(shard + 1) * size)
      try source.read(at: place, into: &own)
      let header = layout.header(ofShard: number)
      let bytes = own.bytes
      guard Checksum.crc32(bytes) == 0,
        bytes.isByteEqual(to: header.rawBytes, in: 0..<header.count)
      else { continue }
      if intact.isEmpty {
        for column in 0..<layout.columns {
          let offset = ParityLayout.headerSize + 4 * column
          sums.append(bytes.littleEndian(UInt32.self, at: offset))
        }
      }
      intact.append(shard)
    }
    return (intact, sums)
  }

  // MARK: - Restoring

  /// Restores lost blocks from as many intact shards; returns whether all got their checksums.
  mutating func restore(
    _ lost: [Int], from intact: [Int], by factors: [UInt8], _ sums: [UInt32]
  ) -> Bool {
    let (size, stride, rows, layout) = (layout.blockSize, stride, rows, layout)
    for (index, shard) in intact.enumerated() {
      Self.copy(
        shards, shard * layout.shardSize + layout.parityOffset, size, to: &data,
        (layout.columns + index) * stride)
    }
    Self.sum(factors, layout.columns + intact.count, data, rows, into: &restored)
    for (index, column) in lost.enumerated() {
      let found = Checksum.crc32(
        restored.bytes(restored.capacity).extracting(index * stride..<index * stride + size))
      guard found == sums[column] else { return false }
      Self.copy(restored, index * stride, size, to: &data, column * stride)
    }
    return true
  }

  /// Lets `body` read a block of the data, without the zeros that fill it up.
  func lend<Failure: Error>(
    column: Int, _ count: Int, to body: (RawSpan) throws(Failure) -> Void
  ) throws(Failure) {
    let start = column * stride
    try body(data.bytes(data.capacity).extracting(start..<start + count))
  }

  private static func copy(
    _ source: borrowing ChunkBuffer, _ from: Int, _ count: Int, to target: inout ChunkBuffer,
    _ to: Int
  ) {
    let bytes = source.bytes(source.capacity).extracting(from..<from + count)
    let capacity = target.capacity
    var all = target.mutableBytes(capacity)
    var part = all._mutatingExtracting(to..<to + count)
    part.copyBytes(from: bytes)
  }

  private static func sum(
    _ factors: [UInt8], _ columns: Int, _ data: borrowing ChunkBuffer, _ rows: ReedSolomon.Rows,
    into target: inout ChunkBuffer
  ) {
    let sources = data.bytes(data.capacity)
    let capacity = target.capacity
    var all = target.mutableBytes(capacity)
    ReedSolomon.sum(factors, columns, sources, rows, into: &all, stride: rows.stride)
  }
}
