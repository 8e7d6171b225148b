public import ByteIO
public import ParallelWork
import Synchronization
public import TensorCore

/// The parity in a `.ckz` file: what restores bytes that were damaged or cut off.
///
/// Specification: the article *The native format* of CheckpointKit's documentation.
public struct Parity: Sendable {
  /// What is damaged, and how much of it can be restored.
  public struct Damage: Sendable {
    /// Damaged blocks, those of the parity itself included.
    public internal(set) var damagedBlockCount = 0
    /// All blocks.
    public internal(set) var blockCount = 0
    /// Bytes that follow what the parity covers, or are missing there if negative.
    public internal(set) var surplusByteCount = 0
    /// The ranges of blocks that cannot be restored, in order.
    public internal(set) var lostBlocks: [Range<Int>] = []

    /// Whether anything is damaged.
    public var isDamaged: Bool { damagedBlockCount > 0 || surplusByteCount != 0 }
  }

  /// The file, with zeros for bytes that the device cannot read.
  let file: ByteSource
  /// The file as it is, which the system can copy.
  let source: ByteSource
  let layouts: [ParityLayout]

  /// Most marks that belong to no layout, each of which may cost the reading of a shard.
  private static let maxStrayMarks = 4096

  /// Looks for parity in a file, whatever else of it is damaged; `nil` if it has none.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `system` when the file cannot be read.
  public init?(in source: ByteSource) throws(CheckpointError) {
    self.source = source
    file = source.rescued
    var layouts: [ParityLayout] = []
    var position = file.size
    var strays = 0
    while strays < Self.maxStrayMarks,
      let found = try file.lastMark(
        ParityLayout.magic, before: min(position + ParityLayout.magic.count, file.size + 1))
    {
      let next = layouts.last?.start ?? file.size
      position = found
      // Shards of two layouts do not overlap: of such there may be as many as there are steps.
      guard let layout = try Self.layout(in: file, at: found), found + layout.shardSize <= next
      else {
        strays += 1
        continue
      }
      layouts.append(layout)
      // Nothing that it covers has parity of its own.
      position = layout.start
    }
    if layouts.isEmpty { return nil }
    self.layouts = layouts.reversed()
  }

  /// The layout that an intact shard at byte `position` states.
  static func layout(in file: ByteSource, at position: Int) throws(CheckpointError) -> ParityLayout?
  {
    guard position + ParityLayout.headerSize <= file.size,
      let layout = ParityLayout(
        try file.bytes(position..<position + ParityLayout.headerSize), at: position),
      layout.canRestore(to: file.size), position + layout.shardSize <= file.size
    else { return nil }
    let shard = try file.bytes(position..<position + layout.shardSize)
    return Checksum.crc32(shard.rawBytes) == 0 ? layout : nil
  }

  /// What the percentage was with which the last parity was written.
  public var percent: Int { layouts.last?.percent ?? 0 }

  /// Where what the last parity covers ends.
  var end: Int { layouts.last?.end ?? 0 }

  /// Reads all that the parity covers, and the parity.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `system` when the file cannot be read.
  public func damage(threads: Int = Threads.available) async throws -> Damage {
    try await damage(of: file, threads: threads, restoringTo: nil)
  }

  /// Finds all damage of the file or of its copy, and writes over it in the copy what can be restored.
  func damage(
    of file: ByteSource, threads: Int, restoringTo sink: ByteSink?
  ) async throws -> Damage {
    var damage = Damage()
    for layout in layouts {
      let code = layout.code
      let restoration = Restoration(code)
      let pool = Pool(capacity: threads) { ParityRow(layout, code) }
      let rows = try await concurrentMap(0..<layout.rows, width: threads) { row in
        let job = pool.acquire()
        defer { pool.release(job) }
        return try job.value.repair(row, of: file, layout, restoration, to: sink)
      }
      damage.blockCount += layout.blocks + layout.rows * layout.shards
      for row in rows {
        damage.damagedBlockCount += row.count
        damage.lostBlocks += row.lost
      }
    }
    damage.surplusByteCount = try surplus()
    damage.lostBlocks.sort { $0.lowerBound < $1.lowerBound }
    return damage
  }

  /// Bytes after the end of a file, or missing there; steps of a pack may follow what has parity.
  private func surplus() throws(CheckpointError) -> Int {
    let difference = file.size - end
    if difference > 0, try isPack() { return 0 }
    return difference
  }

  /// What the header says, or, where it is damaged, that only a pack has several.
  private func isPack() throws(CheckpointError) -> Bool {
    let header = try file.head(NativeLayout.headerSize)
    let isOne = header == NativeLayout.header(flags: 0)
    return !isOne
      && (header == NativeLayout.header(flags: NativeLayout.packFlag) || layouts.count > 1)
  }

  /// The factors that restore lost columns, which are often the same ones in many rows.
  final class Restoration: Sendable {
    private struct Key: Hashable {
      let lost: [Int]
      let intact: [Int]
    }

    private let code: ReedSolomon
    private let known = Mutex<[Key: [UInt8]]>([:])
    private static let capacity = 16

    init(_ code: ReedSolomon) { self.code = code }

    func factors(of lost: [Int], from intact: [Int]) -> [UInt8] {
      let key = Key(lost: lost, intact: intact)
      if let factors = known.withLock({ $0[key] }) { return factors }
      let factors = code.restoration(of: lost, from: intact)
      known.withLock { known in
        if known.count >= Self.capacity { known = [:] }
        known[key] = factors
      }
      return factors
    }
  }
}

extension ParityRow {
  /// Finds what of a row is damaged and, given a sink that holds a copy of the file, writes what can be
  /// restored; returns how many blocks and shards are damaged, and where those are that are lost.
  fileprivate mutating func repair(
    _ row: Int, of file: ByteSource, _ layout: ParityLayout, _ restoration: Parity.Restoration,
    to sink: ByteSink?
  ) throws(CheckpointError) -> (count: Int, lost: [Range<Int>]) {
    let (intact, sums) = try readShards(row, of: file)
    var found = try read(row, of: file)
    // Where no shard is left to tell, what is there is taken as it is; the file is verified afterward.
    let damaged = found.indices.filter {
      found[$0] == nil || !intact.isEmpty && found[$0] != sums[$0]
    }
    let count = damaged.count + layout.shards - intact.count
    if count == 0 { return (0, []) }
    let ranges = damaged.compactMap { layout.block(column: $0, row: row) }
    guard damaged.count <= intact.count else { return (count, ranges) }
    guard let sink else { return (count, []) }
    let used = Array(intact.prefix(damaged.count))
    if !damaged.isEmpty {
      let factors = restoration.factors(of: damaged, from: used)
      guard restore(damaged, from: used, by: factors, sums) else { return (count, ranges) }
      for column in damaged {
        found[column] = sums[column]
        guard let range = layout.block(column: column, row: row) else { continue }
        try lend(column: column, range.count) { bytes throws(CheckpointError) in
          try sink.write(bytes, at: range.lowerBound)
        }
      }
    }
    let lostShards = (0..<layout.shards).filter { !intact.contains($0) }
    if lostShards.isEmpty { return (count, []) }
    encode(row, found.map { $0 ?? 0 })
    for shard in lostShards {
      let place = layout.place(ofShard: layout.number(ofShard: shard, row: row))
      try lend(shard: shard) { bytes throws(CheckpointError) in try sink.write(bytes, at: place) }
    }
    return (count, [])
  }
}

extension NativeFile {
  /// The percentage of the file's parity; `nil` if it has none, or none that is intact.
  func parityPercent() throws(CheckpointError) -> Int? {
    for record in index.records where record.kind == ParityLayout.kind {
      let bytes = try file.bytes(record.offset..<record.offset + min(record.length, 96))
      guard let first = ParityLayout(bytes, at: record.offset) else {
        // Its beginning may be damaged.
        return try Parity(in: file)?.percent
      }
      return first.percent
    }
    return nil
  }
}
