public import TensorCore

/// Opened bytes that are read by position, from any number of tasks at once: a local file, a file on
/// a web server, a part of another source, or memory.
///
/// A source is opened once, by a ``Place``; recognizing, opening, reading, and verifying share it.
/// Files are never mapped: if another process truncated a mapped file, this one would be killed by
/// SIGBUS.
public final class ByteSource: Sendable {
  /// Fills a span with the bytes starting at an offset; the range is inside the source.
  public typealias Reader =
    @Sendable (_ offset: Int, _ target: inout MutableRawSpan) throws(CheckpointError) -> Void

  /// Name for errors: a path, an address, or `standard input`.
  public let name: String
  /// Size in bytes when it was opened.
  public let size: Int
  /// A text that changes when the content does: device, inode, size, and time of a local file, the
  /// `ETag` of a file on a web server; `nil` if unknown.
  public let entityTag: String?
  /// The local file whose bytes these are, and the offset in it of the first one; `nil` for others.
  let local: (file: LocalFile, start: Int)?
  private let reader: Reader

  /// Creates a source of a new kind: all it needs is a size and a function that reads.
  public convenience init(
    name: String, size: Int, entityTag: String? = nil, reader: @escaping Reader
  ) {
    self.init(name: name, size: size, entityTag: entityTag, local: nil, reader: reader)
  }

  /// As ``init(name:size:entityTag:reader:)``, for bytes that may be those of a local file.
  init(
    name: String, size: Int, entityTag: String?, local: (file: LocalFile, start: Int)?,
    reader: @escaping Reader
  ) {
    self.name = name
    self.size = size
    self.entityTag = entityTag
    self.local = local
    self.reader = reader
  }

  /// A source whose bytes are in memory.
  public convenience init(_ bytes: [UInt8], name: String) {
    self.init(name: name, size: bytes.count) { offset, target throws(CheckpointError) in
      target.copyBytes(from: bytes.rawBytes.extracting(offset..<offset + target.byteCount))
    }
  }

  /// A range of this source, read as a source of its own under the same name.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `malformed` when the range is outside the source.
  package func part(_ range: Range<Int>) throws(CheckpointError) -> ByteSource {
    try check(range)
    let (start, reader) = (range.lowerBound, reader)
    let local = local.map { (file: $0.file, start: $0.start + start) }
    return ByteSource(name: name, size: range.count, entityTag: nil, local: local) {
      offset, target throws(CheckpointError) in
      try reader(start + offset, &target)
    }
  }

  /// Fills `target` with the bytes starting at `offset`.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `malformed` when the range is outside the source, `system` when
  ///   the system refuses or the source has changed since it was opened.
  public func read(at offset: Int, into target: inout MutableRawSpan) throws(CheckpointError) {
    let count = target.byteCount
    guard offset >= 0, offset <= size, count <= size - offset else {
      throw outside(offset, count)
    }
    if count > 0 { try reader(offset, &target) }
  }

  /// The bytes in `range`, which must be inside the source, so that a number in a file cannot cause
  /// an allocation larger than the file.
  ///
  /// - Throws: as ``read(at:into:)``.
  public func bytes(_ range: Range<Int>) throws(CheckpointError) -> [UInt8] {
    try check(range)
    return try [UInt8](count: range.count) { target throws(CheckpointError) in
      try read(at: range.lowerBound, into: &target)
    }
  }

  /// The first `count` bytes, or all of a shorter source.
  package func head(_ count: Int) throws(CheckpointError) -> [UInt8] {
    try bytes(0..<min(count, size))
  }

  private func check(_ range: Range<Int>) throws(CheckpointError) {
    guard range.lowerBound >= 0, range.upperBound <= size else {
      throw outside(range.lowerBound, range.count)
    }
  }

  private func outside(_ offset: Int, _ count: Int) -> CheckpointError {
    CheckpointError(
      .malformed, "expected \(count) byte\(count == 1 ? "" : "s") here, but the file has \(size)",
      path: name,
      offset: offset)
  }
}
