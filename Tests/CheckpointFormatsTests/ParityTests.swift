import ByteIO
import CheckpointFormats
import FoundationEssentials
import TensorCore
import TestSupport
import Testing

/// Parity of `.ckz` files: whatever is damaged within the limit is restored byte for byte, and nothing
/// beyond it is passed as restored.
@Suite struct ParityTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A file of noise, which does not shrink, and its bytes.
  private func file(
    _ count: Int, percent: Int, name: String = "good.ckz", threads: Int = 2
  ) async throws -> [UInt8] {
    var options = WriteOptions()
    (options.parity, options.threads) = (percent, threads)
    let checkpoint = Checkpoint(
      entries: [
        try .init(noise: "a", .uint8, [count - count / 3], seed: 1),
        try .init(noise: "empty", .float32, [0, 3]),
        try .init(noise: "b", .uint8, [count / 3], seed: 2),
      ], metadata: ["k": "v"])
    try await CheckpointFormat.native.writeFile(checkpoint, folder.file(name), options)
    return try folder.bytes(of: name)
  }

  /// Repairs bytes; `nil` if nothing was written.
  private func repaired(_ bytes: [UInt8]) async throws -> [UInt8]? {
    let path = try folder.write(bytes, to: "damaged.ckz")
    let (place, name) = Place.locate(path)
    guard let parity = try Parity(in: place.open(name)) else { return nil }
    try? FileManager.default.removeItem(atPath: folder.file("repaired.ckz"))
    let repair = try await parity.repair(to: "repaired.ckz", in: place, threads: 2)
    guard repair.isComplete else {
      #expect(!FileManager.default.fileExists(atPath: folder.file("repaired.ckz")))
      return nil
    }
    return try folder.bytes(of: "repaired.ckz")
  }

  @Test func `bytes that the device cannot read are restored`() async throws {
    let good = try await file(100_000, percent: 20)
    let (place, _) = Place.locate(folder.file("good.ckz"))
    func device(losing lost: Range<Int>) -> ByteSource {
      ByteSource(name: "bad.ckz", size: good.count) { offset, target throws(CheckpointError) in
        guard !lost.overlaps(offset..<offset + target.byteCount) else {
          throw .system(5, "read", path: "bad.ckz", offset: offset)  // EIO
        }
        target.copyBytes(from: good.rawBytes.extracting(offset..<offset + target.byteCount))
      }
    }
    for (number, lost) in [0..<1, 40_960..<49_152, good.count - 1..<good.count].enumerated() {
      let parity = try #require(try Parity(in: device(losing: lost)))
      let repair = try await parity.repair(to: "repaired\(number).ckz", in: place, threads: 2)
      #expect(repair.isComplete && repair.damage.damagedBlockCount > 0)
      #expect(try folder.bytes(of: "repaired\(number).ckz") == good)
    }
  }

  /// What the record says of itself, read as the specification has it.
  private struct Record {
    let offset: Int
    let size: Int
    let rows: Int
    let blockSize: Int
    let columns: Int
    let shards: Int
    var shardSize: Int { 100 + 4 * columns + blockSize }
    /// Most bytes in one place that are restored, wherever they are.
    var limit: Int { (shards * rows - 3) * blockSize + 2 }

    /// Where the blocks and the shards of each row are.
    func rows(of fileSize: Int) -> [[Range<Int>]] {
      var found: [[Range<Int>]] = Array(repeating: [], count: rows)
      var number = 0
      for (begin, end, step) in [
        (0, offset, blockSize), (offset, offset + size, shardSize),
        (offset + size, fileSize, blockSize),
      ] {
        for start in Swift.stride(from: begin, to: end, by: step) {
          found[number % rows].append(start..<min(start + step, end))
          number += 1
        }
      }
      return found
    }

    init(_ file: [UInt8]) throws {
      let magic: [UInt8] = [0x89, 0x43, 0x4b, 0x50, 0x0d, 0x0a, 0x1a, 0x0a]
      let start = try #require(file.firstRange(of: magic)?.lowerBound)
      offset = start
      rows = Int(file.littleEndian(UInt64.self, at: start + 32))
      blockSize = Int(file.littleEndian(UInt32.self, at: start + 80))
      columns = Int(file.littleEndian(UInt16.self, at: start + 84))
      shards = Int(file.littleEndian(UInt16.self, at: start + 86))
      size = shards * rows * (100 + 4 * columns + blockSize)
    }
  }

  @Test(arguments: [1, 10, 33, 100])
  func `a file with parity is read like one without`(percent: Int) async throws {
    let bytes = try await file(300_000, percent: percent)
    let path = folder.file("good.ckz")
    let opened = try CheckpointFormat.native.open(FileProbe(path: path), OpenOptions())
    #expect(opened.checkpoint.entries.map(\.name.text) == ["a", "empty", "b"])
    #expect(try await CheckpointFormat.native.verify?(FileProbe(path: path), 2).isEmpty == true)
    let record = try Record(bytes)
    #expect(record.limit >= (bytes.count - record.size) * percent / 100)
    #expect(try await repaired(bytes) == bytes)
    // The same bytes whatever the number of threads, and to where only appending is possible.
    #expect(try await file(300_000, percent: percent, name: "again.ckz", threads: 1) == bytes)
  }

  @Test(arguments: [1, 2, 3, 70, 512, 700])
  func `small files have parity as well`(count: Int) async throws {
    let bytes = try await file(count, percent: 5)
    let record = try Record(bytes)
    for place in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 40)) {
      var damaged = bytes
      let end = min(place + record.limit, bytes.count)
      damaged.replaceSubrange(place..<end, with: repeatElement(0xff, count: end - place))
      #expect(try await repaired(damaged) == bytes, "bytes \(place) to \(end)")
      #expect(try await repaired(Array(bytes[..<max(place, bytes.count - record.limit)])) == bytes)
    }
  }

  /// One of many kinds of damage within the limit.
  private static func damage(
    _ bytes: inout [UInt8], _ record: Record, kind: Int, _ random: inout SplitMix
  ) -> String {
    func burst(_ start: Int, _ count: Int) -> String {
      let range = max(0, start)..<min(bytes.count, start + count)
      for index in range { bytes[index] = UInt8(truncatingIfNeeded: random.next()) }
      return "burst \(range)"
    }
    let limit = record.limit
    let count = 1 + random.below(limit)
    switch kind % 10 {
    case 0: return burst(random.below(bytes.count), limit)
    case 1: return burst(random.below(bytes.count), count)
    case 2: return burst(0, count)  // header
    case 3: return burst(bytes.count - count, count)  // footer
    case 4: return burst(record.offset - random.below(limit), limit)  // into the parity
    case 5: return burst(record.offset + record.size - random.below(limit), limit)  // out of it
    case 6:
      bytes.removeLast(count)
      return "cut by \(count)"
    case 7:
      // As many spots as there are shards in a row may be anywhere.
      for _ in 0..<record.shards { bytes[random.below(bytes.count)] ^= 1 << random.below(8) }
      return "\(record.shards) flipped bits"
    case 8:
      // As many spots in every row as it has shards: the most that any code could restore.
      for var parts in record.rows(of: bytes.count) {
        for _ in 0..<record.shards {
          let part = parts.remove(at: random.below(parts.count))
          bytes[part.lowerBound + random.below(part.count)] ^= UInt8(1 + random.below(255))
        }
      }
      return "\(record.rows * record.shards) spots"
    default:
      // Surplus bytes at the end do not belong to the file.
      bytes += (0..<1 + random.below(5000)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      return "longer"
    }
  }

  /// `CKPT_DAMAGES=1000` tries that many patterns.
  @Test func `random damage within the limit is restored`() async throws {
    let rounds = Int(ProcessInfo.processInfo.environment["CKPT_DAMAGES"] ?? "") ?? 40
    var random = SplitMix(seed: 7)
    for (size, percent) in [(900_000, 3), (150_000, 10), (40_000, 50), (1_500_000, 100)] {
      let good = try await file(size, percent: percent)
      let record = try Record(good)
      for round in 0..<max(1, rounds / 4) {
        var bytes = good
        let what = Self.damage(&bytes, record, kind: round, &random)
        let result = try await repaired(bytes)
        #expect(result == good, "\(size) bytes, \(percent) percent: \(what)")
      }
    }
  }

  @Test func `damage beyond the limit never gives another file`() async throws {
    let good = try await file(200_000, percent: 5)
    let record = try Record(good)
    var random = SplitMix(seed: 3)
    for round in 0..<30 {
      var bytes = good
      let start = random.below(bytes.count)
      let count = record.limit * (2 + round % 8)
      for index in start..<min(start + count, bytes.count) {
        bytes[index] = UInt8(truncatingIfNeeded: random.next())
      }
      let result = try await repaired(bytes)
      #expect(result == nil || result == good, "from \(start), \(count) bytes")
    }
  }

  @Test func `what is beyond repair is named`() async throws {
    var bytes = try await file(200_000, percent: 5)
    for index in 20..<60_000 { bytes[index] = 7 }
    let (place, name) = Place.locate(try folder.write(bytes, to: "damaged.ckz"))
    let parity = try #require(try Parity(in: place.open(name)))
    let repair = try await parity.repair(to: "out.ckz", in: place, threads: 1)
    #expect(!repair.isComplete)
    #expect(repair.errors.map(\.tensor) == ["a"])
    #expect(repair.damage.lostBlocks.first?.lowerBound == 0 || !repair.damage.lostBlocks.isEmpty)
  }

  @Test func `shards of another file, or in another place, are not taken`() async throws {
    let good = try await file(60_000, percent: 20)
    let record = try Record(good)
    // Another file of the same size: its shards differ in nothing but their digest and content.
    var options = WriteOptions()
    options.parity = 20
    var foreign: [UInt8] = []
    for seed in 5..<60 where foreign.count != good.count {
      let other = Checkpoint(
        entries: [
          try .init(noise: "a", .uint8, [40_000], seed: UInt64(seed)),
          try .init(noise: "empty", .float32, [0, 3]),
          try .init(noise: "b", .uint8, [20_000], seed: UInt64(seed + 100)),
        ], metadata: ["k": "v"])
      try await CheckpointFormat.native.writeFile(other, folder.file("other.ckz"), options)
      foreign = try folder.bytes(of: "other.ckz")
    }
    try #require(foreign.count == good.count)
    var bytes = good
    let first = record.offset..<record.offset + record.shardSize
    bytes.replaceSubrange(first, with: foreign[first])
    bytes[100] ^= 1
    #expect(try await repaired(bytes) == good)
    // A shard in the place of another.
    bytes = good
    let second = first.upperBound..<first.upperBound + record.shardSize
    bytes.replaceSubrange(first, with: good[second])
    #expect(try await repaired(bytes) == good)
    // A file with parity as the bytes of a tensor.
    let outer = Checkpoint(entries: [
      try .init(memory: "inner", .uint8, [good.count], good),
      try .init(noise: "x", .uint8, [9], seed: 1),
    ])
    options.compression = .none
    try await CheckpointFormat.native.writeFile(outer, folder.file("outer.ckz"), options)
    let whole = try folder.bytes(of: "outer.ckz")
    bytes = whole
    for index in 0..<2000 { bytes[index + 500] ^= 0xff }
    #expect(try await repaired(bytes) == whole)
    options.parity = nil
    try await CheckpointFormat.native.writeFile(outer, folder.file("plain.ckz"), options)
    #expect(try await repaired(try folder.bytes(of: "plain.ckz")) == nil)
  }

  @Test(arguments: [31, 38, 58])
  func `a few bytes that claim a large parity cost nothing`(bits: Int) async throws {
    let good = try await file(2000, percent: 10)
    let record = try Record(good)
    var bytes = good
    // Of each shard: more rows, and an end to match.
    for number in 0..<record.rows * record.shards {
      let start = record.offset + number * record.shardSize
      var changed = Array(bytes[start..<start + record.shardSize - 4])
      var rows: [UInt8] = []
      rows.appendLittleEndian(UInt64(1) << bits)
      changed.replaceSubrange(32..<40, with: rows)
      let size = (1 << bits) &* record.shards &* record.shardSize
      var end: [UInt8] = []
      end.appendLittleEndian(UInt64(truncatingIfNeeded: record.offset &+ size &+ 1000))
      changed.replaceSubrange(24..<32, with: end)
      var seal: [UInt8] = []
      seal.appendLittleEndian(Checksum.crc32(changed.rawBytes) ^ 0x6dd9_0a9d)
      bytes.replaceSubrange(start..<start + record.shardSize, with: changed + seal)
    }
    #expect(try await repaired(bytes) == nil)
  }

  @Test func `a changed copy gets parity of its own`() async throws {
    let bytes = try await file(100_000, percent: 8)
    let new = try Checkpoint.Entry(noise: "b", .uint8, [33_333], seed: 9)
    let probe = try FileProbe(path: folder.file("good.ckz"))
    let files = try await CheckpointFormat.native.filled(
      probe, with: ["b": new], metadata: [:])
    let copy = try #require(files["good.ckz"])
    #expect(copy != bytes && copy.count > 100_000)
    var damaged = copy
    for index in 1000..<4000 { damaged[index] ^= 1 }
    #expect(try await repaired(damaged) == copy)
  }

  @Test func `each step of a pack has its own`() async throws {
    let path = folder.file("run.ckz")
    func add(_ seeds: [UInt64], parity: Int?) async throws {
      let writer = try RunPackWriter(path)
      var options = WriteOptions()
      options.parity = parity
      for seed in seeds {
        let step = Checkpoint(entries: [
          try .init(noise: "w", .uint8, [30_000], seed: seed),
          try .init(noise: "s", .uint8, [500], seed: 1),
        ])
        try await writer.add(step, name: "step\(writer.count).pt", options: options)
      }
      try await writer.finish()
    }
    try await add([1, 2], parity: 10)
    let before = try folder.bytes(of: "run.ckz")
    try await add([3], parity: nil)
    let good = try folder.bytes(of: "run.ckz")
    #expect(Array(good[..<before.count]) == before)
    let pack = try #require(try RunPack(FileProbe(path: path)))
    #expect(pack.steps.count == 3 && pack.unfinishedByteCount == 0)
    #expect(try await pack.verify(threads: 1).isEmpty)
    for place in [
      0, 5000, before.count / 2, before.count - 30, before.count + 10, good.count - 2000,
    ] {
      var bytes = good
      for index in place..<min(place + 2000, bytes.count) { bytes[index] = 0 }
      #expect(try await repaired(bytes) == good, "2000 bytes from \(place)")
    }
    #expect(try await repaired(Array(good.dropLast(2500))) == good)
    // What was added without parity later stays as it is.
    #expect(try await repaired(good) == good)
  }
}
