import ByteIO
import CheckpointFormats
import CheckpointKit
import TensorCore
import TestSupport

/// Writing a checkpoint in a format and reading it back: no writer makes what its reader refuses.
enum RoundTrip {
  /// Largest checkpoint that is written, in bytes.
  private static let maxBytes = 1 << 15
  private static let formats = [CheckpointFormat.native, .safetensors, .npz, .gguf, .pytorch]

  /// Reads all tensors; what remains is to write them.
  ///
  /// It is `nil` for a checkpoint that is too large.
  static func rest(
    _ source: CheckpointSource, _ dice: inout SplitMix
  ) throws -> FuzzTarget.Rest? {
    let checkpoint = source.checkpoint
    guard !checkpoint.entries.isEmpty, checkpoint.entries.count <= 64,
      checkpoint.entries.map(\.info.byteCount).saturatedSum() <= maxBytes
    else { return nil }
    let format = formats[dice.below(formats.count)]
    let result = try Conversion(Selection()).applied(to: source.opened).checkpoint
    // A damaged tensor would be refused while it is written.
    var contents: [TensorName: [UInt8]] = [:]
    for entry in result.entries {
      contents[entry.name] = try WholeRead.bytes(of: entry, 0..<entry.info.byteCount)
    }
    return { [contents] in try await write(result, in: format, expecting: contents) }
  }

  private static func write(
    _ checkpoint: Checkpoint, in format: CheckpointFormat, expecting contents: [TensorName: [UInt8]]
  ) async throws {
    let files = MemoryFiles()
    let name = "b" + format.extensions[0]
    let sink = try files.place.create(name, replacing: true)
    try await format.write?(checkpoint, sink, WriteOptions())
    try sink.commit()
    let again: Checkpoint
    do {
      again = try CheckpointSource.open(FileProbe(name, in: files.place)).checkpoint
    } catch {
      throw Finding("what \(format.name) wrote is refused: \(error)")
    }
    let found = Dictionary(again.entries.map { ($0.name, $0) }) { first, _ in first }
    for entry in checkpoint.entries {
      guard let other = found[entry.name], other.info == entry.info,
        try WholeRead.bytes(of: other, 0..<other.info.byteCount) == contents[entry.name]
      else { throw Finding("'\(entry.name)' has changed on the way through \(format.name)") }
    }
  }
}
