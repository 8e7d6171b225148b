import TensorCore

/// The central directory of an archive and the records behind it, read strictly.
///
/// The end record must end the file, and each record must end where the next begins: what another
/// reader could take for another archive is refused.
struct ZipDirectory {
  /// The members in the directory's order; ``ZipMember/dataOffset`` is not known yet.
  let members: [ZipMember]
  /// Where the directory begins and the last member ends.
  let start: Int

  init(_ file: ByteSource) throws(CheckpointError) {
    let end = try Self.end(of: file)
    let bytes = try file.bytes(end.directory)
    start = end.directory.lowerBound
    var members: [ZipMember] = []
    members.reserveCapacity(end.count)
    var names: Set<TensorName> = []
    var position = 0
    while position < bytes.count {
      do throws(CheckpointError) {
        let (member, size) = try Self.member(bytes[position...], index: members.count)
        guard names.insert(member.name).inserted else {
          throw CheckpointError(.malformed, "two members have the name '\(member.name)'")
        }
        members.append(member)
        position += size
      } catch {
        throw error.adding(offset: start + position)
      }
    }
    guard members.count == end.count else {
      throw CheckpointError(
        .malformed,
        "the end record counts \(end.count) members, the directory has \(members.count)",
        offset: file.size - ZipLayout.endSize)
    }
    self.members = members
  }

  // MARK: - End records

  private struct End {
    let count: Int
    let directory: Range<Int>
  }

  private static func end(of file: ByteSource) throws(CheckpointError) -> End {
    let place = file.size - ZipLayout.endSize
    guard place >= 0 else {
      throw CheckpointError(
        .malformed, "\(file.size) bytes, no zip archive is shorter than \(ZipLayout.endSize)",
        offset: 0)
    }
    let bytes = try file.bytes(place..<file.size)
    guard bytes.littleEndian(UInt32.self, at: 0) == ZipLayout.endSignature,
      bytes.littleEndian(UInt16.self, at: 20) == 0
    else {
      throw CheckpointError(
        .malformed,
        "the archive does not end in an end record: it is cut short, or something follows it",
        offset: place)
    }
    let disks = (0..<4).map { bytes.littleEndian(UInt16.self, at: 4 + 2 * $0) }
    let size = bytes.littleEndian(UInt32.self, at: 12)
    let offset = bytes.littleEndian(UInt32.self, at: 16)
    do throws(CheckpointError) {
      guard let large = try end64(of: file, before: place) else {
        guard disks[0] == 0, disks[1] == 0, disks[2] == disks[3] else {
          throw CheckpointError(.unsupported, "an archive of several disks")
        }
        return try checked(
          count: Int(disks[3]), offset: Int(offset), size: Int(size), before: place)
      }
      // Each number of the short record is that of the long one, or the sentinel for it.
      let counts = [0, 0, large.count, large.count]
      for (found, wanted) in zip(disks, counts) {
        guard found == ZipLayout.sentinel16 || Int(found) == wanted else {
          throw CheckpointError(
            .malformed, "\(found) in the end record, \(wanted) in the zip64 record")
        }
      }
      let numbers = [(size, large.directory.count), (offset, large.directory.lowerBound)]
      for (found, wanted) in numbers {
        guard found == ZipLayout.sentinel32 || Int(found) == wanted else {
          throw CheckpointError(
            .malformed, "\(found) in the end record, \(wanted) in the zip64 record")
        }
      }
      return large
    } catch {
      throw error.adding(offset: place)
    }
  }

  /// The zip64 record, if there is one; `place` is where the end record begins.
  private static func end64(
    of file: ByteSource, before place: Int
  ) throws(CheckpointError) -> End? {
    let locatorPlace = place - ZipLayout.locatorSize
    guard locatorPlace >= 0 else { return nil }
    let locator = try file.bytes(locatorPlace..<place)
    guard locator.littleEndian(UInt32.self, at: 0) == ZipLayout.locatorSignature else { return nil }
    let start = locatorPlace - ZipLayout.end64Size
    guard locator.littleEndian(UInt32.self, at: 4) == 0,
      locator.littleEndian(UInt32.self, at: 16) <= 1, start >= 0,
      locator.littleEndian(UInt64.self, at: 8) == UInt64(start)
    else {
      throw CheckpointError(
        .malformed, "the zip64 locator does not lead to the record before it", offset: locatorPlace)
    }
    let record = try file.bytes(start..<locatorPlace)
    let number = { (offset: Int) in record.littleEndian(UInt64.self, at: offset) }
    guard record.littleEndian(UInt32.self, at: 0) == ZipLayout.end64Signature,
      number(4) == UInt64(ZipLayout.end64Size - 12), number(16) == 0, number(24) == number(32),
      let count = Int(exactly: number(32)), let size = Int(exactly: number(40)),
      let offset = Int(exactly: number(48))
    else {
      throw CheckpointError(
        .malformed, "the zip64 end record contradicts itself, or is of an unknown kind",
        offset: start)
    }
    return try checked(count: count, offset: offset, size: size, before: start)
  }

  private static func checked(
    count: Int, offset: Int, size: Int, before place: Int
  ) throws(CheckpointError) -> End {
    guard offset <= place, size == place - offset else {
      throw CheckpointError(
        .malformed,
        "a directory of \(size) bytes at byte \(offset), it must end at byte \(place)")
    }
    guard count <= size / ZipLayout.centralSize, count <= ZipLayout.maxMembers else {
      throw CheckpointError(
        .malformed,
        "\(count) members in a directory of \(size) bytes, \(ZipLayout.maxMembers)"
          + " are allowed and \(ZipLayout.centralSize) bytes each required")
    }
    return End(count: count, directory: offset..<place)
  }

  // MARK: - Members

  private static func member(
    _ slice: ArraySlice<UInt8>, index: Int
  ) throws(CheckpointError) -> (ZipMember, size: Int) {
    let header = Array(slice.prefix(ZipLayout.centralSize))
    guard header.count == ZipLayout.centralSize,
      header.littleEndian(UInt32.self, at: 0) == ZipLayout.centralSignature
    else { throw CheckpointError(.malformed, "no entry of the directory where one is required") }
    let short = { (offset: Int) in header.littleEndian(UInt16.self, at: offset) }
    let long = { (offset: Int) in header.littleEndian(UInt32.self, at: offset) }
    let (nameSize, extraSize) = (Int(short(28)), Int(short(30)))
    let size = ZipLayout.centralSize + nameSize + extraSize
    guard size <= slice.count else {
      throw CheckpointError(.malformed, "an entry of \(size) bytes where \(slice.count) are left")
    }
    let rest = slice.dropFirst(ZipLayout.centralSize)
    let name = try name(Array(rest.prefix(nameSize)))
    do throws(CheckpointError) {
      guard short(32) == 0 else {
        throw CheckpointError(.unsupported, "a comment of \(short(32)) bytes")
      }
      guard short(34) == 0 else {
        throw CheckpointError(.unsupported, "disk \(short(34)) of an archive of several")
      }
      let flags = short(8)
      guard flags & ~ZipLayout.knownFlags == 0 else {
        let isEncrypted = flags & 0x2041 != 0
        throw CheckpointError(
          .unsupported, "flags 0x\(String(flags, radix: 16))\(isEncrypted ? ", encrypted" : "")")
      }
      guard let method = ZipMember.Method(rawValue: short(10)) else {
        throw CheckpointError(
          .unsupported, "compression method \(short(10)), required 0 (stored) or 8 (deflated)")
      }
      let extra = try ZipExtra(rest.dropFirst(nameSize).prefix(extraSize))
      let numbers = try extra.resolve([long(24), long(20), long(42)], isExact: true)
      let member = ZipMember(
        name: name, method: method, size: numbers[0], storedSize: numbers[1], crc32: long(16),
        index: index, flags: flags, headerOffset: numbers[2])
      try check(member)
      return (member, size)
    } catch {
      throw error.adding(member: name)
    }
  }

  private static func name(_ bytes: [UInt8]) throws(CheckpointError) -> TensorName {
    guard !bytes.isEmpty, let name = String(validating: bytes, as: UTF8.self) else {
      throw CheckpointError(
        .malformed, "member name of \(bytes.count) bytes is empty or no UTF-8")
    }
    // Some readers end a name at a NUL.
    guard !bytes.contains(0) else {
      throw CheckpointError(.malformed, "member name '\(name)' holds a NUL")
    }
    return TensorName(name)
  }

  private static func check(_ member: ZipMember) throws(CheckpointError) {
    switch member.method {
    case .stored where member.size != member.storedSize:
      throw CheckpointError(
        .malformed, "\(member.size) bytes, stored as \(member.storedSize)")
    case .deflated where (member.size - 1) / ZipLayout.maxRatio > member.storedSize:
      throw CheckpointError(
        .malformed,
        "\(member.size) bytes of \(member.storedSize), more than deflate can make of them")
    default: break
    }
  }
}

extension CheckpointError {
  /// The same error with the member's name before the sentence.
  func adding(member: TensorName) -> CheckpointError {
    CheckpointError(
      code, "member '\(member)': \(message)", path: path, tensor: tensor, offset: offset)
  }
}
