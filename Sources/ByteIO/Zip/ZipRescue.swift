import TensorCore

/// The members of an archive without its directory, as far as the local headers before them and the
/// descriptors after them tell.
///
/// A member of which a descriptor is cut off, or whose name an earlier one has, is not found. What is found
/// is compared with its CRC-32 when it is read; one that is cut off has no right one.
struct ZipRescue {
  private let file: ByteSource
  /// Bytes that may still be searched or read: a few times the file, however its records overlap.
  private var work: Int

  private init(_ file: ByteSource) {
    self.file = file
    work = file.size.saturated(times: 16)
  }

  /// The directory and the members; while a damaged file is rescued, those that the local headers
  /// tell.
  static func contents(
    of file: ByteSource
  ) throws(CheckpointError) -> (directory: Range<Int>, members: [ZipMember]) {
    do throws(CheckpointError) {
      let directory = try ZipDirectory(file)
      return (directory.range, try directory.located(in: file))
    } catch {
      guard Rescue.current != nil else { throw error }
      var rescue = Self(file)
      let members = try rescue.members()
      if members.isEmpty { throw error }
      try Rescue.leaveOut(error.adding(path: file.name))
      return (file.size..<file.size, members)
    }
  }

  /// All members, in file order; the last one perhaps shorter than it was.
  private mutating func members() throws(CheckpointError) -> [ZipMember] {
    var members: [ZipMember] = []
    var names: Set<TensorName> = []
    var position = 0
    while members.count < ZipLayout.maxMembers,
      let start = try first(ZipLayout.localSignature, from: position)
    {
      position = start + 4
      guard let (member, end) = try member(at: start, index: members.count),
        names.insert(member.name).inserted
      else { continue }
      members.append(member)
      position = end
    }
    return members
  }

  /// The member whose local header is at byte `start`, and where the record after it may begin.
  private mutating func member(
    at start: Int, index: Int
  ) throws(CheckpointError) -> (member: ZipMember, end: Int)? {
    guard start + ZipLayout.localSize <= file.size else { return nil }
    let header = try file.bytes(start..<start + ZipLayout.localSize)
    let short = { (offset: Int) in header.littleEndian(UInt16.self, at: offset) }
    let long = { (offset: Int) in header.littleEndian(UInt32.self, at: offset) }
    let flags = short(6)
    let nameEnd = start + ZipLayout.localSize + Int(short(26))
    let data = nameEnd + Int(short(28))
    guard flags & ~ZipLayout.knownFlags == 0, data <= file.size, short(26) > 0 else { return nil }
    work -= data - start
    let bytes = try file.bytes(start + ZipLayout.localSize..<data)
    let nameSize = Int(short(26))
    guard let name = String(validating: bytes[..<nameSize], as: UTF8.self),
      !bytes[..<nameSize].contains(0),
      let extra = try? ZipExtra(bytes[nameSize...]),
      let sizes = try? extra.resolve([long(22), long(18)], isExact: false)
    else { return nil }
    let hasDescriptor = flags & ZipLayout.descriptorFlag != 0
    var found = Sizes(crc32: long(14), stored: sizes[1], whole: sizes[0], end: data)
    if found.stored <= file.size - data { found.end += found.stored }
    if hasDescriptor, found.stored == 0 {
      guard let descriptor = try descriptor(after: data) else { return nil }
      found = descriptor
    }
    let method = ZipMember.Method(rawValue: short(8))
    if found.stored > file.size - data {
      // What is left of a stored member may hold something that is whole.
      guard method == .stored else { return nil }
      found.stored = file.size - data
      (found.whole, found.end) = (found.stored, data)
    }
    var member = ZipMember(
      name: TensorName(name), method: method, size: found.whole,
      storedSize: found.stored, crc32: found.crc32, index: index, flags: flags,
      headerOffset: start)
    guard member.method != .stored || member.size == member.storedSize,
      member.method != .deflated || (member.size - 1) / Budget.deflateRatio <= member.storedSize
    else { return nil }
    member.dataOffset = data
    return (member, found.end)
  }

  /// What a header or a descriptor states, and where it or the data ends.
  private struct Sizes {
    var crc32: UInt32
    var stored: Int
    var whole: Int
    var end: Int
  }

  /// The first descriptor with a signature after byte `start` that states its own distance.
  private mutating func descriptor(after start: Int) throws(CheckpointError) -> Sizes? {
    var position = start
    while let found = try first(ZipLayout.descriptorSignature, from: position) {
      let bytes = try file.bytes(found..<min(found + 24, file.size))
      let count = found - start
      if bytes.count == 24, bytes.littleEndian(UInt64.self, at: 8) == UInt64(count),
        let whole = Int(exactly: bytes.littleEndian(UInt64.self, at: 16))
      {
        return Sizes(
          crc32: bytes.littleEndian(UInt32.self, at: 4), stored: count, whole: whole,
          end: found + 24)
      }
      if bytes.count >= 16,
        bytes.littleEndian(UInt32.self, at: 8) == UInt32(truncatingIfNeeded: count),
        count <= UInt32.max
      {
        return Sizes(
          crc32: bytes.littleEndian(UInt32.self, at: 4), stored: count,
          whole: Int(bytes.littleEndian(UInt32.self, at: 12)), end: found + 16)
      }
      position = found + 4
    }
    return nil
  }

  /// Where a signature occurs first from byte `start` on; `nil` also when all work is done.
  private mutating func first(
    _ signature: UInt32, from start: Int
  ) throws(CheckpointError) -> Int? {
    var position = start
    // Most searches end soon.
    var blockSize = 1 << 8
    while work > 0, position + 4 <= file.size {
      let bytes = try file.bytes(position..<min(position + blockSize, file.size))
      work -= bytes.count
      var index = 0
      while index + 4 <= bytes.count {
        // All signatures begin with "PK".
        if bytes[index] == 0x50, bytes.littleEndian(UInt32.self, at: index) == signature {
          return position + index
        }
        index += 1
      }
      // A signature may lie across two blocks.
      position += max(bytes.count - 3, 1)
      blockSize = min(2 * blockSize, 1 << 20)
    }
    return nil
  }
}
