import ByteIO
import CheckpointFormats
import TensorCore
import TestSupport
import Testing

/// Writing into the structure of a file that Keras made.
@Suite struct KerasWritingTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open(_ file: String) throws -> Opened {
    try CheckpointFormat.keras.open(Fixtures.path("keras/" + file), OpenOptions())
  }

  private func write(_ checkpoint: Checkpoint, like file: String) async throws -> String {
    let template = try FileProbe(path: Fixtures.path("keras/" + file))
    let tensors = Dictionary(
      checkpoint.entries.map { ($0.name, $0) }, uniquingKeysWith: { _, later in later })
    let bytes = try await CheckpointFormat.keras.filled(template, with: tensors)
    #expect(Set(bytes.keys) == [file])
    return try folder.write(bytes[file] ?? [], to: "out.weights.h5")
  }

  @Test(arguments: [
    "net.weights.h5", "weights.h5", "whole.h5", "bfloat16.weights.h5", "tf-parts.h5",
  ])
  func `a file filled with its own tensors is the same to the byte`(file: String) async throws {
    _ = try await write(try open(file).checkpoint, like: file)
    #expect(try folder.bytes(of: "out.weights.h5") == Fixtures.bytes("keras/" + file))
  }

  @Test func `other values stand in the places of their names, in any order`() async throws {
    var checkpoint = try open("net.weights.h5").checkpoint
    checkpoint.entries = try checkpoint.entries.reversed().map { entry in
      let bytes = try entry.allBytes().map { $0 ^ 0x5a }
      return try Checkpoint.Entry(
        memory: entry.name, entry.info.dtype, entry.info.shape.sizes, bytes)
    }
    let path = try await write(checkpoint, like: "net.weights.h5")
    let read = try CheckpointFormat.keras.open(path, OpenOptions())
    #expect(read.notes == (try open("net.weights.h5")).notes)
    let found = try Dictionary(
      uniqueKeysWithValues: read.entries.map { ($0.name, try $0.allBytes()) })
    let wanted = try Dictionary(
      uniqueKeysWithValues: checkpoint.entries.map { ($0.name, try $0.allBytes()) })
    #expect(found == wanted)
    let before = try CheckpointFormat.keras.open(
      Fixtures.path("keras/net.weights.h5"), OpenOptions(key: "optimizer"))
    let after = try CheckpointFormat.keras.open(path, OpenOptions(key: "optimizer"))
    #expect(try before.entries.map { try $0.allBytes() } == after.entries.map { try $0.allBytes() })
  }

  @Test(arguments: ["net.weights.h5", "weights.h5", "whole.h5", "tf-parts.h5"])
  func `recorded texts come back from Keras's own files`(file: String) async throws {
    let template = try FileProbe(path: Fixtures.path("keras/" + file))
    let texts = ["recipe": "{\"seed\": 1}", "provenance": "[]"]
    let bytes = try await CheckpointFormat.keras.filled(template, with: [:], metadata: texts)
    let path = try folder.write(bytes[file] ?? [], to: "out.weights.h5")
    let (before, after) = (
      try open(file), try CheckpointFormat.keras.open(path, OpenOptions())
    )
    #expect(after.metadata == before.metadata.merging(texts) { _, new in new })
    #expect(after.entries.map(\.name) == before.entries.map(\.name))
    #expect(after.parts == before.parts)
  }

  /// Changes that make tensors unfit, and the error for `layers/batch_normalization/vars`.
  static let unfit: [(String, String)] = [
    ("F32 [2]", "/0': expected F32 [3], as in the file, found F32 [2]"),
    ("F16 [3]", "/0': expected F32 [3], as in the file, found F16 [3]; pass --dtype float32"),
    (
      "fc.weight",
      "fc.weight': the file has no tensor of this name"
    ),
  ]

  @Test(arguments: unfit)
  func `what does not fit is refused, and the remedy named`(
    change: String, message: String
  ) async throws {
    var checkpoint = try open("net.weights.h5").checkpoint
    let name = checkpoint.entries[0].name
    switch change {
    case "F32 [2]": checkpoint.entries[0] = try .init(memory: name, [1, 2])
    case "F16 [3]":
      checkpoint.entries[0] = try .init(memory: name, .float16, [3], [0, 0, 0, 0, 0, 0])
    default: checkpoint.entries.append(try .init(memory: TensorName(change), [1, 2]))
    }
    let error = await #expect(throws: CheckpointError.self) {
      _ = try await write(checkpoint, like: "net.weights.h5")
    }
    #expect(error?.path == Fixtures.path("keras/net.weights.h5"))
    #expect(error?.description.hasSuffix(message) == true, "\(String(describing: error))")
  }
}
