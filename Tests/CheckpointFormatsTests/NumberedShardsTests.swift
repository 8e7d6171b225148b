import ByteIO
import CheckpointFormats
import TensorCore
import TestSupport
import Testing

/// Shards that only their names join.
struct NumberedShardsTests {
  private func files(_ names: [String: Int]) throws -> MemoryFiles {
    var files: [String: [UInt8]] = [:]
    for (name, number) in names {
      files["f/" + name] = try Fixtures.bytes(
        "safetensors/sharded/model-0000\(number)-of-00002.safetensors")
    }
    return MemoryFiles(files)
  }

  private func opened(_ names: [String: Int]) throws -> Opened {
    let memory = try files(names)
    let probe = try FileProbe("f", in: memory.place)
    return try CheckpointFormat.safetensors.open(probe, OpenOptions())
  }

  @Test func `shards without an index are read as with it`() throws {
    let found = try opened(["a-00001-of-00002.safetensors": 1, "a-00002-of-00002.safetensors": 2])
    let path = Fixtures.path("safetensors/sharded/model.safetensors.index.json")
    let expected = try CheckpointFormat.safetensors.open(FileProbe(path: path), OpenOptions())
    func content(_ opened: Opened) throws -> [TensorName: [UInt8]] {
      try Dictionary(
        uniqueKeysWithValues: opened.entries.map { ($0.name, try $0.allBytes()) })
    }
    #expect(try content(found) == content(expected))
  }

  @Test func `a set with a shard missing or twice is an error`() throws {
    let missing = #expect(throws: CheckpointError.self) {
      try opened(["a-00002-of-00002.safetensors": 2])
    }
    #expect(missing?.message.hasSuffix("found 1: number 1 is missing") == true)
    let twice = #expect(throws: CheckpointError.self) {
      try opened([
        "a-00001-of-00002.safetensors": 1, "a-1-of-00002.safetensors": 1,
        "a-00002-of-00002.safetensors": 2,
      ])
    }
    #expect(twice?.message.hasSuffix("found 3") == true)
  }

  @Test func `a folder with other files of the format is not one checkpoint`() throws {
    // A folder of .safetensors files is always recognized, and refused when it is opened.
    #expect(throws: CheckpointError.self) {
      try opened([
        "a-00001-of-00002.safetensors": 1, "a-00002-of-00002.safetensors": 2,
        "adapter.safetensors": 1,
      ])
    }
    let shards = ["a-00001-of-00002.bin": 1, "a-00002-of-00002.bin": 2]
    #expect(CheckpointFormat.recognized(try FileProbe("f", in: files(shards).place)) != nil)
    let memory = try files(shards.merging(["optimizer.bin": 1]) { $1 })
    let probe = try FileProbe("f", in: memory.place)
    #expect(CheckpointFormat.recognized(probe) == nil)
    #expect(KnownFile.error(for: probe)?.message.contains("name a file in it") == true)
  }
}
