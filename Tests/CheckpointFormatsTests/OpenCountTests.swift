import ByteIO
import CheckpointFormats
import FoundationEssentials
import TensorCore
import TestSupport
import Testing

/// How often files are opened: once, by whoever recognizes them.
@Suite struct OpenCountTests {
  /// The files below a folder of fixtures, by their names in it.
  private static func files(_ folder: String) throws -> [String: [UInt8]] {
    let root = Fixtures.path(folder)
    var files: [String: [UInt8]] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: root) {
      guard let bytes = FileManager.default.contents(atPath: root + "/" + name) else { continue }
      files[name] = Array(bytes)
    }
    return files
  }

  /// A folder of fixtures, what is opened in it, and the files that are read then.
  struct Case: CustomTestStringConvertible {
    let folder: String
    let name: String
    let format: String
    var others: [String] = []
    var testDescription: String { "\(folder)/\(name)" }
  }

  static let cases = [
    Case(folder: "native", name: "stock.ckz", format: "ckz"),
    Case(folder: "hdf5", name: "gzip-shuffle.h5", format: "hdf5"),
    Case(folder: "hdf5", name: "nbit.h5", format: "hdf5"),
    Case(folder: "keras", name: "net.weights.h5", format: "keras"),
    Case(folder: "keras", name: "described.h5", format: "keras"),
    Case(folder: "keras", name: "net.keras", format: "keras"),
    Case(folder: "keras", name: "described.keras", format: "keras"),
    Case(
      folder: "keras", name: "sharded.weights.json", format: "keras",
      others: (0..<4).map { "sharded_0000\($0).weights.h5" }),
    Case(folder: "safetensors", name: "shapes.safetensors", format: "safetensors"),
    Case(
      folder: "safetensors/sharded", name: "model.safetensors.index.json", format: "safetensors",
      others: ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]),
    Case(folder: "gguf", name: "values.gguf", format: "gguf"),
    Case(
      folder: "gguf/parts", name: "net-00002-of-00003.gguf", format: "gguf",
      others: ["net-00001-of-00003.gguf", "net-00003-of-00003.gguf"]),
    Case(folder: "numpy", name: "types.npz", format: "npz"),
    Case(folder: "numpy", name: "compressed.npz", format: "npz"),
    Case(folder: "numpy", name: "lone.npy", format: "npy"),
    Case(folder: "pickles", name: "members-packed.npz", format: "npz"),
    Case(folder: "pickles", name: "dictionary.npy", format: "npy"),
    Case(folder: "pickles", name: "protocol4.pkl", format: "pytorch"),
    Case(folder: "flax", name: "types.msgpack", format: "flax"),
    Case(folder: "onnx", name: "typed.onnx", format: "onnx"),
    Case(
      folder: "tensorflow/graph", name: "model.ckpt-10.index", format: "tensorflow",
      others: (0..<2).map { "model.ckpt-10.data-0000\($0)-of-00002" }),
    Case(folder: "exported", name: "net.pt2", format: "pt2"),
    Case(folder: "exported", name: "old.pt2", format: "pt2"),
    Case(folder: "onnx", name: "external.onnx", format: "onnx", others: ["external.data"]),
    Case(folder: "pytorch", name: "dtypes.pt", format: "pytorch"),
    Case(folder: "pytorch", name: "deflated.pt", format: "pytorch"),
    Case(folder: "pytorch", name: "legacy.pt", format: "pytorch"),
    Case(folder: "pytorch", name: "old.tar.pt", format: "pytorch"),
    Case(
      folder: "pytorch", name: "distributed", format: "pytorch",
      others: [".metadata", "__0_0.distcp", "__1_0.distcp"].map { "distributed/" + $0 }),
  ]

  @Test(arguments: cases)
  func `a file is opened once to be recognized, opened, read, and verified`(
    _ fixture: Case
  ) async throws {
    let files = try Self.files(fixture.folder)
    let memory = MemoryFiles(files)
    let probe = try FileProbe(fixture.name, in: memory.place)
    let format = try #require(CheckpointFormat.recognized(probe))
    #expect(format.name == fixture.format)
    for entry in try format.open(probe, OpenOptions()).entries { _ = try entry.allBytes() }
    if let verify = format.verify { #expect(try await verify(probe, 2).isEmpty) }
    let opened = files.keys.filter { memory.openCount(of: $0) > 0 }
    let expected = (probe.members == nil ? [fixture.name] : []) + fixture.others
    #expect(Set(opened) == Set(expected))
    for name in opened { #expect(memory.openCount(of: name) == 1, "\(name)") }
  }
}
