package import TensorCore

/// Writes a zip archive member by member: stored, aligned, and the same bytes for the same content.
///
/// Sizes are known beforehand, so there are no descriptors; a member's CRC-32 is written into its
/// header after its bytes. Records use zip64 only where a number requires it.
package struct ZipWriter: ~Copyable {
  /// January 1, 1980, 0:00, the earliest MS-DOS time.
  private static let date: UInt32 = 0x0021_0000
  private static let maxNameBytes = 65_535

  private let file: OutputFile
  private let alignment: Int
  private var directory: [UInt8] = []
  private var names: Set<TensorName> = []
  private var open: Member?

  private struct Member {
    let name: TensorName
    let size: Int
    let headerOffset: Int
    var sum: UInt32 = 0
    var written = 0
  }

  /// Writes to `file`, which must be empty; the data of each member begins at a multiple of
  /// `alignment` bytes.
  package init(_ file: OutputFile, alignment: Int = 64) {
    self.file = file
    self.alignment = alignment
  }

  /// Begins a member of `size` bytes, to be added with ``append(_:)``.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` for a name that is empty, too long, or a duplicate;
  ///   `system` when writing fails.
  package mutating func begin(_ name: TensorName, size: Int) throws(CheckpointError) {
    precondition(open == nil, "the previous member has not ended")
    let count = name.text.utf8.count
    guard (1...Self.maxNameBytes).contains(count) else {
      throw CheckpointError(
        .unsupported,
        "expected a zip member name of 1 to \(Self.maxNameBytes) bytes, found \(count)")
    }
    guard names.insert(name).inserted else {
      throw CheckpointError(.unsupported, "there are two zip members named '\(name)'")
    }
    open = Member(name: name, size: size, headerOffset: file.position)
    var extra: [UInt8] = []
    if size >= ZipLayout.sentinel32 { Self.appendZip64([size, size], to: &extra) }
    // A padding field takes at least the 4 bytes of its own header.
    let unpadded = file.position + ZipLayout.localSize + count + extra.count
    if unpadded % alignment != 0 {
      let padding = alignment - (unpadded + 4) % alignment
      extra.appendLittleEndian(ZipLayout.paddingField)
      extra.appendLittleEndian(UInt16(padding % alignment))
      extra += [UInt8](repeating: UInt8(ascii: "Z"), count: padding % alignment)
    }
    var header: [UInt8] = []
    header.appendLittleEndian(ZipLayout.localSignature)
    Self.append(
      name, size: size, sum: 0, extra: extra.count, needs64: size >= ZipLayout.sentinel32,
      to: &header)
    header += name.text.utf8
    header += extra
    try file.append(header.rawBytes)
  }

  /// Adds bytes to the current member.
  package mutating func append(_ bytes: RawSpan) throws(CheckpointError) {
    guard var member = open, bytes.byteCount <= member.size - member.written else {
      preconditionFailure("more bytes than the size given for the member")
    }
    member.sum = Checksum.crc32(bytes, after: member.sum)
    member.written += bytes.byteCount
    open = member
    try file.append(bytes)
  }

  /// Ends the current member, all of whose bytes must have been added.
  package mutating func end() throws(CheckpointError) {
    guard let member = open, member.written == member.size else {
      preconditionFailure("fewer bytes than the size given for the member")
    }
    open = nil
    var sum: [UInt8] = []
    sum.appendLittleEndian(member.sum)
    try file.overwrite(at: member.headerOffset + 14, with: sum.rawBytes)
    var large: [Int] = []
    if member.size >= ZipLayout.sentinel32 { large += [member.size, member.size] }
    if member.headerOffset >= ZipLayout.sentinel32 { large.append(member.headerOffset) }
    var extra: [UInt8] = []
    if !large.isEmpty { Self.appendZip64(large, to: &extra) }
    directory.appendLittleEndian(ZipLayout.centralSignature)
    directory.appendLittleEndian(UInt16(45))  // made by version 4.5 for MS-DOS
    Self.append(
      member.name, size: member.size, sum: member.sum, extra: extra.count, needs64: !large.isEmpty,
      to: &directory)
    directory += [UInt8](repeating: 0, count: 10)  // comment, disk, attributes
    directory.appendLittleEndian(UInt32(clamping: member.headerOffset))
    directory += member.name.text.utf8
    directory += extra
  }

  /// Adds a whole member.
  package mutating func add(_ name: TensorName, _ bytes: [UInt8]) throws(CheckpointError) {
    try begin(name, size: bytes.count)
    try append(bytes.rawBytes)
    try end()
  }

  /// Writes the central directory and the end records (4.3.12 to 4.3.16); the file stays open.
  package consuming func finish() throws(CheckpointError) {
    precondition(open == nil, "the last member has not ended")
    let (start, count) = (file.position, names.count)
    try file.append(directory.rawBytes)
    var end: [UInt8] = []
    let isLarge =
      count >= ZipLayout.sentinel16 || directory.count >= ZipLayout.sentinel32
      || start >= ZipLayout.sentinel32
    if isLarge {
      end.appendLittleEndian(ZipLayout.end64Signature)
      end.appendLittleEndian(UInt64(ZipLayout.end64Size - 12))
      for _ in 0..<2 { end.appendLittleEndian(UInt16(45)) }
      end.appendLittleEndian(UInt64(0))
      for number in [count, count, directory.count, start] {
        end.appendLittleEndian(UInt64(number))
      }
      end.appendLittleEndian(ZipLayout.locatorSignature)
      end.appendLittleEndian(UInt32(0))
      end.appendLittleEndian(UInt64(start + directory.count))
      end.appendLittleEndian(UInt32(1))
    }
    end.appendLittleEndian(ZipLayout.endSignature)
    end.appendLittleEndian(UInt32(0))
    for _ in 0..<2 { end.appendLittleEndian(UInt16(clamping: count)) }
    end.appendLittleEndian(UInt32(clamping: directory.count))
    end.appendLittleEndian(UInt32(clamping: start))
    end.appendLittleEndian(UInt16(0))
    try file.append(end.rawBytes)
  }

  /// Appends the fields that local header and directory share, from the version needed to the size of
  /// the extra field.
  private static func append(
    _ name: TensorName, size: Int, sum: UInt32, extra: Int, needs64: Bool, to header: inout [UInt8]
  ) {
    let isASCII = name.text.utf8.allSatisfy { $0 < 0x80 }
    header.appendLittleEndian(UInt16(needs64 ? 45 : 10))
    header.appendLittleEndian(isASCII ? 0 : ZipLayout.utf8Flag)
    header.appendLittleEndian(ZipMember.Method.stored.rawValue)
    header.appendLittleEndian(date)
    header.appendLittleEndian(sum)
    for _ in 0..<2 { header.appendLittleEndian(UInt32(clamping: size)) }
    header.appendLittleEndian(UInt16(name.text.utf8.count))
    header.appendLittleEndian(UInt16(extra))
  }

  private static func appendZip64(_ numbers: [Int], to extra: inout [UInt8]) {
    extra.appendLittleEndian(ZipLayout.zip64Field)
    extra.appendLittleEndian(UInt16(8 * numbers.count))
    for number in numbers { extra.appendLittleEndian(UInt64(number)) }
  }
}
