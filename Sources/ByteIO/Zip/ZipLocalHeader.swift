import TensorCore

/// The local file header before a member's data (APPNOTE 4.3.7), which must agree with the
/// directory.
enum ZipLocalHeader {
  /// Checks the header and the descriptor, and that the member ends where the next record begins.
  ///
  /// - Returns: the offset of the member's data.
  static func check(
    _ member: ZipMember, in file: ByteSource, until end: Int
  ) throws(CheckpointError) -> Int {
    let headerOffset = member.headerOffset
    let nameCount = member.name.text.utf8.count
    let fixed = ZipLayout.localSize + nameCount
    // Most extra fields are short, so that one read is enough.
    let guess = try file.bytes(headerOffset..<min(end, headerOffset + fixed + 96))
    guard guess.count >= fixed,
      guess.littleEndian(UInt32.self, at: 0) == ZipLayout.localSignature
    else { throw CheckpointError(.malformed, "expected a local header here") }
    let short = { (offset: Int) in guess.littleEndian(UInt16.self, at: offset) }
    let long = { (offset: Int) in guess.littleEndian(UInt32.self, at: offset) }
    guard Int(short(26)) == nameCount,
      guess[ZipLayout.localSize..<fixed].elementsEqual(member.name.text.utf8)
    else { throw CheckpointError(.malformed, "the local header has a different name") }
    guard short(6) == member.flags, short(8) == member.method.rawValue else {
      throw CheckpointError(
        .malformed,
        "expected flags 0x\(String(member.flags, radix: 16)), method \(member.method.rawValue) from"
          + " the directory, found 0x\(String(short(6), radix: 16)), \(short(8)) in the local header"
      )
    }
    let start = headerOffset + fixed + Int(short(28))
    guard start <= end, member.storedSize <= end - start else {
      throw CheckpointError(
        .malformed,
        "\(member.storedSize) bytes at byte \(start) overlap the next record at byte \(end)")
    }
    let bytes = start <= headerOffset + guess.count ? guess : try file.bytes(headerOffset..<start)
    let extra = try ZipExtra(bytes[fixed..<start - headerOffset])
    let sizes = try extra.resolve([long(22), long(18)], isExact: !member.hasDescriptor)
    let found = [Int(long(14)), sizes[0], sizes[1]]
    let wanted = [Int(member.crc32), member.size, member.storedSize]
    // If a descriptor follows the data, writers may leave zeros here.
    for (found, wanted) in zip(found, wanted)
    where found != wanted && !(member.hasDescriptor && found == 0) {
      throw CheckpointError(
        .malformed, "expected \(wanted) from the directory, found \(found) in the local header")
    }
    try checkDescriptor(member, in: file, start + member.storedSize..<end)
    return start
  }

  /// Checks the bytes between a member's data and the next record: a data descriptor (4.3.9), with or
  /// without signature and with sizes of 4 or 8 bytes, or nothing.
  private static func checkDescriptor(
    _ member: ZipMember, in file: ByteSource, _ range: Range<Int>
  ) throws(CheckpointError) {
    let allowed = member.hasDescriptor ? [12, 16, 20, 24] : [0]
    guard allowed.contains(range.count) else {
      throw CheckpointError(
        .malformed,
        "expected \(member.hasDescriptor ? "a descriptor of 12 to 24" : "0") bytes between its data"
          + " and the next record, found \(range.count)",
        offset: range.lowerBound)
    }
    if range.isEmpty { return }
    let bytes = try file.bytes(range)
    var expected: [UInt8] = []
    // 12 and 20 bytes are without the signature, which is optional; 16 and 24 are with it.
    if range.count % 8 == 0 { expected.appendLittleEndian(ZipLayout.descriptorSignature) }
    expected.appendLittleEndian(member.crc32)
    for size in [member.storedSize, member.size] {
      if range.count >= 20 {
        expected.appendLittleEndian(UInt64(size))
      } else {
        expected.appendLittleEndian(UInt32(truncatingIfNeeded: size))
      }
    }
    guard bytes == expected else {
      throw CheckpointError(
        .malformed, "the descriptor after its data differs from the directory",
        offset: range.lowerBound)
    }
  }
}

extension ZipDirectory {
  /// The members with the offsets of their data; together they must fill the file without a gap.
  func located(in file: ByteSource) throws(CheckpointError) -> [ZipMember] {
    var members = members
    let order = members.indices.sorted { members[$0].headerOffset < members[$1].headerOffset }
    let first = order.first.map { members[$0].headerOffset } ?? range.lowerBound
    guard first == 0 else {
      throw CheckpointError(
        .malformed, "expected the first member at byte 0, found it at byte \(first)", offset: 0)
    }
    // In file order, each member must end where the next one's local header begins.
    for (position, index) in order.enumerated() {
      let next =
        position + 1 < order.count
        ? members[order[position + 1]].headerOffset : range.lowerBound
      let member = members[index]
      do throws(CheckpointError) {
        guard member.headerOffset < next, next <= range.lowerBound else {
          throw CheckpointError(.malformed, "shares its local header with another member")
        }
        members[index].dataOffset = try ZipLocalHeader.check(member, in: file, until: next)
      } catch {
        throw error.adding(member: member.name).adding(offset: member.headerOffset)
      }
    }
    return members
  }
}
