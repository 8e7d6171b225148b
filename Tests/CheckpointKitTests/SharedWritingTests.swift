import ByteIO
import CheckpointKit
import ParallelWork
import Ranks
import TensorCore
import TestSupport
import Testing

/// Files that several ranks write and read together.
@Suite struct SharedWritingTests {
  /// Tensors of many sizes, equal ones among them.
  private static func checkpoint(large: Int = 3 << 20) throws -> Checkpoint {
    let sizes = [large, 0, 4, large / 2 + 12, 1 << 20, 1000, large, 40, 40, (1 << 20) + 4]
    let entries = try sizes.enumerated().map { index, size in
      // The first and the seventh are alike, and so are two of the small ones.
      let seed = index == 6 ? 0 : index == 8 ? 7 : index
      return try Checkpoint.Entry(
        noise: TensorName("t\(index)"), .float32, [size / 4], seed: UInt64(seed + 1))
    }
    return Checkpoint(entries: entries, metadata: ["note": "shared"])
  }

  @Test(
    arguments: ["o.safetensors", "o.ckz", "o.pt", "o.npz", "o.gguf", "o.h5"], [2, 3, 7]
  ) func `ranks write the file of one process`(name: String, count: Int) async throws {
    let folder = try TemporaryFolder()
    let checkpoint = try Self.checkpoint()
    try await CheckpointTarget(folder.file(name)).write(checkpoint)
    let expected = try folder.bytes(of: name)
    try folder.remove(name)
    let results = await MemoryRanks.run(count) { _ in
      try await CheckpointTarget(folder.file(name)).write(checkpoint)
    }
    for result in results { try result.get() }
    #expect(try folder.bytes(of: name) == expected)
    #expect(try folder.names() == [name])
  }

  @Test(arguments: ["o.safetensors", "o.ckz"]) func `several windows are written in order`(
    name: String
  ) async throws {
    let folder = try TemporaryFolder()
    let size = 45 << 20
    let entries = try (1...3).map { value in
      try Checkpoint.Entry(
        memory: TensorName("t\(value)"), .uint8, [size],
        [UInt8](repeating: UInt8(value), count: size))
    }
    let checkpoint = Checkpoint(entries: entries)
    try await CheckpointTarget(folder.file(name)).write(checkpoint)
    let expected = try folder.bytes(of: name)
    let results = await MemoryRanks.run(2) { _ in
      try await CheckpointTarget(folder.file(name), overwrites: true).write(checkpoint)
    }
    for result in results { try result.get() }
    #expect(try folder.bytes(of: name) == expected)
  }

  @Test(arguments: [2, 3]) func `an error on one rank leaves the old file`(count: Int) async throws
  {
    let folder = try TemporaryFolder()
    try folder.write([1, 2, 3], to: "o.ckz")
    let results = await MemoryRanks.run(count) { ranks in
      var checkpoint = try Self.checkpoint()
      let (entry, rank) = (checkpoint.entries[6], ranks.rank)
      checkpoint.entries[6] = entry.wrappingReader { range, target, read in
        // Only the rank that reads this part fails.
        if range.contains(entry.info.byteCount / 2) {
          throw CheckpointError(.system, "read: Input/output error", path: "in\(rank)")
        }
        try read(range, &target)
      }
      try await CheckpointTarget(folder.file("o.ckz"), overwrites: true).write(checkpoint)
    }
    let errors = try results.map { result in
      try #require(#expect(throws: CheckpointError.self) { try result.get() })
    }
    #expect(errors[0].message.contains("Input/output error (rank "))
    #expect(Set(errors).count == 1)
    #expect(try folder.names() == ["o.ckz"])
    #expect(try folder.bytes(of: "o.ckz") == [1, 2, 3])
  }

  @Test(arguments: [2, 3, 7]) func `a damaged member is found though no rank reads all of it`(
    count: Int
  ) async throws {
    let folder = try TemporaryFolder()
    try await CheckpointTarget(folder.file("x.pt")).write(try Self.checkpoint(large: 6 << 20))
    var bytes = try folder.bytes(of: "x.pt")
    bytes[3 << 20] ^= 1
    try folder.write(bytes, to: "x.pt")
    let alone = await #expect(throws: CheckpointError.self) {
      let source = try CheckpointSource.open(folder.file("x.pt"))
      try await CheckpointTarget(folder.file("o.npz")).write(source.checkpoint)
    }
    let results = await MemoryRanks.run(count) { _ in
      let again = try CheckpointSource.open(folder.file("x.pt"))
      try await CheckpointTarget(folder.file("o.npz")).write(again.checkpoint)
    }
    for result in results {
      let error = #expect(throws: CheckpointError.self) { try result.get() }
      #expect(error?.description == alone?.description)
    }
    #expect(try folder.names() == ["x.pt"])
  }
}
