import ByteIO
import CheckpointKit
import TestSupport
import Testing

/// Checkpoints opened where a place has them.
@Suite struct CheckpointSourceTests {
  private static let files = [
    "native/stock.ckz", "pytorch/dtypes.pt", "numpy/compressed.npz",
    "safetensors/shapes.safetensors",
    "gguf/values.gguf", "hdf5/nbit.h5", "keras/described.keras",
  ]

  @Test(arguments: files)
  func `a checkpoint in memory is opened once to be listed, hashed, and checked`(
    file: String
  ) async throws {
    let memory = MemoryFiles(["file": try Fixtures.bytes(file)])
    let probe = try FileProbe("file", in: memory.place)
    let source = try CheckpointSource.open(probe)
    #expect(source.path == "memory:file")
    let local = try CheckpointSource.open(Fixtures.path(file))
    #expect(source.format.name == local.format.name)
    #expect(source.checkpoint.entries.map(\.name) == local.checkpoint.entries.map(\.name))
    for (entry, other) in zip(source.checkpoint.entries, local.checkpoint.entries) {
      #expect(try entry.allBytes() == other.allBytes(), "\(entry.name)")
    }
    #expect(try await Integrity(of: probe, threads: 2).damage.isEmpty)
    #expect(memory.openCount(of: "file") == 1)
  }

  @Test(arguments: files)
  func `converting and comparing open each file once`(file: String) async throws {
    let memory = MemoryFiles(["file": try Fixtures.bytes(file)])
    let input = try CheckpointSource.open(FileProbe("file", in: memory.place))
    let result = try Conversion(Selection()).applied(to: input.opened)
    try await CheckpointTarget("copy.ckz", in: memory.place, format: .native)
      .write(result.checkpoint)
    #expect(memory.openCount(of: "file") == 1)
    #expect(memory.openCount(of: "copy.ckz") == 0)
    let copy = try CheckpointSource.open(FileProbe("copy.ckz", in: memory.place))
    let diff = try await CheckpointDiff(from: input.checkpoint, to: copy.checkpoint, threads: 2)
    #expect(diff.changes.isEmpty && diff.identicalCount == input.checkpoint.entries.count)
    #expect(memory.openCount(of: "file") == 1)
    #expect(memory.openCount(of: "copy.ckz") == 1)
  }

  @Test(arguments: [false, true])
  func `ties that a file claims are confirmed before it is converted, without opening it again`(
    isChanged: Bool
  ) async throws {
    let memory = MemoryFiles()
    let entries = [
      try Checkpoint.Entry(noise: "embed", .float32, [4, 3]),
      try Checkpoint.Entry(noise: "head", .float32, [4, 3], alias: "embed"),
    ]
    try await CheckpointTarget("tied", in: memory.place, format: .safetensors)
      .write(Checkpoint(entries: entries))
    var bytes = try #require(memory.bytes(of: "tied"))
    if isChanged { bytes[bytes.count - 1] ^= 1 }
    let changed = MemoryFiles(["tied": bytes])
    let input = try CheckpointSource.open(FileProbe("tied", in: changed.place))
    #expect(input.checkpoint.entries.map(\.alias) == [nil, "embed"], "a claim; nothing was read")
    let result = try Conversion(Selection()).applied(to: input.opened)
    #expect(result.checkpoint.entries.map(\.alias) == [nil, isChanged ? nil : "embed"])
    #expect(
      result.notes
        == (isChanged ? ["tensor 'head' was tied to 'embed' but now differs from it"] : []))
    #expect(changed.openCount(of: "tied") == 1)
  }

  @Test(arguments: [false, true])
  func `a tie that no longer holds is reported by what redraws and what copies`(
    isChanged: Bool
  ) async throws {
    let memory = MemoryFiles()
    let entries = [
      try Checkpoint.Entry(noise: "embed.weight", .float32, [4, 3]),
      try Checkpoint.Entry(noise: "head.weight", .float32, [4, 3], alias: "embed.weight"),
    ]
    try await CheckpointTarget("tied", in: memory.place, format: .safetensors)
      .write(Checkpoint(entries: entries))
    var bytes = try #require(memory.bytes(of: "tied"))
    if isChanged { bytes[bytes.count - 1] ^= 1 }
    let changed = MemoryFiles(["tied": bytes])
    var opened = try CheckpointSource.open(FileProbe("tied", in: changed.place)).opened
    #expect(
      try opened.confirmTies()
        == (isChanged
          ? ["tensor 'head.weight' was tied to 'embed.weight' but now differs from it"] : []))
    let tree = try opened.checkpoint.tree(model: nil)
    var step = Reinitialization(match: [try Selector("embed.weight")])
    #expect(throws: CheckpointError.self) { try step.applied(to: opened, tree: tree) }
    step.rules = [try Rule("name:embed: weight=normal")]
    let copied = try step.applied(
      to: opened, tree: tree, copyingFrom: opened.checkpoint,
      fingerprint: Fingerprint(Digest(of: [1])))
    for result in [try step.applied(to: opened, tree: tree), copied] {
      #expect(result.replaced == (isChanged ? ["embed.weight"] : ["embed.weight", "head.weight"]))
      #expect(result.checkpoint.entries.map(\.alias) == [nil, isChanged ? nil : "embed.weight"])
      #expect(
        result.notes
          == (isChanged
            ? []
            : [
              "'head.weight' changes as well: it is tied to a selected tensor; pass --untie to separate them"
            ]))
    }
  }

  @Test func `what is wrong with a file in memory names it`() throws {
    let memory = MemoryFiles(["empty": [], "text": Array("plain text".utf8)])
    for (name, message) in [
      ("empty", "memory:empty: is empty"),
      ("text", "memory:text: is not a checkpoint: begins with 'plain te'"),
    ] {
      let error = #expect(throws: CheckpointError.self) {
        try CheckpointSource.open(FileProbe(name, in: memory.place))
      }
      #expect(error?.description.hasPrefix(message) == true, "\(String(describing: error))")
    }
  }
}
