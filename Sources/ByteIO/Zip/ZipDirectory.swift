import TensorCore

/// The central directory of an archive and the records after it, read strictly.
///
/// The end record must be the end of the file, and each record must end where the next one begins:
/// a file that another reader could interpret differently is refused.
///
/// Source: PKWARE APPNOTE 6.3.10, sections 4.3.12 to 4.3.16.
struct ZipDirectory {
  /// The members in the directory's order; their ``ZipMember/dataOffset`` is not set yet.
  let members: [ZipMember]
  /// The bytes of the directory; where it begins, the last member must end.
  let range: Range<Int>

  init(_ file: ByteSource) throws(CheckpointError) {
    let end = try Self.end(of: file)
    let bytes = try file.bytes(end.directory)
    range = end.directory
    var members: [ZipMember] = []
    members.reserveCapacity(end.count)
    var names: Set<TensorName> = []
    var position = 0
    while position < bytes.count {
      try CheckpointError.placing(offset: range.lowerBound + position) {
        () throws(CheckpointError) in
        let (member, size) = try Self.member(bytes[position...], index: members.count)
        guard names.insert(member.name).inserted else {
          throw CheckpointError(.malformed, "there are two members named '\(member.name)'")
        }
        members.append(member)
        position += size
      }
    }
    guard members.count == end.count else {
      throw CheckpointError(
        .malformed,
        "expected \(end.count) members from the end record, found \(members.count) in the directory",
        offset: file.size - ZipLayout.endSize)
    }
    self.members = members
  }

  // MARK: - End records

  private struct End {
    let count: Int
    let directory: Range<Int>
  }

  /// Reads the end record (4.3.16), which must be the last 22 bytes: it may have no comment.
  private static func end(of file: ByteSource) throws(CheckpointError) -> End {
    let recordOffset = file.size - ZipLayout.endSize
    guard recordOffset >= 0 else {
      throw CheckpointError(
        .malformed,
        "expected at least \(ZipLayout.endSize) bytes for a zip archive, found \(file.size)",
        offset: 0)
    }
    let bytes = try file.bytes(recordOffset..<file.size)
    guard bytes.littleEndian(UInt32.self, at: 0) == ZipLayout.endSignature,
      bytes.littleEndian(UInt16.self, at: 20) == 0
    else {
      throw CheckpointError(
        .malformed,
        "the archive does not end with an end record: it is truncated, or something follows it",
        offset: recordOffset)
    }
    // This disk, the directory's disk, the number of members on this disk, and in all.
    let disks = (0..<4).map { bytes.littleEndian(UInt16.self, at: 4 + 2 * $0) }
    let size = bytes.littleEndian(UInt32.self, at: 12)
    let offset = bytes.littleEndian(UInt32.self, at: 16)
    return try CheckpointError.placing(offset: recordOffset) { () throws(CheckpointError) in
      guard let large = try end64(of: file, before: recordOffset) else {
        guard disks[0] == 0, disks[1] == 0, disks[2] == disks[3] else {
          throw CheckpointError(.unsupported, "multi-disk archives are not supported")
        }
        return try checked(
          count: Int(disks[3]), offset: Int(offset), size: Int(size), before: recordOffset)
      }
      // Each number of the short record equals that of the zip64 record, or is the sentinel for it.
      let counts = [0, 0, large.count, large.count]
      for (found, wanted) in zip(disks, counts) {
        guard found == ZipLayout.sentinel16 || Int(found) == wanted else {
          throw CheckpointError(
            .malformed, "expected \(wanted) from the zip64 record, found \(found) in the end record"
          )
        }
      }
      let numbers = [(size, large.directory.count), (offset, large.directory.lowerBound)]
      for (found, wanted) in numbers {
        guard found == ZipLayout.sentinel32 || Int(found) == wanted else {
          throw CheckpointError(
            .malformed, "expected \(wanted) from the zip64 record, found \(found) in the end record"
          )
        }
      }
      return large
    }
  }

  /// Reads the zip64 end record (4.3.14) through its locator (4.3.15), if there is one;
  /// `recordOffset` is that of the end record.
  private static func end64(
    of file: ByteSource, before recordOffset: Int
  ) throws(CheckpointError) -> End? {
    let locatorOffset = recordOffset - ZipLayout.locatorSize
    guard locatorOffset >= 0 else { return nil }
    let locator = try file.bytes(locatorOffset..<recordOffset)
    guard locator.littleEndian(UInt32.self, at: 0) == ZipLayout.locatorSignature else { return nil }
    let start = locatorOffset - ZipLayout.end64Size
    guard locator.littleEndian(UInt32.self, at: 4) == 0,
      locator.littleEndian(UInt32.self, at: 16) <= 1, start >= 0,
      locator.littleEndian(UInt64.self, at: 8) == UInt64(start)
    else {
      throw CheckpointError(
        .malformed, "the zip64 locator does not point to the record before it",
        offset: locatorOffset
      )
    }
    let record = try file.bytes(start..<locatorOffset)
    let number = { (offset: Int) in record.littleEndian(UInt64.self, at: offset) }
    // The size of the record leaves out its first 12 bytes. Byte 16 begins two disk numbers of 4
    // bytes, which must both be 0; then come the number of members on this disk, and in all.
    guard record.littleEndian(UInt32.self, at: 0) == ZipLayout.end64Signature,
      number(4) == UInt64(ZipLayout.end64Size - 12), number(16) == 0, number(24) == number(32),
      let count = Int(exactly: number(32)), let size = Int(exactly: number(40)),
      let offset = Int(exactly: number(48))
    else {
      throw CheckpointError(
        .malformed, "the zip64 end record contradicts itself or has an unknown version",
        offset: start)
    }
    return try checked(count: count, offset: offset, size: size, before: start)
  }

  /// Checks that the directory ends exactly where the next record begins, and that it can hold this
  /// many members.
  private static func checked(
    count: Int, offset: Int, size: Int, before limit: Int
  ) throws(CheckpointError) -> End {
    guard offset <= limit, size == limit - offset else {
      throw CheckpointError(
        .malformed,
        "expected the directory to end at byte \(limit), found \(size) bytes at byte \(offset)")
    }
    guard count <= size / ZipLayout.centralSize, count <= ZipLayout.maxMembers else {
      throw CheckpointError(
        .malformed,
        "expected at most \(ZipLayout.maxMembers) members of at least \(ZipLayout.centralSize) bytes"
          + " each, found \(count) in a directory of \(size) bytes")
    }
    return End(count: count, directory: offset..<limit)
  }

  // MARK: - Members

  /// Reads one central directory header (4.3.12) and returns its size in bytes.
  private static func member(
    _ slice: ArraySlice<UInt8>, index: Int
  ) throws(CheckpointError) -> (ZipMember, size: Int) {
    let header = Array(slice.prefix(ZipLayout.centralSize))
    guard header.count == ZipLayout.centralSize,
      header.littleEndian(UInt32.self, at: 0) == ZipLayout.centralSignature
    else { throw CheckpointError(.malformed, "expected a central directory entry here") }
    let short = { (offset: Int) in header.littleEndian(UInt16.self, at: offset) }
    let long = { (offset: Int) in header.littleEndian(UInt32.self, at: offset) }
    let (nameSize, extraSize) = (Int(short(28)), Int(short(30)))
    let size = ZipLayout.centralSize + nameSize + extraSize
    guard size <= slice.count else {
      throw CheckpointError(
        .malformed, "expected an entry of \(size) bytes, but only \(slice.count) remain")
    }
    let rest = slice.dropFirst(ZipLayout.centralSize)
    let name = try name(Array(rest.prefix(nameSize)))
    do throws(CheckpointError) {
      guard short(32) == 0 else {
        throw CheckpointError(
          .unsupported, "comments are not supported, found one of \(short(32)) bytes")
      }
      guard short(34) == 0 else {
        throw CheckpointError(
          .unsupported, "multi-disk archives are not supported, found disk \(short(34))")
      }
      let flags = short(8)
      guard flags & ~ZipLayout.knownFlags == 0 else {
        // Bits 0, 6, and 13: encryption, strong encryption, and masked header values.
        let isEncrypted = flags & 0x2041 != 0
        throw CheckpointError(
          .unsupported,
          "flags 0x\(String(flags, radix: 16)) are not supported\(isEncrypted ? " (encrypted)" : "")"
        )
      }
      let extra = try ZipExtra(rest.dropFirst(nameSize).prefix(extraSize))
      let numbers = try extra.resolve([long(24), long(20), long(42)], isExact: true)
      var member = ZipMember(
        name: name, method: ZipMember.Method(rawValue: short(10)), size: numbers[0],
        storedSize: numbers[1], crc32: long(16),
        index: index, flags: flags, headerOffset: numbers[2])
      member.note = extra.note
      try check(member)
      return (member, size)
    } catch {
      throw error.adding(member: name)
    }
  }

  private static func name(_ bytes: [UInt8]) throws(CheckpointError) -> TensorName {
    guard !bytes.isEmpty, let name = String(validating: bytes, as: UTF8.self) else {
      throw CheckpointError(
        .malformed, "member name of \(bytes.count) bytes is empty or not UTF-8")
    }
    // Some readers would end the name at a NUL.
    guard !bytes.contains(0) else {
      throw CheckpointError(.malformed, "member name '\(name)' contains a NUL")
    }
    return TensorName(name)
  }

  private static func check(_ member: ZipMember) throws(CheckpointError) {
    switch member.method {
    case .stored where member.size != member.storedSize:
      throw CheckpointError(
        .malformed, "expected \(member.size) stored bytes, found \(member.storedSize)")
    case .deflated where (member.size - 1) / Budget.deflateRatio > member.storedSize:
      throw CheckpointError(
        .malformed,
        "\(member.storedSize) deflated bytes cannot expand to \(member.size)")
    default: break
    }
  }
}

extension CheckpointError {
  /// The same error with the member's name before its message.
  func adding(member: TensorName) -> CheckpointError {
    let name = "member '\(member)': "
    return message.hasPrefix(name)
      ? self
      : CheckpointError(code, name + message, path: path, tensor: tensor, offset: offset)
  }
}
