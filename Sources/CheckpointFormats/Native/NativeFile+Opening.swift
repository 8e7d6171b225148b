import ByteIO
import TensorCore

/// Opening a `.ckz` file: header, footer, then index.
extension NativeFile {
  /// Checks header and footer and reads the index.
  static func index(of file: ByteSource) throws(CheckpointError) -> NativeIndex {
    let header = try file.head(NativeLayout.headerSize)
    guard header.starts(with: NativeLayout.magic) else {
      throw CheckpointError(
        .malformed, "is not a .ckz file: it does not begin with \\x89CKZ", offset: 0)
    }
    guard header.count == NativeLayout.headerSize,
      file.size >= NativeLayout.headerSize + NativeLayout.footerSize
    else { throw Self.cut(file) }
    let version = header.littleEndian(UInt32.self, at: 8)
    guard version == NativeLayout.version else {
      throw CheckpointError(
        .unsupported,
        "expected format version \(NativeLayout.version), found \(version); use a newer ckpt",
        offset: 8)
    }
    let flags = header.littleEndian(UInt32.self, at: 12)
    guard flags == 0 else {
      throw CheckpointError(
        .unsupported, "expected no flags in format version \(version), found \(flags)", offset: 12)
    }
    let end = file.size - NativeLayout.footerSize
    let footer = try file.bytes(end..<file.size)
    // Footer: start, stored size, and size of the index (8 bytes each), BLAKE3 of its stored bytes
    // (32), and the closing mark (8).
    guard footer[56...] == NativeLayout.endMagic[...] else { throw Self.cut(file) }
    return try index(of: file, footer: footer, end: end)
  }

  private static func index(
    of file: ByteSource, footer: [UInt8], end: Int
  ) throws(CheckpointError) -> NativeIndex {
    let start = footer.littleEndian(UInt64.self, at: 0)
    let length = footer.littleEndian(UInt64.self, at: 8)
    let content = footer.littleEndian(UInt64.self, at: 16)
    guard let start = Int(exactly: start), let length = Int(exactly: length), start <= end,
      start >= NativeLayout.headerSize, length == end - start
    else {
      throw CheckpointError(
        .malformed,
        "expected the index to end at byte \(end), found \(length) bytes at byte \(start)",
        offset: end)
    }
    let maxSize = NativeLayout.maxIndexSize(stored: length)
    // Checked before the memory is taken: the size comes from the file.
    guard let content = Int(exactly: content), content <= maxSize else {
      throw CheckpointError(
        .malformed,
        "expected an index of at most \(maxSize) bytes for \(length) stored bytes, found \(content)",
        offset: end + 16)
    }
    let stream = try file.bytes(start..<end)
    var digest = DigestBuilder()
    digest.update(stream.rawBytes)
    guard digest.finalize().bytes[...] == footer[24..<56] else {
      throw CheckpointError(
        .malformed, "BLAKE3 of the index differs from the one in the footer", offset: start)
    }
    do throws(CheckpointError) {
      let text = try [UInt8](count: content) { target throws(CheckpointError) in
        try Zlib.inflate(stream.rawBytes, into: &target)
      }
      return try NativeIndex(parsing: text, end: start)
    } catch {
      throw error.adding(offset: start)
    }
  }

  private static func cut(_ file: ByteSource) -> CheckpointError {
    CheckpointError(
      .malformed,
      "\(file.size) bytes without a footer: the file is truncated or was never finished",
      offset: file.size)
  }
}
