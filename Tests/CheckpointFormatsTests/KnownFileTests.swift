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
    Row("a.pt", bytes: [UInt8](repeating: 0, count: 40), "holds nothing but zero bytes"),
    Row("a.pt", bytes: Array("PK\u{3}\u{4}".utf8), "is a zip archive without the directory"),
    Row("a.pt", bytes: utf16("<!DOCTYPE html><html></html>"), "is an HTML page"),
    Row(
      "a.mat",
      bytes: [0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0x61, 0] + zeros,
      "is a MATLAB 4 file"),
    Row(
      "a.t7", bytes: [4, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0] + Array("V 1".utf8), "is a Torch7 file"),
    Row(
      "sp.model", bytes: [10, 14, 10, 5] + Array("<unk>".utf8) + [0x15, 0, 0, 0, 0, 0x18, 2, 0],
      "is a SentencePiece tokenizer"),
    Row(
      "a.pb", bytes: [0x08, 3, 0x08, 4, 0x10, 1, 0x42, 1, 0x78, 0x4a, 0],
      "looks like one tensor of ONNX"),
    Row(
      "net", bytes: [0x08, 5, 0x12, 0x2e, 0x0a, 0x11, 0x0a, 5, 0x69, 0x6d],
      "looks like a Core ML model"),
    Row("a.bin", bytes: Array("3 4\n</s> ".utf8) + zeros, "is a file of word vectors (word2vec)"),
    Row("a.dylib", bytes: [0xcf, 0xfa, 0xed, 0xfe] + zeros, "is a macOS program"),
    Row("a.hdf", bytes: [0x0e, 0x03, 0x13, 0x01] + zeros, "is an HDF4 file"),
    Row("a.Z", bytes: [0x1f, 0x9d, 0x90] + zeros, "is compressed with compress"),
  ]

  private static let zeros = [UInt8](repeating: 0, count: 40)

  private static func utf16(_ text: String) -> [UInt8] {
    [0xff, 0xfe] + text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
  }

  /// Texts, and how their messages begin.
  static let texts: [(String, String)] = [
    ("Found. Redirecting to https://cdn-lfs.huggingface.co/x", "is an error message of a server"),
    ("404: Not Found", "is an error message of a server"),
    ("Not Found", "is an error message of a server"),
    ("Forbidden\n", "is an error message of a server"),
    ("Unauthorized", "is an error message of a server"),
    ("429 Too Many Requests", "is an error message of a server"),
    ("503 Service Temporarily Unavailable", "is an error message of a server"),
    ("error code: 1015", "is an error message of a server"),
    ("HTTP/1.1 404 Not Found\r\n\r\n<html>", "is the answer of a web server"),
    ("https://huggingface.co/x/resolve/main/model.safetensors", "is a web address"),
    ("<!-- saved -->\n<!DOCTYPE html><html>", "is an HTML page"),
    ("<body>x</body>", "is an HTML page"),
    ("<script>location='x'</script>", "is an HTML page"),
    ("<Meta http-equiv=x>", "is an HTML page"),
    ("<title>404</title>", "is an HTML page"),
    ("<?xml version='1.0'?><!DOCTYPE html PUBLIC><html>", "is an HTML page"),
    ("Layer (type (var_name))   Input Shape  Param #\n", "is a table of torchinfo"),
    (
      "  | Name  | Type   | Params | Mode\n---\n0 | model | Linear\n",
      "is a model summary of Lightning"
    ),
    (
      "RuntimeError: Error(s) in loading state_dict for Net:\n\tMissing",
      "is an error message of Python"
    ),
    ("'''A net.'''\nimport os\n", "is source code"),
    ("\"\"\"A net.\n\nIt is deep.\n\"\"\"\nimport os\n", "is source code"),
    ("[net]\nbatch=64\n[convolutional]\n", "is the configuration of a Darknet model"),
    ("CDF\u{1}\u{0}\u{0}", "is a netCDF-3 file"),
    ("400000 50\nthe 0.418 0.24968\n", "is a file of word vectors (word2vec)"),
    ("the 0.418 0.249 -0.412 0.1\nof 0.1 0.2 0.3 0.4\n", "is a table of word vectors"),
    ("---\nlicense: mit\n---\n# Model card\n", "is a model card"),
    ("epoch 1 loss 0.3\nepoch 2 loss 0.2\n", "looks like the log of a training run"),
    ("a,b,c\n1,2,3\n4,5,6\n", "is a table in text (CSV)"),
    ("model:\n  target: ldm.models\n", "is YAML text"),
    ("ir_version: 7\nproducer_name: \"x\"\n", "is an ONNX model in text"),
    ("<\n  ir_version: 7,\n>\n", "is an ONNX model in text"),
  ]

  @Test(arguments: texts)
  func `a text is called what it is`(text: String, message: String) throws {
    let probe = try FileProbe("a.pt", in: MemoryFiles(["a.pt": Array(text.utf8)]).place)
    #expect(CheckpointFormat.recognized(probe) == nil)
    let found = KnownFile.error(for: probe)?.message
    #expect(found?.hasPrefix(message) == true, "\(found ?? "not known")")
  }

  @Test func `a file of one graph is told by its name`() throws {
    for (name, message) in [
      ("model.ckpt-10.meta", "is named like the graph of a TensorFlow checkpoint"),
      ("fingerprint.pb", "is named like the fingerprint"),
      ("x.pyc", "is named like compiled Python"),
    ] {
      let probe = try FileProbe(name, in: MemoryFiles([name: [0x0a, 0x9c, 1, 0x0a, 16]]).place)
      #expect(KnownFile.error(for: probe)?.message.hasPrefix(message) == true)
    }
  }

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
    (["coremldata.bin", "model.mil"], "is a compiled Core ML model"),
    (["0/x", "100/x"], "is a folder of numbered steps"),
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
