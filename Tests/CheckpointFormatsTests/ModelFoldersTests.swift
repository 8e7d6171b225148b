import ByteIO
import CheckpointFormats
import FoundationEssentials
import TensorCore
import TestSupport
import Testing

/// Links among the files of a model, which may lead to the model's own folders only.
@Suite struct ModelFoldersTests {
  let folder: TemporaryFolder
  let outside: TemporaryFolder
  private static let shards = (1...2).map { "model-0000\($0)-of-00002.safetensors" }
  private static let index = "model.safetensors.index.json"

  init() throws {
    folder = try TemporaryFolder()
    outside = try TemporaryFolder()
  }

  private func make(_ name: String) throws {
    try FileManager.default.createDirectory(
      atPath: folder.file(name), withIntermediateDirectories: true)
  }

  private func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(
      atPath: folder.file(name), withDestinationPath: target)
  }

  private func opened(_ name: String) throws -> Opened {
    let probe = try FileProbe(path: folder.file(name))
    return try #require(CheckpointFormat.recognized(probe)).open(probe, OpenOptions())
  }

  private func isRefused(_ name: String, _ file: String) throws -> Bool {
    let thrown = #expect(throws: CheckpointError.self) { try opened(name) }
    let error = try #require(thrown)
    return error.path?.hasSuffix(file) == true && error.message.hasPrefix("is a link to '")
      && error.message.hasSuffix("outside of the model's folder; copy the file into the folder")
  }

  @Test(arguments: [true, false])
  func `a shard is not a link out of the folder`(hasIndex: Bool) throws {
    try make("m")
    let names = hasIndex ? [Self.shards[0], Self.index] : [Self.shards[0]]
    for name in names {
      try folder.write(Fixtures.bytes("safetensors/sharded/" + name), to: "m/" + name)
    }
    let bytes = try Fixtures.bytes("safetensors/sharded/" + Self.shards[1])
    try link("m/" + Self.shards[1], to: outside.write(bytes, to: "other"))
    #expect(try isRefused("m", Self.shards[1]))
    if hasIndex { #expect(try isRefused("m/" + Self.index, Self.shards[1])) }
    // A link inside the folder is one of its files.
    try folder.remove("m/" + Self.shards[1])
    try make("m/inner")
    try folder.write(bytes, to: "m/inner/other")
    try link("m/" + Self.shards[1], to: "inner/other")
    #expect(try opened("m").entries.count == 3)
  }

  @Test(arguments: [true, false])
  func `a snapshot of Hugging Face's cache is read`(hasIndex: Bool) throws {
    let snapshot = "models--a--b/snapshots/0123"
    try make("models--a--b/blobs")
    try make(snapshot)
    for (number, name) in (Self.shards + (hasIndex ? [Self.index] : [])).enumerated() {
      try folder.write(
        Fixtures.bytes("safetensors/sharded/" + name), to: "models--a--b/blobs/\(number)")
      try link("\(snapshot)/\(name)", to: "../../blobs/\(number)")
    }
    #expect(try opened(snapshot).entries.count == 3)
    if hasIndex { #expect(try opened(snapshot + "/" + Self.index).entries.count == 3) }
    // Another model's blobs are not among them.
    try folder.remove("\(snapshot)/\(Self.shards[0])")
    try make("models--c/blobs")
    let bytes = try Fixtures.bytes("safetensors/sharded/" + Self.shards[0])
    try folder.write(bytes, to: "models--c/blobs/0")
    try link("\(snapshot)/\(Self.shards[0])", to: "../../../models--c/blobs/0")
    #expect(try isRefused(snapshot, Self.shards[0]))
  }

  @Test func `links of all files into one folder are read, and so is a link to a folder`() throws {
    try make("m")
    for name in Self.shards + [Self.index] {
      let path = try outside.write(Fixtures.bytes("safetensors/sharded/" + name), to: name)
      try link("m/" + name, to: path)
    }
    #expect(try opened("m").entries.count == 3)
    try link("again", to: outside.path)
    #expect(try opened("again").entries.count == 3)
  }

  @Test func `the parts of a distributed checkpoint are where its metadata is`() throws {
    let names = try FileProbe(path: Fixtures.path("pytorch/distributed")).members ?? []
    try make("m")
    for name in names {
      let bytes = try Fixtures.bytes("pytorch/distributed/" + name)
      try link("m/" + name, to: outside.write(bytes, to: name))
    }
    let entries = try opened("m").entries
    #expect(try entries.allSatisfy { try !$0.allBytes().isEmpty })
    try folder.remove("m/.metadata")
    try folder.write(Fixtures.bytes("pytorch/distributed/.metadata"), to: "m/.metadata")
    let error = #expect(throws: CheckpointError.self) {
      for entry in try opened("m").entries { _ = try entry.allBytes() }
    }
    #expect(error?.message.hasPrefix("is a link to '") == true)
  }

  @Test func `a model that is one file may be a link`() throws {
    try make("m")
    let bytes = try Fixtures.bytes("safetensors/sharded/" + Self.shards[0])
    try link("m/model.safetensors", to: outside.write(bytes, to: "other"))
    #expect(try opened("m").entries.count > 0)
  }

  @Test func `models of a pipeline and files of ranks are not links out of the folder`() throws {
    try make("pipeline")
    try folder.write(Array("{\"unet\": [\"a\", \"b\"]}".utf8), to: "pipeline/model_index.json")
    let bytes = try Fixtures.bytes("safetensors/sharded/" + Self.shards[0])
    try outside.write(bytes, to: "diffusion_pytorch_model.safetensors")
    try link("pipeline/unet", to: outside.path)
    #expect(try isRefused("pipeline", "unet"))
    try make("ranks")
    let views = try Fixtures.bytes("pytorch/views.pt")
    try folder.write(views, to: "ranks/consolidated.00.pth")
    try link("ranks/consolidated.01.pth", to: outside.write(views, to: "b"))
    #expect(try isRefused("ranks", "consolidated.01.pth"))
  }

  @Test func `the files of a TensorFlow checkpoint, and parts of GGUF, stay in their folder`()
    throws
  {
    try make("tf")
    try folder.write(Fixtures.bytes("tensorflow/types.index"), to: "tf/types.index")
    let data = "types.data-00000-of-00001"
    try link("tf/" + data, to: outside.write(Fixtures.bytes("tensorflow/" + data), to: data))
    #expect(try isRefused("tf", data))
    try make("gguf")
    let parts = try FileProbe(path: Fixtures.path("gguf/parts")).members(endingIn: ".gguf")
    for (number, name) in parts.enumerated() {
      let bytes = try Fixtures.bytes("gguf/parts/" + name)
      if number == 1 {
        try link("gguf/" + name, to: outside.write(bytes, to: name))
      } else {
        try folder.write(bytes, to: "gguf/" + name)
      }
    }
    #expect(try isRefused("gguf", parts[1]))
  }
}
