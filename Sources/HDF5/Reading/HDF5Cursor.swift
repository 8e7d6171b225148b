import TensorCore

/// A place in bytes that were read from the file, moved forward by what is taken.
///
/// Numbers are little-endian. Whatever is wanted beyond the end is refused with the place in the file.
struct HDF5Cursor {
  private let bytes: [UInt8]
  private var position: Int
  private let end: Int
  /// Place in the file of the first of `bytes`.
  private let start: Int
  /// Bytes of an address and of a length in this file.
  private let widths: HDF5Superblock.Widths

  /// Stands at the first of `count` bytes, which begin at `position` in `bytes`.
  init(
    _ bytes: [UInt8], _ position: Int, count: Int, start: Int, _ widths: HDF5Superblock.Widths
  ) {
    self.bytes = bytes
    self.position = position
    end = position + count
    self.start = start
    self.widths = widths
  }

  /// Bytes that are left.
  var remaining: Int { end - position }

  /// Place in the file.
  var offset: Int { start + position }

  /// An error about what stands here, or stood `back` bytes before.
  func malformed(_ message: String, back: Int = 0) -> CheckpointError {
    CheckpointError(.malformed, message, offset: offset - back)
  }

  /// An error about something that is valid and not read here.
  func unsupported(_ message: String) -> CheckpointError {
    CheckpointError(.unsupported, message, offset: offset)
  }

  private func require(_ count: Int) throws(CheckpointError) {
    guard count >= 0, count <= end - position else {
      throw malformed("\(count) bytes are required here, \(remaining) are left")
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
    for place in 0..<width { value |= UInt64(bytes[position + place]) << UInt64(8 * place) }
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

  /// The next address, counted from the superblock's base; `nil` if all of its bits are set, which
  /// stands for none.
  mutating func address() throws(CheckpointError) -> UInt64? {
    let value = try unsigned(widths.address)
    return value == UInt64.max >> UInt64(64 - 8 * widths.address) ? nil : value
  }

  /// The next address, which must be one.
  mutating func definedAddress() throws(CheckpointError) -> UInt64 {
    guard let address = try address() else {
      throw malformed("an address is required here", back: widths.address)
    }
    return address
  }

  /// The next size or count.
  mutating func length() throws(CheckpointError) -> Int { try integer(widths.length) }

  /// The next size or count, unless all of its bits are set.
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

  /// The next `count` bytes, to be taken by themselves.
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

  /// The bytes up to the next NUL, which is passed by, too.
  mutating func terminated() throws(CheckpointError) -> ArraySlice<UInt8> {
    guard let zero = bytes[position..<end].firstIndex(of: 0) else {
      throw malformed("a name has no end")
    }
    defer { position = zero + 1 }
    return bytes[position..<zero]
  }

  /// Passes by four characters, which must be these.
  mutating func expect(_ signature: String) throws(CheckpointError) {
    let found = try bytes(4)
    guard found.elementsEqual(signature.utf8) else {
      throw malformed(
        "'\(String(decoding: found, as: UTF8.self))' was found, '\(signature)' is required", back: 4
      )
    }
  }

  /// Passes by the version of a structure, which must be this one.
  mutating func expect(version: Int, of structure: String) throws(CheckpointError) {
    let found = try byte()
    guard found == version else {
      throw unsupported("\(structure) of version \(found) was found, \(version) is read")
    }
  }

  /// Takes the checksum that stands behind all bytes so far, from `origin` on, and compares it.
  mutating func verify(from origin: HDF5Cursor) throws(CheckpointError) {
    let found = HDF5Checksum.lookup3(bytes[origin.position..<position])
    let stated = UInt32(truncatingIfNeeded: try unsigned(4))
    guard found == stated else {
      throw origin.malformed("checksum is \(found), the file says \(stated)")
    }
  }
}
