import ByteIO
import CheckpointFormats
import TensorCore
import Testing

/// Files and folders that people take for checkpoints.
struct KnownFileTests {
  /// A file, and how its message begins.
  struct Row: Sendable, CustomStringConvertible {
    let description: String
    let bytes: [UInt8]
    let message: String

    init(_ name: String, _ text: String, _ message: String) {
      (description, bytes, self.message) = (name, Array(text.utf8), message)
    }

    init(_ name: String, bytes: [UInt8], _ message: String) {
      (description, self.bytes, self.message) = (name, bytes, message)
    }
  }

  static let rows: [Row] = [
    Row(
      "model.safetensors",
      "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 4265380512\n",
      "is a Git LFS pointer to a file of 4265380512 bytes; run 'git lfs pull'"),
    Row("a.bin", "\n<!DOCTYPE html>\n<html>", "is an HTML page"),
    Row("a.pt", "{\"error\": \"Repository not found\"}", "is an error message of a server"),
    Row("a.json", "{\n  \"architectures\": [\"Bert\"]}", "is a model's configuration"),
    Row("a.txt", "Traceback (most recent call last):\n  File", "is a Python traceback"),
    Row("a.txt", "====\nLayer (type:depth-idx)   Param #\n", "is a table of torchinfo"),
    Row(
      "a.txt", "Model: \"net\"\n Layer (type)   Output Shape   Param #\n", "is a model summary"),
    Row("a.txt", "Net(\n  (fc): Linear(in_features=2", "is a printed model"),
    Row("a.py", "import torch\nfrom torch import nn\n", "is source code"),
    Row("a.bin", "\u{1c}\u{0}\u{0}\u{0}TFL3", "is a TensorFlow Lite"),
    Row("a.bin", "lmgg\u{0}\u{0}", "is a GGML file"),
    Row("a.mat", "MATLAB 5.0 MAT-file, Platform: GLNXA64", "is a MATLAB 5 file"),
    Row(
      "a.txt", "# two nets\nmodel: net.txt\nseed: 3\nLinear: bias=0\n", "is a recipe, not a model"),
    Row("a.bin", "ptrt\u{1}\u{0}", "is a TensorRT engine"),
    Row("a.rknn", "RKNN\u{0}\u{0}", "is an RKNN model"),
    Row("a.rknn", "\u{1c}\u{0}\u{0}\u{0}RKNN", "is an RKNN model"),
    Row("a.params", bytes: [0x12, 1, 0, 0, 0, 0, 0, 0, 0, 0], "is an MXNet .params file"),
    Row(
      "yolo.bin", bytes: [0, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 7, 7, 7, 7, 7, 7, 7, 7, 1, 2, 3, 4],
      "looks like a Darknet weights file"),
    Row("a.bin", bytes: [0x0a, 3, 0x56, 0x47, 0x47, 0xa2, 0x06, 1, 2], "is a Caffe model"),
    Row("a.engine", bytes: [1, 2, 3, 4], "is named like a TensorRT engine"),
    Row("a.weights", bytes: [1, 2, 3, 4], "is named like a Darknet weights file"),
    // The length and its checksum, the time, then the version.
    Row(
      "events.out",
      bytes: [24, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 9, 0, 0, 0, 0, 0, 0, 0, 0x41, 0x1a, 13]
        + "brain.Event:2".utf8, "is a TensorBoard event file"),
    Row("a.png", bytes: [0x89, 0x50, 0x4e, 0x47], "is a PNG image"),
    Row("a.7z", bytes: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], "is a 7-Zip archive"),
    Row("a.pt", bytes: [UInt8](repeating: 0, count: 5000), "begins with 4096 zero bytes"),
  ]

  @Test(arguments: rows)
  func `a file is called what it is`(row: Row) throws {
    let name = row.description
    let probe = try FileProbe(name, in: MemoryFiles([name: row.bytes]).place)
    #expect(CheckpointFormat.recognized(probe) == nil)
    let found = KnownFile.error(for: probe)?.message
    #expect(found?.hasPrefix(row.message) == true, "\(found ?? "not known")")
  }

  @Test(arguments: [
    (["data.pkl", "data/0", "version"], "is a PyTorch file that was unpacked"),
    (["model_world_size_2_rank_0.pt"], "holds the files of FSDP ranks"),
    (["pytorch_model_rank0.bin", "pytorch_model_rank1.bin"], "holds the files of several ranks"),
    (["_CHECKPOINT_METADATA", "default/manifest.ocdbt"], "is an Orbax checkpoint"),
    (["model_index.json", "unet/config.json"], "is a diffusers pipeline without the weights"),
    (["Manifest.json", "Data/x"], "is a Core ML package"),
    (["latest_checkpointed_iteration.txt"], "is a Megatron folder"),
    (
      ["a.pt", "b.ckpt", "notes.txt"],
      "is a directory, but not one checkpoint; name a file in it: a.pt"
    ),
  ])
  func `a folder is called what it is`(names: [String], message: String) throws {
    let files = Dictionary(names.map { ("folder/" + $0, [UInt8]([1])) }) { first, _ in first }
    let probe = try FileProbe("folder", in: MemoryFiles(files).place)
    let found = KnownFile.error(for: probe)?.message
    #expect(found?.hasPrefix(message) == true, "\(found ?? "not known")")
  }

  @Test(arguments: ["plain text", "MZ and other initials", "{L is not a model"])
  func `what is nothing known has no name`(text: String) throws {
    let probe = try FileProbe("a", in: MemoryFiles(["a": Array(text.utf8)]).place)
    #expect(KnownFile.error(for: probe) == nil)
  }

  @Test func `a folder with a file named latest is not taken for one of DeepSpeed`() throws {
    let probe = try FileProbe("f", in: MemoryFiles(["f/latest": [1], "f/a.pt": [1]]).place)
    #expect(KnownFile.error(for: probe)?.message.contains("name a file in it: a.pt") == true)
  }
}
