import ByteIO
import CheckpointFormats
import TensorCore
import TestSupport

/// Small native files and their parts, for tests that damage them.
struct NativeSample {
  let folder: TemporaryFolder
  let format = CheckpointFormat.native

  /// A file of a few tensors of every kind: planes, an alias, an empty one, labels and metadata.
  func small(
    seed: UInt64 = 1, compression: WriteOptions.Compression = .planes
  ) async throws -> [UInt8] {
    try await bytes(
      Checkpoint(
        entries: [
          try .init(noise: "weight", .float32, [2, 3], seed: seed),
          try .init(noise: "empty", .float64, [0, 4]),
          try .init(noise: "steps", .int64, [], seed: seed + 1),
          try .init(noise: "tied", .float32, [2, 3], seed: seed, alias: "weight"),
        ],
        modules: [ModuleLabel(path: "", kind: "Net", arguments: "")], metadata: ["k": "v"]),
      compression: compression)
  }

  /// A file of two tensors of three chunks of one size each.
  func large(seed: UInt64) async throws -> [UInt8] {
    let count = 3 * (1 << 20)
    return try await bytes(
      Checkpoint(
        entries: [
          try .init(noise: "a", .uint8, [count], seed: seed),
          try .init(noise: "b", .uint8, [count], seed: seed + 1),
        ]))
  }

  /// The file that the format makes of a checkpoint.
  func bytes(
    _ checkpoint: Checkpoint, compression: WriteOptions.Compression = .planes
  ) async throws -> [UInt8] {
    var options = WriteOptions()
    options.compression = compression
    let name = "sample-\(compression)-\(checkpoint.entries.count).ckz"
    let path = folder.file(name)
    try await format.writeFile(checkpoint, path, options)
    return try folder.bytes(of: name)
  }

  /// The first error of opening and verifying a file of these bytes.
  func damage(_ bytes: [UInt8]) async throws -> CheckpointError? {
    let path = try folder.write(bytes, to: "damaged.ckz")
    do {
      _ = try format.open(path)
      return try await format.verify?(FileProbe(path: path), 1).first
    } catch let error as CheckpointError {
      return error
    }
  }

  /// The index of a file as text.
  func index(_ file: [UInt8]) throws -> String {
    String(decoding: try SignedIndex.text(of: file), as: UTF8.self)
  }

  /// The file with another index, rightly packed and signed.
  func replacingIndex(of file: [UInt8], by text: String) throws -> [UInt8] {
    try SignedIndex.replace(in: file, by: Array(text.utf8))
  }

  /// An index as stored, and the footer to it.
  func tail(index stream: [UInt8], size: Int, at start: Int) -> [UInt8] {
    SignedIndex.tail(stream, size: size, at: start)
  }
}
