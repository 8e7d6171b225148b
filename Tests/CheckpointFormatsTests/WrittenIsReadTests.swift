import ByteIO
import CheckpointFormats
import ParallelWork
import Synchronization
import TensorCore
import TestSupport
import Testing

/// No writer makes what its reader refuses: what is written is read back as it was, or was refused
/// before a byte was written.
@Suite struct WrittenIsReadTests {
  private static let names: [String] = [
    "x\u{0}y", "\u{0}", "/", "/a", "a//b", "a/", ".", "..", "../x", "", " ", "%", "%_", "%2F", "a%",
    "__metadata__", "__metadata", "ckpt.json", "archive/data.pkl", "data.pkl", "ckpt.shapes",
    "general.alignment", "._", "a.npy", "x.npy.npy", "a@b", "a[0]", "\u{feff}a", "\u{200b}",
    "e\u{301}", "\u{10ffff}", "a\r\nb", "\u{7f}", "'", "\\", "a\\.b",
    String(repeating: "a", count: 63), String(repeating: "a", count: 64),
    String(repeating: "a", count: 4096), String(repeating: "a", count: 65_531),
    String(repeating: "a", count: 65_532), String(repeating: "é", count: 32_768),
    String(repeating: "a", count: 65_537), String(repeating: "a.", count: 1000),
    String(repeating: "a.", count: 2000) + String(repeating: "b", count: 70_000),
  ]
  private static let shapes: [[Int]] = [
    [], [0], [0, 0], [1, 0, 1 << 40], [0, 1 << 58], [1 << 31, 0], [0, 1 << 59], [2, 3],
    .init(repeating: 1, count: 4), .init(repeating: 1, count: 5), .init(repeating: 1, count: 32),
    .init(repeating: 1, count: 33), .init(repeating: 1, count: 64), .init(repeating: 1, count: 65),
    .init(repeating: 1, count: 300), .init(repeating: 0, count: 33), .init(repeating: 0, count: 65),
  ]

  /// What a sink got, and a checkpoint that was read from it.
  private func roundTrip(
    _ checkpoint: Checkpoint, _ format: CheckpointFormat, _ about: String
  ) async throws {
    let count = Mutex(0)
    let pipe = ByteSink(name: "pipe") { bytes, _ throws(CheckpointError) in
      count.withLock { $0 += bytes.byteCount }
    } commit: {
    }
    do {
      try await format.write?(checkpoint, pipe, WriteOptions())
    } catch {
      #expect(error is CheckpointError, "\(about)")
      #expect(count.withLock { $0 } == 0, "refused after bytes were written: \(about): \(error)")
      await #expect(throws: CheckpointError.self, "\(about)") {
        try await format.bytes(of: checkpoint)
      }
      return
    }
    let name = "a" + format.extensions[0]
    let bytes = try await format.bytes(of: checkpoint)
    let probe = try FileProbe(name, in: MemoryFiles([name: bytes]).place)
    #expect(CheckpointFormat.recognized(probe)?.name == format.name, "\(about)")
    let error = await damage(probe, format)
    #expect(error == nil, "\(about): \(error.map { "\($0)" } ?? "")")
    guard error == nil else { return }
    let read = try format.open(probe, OpenOptions()).entries
    #expect(read.map(\.name) == checkpoint.entries.map(\.name), "\(about)")
    #expect(read.map(\.info) == checkpoint.entries.map(\.info), "\(about)")
  }

  @Test(arguments: FormatContract.writable)
  func `names are written and read, or refused before`(_ format: CheckpointFormat) async throws {
    for name in Self.names {
      let entries = [
        try Checkpoint.Entry(noise: "first", .float32, [2]),
        try Checkpoint.Entry(noise: TensorName(name), .float32, [3], seed: 2),
      ]
      let shown = name.escapingControls.shortened(to: 40)
      try await roundTrip(
        Checkpoint(entries: entries), format, "\(shown), \(name.utf8.count) bytes")
    }
  }

  @Test(arguments: FormatContract.writable)
  func `shapes are written and read, or refused before`(_ format: CheckpointFormat) async throws {
    for shape in Self.shapes {
      let entries = [
        try Checkpoint.Entry(noise: "first", .float32, [2]),
        try Checkpoint.Entry(noise: "w", .float32, shape, seed: 2),
      ]
      let shown = shape.count > 5 ? "\(shape.count) dimensions of \(shape[0])" : "\(shape)"
      try await roundTrip(Checkpoint(entries: entries), format, shown)
    }
  }

  @Test func `a NUL and a long name are refused with the tensor's name and the limit`() throws {
    func message(_ name: String, _ format: CheckpointFormat) throws -> String? {
      let entry = try Checkpoint.Entry(noise: TensorName(name), .float32, [1])
      return #expect(throws: CheckpointError.self) {
        try format.capabilities.check(Checkpoint(entries: [entry]), format: format.name)
      }?.description
    }
    #expect(
      try message("a\u{0}b", .npz)
        == "tensor 'a\\u{0}b': a name in a file of npz cannot contain a NUL; use --rename")
    #expect(
      try message(String(repeating: "a", count: 65_532), .npz)?.hasSuffix(
        "': expected a name of at most 65531 bytes for npz, found 65532") == true)
  }

  @Test func `names that llama.cpp does not read are noted`() throws {
    let names = [String(repeating: "a", count: 63), String(repeating: "b", count: 64)]
    let entries = try names.map { try Checkpoint.Entry(noise: TensorName($0), .float32, [1]) }
    #expect(
      CheckpointFormat.gguf.capabilities.losses(of: Checkpoint(entries: entries), format: "gguf")
        == ["llama.cpp does not read names of 64 bytes or more: '\(names[1])'"])
  }
}
