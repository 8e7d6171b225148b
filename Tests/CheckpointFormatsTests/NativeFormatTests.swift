import ByteIO
import CheckpointFormats
import ParallelWork
import FoundationEssentials
import Synchronization
import TensorCore
import TestSupport
import Testing

/// What the native format promises beyond the contract of all formats.
@Suite struct NativeFormatTests {
  let folder: TemporaryFolder
  let sample: NativeSample

  init() throws {
    folder = try TemporaryFolder()
    sample = NativeSample(folder: folder)
  }

  @Test(arguments: [WriteOptions.Compression.planes, .none])
  func `every flipped bit is found`(_ compression: WriteOptions.Compression) async throws {
    let file = try await sample.small(compression: compression)
    #expect(try await sample.damage(file) == nil)
    for place in file.indices {
      for bit in 0..<8 {
        var flipped = file
        flipped[place] ^= 1 << UInt8(bit)
        let error = try await sample.damage(flipped)
        #expect(error != nil, "byte \(place) bit \(bit) of \(file.count) bytes")
        #expect(error?.path != nil, "\(String(describing: error))")
      }
    }
  }

  @Test(arguments: [WriteOptions.Compression.planes, .none])
  func `every lost and every doubled byte is found`(
    _ compression: WriteOptions.Compression
  ) async throws {
    let file = try await sample.small(compression: compression)
    for place in file.indices {
      var mutant = file
      mutant.remove(at: place)
      #expect(try await sample.damage(mutant) != nil, "without byte \(place)")
      mutant = file
      mutant.insert(file[place], at: place)
      #expect(try await sample.damage(mutant) != nil, "byte \(place) twice")
    }
    #expect(try await sample.damage(file + [0]) != nil)
    #expect(try await sample.damage([0] + file) != nil)
  }

  @Test func `chunks swapped or taken from another file are found and named`() async throws {
    let file = try await sample.large(seed: 1)
    let other = try await sample.large(seed: 5)
    #expect(try await sample.damage(file) == nil)
    let size = (Int(Array(file.suffix(64)).littleEndian(UInt64.self, at: 0)) - 16) / 6
    let first = 16..<16 + size
    let second = 16 + size..<16 + 2 * size
    var swapped = file
    swapped.replaceSubrange(first, with: file[second])
    swapped.replaceSubrange(second, with: file[first])
    let error = try await sample.damage(swapped)
    #expect(error?.tensor == "a")
    #expect(error?.offset == 16)
    #expect(error?.message.hasPrefix("chunk 0 of 3: expected CRC-32 ") == true)
    var foreign = file
    foreign.replaceSubrange(
      16 + 4 * size..<16 + 5 * size, with: other[16 + 4 * size..<16 + 5 * size])
    let found = try await sample.damage(foreign)
    #expect(found?.tensor == "b")
    #expect(found?.message.hasPrefix("chunk 1 of 3: expected CRC-32") == true)
  }

  @Test func `every damaged tensor is named once`() async throws {
    var file = try await sample.large(seed: 1)
    file[100] ^= 1
    file[200] ^= 1
    file[3_300_000] ^= 1
    let path = try folder.write(file, to: "damaged.ckz")
    let verify = try #require(CheckpointFormat.native.verify)
    let found = try await verify(FileProbe(path: path), 2)
    #expect(found.map(\.tensor) == ["a", "b"])
    #expect(found.allSatisfy { $0.path == path && $0.offset != nil })
  }

  @Test func `a body with another file's index is found`() async throws {
    let file = try await sample.small(seed: 1)
    let other = try await sample.small(seed: 9)
    let start = Int(Array(file.suffix(64)).littleEndian(UInt64.self, at: 0))
    let otherStart = Int(Array(other.suffix(64)).littleEndian(UInt64.self, at: 0))
    #expect(start == otherStart)
    #expect(try await sample.damage(Array(file[..<start] + other[start...]))?.tensor == "weight")
  }

  @Test func `a later version is named`() async throws {
    var file = try await sample.small()
    file[8] = 2
    let error = try await sample.damage(file)
    #expect(error?.code == .unsupported)
    #expect(error?.message == "expected format version 1, found 2; use a newer ckpt")
  }

  @Test func `a tensor whose bytes are others is found by its digest`() async throws {
    let file = try await sample.small()
    let checkpoint = try CheckpointFormat.native.open(folder.file("sample-planes-4.ckz"))
    let digest = try #require(checkpoint.entries[0].storedDigest)
    let text = try sample.index(file).replacing(
      digest.description, with: String(repeating: "0", count: 64))
    let error = try await sample.damage(try sample.replacingIndex(of: file, by: text))
    #expect(error?.message == "chunk 0 of 1: unpacked bytes differ from the digest in the index")
    #expect(error?.tensor == "weight")
  }

  @Test func `a chunk that holds more than its tensor is refused`() async throws {
    let file = try await sample.small()
    let index = try sample.index(file)
    let bomb = try Zlib.deflate([UInt8](repeating: 0, count: 10_000_000).rawBytes, level: 9)
    #expect(bomb.count > 1025)
    let small = try Zlib.deflate([UInt8](repeating: 0, count: 200_000).rawBytes, level: 9)
    for (stream, message) in [
      (bomb, "chunk 0: expected 1 to 1048 stored bytes for 24, found \(bomb.count)"),
      (small, "chunk 0 of 1: the zlib stream holds more than the expected 24 bytes"),
    ] {
      let start = try #require(index.firstRange(of: "\"chunks\":"))
      let end = try #require(index.firstRange(of: ",\"dtype\":\"F32\""))
      let tail = try #require(index.firstRange(of: ",{\"blake3\":\"af1349b9"))
      let text =
        index[..<start.lowerBound]
        + "\"chunks\":[[\(stream.count),\(Checksum.crc32(stream.rawBytes))]]"
        + index[end.lowerBound..<tail.lowerBound] + "]}"
      let packed = try Zlib.deflate(Array(text.utf8).rawBytes, level: 6)
      let mutant =
        file[..<16] + stream
        + sample.tail(index: packed, size: text.utf8.count, at: 16 + stream.count)
      #expect(try await sample.damage(Array(mutant))?.message == message)
    }
  }

  @Test func `an index that unpacks to too much is refused before it is unpacked`() async throws {
    let file = try await sample.small()
    let stream = try Zlib.deflate([UInt8](repeating: 0x20, count: 4_000_000).rawBytes, level: 9)
    let start = Int(Array(file.suffix(64)).littleEndian(UInt64.self, at: 0))
    let mutant = file[..<start] + sample.tail(index: stream, size: 4_000_000, at: start)
    let message = try await sample.damage(Array(mutant))?.message
    #expect(message?.hasPrefix("expected an index of at most 1") == true)
  }

  @Test func `raw tensors are aligned and their padding is checked`() async throws {
    var file = try await sample.small(compression: .none)
    let path = try folder.write(file, to: "raw.ckz")
    let entries = try CheckpointFormat.native.open(path).entries
    #expect(Array(file[64..<88]) == (try entries[0].allBytes()))
    #expect(Array(file[128..<136]) == (try entries[2].allBytes()))
    file[100] = 7
    let error = try await sample.damage(file)
    #expect(error?.message == "expected a padding byte of 0, found 7")
    #expect(error?.offset == 100)
    #expect(error?.tensor == "steps")
  }

  @Test(
    arguments: [WriteOptions.Compression.planes, .none],
    [100_003, 1 << 20, (1 << 20) + 1, 2 << 20, 3 << 20, 1 << 23])
  func `tensors are read in steps of any size`(
    _ compression: WriteOptions.Compression, _ step: Int
  ) async throws {
    let entries: [Checkpoint.Entry] = try [819_200, 819_201, 1 << 20, 262_144, 524_288].map {
      try .init(noise: TensorName("t\($0)"), .float32, [$0], seed: UInt64($0))
    }
    let file = try await sample.bytes(Checkpoint(entries: entries), compression: compression)
    let path = try folder.write(file, to: "steps.ckz")
    for (entry, original) in zip(try CheckpointFormat.native.open(path).entries, entries) {
      #expect(try entry.allBytes(step: step) == original.allBytes(), "\(entry.name)")
    }
  }

  @Test func `of two chunks read at once the damaged one is named`() async throws {
    let file = try await sample.large(seed: 3)
    for (chunk, place) in [(0, 500_000), (1, 1_500_000), (2, 2_500_000)] {
      var mutant = file
      mutant[place] ^= 4
      let entry = try CheckpointFormat.native.open(folder.write(mutant, to: "pair.ckz")).entries[0]
      let error = #expect(throws: CheckpointError.self) { try entry.allBytes(step: 3 << 20) }
      #expect(error?.message.hasPrefix("chunk \(chunk) of 3: expected CRC-32 ") == true)
      #expect(error?.tensor == "a")
    }
  }

  @Test func `a compression that it does not have is refused`() async throws {
    await #expect(throws: CheckpointError.self) {
      try await sample.small(compression: .gzip(level: 6))
    }
  }

  /// Where the index begins, which is where the chunks end.
  private func bodySize(_ file: [UInt8]) -> Int {
    Int(Array(file.suffix(64)).littleEndian(UInt64.self, at: 0))
  }

  @Test(arguments: [WriteOptions.Compression.planes, .none], [10, 1_500_000])
  func `equal bytes are stored once`(
    _ compression: WriteOptions.Compression, _ count: Int
  ) async throws {
    let one = try Checkpoint.Entry(noise: "a", .float32, [count], seed: 1)
    let entries: [Checkpoint.Entry] = [
      one, try .init(noise: "b", .float32, [count], seed: 2),
      try .init(noise: "again", .float32, [count], seed: 1),
      try .init(noise: "flat", .complex64, [1, count / 2], seed: 1),
      try .init(noise: "c", .float32, [count], seed: 2),
      try .init(noise: "last", .float32, [3], seed: 7),
    ]
    let file = try await sample.bytes(Checkpoint(entries: entries), compression: compression)
    let few = try await sample.bytes(
      Checkpoint(entries: [one, entries[1], entries[5]]), compression: compression)
    #expect(bodySize(file) == bodySize(few))
    #expect(file[..<bodySize(file)] == few[..<bodySize(few)])
    #expect(try await sample.damage(file) == nil)
    let path = try folder.write(file, to: "shared.ckz")
    let read = try CheckpointFormat.native.open(path).entries
    #expect(read.map(\.alias) == entries.map(\.alias))
    for (entry, original) in zip(read, entries) {
      #expect(entry.info == original.info)
      #expect(try entry.allBytes() == original.allBytes(), "\(entry.name)")
    }
  }

  @Test(arguments: [1, 3])
  func `only what begins like an earlier tensor is read twice`(_ threads: Int) async throws {
    let size = 3 << 20
    let bytes = noise(size, seed: 1)
    var nearly = bytes
    nearly[size - 1] ^= 1
    let contents = [bytes, nearly, noise(size, seed: 2), bytes, noise(size, seed: 3)]
    let counts = Mutex([Int](repeating: 0, count: contents.count))
    let entries = try contents.enumerated().map { index, bytes in
      try Checkpoint.Entry(memory: TensorName("t\(index)"), .uint8, [size], bytes)
        .wrappingReader { range, target, read in
          counts.withLock { $0[index] += range.count }
          try read(range, &target)
        }
    }
    var options = WriteOptions()
    options.threads = threads
    let path = folder.file("a.ckz")
    try await CheckpointFormat.native.writeFile(Checkpoint(entries: entries), path, options)
    let read = try CheckpointFormat.native.open(path).entries
    for (entry, bytes) in zip(read, contents) { #expect(try entry.allBytes() == bytes) }
    let total = try folder.bytes(of: "a.ckz").count
    #expect(total > 4 * size && total < 4 * size + 100_000)
    counts.withLock { counts in
      #expect([counts[0], counts[2], counts[4]] == [size, size, size])
      #expect(counts[1] == 2 * size)
      #expect(counts[3] > size && counts[3] <= 2 * size)
    }
  }

  @Test func `a chunk is verified by itself, and the chunks' values by the digest`() async throws {
    var options = WriteOptions()
    options.compression = .none
    let entry = try Checkpoint.Entry(noise: "a", .uint8, [(3 << 20) + 5])
    let path = folder.file("chunks.ckz")
    try await CheckpointFormat.native.writeFile(Checkpoint(entries: [entry]), path, options)
    let file = try Place.open(path: path).bytes(0..<Place.open(path: path).size)
    let text = try sample.index(file)
    let values = String(try #require(text.firstMatch(of: /"cvs":"([0-9a-f]+)"/)).1)
    #expect(values.utf8.count == 4 * 64)
    let first = values.prefix(64)
    for (old, new) in [
      (values, String(values.dropFirst(64) + first)), (values, String(values.dropLast(64))),
      (values, values.uppercased()), (",\"cvs\":\"\(values)\"", ""),
    ] {
      let mutant = try sample.replacingIndex(of: file, by: text.replacing(old, with: new))
      let message = try await sample.damage(mutant)?.message
      #expect(message?.hasPrefix("cvs") == true || message?.contains("cvs of 4") == true, "\(new)")
    }
    // Two chunks change places, with their checksums: only what is read of them is refused.
    var swapped = file
    swapped.replaceSubrange(64..<64 + 1 << 20, with: file[64 + 1 << 20..<64 + 2 << 20])
    swapped.replaceSubrange(64 + 1 << 20..<64 + 2 << 20, with: file[64..<64 + 1 << 20])
    let pair = /"chunks":(\[\[[0-9]+,[0-9]+\]),(\[[0-9]+,[0-9]+\])/
    let sums = try #require(text.firstMatch(of: pair))
    let mutant = try sample.replacingIndex(
      of: swapped,
      by: text.replacing(
        "\(sums.1),\(sums.2)", with: "[\(sums.2),\(sums.1.dropFirst())", maxReplacements: 1))
    let opened = try CheckpointFormat.native.open(try folder.write(mutant, to: "swapped.ckz"))
    var buffer = ChunkBuffer(capacity: 5)
    var digest = DigestBuilder(.sha256)
    digest.update(try opened.entries[0].read(3 << 20, 5, using: &buffer))
    #expect(digest.finalize() == Digest(of: Array(try entry.allBytes().suffix(5))))
    #expect(
      try await sample.damage(mutant)?.message
        == "chunk 0 of 4: unpacked bytes differ from the digest in the index")
  }

  @Test func `shared chunks of other content are refused`() async throws {
    let file = try await sample.bytes(
      Checkpoint(entries: [
        try .init(noise: "a", .float32, [9], seed: 1),
        try .init(noise: "b", .float32, [9], seed: 1),
      ]))
    let text = try sample.index(file)
    let second = try #require(text.ranges(of: "{\"blake3\"").last)
    let (head, tail) = (text[..<second.lowerBound], text[second.lowerBound...])
    #expect(tail.contains("\"offset\":16"))
    let digest = try #require(tail.firstMatch(of: /"blake3":"([0-9a-f]+)"/)).1
    let edits: [(String, String)] = [
      (String(digest), String(digest.reversed())), ("\"shape\":[9]", "\"shape\":[8]"),
      ("rotated-planes-4", "planes-4"), ("\"chunks\":[[", "\"chunks\":[[1"), ("16,", "17,"),
    ]
    for (old, new) in edits {
      let edited = head + tail.replacing(old, with: new, maxReplacements: 1)
      let mutant = try sample.replacingIndex(of: file, by: String(edited))
      #expect(try await sample.damage(mutant)?.tensor == "b", "\(new)")
    }
    let same = try sample.replacingIndex(of: file, by: text)
    #expect(same == file)
  }

  @Test(arguments: [WriteOptions.Compression.planes, .none])
  func `the file does not depend on the number of threads`(
    _ compression: WriteOptions.Compression
  ) async throws {
    var entries: [Checkpoint.Entry] = []
    for (index, count) in [3, 70_000, 0, 900_000, 5, 1_200_000, 262_144, 262_145].enumerated() {
      let seed = UInt64(index % 5)
      entries.append(try .init(noise: TensorName("t\(index)"), .float32, [count], seed: seed))
      entries.append(
        try .init(
          memory: TensorName("z\(index)"), .bfloat16, [count], Array(repeating: 0, count: 2 * count)
        ))
    }
    for index in 0..<200 {
      entries.append(try .init(noise: TensorName("s\(index)"), .float64, [index], seed: 3))
    }
    var files: [[UInt8]] = []
    for threads in [1, 2, 3, 8, 1] {
      var options = WriteOptions()
      options.compression = compression
      options.threads = threads
      let path = folder.file("threads-\(files.count).ckz")
      try await CheckpointFormat.native.writeFile(Checkpoint(entries: entries), path, options)
      files.append(try folder.bytes(of: "threads-\(files.count).ckz"))
    }
    #expect(Set(files).count == 1)
    #expect(try await sample.damage(files[0]) == nil)
  }

  @Test(arguments: [1, 4])
  func `an entry that cannot be read ends the writing`(_ threads: Int) async throws {
    let size = 5 << 20
    let info = try TensorInfo(dtype: .uint8, shape: [size])
    let broken = Checkpoint.Entry(name: "broken", info: info) { range, _ in
      if range.contains(3 << 20) { throw CheckpointError(.system, "gone") }
    }
    let good = try Checkpoint.Entry(noise: "good", .uint8, [size])
    var options = WriteOptions()
    options.threads = threads
    let error = await #expect(throws: CheckpointError.self) {
      try await CheckpointFormat.native.writeFile(
        Checkpoint(entries: [good, broken, good]), folder.file("never.ckz"), options)
    }
    #expect(error?.message.contains("name") == true)
    let thrown = await #expect(throws: CheckpointError.self) {
      try await CheckpointFormat.native.writeFile(
        Checkpoint(entries: [good, broken]), folder.file("broken.ckz"), options)
    }
    #expect(thrown?.description == "tensor 'broken': gone")
  }

  @Test func `two tensors of one name are not written`() async throws {
    let twice = try Checkpoint.Entry(noise: "a", .float32, [2])
    let error = await #expect(throws: CheckpointError.self) {
      try await sample.bytes(Checkpoint(entries: [twice, twice]))
    }
    #expect(error?.description == "tensor 'a': two tensors have this name")
  }

  @Test func `the example of the specification is read`() async throws {
    let page = try String(
      contentsOfFile: Fixtures.path("../Sources/CheckpointKit/CheckpointKit.docc/NativeFormat.md"),
      encoding: .utf8)
    let lines = page.split(separator: "\n").filter {
      $0.wholeMatch(of: /[0-9a-f]{4}  [0-9a-f ]+/) != nil
    }
    let bytes = lines.flatMap { $0.dropFirst(6).split(separator: " ") }
      .compactMap { UInt8($0, radix: 16) }
    #expect(bytes.count == 310)
    let path = try folder.write(bytes, to: "example.ckz")
    let checkpoint = try CheckpointFormat.native.open(path)
    let original = try Checkpoint.Entry(memory: "w", [1, -2, 0.5])
    #expect(checkpoint.entries.map(\.name) == ["w", "tied"])
    #expect(checkpoint.entries.map(\.alias) == [nil, "w"])
    #expect(try checkpoint.entries[1].allBytes() == original.allBytes())
    #expect(checkpoint.metadata == ["note": "example"])
    let verify = try #require(CheckpointFormat.native.verify)
    #expect(try await verify(FileProbe(path: path), 1) == [])
  }

  @Test func `a file that another program wrote is read`() async throws {
    let path = Fixtures.path("native/stock.ckz")
    let checkpoint = try CheckpointFormat.native.open(path)
    #expect(
      checkpoint.entries.map(\.name)
        == ["floats", "halves", "steps", "e\u{301}", "\u{e9}", "none", "pairs", "tied"])
    #expect(checkpoint.metadata == ["by": "python \u{fc}\n\u{1}"])
    let floats = (0..<300_000).map { Float($0) }
    let expected: [[UInt8]] = [
      littleEndian(floats.map(\.bitPattern)),
      littleEndian(floats[..<256].map { UInt16($0.bitPattern >> 16) }),
      littleEndian([UInt64(7)]), Array(0..<200),
      littleEndian((0..<5).map { Double($0).bitPattern }), [],
      littleEndian(floats[..<9].flatMap { [$0.bitPattern, 0] }),
      littleEndian(floats.map(\.bitPattern)),
    ]
    for (entry, bytes) in zip(checkpoint.entries, expected) {
      #expect(try entry.allBytes() == bytes, "\(entry.name)")
    }
    #expect(checkpoint.entries.last?.alias == "floats")
    let verify = try #require(CheckpointFormat.native.verify)
    #expect(try await verify(FileProbe(path: path), 1) == [])
  }

  private func littleEndian(_ words: [some FixedWidthInteger]) -> [UInt8] {
    var bytes: [UInt8] = []
    for word in words { bytes.appendLittleEndian(word) }
    return bytes
  }
}
