import ByteIO
import CheckpointFormats
import TensorCore
import TestSupport
import Testing

/// Which file stands for a folder.
@Suite struct FolderModelTests {
  private static let safetensors = "safetensors/sharded/model-00001-of-00002.safetensors"
  private static let files = [
    ".safetensors": safetensors, ".bin": "pytorch/views.pt", ".pt": "pytorch/views.pt",
    ".h5": "hdf5/written.h5", ".msgpack": "flax/model.msgpack", ".onnx": "onnx/raw.onnx",
  ]

  private func folder(_ names: [String]) throws -> FileProbe {
    var files: [String: [UInt8]] = ["f/config.json": Array("{}".utf8)]
    for name in names {
      files["f/" + name] = Array("{}".utf8)
      for (ending, path) in Self.files where name.hasSuffix(ending) {
        files["f/" + name] = try Fixtures.bytes(path)
      }
    }
    return try FileProbe("f", in: MemoryFiles(files).place)
  }

  @Test(arguments: [
    "pytorch_model.bin", "tf_model.h5", "flax_model.msgpack", "model.onnx", "adapter_model.bin",
    "best.pt", "model.safetensors",
  ])
  func `one file stands for its folder`(name: String) throws {
    let probe = try folder([name, "training_args.bin", "optimizer.pt", "tokenizer.json"])
    let format = try #require(CheckpointFormat.recognized(probe))
    let file = try FileProbe(name, in: probe.place.folder("f"))
    let alone = try #require(CheckpointFormat.recognized(file))
    #expect(format.name == alone.name)
    let opened = try format.open(probe, OpenOptions())
    let expected = try alone.open(file, OpenOptions())
    #expect(try Golden.tensors(of: opened) == Golden.tensors(of: expected))
    let note = try #require(opened.notes.last)
    #expect(note.hasPrefix("reading '\(name)'; the folder also holds optimizer.pt"))
  }

  @Test(arguments: [
    (["pytorch_model.bin", "model.safetensors"], "model.safetensors"),
    (["adapter_model.safetensors", "pytorch_model.bin"], "pytorch_model.bin"),
    (["model.safetensors", "extra.safetensors"], "model.safetensors"),
    (["tf_model.h5", "flax_model.msgpack", "pytorch_model.bin"], "pytorch_model.bin"),
    (["model.onnx", "flax_model.msgpack"], "flax_model.msgpack"),
  ])
  func `of several models the one that transformers takes is read`(
    names: [String], expected: String
  ) throws {
    let probe = try folder(names)
    let opened = try #require(CheckpointFormat.recognized(probe)).open(probe, OpenOptions())
    let note = try #require(opened.notes.last)
    #expect(note.hasPrefix("reading '\(expected)'"))
    for name in names where name != expected { #expect(note.contains(name)) }
  }

  @Test func `several files of no known name are named`() throws {
    let probe = try folder(["a.pt", "b.pt"])
    #expect(CheckpointFormat.recognized(probe) == nil)
    #expect(KnownFile.error(for: probe)?.message.contains("name a file in it: a.pt, b.pt") == true)
  }

  @Test func `the file that stands for a folder is filled and checked`() async throws {
    let probe = try folder(["pytorch_model.bin"])
    let format = try #require(CheckpointFormat.recognized(probe))
    let entry = try format.open(probe, OpenOptions()).entries[0]
    let fill = try #require(format.fill)
    let filled = try fill(Fill(template: probe, tensors: [entry.name: entry]))
    #expect(filled.files.map(\.name) == ["pytorch_model.bin"])
    #expect(try await format.verify?(probe, 1).isEmpty == true)
  }
}
