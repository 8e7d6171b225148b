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
    #expect(try await CheckpointSource.damage(in: probe, threads: 2).isEmpty)
    #expect(memory.openCount(of: "file") == 1)
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
