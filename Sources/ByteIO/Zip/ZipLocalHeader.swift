import TensorCore

/// The header that stands before a member's bytes, which must say what the directory says.
enum ZipLocalHeader {
  /// Checks the header, the descriptor and that the member ends where the next record begins.
  ///
  /// - Returns: where the member's bytes begin.
  static func check(
    _ member: ZipMember, in file: ByteSource, until end: Int
  ) throws(CheckpointError) -> Int {
    let place = member.headerOffset
    let nameCount = member.name.text.utf8.count
    let fixed = ZipLayout.localSize + nameCount
    // Most extra fields are short: one read brings the whole header.
    let guess = try file.bytes(place..<min(end, place + fixed + 96))
    guard guess.count >= fixed,
      guess.littleEndian(UInt32.self, at: 0) == ZipLayout.localSignature
    else { throw CheckpointError(.malformed, "no local header where the directory has one") }
    let short = { (offset: Int) in guess.littleEndian(UInt16.self, at: offset) }
    let long = { (offset: Int) in guess.littleEndian(UInt32.self, at: offset) }
    guard Int(short(26)) == nameCount,
      guess[ZipLayout.localSize..<fixed].elementsEqual(member.name.text.utf8)
    else { throw CheckpointError(.malformed, "the local header has another name") }
    guard short(6) == member.flags, short(8) == member.method.rawValue else {
      throw CheckpointError(
        .malformed,
        "flags 0x\(String(short(6), radix: 16)), method \(short(8)) in the local header,"
          + " 0x\(String(member.flags, radix: 16)), \(member.method.rawValue) in the directory")
    }
    let start = place + fixed + Int(short(28))
    guard start <= end, member.storedSize <= end - start else {
      throw CheckpointError(
        .malformed,
        "\(member.storedSize) bytes from byte \(start) on reach into the next record at \(end)")
    }
    let bytes = start <= place + guess.count ? guess : try file.bytes(place..<start)
    let extra = try ZipExtra(bytes[fixed..<start - place])
    let sizes = try extra.resolve([long(22), long(18)], isExact: !member.hasDescriptor)
    let found = [Int(long(14)), sizes[0], sizes[1]]
    let wanted = [Int(member.crc32), member.size, member.storedSize]
    // With a descriptor behind the data, writers may leave zeros here.
    for (found, wanted) in zip(found, wanted)
    where found != wanted && !(member.hasDescriptor && found == 0) {
      throw CheckpointError(
        .malformed, "\(found) in the local header, \(wanted) in the directory")
    }
    try checkDescriptor(member, in: file, start + member.storedSize..<end)
    return start
  }

  /// What lies between a member's bytes and the next record: its descriptor or nothing.
  private static func checkDescriptor(
    _ member: ZipMember, in file: ByteSource, _ range: Range<Int>
  ) throws(CheckpointError) {
    let allowed = member.hasDescriptor ? [12, 16, 20, 24] : [0]
    guard allowed.contains(range.count) else {
      throw CheckpointError(
        .malformed,
        "\(range.count) bytes between its data and the next record, required"
          + " \(member.hasDescriptor ? "a descriptor of 12 to 24" : "none")",
        offset: range.lowerBound)
    }
    if range.isEmpty { return }
    let bytes = try file.bytes(range)
    var expected: [UInt8] = []
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
        .malformed, "the descriptor behind its data differs from the directory",
        offset: range.lowerBound)
    }
  }
}
