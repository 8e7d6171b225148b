import ByteIO
import JSONText
import TensorCore

/// Filling a copy of a safetensors file, or of the affected ones of several with an index.
extension Safetensors {
  /// From this size on, a header grows by whole blocks, so that file systems can share the rest.
  private static let largeSize = 1 << 20
  /// The usual block of file systems in bytes.
  private static let blockSize = 4096

  /// Decides what changes.
  static func fill(_ fill: Fill) throws -> FilledFiles {
    let probe = try file(of: fill.template)
    guard ShardIndex.recognizes(probe, ending: ".safetensors") else {
      return FilledFiles(probe.name) { try await copy(try probe.source, fill)($0) }
    }
    return try ShardIndex(probe).filled(fill, probe) { source, part throws(CheckpointError) in
      try copy(source, part)
    }
  }

  /// The writer of a copy of one file.
  private static func copy(
    _ source: ByteSource, _ fill: Fill
  ) throws(CheckpointError) -> @Sendable (ByteSink) async throws -> Void {
    let header = try SafetensorsHeader(of: source)
    var copy = PatchedCopy(of: source)
    let old = try source.bytes(8..<header.dataStart)
    let new = try JSONScanner.setting(fill.texts, in: metadataKey, of: old)
    if new != old { copy.replace(0..<header.dataStart, with: try padded(new, like: old, source)) }
    for tensor in header.tensors {
      guard let entry = fill.tensors[tensor.name] else { continue }
      copy.replace(at: header.dataStart + tensor.range.lowerBound, with: entry)
    }
    let patched = copy
    return { try await patched.write(to: $0, threads: fill.threads) }
  }

  /// A header's text with its length before it and blanks after it: as long as the old one where it
  /// fits, so that the data stay where they are.
  private static func padded(
    _ text: [UInt8], like old: [UInt8], _ source: ByteSource
  ) throws(CheckpointError) -> [UInt8] {
    let content = text.prefix((text.lastIndex { $0 != 0x20 } ?? -1) + 1)
    let unit = source.size < largeSize ? 8 : blockSize
    let missing = max(0, content.count - old.count)
    let length =
      missing == 0
      ? old.count
      : old.count + (missing + unit - 1) / unit * unit + (unit == 8 ? 7 - (old.count + 7) % 8 : 0)
    guard length <= maxHeaderSize else {
      throw CheckpointError(
        .unsupported, "expected a header of at most \(maxHeaderSize) bytes, found \(length)")
    }
    var header: [UInt8] = []
    header.appendLittleEndian(UInt64(length))
    return header + content + [UInt8](repeating: 0x20, count: length - content.count)
  }
}
