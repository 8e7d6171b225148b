import TensorCore

/// A reading position in bytes of the file; each read moves it forward.
///
/// Numbers are little-endian. A read beyond the end throws `malformed` with the offset in the file.
struct HDF5Cursor {
  private let bytes: [UInt8]
  private var position: Int
  /// Where reading begins, and where it ends.
  private let (first, end): (Int, Int)
  /// Offset in the file of the first of `bytes`.
  private let start: Int
  private let widths: HDF5Superblock.Widths

  /// Creates a cursor over the `count` bytes that begin at `position` in `bytes`.
  init(
    _ bytes: [UInt8], _ position: Int, count: Int, start: Int, _ widths: HDF5Superblock.Widths
  ) {
    self.bytes = bytes
    self.position = position
    (first, end) = (position, position + count)
    self.start = start
    self.widths = widths
  }

  /// Number of bytes left.
  var remaining: Int { end - position }

  /// The same bytes, from the first one on.
  var rewound: HDF5Cursor { HDF5Cursor(bytes, first, count: end - first, start: start, widths) }

  /// Offset of the next byte in the file.
  var offset: Int { start + position }

  /// An error about the bytes here, or `back` bytes before.
  func malformed(_ message: String, back: Int = 0) -> CheckpointError {
    CheckpointError(.malformed, message, offset: offset - back)
  }

  /// An error about something valid that this reader does not support.
  func unsupported(_ message: String) -> CheckpointError {
    CheckpointError(.unsupported, message, offset: offset)
  }

  private func require(_ count: Int) throws(CheckpointError) {
    guard count >= 0, count <= end - position else {
      throw malformed("expected \(count) more bytes here, found \(remaining)")
    }
  }

  /// The next byte.
  mutating func byte() throws(CheckpointError) -> Int {
    try require(1)
    position += 1
    return Int(bytes[position - 1])
  }

  /// The number in the next `width` bytes, at most 8.
  mutating func unsigned(_ width: Int) throws(CheckpointError) -> UInt64 {
    try require(width)
    var value: UInt64 = 0
    for index in 0..<width { value |= UInt64(bytes[position + index]) << UInt64(8 * index) }
    position += width
    return value
  }

  /// The number in the next `width` bytes, at most 8, which must fit in 63 bits.
  mutating func integer(_ width: Int) throws(CheckpointError) -> Int {
    let value = try unsigned(width)
    guard let value = Int(exactly: value) else {
      throw malformed("\(value) does not fit in 63 bits", back: width)
    }
    return value
  }

  /// The next address, relative to the superblock; `nil` for the undefined address, whose bits are
  /// all set.
  mutating func address() throws(CheckpointError) -> UInt64? {
    let value = try unsigned(widths.address)
    return value == UInt64.max >> UInt64(64 - 8 * widths.address) ? nil : value
  }

  /// The next address, which must be defined.
  mutating func definedAddress() throws(CheckpointError) -> UInt64 {
    guard let address = try address() else {
      throw malformed(
        "expected an address here, found the undefined address", back: widths.address)
    }
    return address
  }

  /// The next size or count, as wide as the file's lengths.
  mutating func length() throws(CheckpointError) -> Int { try integer(widths.length) }

  /// The next size or count; `nil` if all of its bits are set, which means unlimited.
  mutating func optionalLength() throws(CheckpointError) -> Int? {
    let value = try unsigned(widths.length)
    if value == UInt64.max >> UInt64(64 - 8 * widths.length) { return nil }
    guard let value = Int(exactly: value) else {
      throw malformed("\(value) does not fit in 63 bits", back: widths.length)
    }
    return value
  }

  /// Moves on by `count` bytes.
  mutating func skip(_ count: Int) throws(CheckpointError) {
    try require(count)
    position += count
  }

  /// A cursor over the next `count` bytes, which this one skips.
  mutating func part(_ count: Int) throws(CheckpointError) -> HDF5Cursor {
    try require(count)
    position += count
    return HDF5Cursor(bytes, position - count, count: count, start: start, widths)
  }

  /// The next `count` bytes.
  mutating func bytes(_ count: Int) throws(CheckpointError) -> ArraySlice<UInt8> {
    try require(count)
    position += count
    return bytes[position - count..<position]
  }

  /// The bytes up to the next NUL, which is also consumed.
  mutating func terminated() throws(CheckpointError) -> ArraySlice<UInt8> {
    guard let zero = bytes[position..<end].firstIndex(of: 0) else {
      throw malformed("a name is not terminated")
    }
    defer { position = zero + 1 }
    return bytes[position..<zero]
  }

  /// Consumes a signature of four characters, which must be this one.
  mutating func expect(_ signature: String) throws(CheckpointError) {
    let found = try bytes(4)
    guard found.elementsEqual(signature.utf8) else {
      throw malformed(
        "expected '\(signature)', found '\(String(decoding: found, as: UTF8.self))'", back: 4)
    }
  }

  /// Consumes the version number of a structure, which must be this one.
  mutating func expect(version: Int, of structure: String) throws(CheckpointError) {
    let found = try byte()
    guard found == version else {
      throw unsupported("\(structure): expected version \(version), found \(found)")
    }
  }

  /// Consumes the checksum that follows and compares it with that of all bytes before it.
  mutating func verify() throws(CheckpointError) {
    let found = HDF5Checksum.lookup3(bytes[first..<position])
    let stated = UInt32(truncatingIfNeeded: try unsigned(4))
    guard found == stated else {
      throw rewound.malformed("expected checksum \(stated), found \(found)")
    }
  }

  /// Consumes the checksum that follows and compares it with that of all bytes, those after it as well,
  /// with zeros in its own place.
  mutating func verifyWhole() throws(CheckpointError) {
    var covered = Array(bytes[first..<end])
    let own = position - first
    let stated = UInt32(truncatingIfNeeded: try unsigned(4))
    for index in own..<own + 4 { covered[index] = 0 }
    let found = HDF5Checksum.lookup3(covered[...])
    guard found == stated else {
      throw rewound.malformed("expected checksum \(stated), found \(found)")
    }
  }
}
