import ByteIO
import CheckpointKit
import TestSupport
import Testing

@Suite struct ShardedTargetTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Tensors of 40, 40, 40, 100, 0 and 20 bytes; the third is tied to the second, the last to the first.
  private func checkpoint() throws -> Checkpoint {
    Checkpoint(
      entries: [
        try .init(noise: "first", .int8, [40], seed: 1),
        try .init(noise: "embed", .int8, [40], seed: 2),
        try .init(noise: "head", .int8, [40], seed: 2, alias: "embed"),
        try .init(noise: "large", .int16, [50], seed: 3),
        try .init(noise: "empty", .float32, [0], seed: 4),
        try .init(noise: "again", .int8, [40], seed: 1, alias: "first"),
      ],
      modules: [ModuleLabel(path: "", kind: "Net", arguments: "a=1")],
      metadata: ["k": "v", "total_size": "7"])
  }

  private func write(_ limit: Int) async throws -> ShardedTarget.Written {
    let target = try ShardedTarget(folder.file("model.safetensors"), limit: limit)
    return try await target.write(checkpoint())
  }

  @Test func `files are filled in order, and a large tensor has its own`() async throws {
    let written = try await write(80)
    let names = (1...4).map { "model-0000\($0)-of-00004.safetensors" }
    #expect(written.paths == (names + ["model.safetensors.index.json"]).map(folder.file))
    #expect(
      written.notes == [
        "2 tied tensors are in different files than their originals and are written out"
      ])
    let tensors = try names.map { name in
      try CheckpointSource.open(folder.file(name)).checkpoint.entries.map(\.name)
    }
    #expect(tensors == [["first", "embed"], ["head"], ["large"], ["empty", "again"]])
    let index = try folder.bytes(of: "model.safetensors.index.json")
    #expect(String(decoding: index, as: UTF8.self).contains(#"{"metadata":{"total_size":260,"#))
  }

  @Test(arguments: [1, 40, 80, 120, 1000])
  func `several files are read as the checkpoint that was divided`(_ limit: Int) async throws {
    let written = try await write(limit)
    let original = try checkpoint()
    for path in [folder.path, written.paths.last ?? ""] {
      let source = try CheckpointSource.open(path)
      let read = source.checkpoint
      #expect(read.entries.map(\.name) == original.entries.map(\.name))
      #expect(read.entries.map(\.info) == original.entries.map(\.info))
      #expect(read.entries.map(\.alias) == original.entries.map(\.alias))
      for (entry, other) in zip(read.entries, original.entries) {
        #expect(try entry.allBytes() == other.allBytes())
      }
      #expect(read.modules == original.modules)
      #expect(read.metadata == ["k": "v"])
      #expect(source.opened.notes.isEmpty)
    }
  }

  @Test func `nothing that stands there is replaced unless that is wanted`() async throws {
    _ = try await write(80)
    await #expect(throws: CheckpointError.self) { try await write(80) }
    let target = try ShardedTarget(folder.file("model.safetensors"), limit: 80, overwrites: true)
    _ = try await target.write(checkpoint())
  }

  /// An entry that cannot be read.
  private func damaged() throws -> Checkpoint {
    var checkpoint = try checkpoint()
    checkpoint.entries[4] = checkpoint.entries[4].wrappingReader { _, _, _ in
      throw CheckpointError(.malformed, "damaged")
    }
    checkpoint.entries[3] = checkpoint.entries[3].wrappingReader { _, _, _ in
      throw CheckpointError(.malformed, "damaged")
    }
    return checkpoint
  }

  @Test func `a failure leaves the old files and nothing else`() async throws {
    for overwrites in [false, true] {
      if overwrites { _ = try await write(80) }
      let names = try folder.names()
      let old = try names.map { try folder.bytes(of: $0) }
      let target = try ShardedTarget(
        folder.file("model.safetensors"), limit: 40, overwrites: overwrites)
      await #expect(throws: CheckpointError.self) { _ = try await target.write(damaged()) }
      #expect(try folder.names() == names)
      #expect(try names.map { try folder.bytes(of: $0) } == old)
    }
  }

  @Test func `shards that only the old index names are removed, other files are not`() async throws
  {
    _ = try await write(40)
    for name in [
      "model.safetensors", "model-00001-of-00002.safetensors", "other-00001-of-00005.safetensors",
    ] {
      try folder.write([1], to: name)
    }
    let target = try ShardedTarget(folder.file("model.safetensors"), limit: 1000, overwrites: true)
    _ = try await target.write(checkpoint())
    #expect(
      try folder.names() == [
        "model-00001-of-00001.safetensors", "model-00001-of-00002.safetensors",
        "model.safetensors", "model.safetensors.index.json", "other-00001-of-00005.safetensors",
      ])
  }

  @Test(arguments: ["a.h5", "a.ckz", "-"])
  func `formats that have no index are refused`(_ name: String) throws {
    #expect(throws: CheckpointError.self) { try ShardedTarget(name, format: nil, limit: 80) }
  }
}
