import ByteIO
import TensorCore

/// The end of a `.ckz` file: where its index is, and how it is checked.
struct NativeFooter {
  /// The index as stored.
  let index: Range<Int>
  /// Size of the index as text.
  let contentSize: Int
  let digest: Digest

  /// Reads the flags of the header.
  ///
  /// - Throws: ``CheckpointError`` `malformed`, or `unsupported` when another version wrote it.
  static func flags(of file: ByteSource) throws(CheckpointError) -> UInt32 {
    let header = try file.head(NativeLayout.headerSize)
    guard header.starts(with: NativeLayout.magic) else {
      throw CheckpointError(
        .malformed, "is not a .ckz file: it does not begin with \\x89CKZ", offset: 0)
    }
    guard header.count == NativeLayout.headerSize,
      file.size >= NativeLayout.headerSize + NativeLayout.footerSize
    else { throw cut(file) }
    let version = header.littleEndian(UInt32.self, at: 8)
    guard version == NativeLayout.version else {
      throw CheckpointError(
        .unsupported,
        "expected format version \(NativeLayout.version), found \(version); use a newer ckpt",
        offset: 8)
    }
    let flags = header.littleEndian(UInt32.self, at: 12)
    guard flags <= NativeLayout.packFlag else {
      throw CheckpointError(
        .unsupported, "expected no unknown flags in format version \(version), found \(flags)",
        offset: 12)
    }
    return flags
  }

  /// The footer that ends at byte `end`; `nil` if there is none.
  init?(of file: ByteSource, endingAt end: Int) throws(CheckpointError) {
    let begin = end - NativeLayout.footerSize
    guard begin >= NativeLayout.headerSize else { return nil }
    let footer = try file.bytes(begin..<end)
    guard footer[56...] == NativeLayout.endMagic[...] else { return nil }
    // Start, stored size, and size of the index (8 bytes each), BLAKE3 of its stored bytes (32), and
    // the closing mark (8).
    let start = footer.littleEndian(UInt64.self, at: 0)
    let length = footer.littleEndian(UInt64.self, at: 8)
    guard let start = Int(exactly: start), let length = Int(exactly: length), start <= begin,
      start >= NativeLayout.headerSize, length == begin - start
    else {
      throw CheckpointError(
        .malformed,
        "expected the index to end at byte \(begin), found \(length) bytes at byte \(start)",
        offset: begin)
    }
    index = start..<begin
    contentSize = try Self.size(
      footer.littleEndian(UInt64.self, at: 16), stored: length, at: begin + 16)
    digest = Digest(bytes: Array(footer[24..<56]))
  }

  /// Whether a file ends in a footer but for its mark.
  static func isUnmarked(_ file: ByteSource) throws(CheckpointError) -> Bool {
    let begin = file.size - NativeLayout.footerSize
    guard begin >= NativeLayout.headerSize else { return false }
    let footer = try file.bytes(begin..<file.size)
    let start = footer.littleEndian(UInt64.self, at: 0)
    let length = footer.littleEndian(UInt64.self, at: 8)
    guard let start = Int(exactly: start), let length = Int(exactly: length) else { return false }
    return length > 0 && start >= NativeLayout.headerSize && start < begin
      && length == begin - start
  }

  /// What an index of a pack says of the index of a step.
  init(index: Range<Int>, contentSize: Int, digest: Digest) throws(CheckpointError) {
    self.index = index
    self.contentSize = try Self.size(
      UInt64(contentSize), stored: index.count, at: index.lowerBound)
    self.digest = digest
  }

  /// Checked before the memory is taken: the size comes from the file.
  private static func size(
    _ content: UInt64, stored: Int, at offset: Int
  ) throws(CheckpointError) -> Int {
    let maxSize = NativeLayout.maxIndexSize(stored: stored)
    guard let content = Int(exactly: content), content <= maxSize else {
      throw CheckpointError(
        .malformed,
        "expected an index of at most \(maxSize) bytes for \(stored) stored bytes, found \(content)",
        offset: offset)
    }
    return content
  }

  /// Reads the text of the index and hands it to `parse`, whose errors get the offset of the index.
  func parsed<Index>(
    _ file: ByteSource, by parse: ([UInt8]) throws(CheckpointError) -> Index
  ) throws(CheckpointError) -> Index {
    let stream = try file.bytes(index)
    var sum = DigestBuilder()
    sum.update(stream.rawBytes)
    guard sum.finalize() == digest else {
      throw CheckpointError(
        .malformed, "BLAKE3 of the index differs from the one that is stored",
        offset: index.lowerBound)
    }
    return try CheckpointError.placing(offset: index.lowerBound) { () throws(CheckpointError) in
      let text = try [UInt8](count: contentSize) { target throws(CheckpointError) in
        try PlaneCodec.decode(stream.rawBytes, width: 1, rotated: false, into: &target)
      }
      return try parse(text)
    }
  }

  static func cut(_ file: ByteSource) -> CheckpointError {
    CheckpointError(
      .malformed,
      "\(file.size) bytes without a footer: the file is truncated or was never finished",
      offset: file.size)
  }
}
