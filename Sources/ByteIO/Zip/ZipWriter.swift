package import TensorCore

/// Writes a zip archive member by member: stored, aligned, and the same bytes for the same content.
///
/// Nothing is written twice, so that the archive can go into a pipe: of a member that comes in pieces
/// sizes and CRC-32 follow its bytes, in a data descriptor, as in the archives of `torch.save`; a
/// member that is there as a whole has them in its header. Records are of the zip64 kind only where
/// numbers need it. Source: APPNOTE 6.3.10, sections 4.3.9 and 4.4.4.
package struct ZipWriter: ~Copyable {
  /// January 1, 1980, 0:00, the earliest MS-DOS time.
  private static let date: UInt32 = 0x0021_0000
  /// Longest name of a member.
  package static let maxNameBytes = 65_535

  private let sink: ByteSink
  private let alignment: Int
  /// The sink's position at the beginning of the archive.
  private let base: Int
  private var directory: [UInt8] = []
  private var names: Set<TensorName> = []
  private var open: Member?
  /// Where the directory's last entry begins.
  private var lastEntry = 0

  private struct Member {
    let name: TensorName
    let size: Int
    let headerOffset: Int
    /// Whether its sizes and sum follow its bytes.
    let hasDescriptor: Bool
    var sum: UInt32 = 0
    var written = 0
    var isLarge: Bool { size >= ZipLayout.sentinel32 }
    var flags: UInt16 {
      let isASCII = name.text.utf8.allSatisfy { $0 < 0x80 }
      return (isASCII ? 0 : ZipLayout.utf8Flag) | (hasDescriptor ? ZipLayout.descriptorFlag : 0)
    }
  }

  /// Writes into a new sink; members' bytes begin at multiples of `alignment`.
  package init(_ sink: ByteSink, alignment: Int = 64) {
    self.init(sink, alignment: alignment, base: 0)
  }

  /// Writes into a sink in which the archive begins at `base`.
  init(_ sink: ByteSink, alignment: Int = 64, base: Int) {
    self.sink = sink
    self.alignment = alignment
    self.base = base
  }

  /// Begins a member of `size` bytes, to be added with ``append(_:)``.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` for a name that is empty, too long, a duplicate, or has a NUL;
  ///   `system` when writing fails.
  package mutating func begin(_ name: TensorName, size: Int) throws(CheckpointError) {
    try begin(name, size: size, sum: nil)
  }

  /// Begins a member whose CRC-32 may be known.
  private mutating func begin(
    _ name: TensorName, size: Int, sum: UInt32?
  ) throws(CheckpointError) {
    precondition(open == nil, "a member is begun before the last one has ended")
    let count = name.text.utf8.count
    guard (1...Self.maxNameBytes).contains(count) else {
      throw CheckpointError(
        .unsupported,
        "expected a zip member name of 1 to \(Self.maxNameBytes) bytes, found \(count)")
    }
    guard !name.text.utf8.contains(0) else {
      throw CheckpointError(.unsupported, "a zip member's name cannot contain a NUL")
    }
    guard names.insert(name).inserted else {
      throw CheckpointError(.unsupported, "there are two zip members named '\(name)'")
    }
    let member = Member(
      name: name, size: size, headerOffset: sink.position - base, hasDescriptor: sum == nil)
    open = member
    // If a descriptor follows, sum and sizes here are 0 (4.4.4, bit 3). A large member then still
    // has a zip64 field, of zeros, which tells readers that the descriptor's sizes have 8 bytes
    // (4.3.9.2).
    let shownSize = sum == nil ? 0 : size
    var extra: [UInt8] = []
    if member.isLarge { Self.appendZip64([shownSize, shownSize], to: &extra) }
    // An extra field takes at least the four bytes of its own header.
    let unpadded = sink.position - base + ZipLayout.localSize + count + extra.count
    if unpadded % alignment != 0 {
      let padding = alignment - (unpadded + 4) % alignment
      extra.appendLittleEndian(ZipLayout.paddingField)
      extra.appendLittleEndian(UInt16(padding % alignment))
      extra += [UInt8](repeating: UInt8(ascii: "Z"), count: padding % alignment)
    }
    var header: [UInt8] = []
    header.appendLittleEndian(ZipLayout.localSignature)
    Self.append(
      member, size: member.isLarge ? size : shownSize, sum: sum ?? 0, extra: extra.count,
      needs64: member.isLarge, to: &header)
    header += name.text.utf8
    header += extra
    try sink.append(header.rawBytes)
  }

  /// Adds bytes to the current member.
  package mutating func append(_ bytes: RawSpan) throws(CheckpointError) {
    try append(bytes, count: bytes.byteCount, sum: Checksum.crc32(bytes))
  }

  /// The same for `count` bytes of a known CRC-32, which another rank may have.
  package mutating func append(
    _ bytes: RawSpan, count: Int, sum: UInt32
  ) throws(CheckpointError) {
    guard var member = open, count <= member.size - member.written else {
      preconditionFailure("more bytes than the size given for the member")
    }
    member.sum =
      member.written == 0 ? sum : Checksum.crc32(member.sum, followedBy: sum, ofCount: count)
    member.written += count
    open = member
    try sink.append(bytes, count: count)
  }

  /// Ends the current member, all of whose bytes must have been added.
  package mutating func end() throws(CheckpointError) {
    guard let member = open, member.written == member.size else {
      preconditionFailure("fewer bytes than the size given for the member")
    }
    open = nil
    if member.hasDescriptor { try appendDescriptor(of: member) }
    var large: [Int] = []
    if member.isLarge { large += [member.size, member.size] }
    if member.headerOffset >= ZipLayout.sentinel32 { large.append(member.headerOffset) }
    var extra: [UInt8] = []
    if !large.isEmpty { Self.appendZip64(large, to: &extra) }
    lastEntry = directory.count
    directory.appendLittleEndian(ZipLayout.centralSignature)
    directory.appendLittleEndian(ZipLayout.zip64Version)  // made by version 4.5 for MS-DOS
    Self.append(
      member, size: member.size, sum: member.sum, extra: extra.count, needs64: !large.isEmpty,
      to: &directory)
    directory += [UInt8](repeating: 0, count: 10)  // comment, disk, attributes
    directory.appendLittleEndian(UInt32(clamping: member.headerOffset))
    directory += member.name.text.utf8
    directory += extra
  }

  private func appendDescriptor(of member: Member) throws(CheckpointError) {
    var descriptor: [UInt8] = []
    descriptor.appendLittleEndian(ZipLayout.descriptorSignature)
    descriptor.appendLittleEndian(member.sum)
    for _ in 0..<2 {
      if member.isLarge {
        descriptor.appendLittleEndian(UInt64(member.size))
      } else {
        descriptor.appendLittleEndian(UInt32(member.size))
      }
    }
    try sink.append(descriptor.rawBytes)
  }

  /// Adds a whole member.
  package mutating func add(_ name: TensorName, _ bytes: [UInt8]) throws(CheckpointError) {
    try begin(name, size: bytes.count, sum: Checksum.crc32(bytes.rawBytes))
    try append(bytes.rawBytes)
    try end()
  }

  /// The directory's entries, which the caller writes.
  consuming func takeDirectory() -> [UInt8] { directory }

  /// Writes the directory; the sink is not committed.
  ///
  /// `note` is a text about the whole archive that is known only now. It goes into an extra field of
  /// the directory's last entry, which other programs ignore: a member would be listed by all of
  /// them, and `numpy.load` would take it for an array. An archive without members has no room for it.
  package consuming func finish(note: String? = nil) throws(CheckpointError) {
    precondition(open == nil, "the archive is ended before its last member")
    if let note, !names.isEmpty {
      // An entry ends with its extra fields.
      let size =
        directory.littleEndian(UInt16.self, at: lastEntry + 30) + UInt16(note.utf8.count + 4)
      directory[lastEntry + 30] = UInt8(size & 0xff)
      directory[lastEntry + 31] = UInt8(size >> 8)
      directory.appendLittleEndian(ZipLayout.noteField)
      directory.appendLittleEndian(UInt16(note.utf8.count))
      directory += note.utf8
    }
    let (start, count) = (sink.position - base, names.count)
    try sink.append(directory.rawBytes)
    let end = ZipEndRecords.bytes(count: count, directory: start..<start + directory.count)
    try sink.append(end.rawBytes)
  }

  /// Appends the fields that local header and directory share, from the version needed to the size of
  /// the extra field.
  private static func append(
    _ member: Member, size: Int, sum: UInt32, extra: Int, needs64: Bool, to header: inout [UInt8]
  ) {
    header.appendLittleEndian(needs64 ? ZipLayout.zip64Version : 10)
    header.appendLittleEndian(member.flags)
    header.appendLittleEndian(ZipMember.Method.stored.rawValue)
    header.appendLittleEndian(date)
    header.appendLittleEndian(sum)
    for _ in 0..<2 { header.appendLittleEndian(UInt32(clamping: size)) }
    header.appendLittleEndian(UInt16(member.name.text.utf8.count))
    header.appendLittleEndian(UInt16(extra))
  }

  private static func appendZip64(_ numbers: [Int], to extra: inout [UInt8]) {
    extra.appendLittleEndian(ZipLayout.zip64Field)
    extra.appendLittleEndian(UInt16(8 * numbers.count))
    for number in numbers { extra.appendLittleEndian(UInt64(number)) }
  }
}
