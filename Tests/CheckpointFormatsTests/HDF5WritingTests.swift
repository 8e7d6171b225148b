import ByteIO
import CheckpointFormats
import FoundationEssentials
import Glibc
import TensorCore
import TestSupport
import Testing

/// Files that we write, read by our own reader; `HDF5OracleTests` reads them with h5py.
@Suite struct HDF5WritingTests {
  /// Writes a file, opens it, and calls `body` with the checkpoint.
  static func roundTrip(
    _ checkpoint: Checkpoint, _ options: WriteOptions = WriteOptions(),
    _ body: (Opened, _ file: [UInt8]) throws -> Void
  ) async throws {
    let folder = try TemporaryFolder()
    let path = folder.file("round.h5")
    try await CheckpointFormat.hdf5.writeFile(checkpoint, path, options)
    try body(try CheckpointFormat.hdf5.open(path), try folder.bytes(of: "round.h5"))
  }

  static func options(_ compression: WriteOptions.Compression, threads: Int = 1) -> WriteOptions {
    var options = WriteOptions()
    options.compression = compression
    options.threads = threads
    return options
  }

  /// A small net with a parameterless module, a module that is `None`, and a tied weight.
  static func net() throws -> Checkpoint {
    Checkpoint(
      entries: [
        try .init(noise: "scale", .float32, [], seed: 3),
        try .init(noise: "embed.weight", .bfloat16, [5, 4], seed: 5),
        try .init(noise: "layers.0.weight", .float16, [4, 4], seed: 7),
        try .init(noise: "layers.0.bias", .float32, [4], seed: 11),
        try .init(noise: "head.weight", .bfloat16, [5, 4], seed: 5, alias: "embed.weight"),
      ],
      modules: [
        ModuleLabel(path: "", kind: "Net", arguments: ""),
        ModuleLabel(path: "embed", kind: "Embedding", arguments: "5, 4"),
        ModuleLabel(path: "layers", kind: "Sequential", arguments: ""),
        ModuleLabel(
          path: "layers.0", kind: "Linear", arguments: "in_features=4, out_features=4, bias=True"),
        ModuleLabel(path: "layers.1", kind: "ReLU", arguments: ""),
        ModuleLabel(path: "downsample", kind: "None", arguments: ""),
        ModuleLabel(path: "head", kind: "Linear", arguments: "two\nlines"),
      ],
      metadata: ["recipe": "{\"seed\": 1}", "é": "ü"])
  }

  static func expectEqual(_ found: Opened, _ expected: Checkpoint) throws {
    #expect(found.entries.map(\.name) == expected.entries.map(\.name))
    #expect(found.entries.map(\.info) == expected.entries.map(\.info))
    #expect(found.entries.map(\.alias) == expected.entries.map(\.alias))
    #expect(found.modules == expected.modules)
    #expect(found.metadata == expected.metadata)
    #expect(found.notes.isEmpty)
    for (found, expected) in zip(found.entries, expected.entries) {
      #expect(try found.digest(chunk: 4099) == expected.digest(chunk: 1 << 20), "\(expected.name)")
    }
  }

  @Test(arguments: [
    WriteOptions.Compression.standard, .planes, .none, .gzip(level: 1), .gzip(level: 9),
  ])
  func `entries, modules and metadata come back as they were`(
    compression: WriteOptions.Compression
  ) async throws {
    let net = try Self.net()
    try await Self.roundTrip(net, Self.options(compression)) { found, _ in
      try Self.expectEqual(found, net)
    }
  }

  @Test(arguments: DType.computable, [WriteOptions.Compression.none, .planes, .gzip(level: 4)])
  func `every type is kept, whatever the bits`(
    dtype: DType, compression: WriteOptions.Compression
  ) async throws {
    let shapes = [[], [0], [1], [3, 5], [3, 0, 2], [2, 1, 2, 2], [70_000]]
    let checkpoint = Checkpoint(
      entries: try shapes.enumerated().map {
        try .init(noise: TensorName("t\($0)"), dtype, $1, seed: UInt64($0))
      })
    try await Self.roundTrip(checkpoint, Self.options(compression)) { found, _ in
      try Self.expectEqual(found, checkpoint)
    }
  }

  @Test func `names that are not paths come back as bytes`() async throws {
    let names = [
      "a", "a.b", "a.b.c", "", ".", "..", "a.", ".a", "a..b", "/", "a/b", "/a.b", "%", "%2F", "%_",
      "a%_", "a%00", "nul\0", "nul\0.x", "é", "e\u{301}", "é.x", "e\u{301}.x", "\u{202e}", " ",
      [String](repeating: "x", count: 200).joined(separator: "."),
      String(repeating: ".", count: 100), String(repeating: "n", count: 5000), "format", "order",
    ]
    let checkpoint = Checkpoint(
      entries: try names.enumerated().map {
        try .init(noise: TensorName($1), .int16, [3], seed: UInt64($0))
      })
    try await Self.roundTrip(checkpoint) { found, _ in try Self.expectEqual(found, checkpoint) }
    let reversed = Checkpoint(entries: checkpoint.entries.reversed())
    try await Self.roundTrip(reversed) { found, _ in try Self.expectEqual(found, reversed) }
  }

  @Test func `module paths that are not HDF5 paths come back`() async throws {
    let modules = ["", "a/b", "a/b.%", "a", "a.", "a..b", "nul\0"].map {
      ModuleLabel(path: $0, kind: "K", arguments: $0)
    }
    try await Self.roundTrip(Checkpoint(entries: [], modules: modules)) { found, _ in
      #expect(found.modules.map { TensorName($0.path) } == modules.map { TensorName($0.path) })
      #expect(found.modules == modules)
    }
  }

  @Test func `metadata with any key, text, and length comes back`() async throws {
    let metadata = [
      "": "", "kind": "k", "format": "f", "version": "v", "order": "o", "arguments": "a",
      "%_": "sign", "a/b": "slash", "nul\0": "nul\0nul",
      "long": String(repeating: "é", count: 1 << 17),
    ]
    var checkpoint = try Self.net()
    checkpoint.metadata = metadata
    try await Self.roundTrip(checkpoint) { found, _ in try Self.expectEqual(found, checkpoint) }
  }

  @Test func `20,000 tensors keep an order that groups alone would lose`() async throws {
    let checkpoint = Checkpoint(
      entries: try (0..<20_000).map {
        try .init(noise: TensorName("m\($0 % 100).p\($0 / 100)"), .uint8, [1], seed: UInt64($0))
      })
    try await Self.roundTrip(checkpoint) { found, _ in try Self.expectEqual(found, checkpoint) }
  }

  @Test(arguments: [
    ([3, 1_000_001], DType.float32), ([5, 300, 257, 3], .float64), ([1, 1, 3_000_000], .uint8),
    ([2_500_000, 2], .bfloat16),
  ])
  func `tensors of several blocks are the same for any number of tasks`(
    shape: [Int], dtype: DType
  ) async throws {
    let checkpoint = Checkpoint(entries: [
      try .init(noise: "a", dtype, shape), try .init(noise: "b", dtype, shape, seed: 2),
    ])
    for compression in [WriteOptions.Compression.none, .planes, .gzip(level: 1)] {
      var files: Set<[UInt8]> = []
      for threads in [1, 3] {
        try await Self.roundTrip(checkpoint, Self.options(compression, threads: threads)) {
          found, file in
          files.insert(file)
          if threads == 3 { try Self.expectEqual(found, checkpoint) }
        }
      }
      #expect(files.count == 1)
    }
  }

  @Test(arguments: [
    (
      WriteOptions.Compression.gzip(level: 0),
      "hdf5 has no compression gzip:0: expected one of gzip, none, planes"
    ),
    (.gzip(level: 10), "hdf5 has no compression gzip:10: expected one of gzip, none, planes"),
  ])
  func `what HDF5 cannot express is refused`(
    compression: WriteOptions.Compression, message: String
  ) async throws {
    let error = await #expect(throws: CheckpointError.self) {
      try await Self.roundTrip(try Self.net(), Self.options(compression)) { _, _ in }
    }
    #expect(error?.description == message)
  }

  @Test func `33 dimensions are refused`() async throws {
    let checkpoint = Checkpoint(entries: [
      try .init(noise: "a", .int8, [Int](repeating: 1, count: 33))
    ])
    let error = await #expect(throws: CheckpointError.self) {
      try await Self.roundTrip(checkpoint) { _, _ in }
    }
    #expect(error?.description == "tensor 'a': expected at most 32 dimensions for HDF5, found 33")
  }

  @Test func `a duplicate name is refused`() async throws {
    let checkpoint = Checkpoint(entries: [
      try .init(noise: "a", .int8, []), try .init(noise: "a", .int8, []),
    ])
    let error = await #expect(throws: CheckpointError.self) {
      try await Self.roundTrip(checkpoint) { _, _ in }
    }
    #expect(error?.description == "tensor 'a': two tensors have this name")
  }

  @Test func `a full disk is an error each time, and the next write succeeds`() async throws {
    let write = try #require(CheckpointFormat.hdf5.write)
    var net = try Self.net()
    // Large enough to be deflated; the net's own tensors never are.
    net.entries.append(try .init(noise: "large", .float32, [1 << 19]))
    let full = net
    for compression in [WriteOptions.Compression.none, .planes, .gzip(level: 1)] {
      for _ in 0..<20 {
        var abilities = ByteSink.Abilities(writesAnywhere: true)
        abilities.descriptorPath = "/dev/full"
        let sink = ByteSink(name: "full", abilities: abilities) { _, _ throws(CheckpointError) in
          throw .system(ENOSPC, "write", path: "full")
        } commit: {
          Issue.record("committed")
        }
        let error = await #expect(throws: CheckpointError.self) {
          try await write(full, sink, Self.options(compression))
        }
        #expect(error?.code == .system)
        #expect(error?.message.hasSuffix(": No space left on device") == true)
      }
      try await Self.roundTrip(full, Self.options(compression)) { found, _ in
        try Self.expectEqual(found, full)
      }
    }
  }

  @Test func `a tensor is in the file before the next is read`() async throws {
    // Data kept in the library's memory would be lost silently if a later write failed.
    let write = try #require(CheckpointFormat.hdf5.write)
    let folder = try TemporaryFolder()
    let first = try Checkpoint.Entry(noise: "a", .float32, [8])
    let content = try first.allBytes()
    let sink = try ByteSink.local(folder.file("a.h5"), replacing: false)
    let second = Checkpoint.Entry(name: "b", info: first.info) { _, _ in
      let made = try sink.readBack()
      let file = try made.bytes(0..<made.size)
      let isThere = file.indices.dropLast(31).contains { file[$0..<$0 + 32].elementsEqual(content) }
      throw CheckpointError(.missing, isThere ? "there" : "not there")
    }
    let error = await #expect(throws: CheckpointError.self) {
      try await write(Checkpoint(entries: [first, second]), sink, WriteOptions())
    }
    #expect(error?.message == "there")
    #expect(try folder.names().isEmpty)
  }

  @Test func `an error of the source is passed on, and the next write succeeds`() async throws {
    let info = try TensorInfo(dtype: .float32, shape: [1 << 20])
    let broken = Checkpoint(entries: [
      Checkpoint.Entry(name: "a", info: info) { range, _ in
        if range.upperBound > 2 << 20 { throw CheckpointError(.malformed, "broken here") }
      }
    ])
    let folder = try TemporaryFolder()
    for threads in [1, 3] {
      let error = await #expect(throws: CheckpointError.self) {
        try await CheckpointFormat.hdf5.writeFile(
          broken, folder.file("a.h5"), Self.options(.none, threads: threads))
      }
      #expect(error?.description == "tensor 'a': broken here")
    }
    let net = try Self.net()
    try await Self.roundTrip(net) { found, _ in try Self.expectEqual(found, net) }
  }
}
