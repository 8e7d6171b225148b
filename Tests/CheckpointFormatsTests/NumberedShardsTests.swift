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

  @Test(arguments: ["tf_model-00001-of-00002.h5", "model-00001-of-00002.ckpt"])
  func `one of several files, in any format, does not stand for its folder`(
    _ name: String
  ) throws {
    for (name, isWhole) in [(name, false), ("model.npz", true)] {
      let memory = MemoryFiles(["f/" + name: try Fixtures.bytes("numpy/types.npz")])
      let format = CheckpointFormat.recognized(try FileProbe("f", in: memory.place))
      #expect((format != nil) == isWhole, "\(name)")
    }
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

  @Test(arguments: [
    ("a-00000-of-00002", "a-00001-of-00002"), ("a_00001-of-00002", "a_00002-of-00002"),
    ("a_00000_of_00002", "a_00001_of_00002"),
  ])
  func `numbers begin at 0 or 1, after a dash or an underscore`(first: String, second: String)
    throws
  {
    let found = try opened([first + ".safetensors": 1, second + ".safetensors": 2])
    #expect(found.entries.count == 3 && found.notes.isEmpty)
  }

  @Test func `other files beside a set are named`() throws {
    let found = try opened([
      "a-00001-of-00002.safetensors": 1, "a-00002-of-00002.safetensors": 2,
      "adapter_model.safetensors": 1,
    ])
    #expect(
      found.notes == [
        "reading 'a-00001-of-00002.safetensors' and its files; the folder also holds "
          + "adapter_model.safetensors: name one to read it"
      ])
    let shards = ["a-00001-of-00002.bin": 1, "a-00002-of-00002.bin": 2]
    let others = ["optimizer.bin": 1, "training_args.bin": 1, "tokenizer.json": 1]
    let probe = try FileProbe("f", in: files(shards.merging(others) { $1 }).place)
    #expect(CheckpointFormat.recognized(probe)?.name == "pytorch")
  }

  @Test func `two sets that are nobody's standard are not one checkpoint`() throws {
    #expect(throws: CheckpointError.self) {
      try opened([
        "a-00001-of-00002.safetensors": 1, "a-00002-of-00002.safetensors": 2,
        "b-00001-of-00002.safetensors": 1, "b-00002-of-00002.safetensors": 2,
      ])
    }
    let found = try opened([
      "model-00001-of-00002.safetensors": 1, "model-00002-of-00002.safetensors": 2,
      "b-00001-of-00002.safetensors": 1, "b-00002-of-00002.safetensors": 2,
    ])
    #expect(found.notes.count == 1)
  }
}
