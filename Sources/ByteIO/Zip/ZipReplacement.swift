import TensorCore

/// What the records around a member's content say of it.
struct ZipNumbers: Hashable, Sendable {
  /// CRC-32 of the content, or 0 if the writer leaves it out.
  var crc32: UInt32
  /// Size of the content in bytes.
  var size: Int
  /// Size in the archive in bytes.
  var storedSize: Int
}

/// A member that gets new content in a copy of its archive: its local header and its data descriptor,
/// in which only the numbers change.
struct ZipReplacement: Sendable {
  let member: ZipMember
  /// Size of the new content in bytes.
  private(set) var size: Int
  /// Where the member's records end in the file.
  let end: Int
  /// Whether the archive has a CRC-32 of the content.
  let isSummed: Bool
  private var header: ZipHeader
  private let descriptor: [UInt8]

  /// Data stay at multiples of this where a member before them changes its size; in large files,
  /// which file systems may share by blocks, at multiples of the other.
  private static let (alignment, blockSize) = (64, 4096)
  private static let largeSize = 1 << 20

  /// A member whose records end at `end`; the content has the size of the old one.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` for a member that is neither stored nor deflated.
  init(_ member: ZipMember, in archive: ZipArchive, until end: Int) throws(CheckpointError) {
    guard member.method == .stored || member.method == .deflated else {
      throw CheckpointError(
        .unsupported,
        "is packed by another method than deflate, in which it cannot be filled; write another file "
          + "with -o", path: archive.path
      ).adding(member: member.name)
    }
    self.member = member
    self.end = end
    size = member.size
    isSummed = archive.hasSum(member)
    header = ZipHeader(local: try archive.file.bytes(member.headerOffset..<member.dataOffset))
    descriptor = try archive.file.bytes(member.dataOffset + member.storedSize..<end)
  }

  /// Changes the size of the content; after a stored member, what follows moves by a multiple of the
  /// alignment, or not at all.
  mutating func resize(to size: Int, in archive: ZipArchive) throws(CheckpointError) {
    self.size = size
    guard member.method == .stored else { return }
    let unit = archive.file.size < Self.largeSize ? Self.alignment : Self.blockSize
    /// Padding that is 0 or has room for a field's header.
    func possible(_ count: Int) -> Int { (1..<4).contains(count) ? count + unit : count }
    let missing = header.paddingCount + member.size - size
    let moves = missing < 0 ? (-missing + unit - 1) / unit * unit : 0
    var padding = possible(missing + moves)
    if padding > header.maxPaddingCount { padding = possible(padding % unit) }
    try header.setPadding(padding)
  }

  /// What the records say before the content is known.
  var expected: ZipNumbers {
    ZipNumbers(
      crc32: member.crc32, size: size,
      storedSize: member.method == .stored ? size : member.storedSize)
  }

  /// Whether the local header says something about the content that follows from all of it.
  var showsContent: Bool {
    isSummed && showsSum || member.method == .deflated && shows(.storedSize)
  }

  private var showsSum: Bool { !(member.hasDescriptor && header.crc32 == 0) }

  private func shows(_ number: ZipHeader.Number) -> Bool {
    !(member.hasDescriptor && header.number(number) == 0)
  }

  /// The local header of a content.
  func header(_ numbers: ZipNumbers) throws(CheckpointError) -> [UInt8] {
    var header = header
    if isSummed, showsSum { header.crc32 = numbers.crc32 }
    if shows(.size) { try header.set(.size, to: numbers.size) }
    if shows(.storedSize) { try header.set(.storedSize, to: numbers.storedSize) }
    return header.bytes
  }

  /// The data descriptor of a content, or nothing.
  func descriptor(_ numbers: ZipNumbers) throws(CheckpointError) -> [UInt8] {
    if descriptor.isEmpty { return [] }
    var bytes: [UInt8] = []
    if descriptor.count % 8 == 0 { bytes.appendLittleEndian(ZipLayout.descriptorSignature) }
    bytes.appendLittleEndian(numbers.crc32)
    for size in [numbers.storedSize, numbers.size] {
      if descriptor.count >= 20 {
        bytes.appendLittleEndian(UInt64(size))
      } else if let size = UInt32(exactly: size) {
        bytes.appendLittleEndian(size)
      } else {
        throw tooLarge
      }
    }
    return bytes
  }

  /// The error for packed content that has outgrown the fields for its size.
  var tooLarge: CheckpointError {
    CheckpointError(
      .unsupported, "the new content packs to 4 GiB or more, for which its records have no room"
    ).adding(member: member.name)
  }
}
