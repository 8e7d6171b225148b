import ByteIO
import CheckpointFormats
import TensorCore

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
}
