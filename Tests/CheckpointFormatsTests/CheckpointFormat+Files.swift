import ByteIO
import CheckpointFormats
import Synchronization
import TensorCore
import Testing

extension CheckpointFormat {
  /// Writes a file, replacing any that is there; nothing if the format is only read.
  func writeFile(
    _ checkpoint: Checkpoint, _ path: String, _ options: WriteOptions = WriteOptions()
  ) async throws {
    guard let write else { return }
    let sink = try ByteSink.local(path, replacing: true)
    try await write(checkpoint, sink, options)
    try sink.commit()
  }

  /// Writes a file in memory and returns its bytes; none if the format is only read.
  func bytes(
    of checkpoint: Checkpoint, _ options: WriteOptions = WriteOptions()
  ) async throws -> [UInt8] {
    guard let write else { return [] }
    let memory = MemoryFiles()
    let sink = try memory.place.create("file", replacing: false)
    try await write(checkpoint, sink, options)
    #expect(memory.bytes(of: "file") == nil, "nothing is there before the commit")
    try sink.commit()
    #expect(memory.openCount(of: "file") == 0)
    return memory.bytes(of: "file") ?? []
  }

  /// What a pipe gets: the bytes of a file, without a fingerprint where that comes first.
  func pipedBytes(of checkpoint: Checkpoint) async throws -> [UInt8] {
    let received = Received()
    let sink = ByteSink(name: "pipe") { bytes, _ throws(CheckpointError) in
      received.append(bytes)
    } commit: {
    }
    try await write?(checkpoint, sink, WriteOptions())
    return received.bytes.withLock { $0 }
  }

  /// The new contents of the files that a fill changes, by their names.
  func filled(
    _ template: FileProbe, with tensors: [TensorName: Checkpoint.Entry],
    metadata: [String: String] = [:], threads: Int = 2
  ) async throws -> [String: [UInt8]] {
    guard let fill else { return [:] }
    var request = Fill(template: template, tensors: tensors)
    request.metadata = metadata
    request.threads = threads
    var contents: [String: [UInt8]] = [:]
    for file in try fill(request).files {
      let memory = MemoryFiles()
      let sink = try memory.place.create(file.name, replacing: false)
      try await file.write(sink)
      try sink.commit()
      contents[file.name] = memory.bytes(of: file.name)
    }
    return contents
  }
}

private final class Received: Sendable {
  let bytes = Mutex<[UInt8]>([])

  func append(_ part: RawSpan) {
    let copy = unsafe part.withUnsafeBytes { unsafe Array($0) }
    bytes.withLock { $0 += copy }
  }
}

extension Opened {
  /// The tensors of the checkpoint that was opened.
  var entries: [Checkpoint.Entry] { checkpoint.entries }
  /// Its texts.
  var metadata: [String: String] { checkpoint.metadata }
  /// Its module tree.
  var modules: [ModuleLabel] { checkpoint.modules }
}
