import TensorCore

/// A local header or an entry of the central directory whose numbers can be changed; every other byte
/// stays as it is.
///
/// A number that is in the zip64 extra field (APPNOTE 4.5.3) stays there, and one that no longer has
/// room in its 32 bits moves there.
struct ZipHeader: Sendable {
  /// The numbers, in the order in which the zip64 field has them.
  enum Number: Int {
    case size
    case storedSize
    case headerOffset
  }

  private(set) var bytes: [UInt8]
  /// Offset of the CRC-32.
  private let sumOffset: Int
  /// Offsets of the numbers' 32-bit fields.
  private let offsets: [Int]
  /// Offsets of the extra field, of its length, and of the version that is needed to read it.
  private let (extraStart, extraLengthOffset, versionOffset): (Int, Int, Int)

  /// A local header (4.3.7).
  init(local bytes: [UInt8]) {
    self.bytes = bytes
    (sumOffset, offsets) = (14, [22, 18])
    extraStart = ZipLayout.localSize + Int(bytes.littleEndian(UInt16.self, at: 26))
    (extraLengthOffset, versionOffset) = (28, 4)
  }

  /// An entry of the central directory (4.3.12).
  init(central bytes: [UInt8]) {
    self.bytes = bytes
    (sumOffset, offsets) = (16, [24, 20, 42])
    extraStart = ZipLayout.centralSize + Int(bytes.littleEndian(UInt16.self, at: 28))
    (extraLengthOffset, versionOffset) = (30, 6)
  }

  /// The CRC-32.
  var crc32: UInt32 {
    get { bytes.littleEndian(UInt32.self, at: sumOffset) }
    set { bytes.setLittleEndian(newValue, at: sumOffset) }
  }

  /// A number; 0 also where the writer left it out because a descriptor has it.
  func number(_ number: Number) -> Int {
    let short = bytes.littleEndian(UInt32.self, at: offsets[number.rawValue])
    guard short == ZipLayout.sentinel32, let field = field(ZipLayout.zip64Field) else {
      return Int(short)
    }
    return Int(
      truncatingIfNeeded: bytes.littleEndian(
        UInt64.self, at: field.lowerBound + 4 + zip64Offset(of: number)))
  }

  /// Changes a number.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` when the extra field cannot take it.
  mutating func set(_ number: Number, to value: Int) throws(CheckpointError) {
    let short = offsets[number.rawValue]
    let offset = zip64Offset(of: number)
    if bytes.littleEndian(UInt32.self, at: short) == ZipLayout.sentinel32,
      let field = field(ZipLayout.zip64Field)
    {
      bytes.setLittleEndian(UInt64(value), at: field.lowerBound + 4 + offset)
      return
    }
    if let field = redundantField(with: number) {
      bytes.setLittleEndian(UInt64(value), at: field.lowerBound + 4 + 8 * number.rawValue)
      if value < ZipLayout.sentinel32 {
        bytes.setLittleEndian(UInt32(value), at: short)
      } else {
        // From now on all numbers that the field has are there only.
        for offset in offsets.prefix((field.count - 4) / 8) {
          bytes.setLittleEndian(ZipLayout.sentinel32, at: offset)
        }
      }
      return
    }
    guard value >= ZipLayout.sentinel32 else {
      bytes.setLittleEndian(UInt32(value), at: short)
      return
    }
    var large: [UInt8] = []
    large.appendLittleEndian(UInt64(value))
    if let field = field(ZipLayout.zip64Field) {
      bytes.insert(contentsOf: large, at: field.lowerBound + 4 + offset)
      bytes.setLittleEndian(UInt16(field.count - 4 + 8), at: field.lowerBound + 2)
    } else {
      var field: [UInt8] = []
      field.appendLittleEndian(ZipLayout.zip64Field)
      field.appendLittleEndian(UInt16(large.count))
      bytes.insert(contentsOf: field + large, at: extraStart)
    }
    bytes.setLittleEndian(ZipLayout.sentinel32, at: short)
    let version = max(bytes.littleEndian(UInt16.self, at: versionOffset), ZipLayout.zip64Version)
    bytes.setLittleEndian(version, at: versionOffset)
    try setExtraLength()
  }

  // MARK: - The extra field

  /// Size in bytes of the padding that aligns the data, with the headers of its fields.
  var paddingCount: Int {
    var header = self
    return bytes.count - header.removePadding()
  }

  /// The largest size in bytes that the padding can have.
  var maxPaddingCount: Int { Int(UInt16.max) - (bytes.count - extraStart) + paddingCount }

  /// Changes the size of the padding, which is 0 or at least the 4 bytes of a field's own header.
  mutating func setPadding(_ count: Int) throws(CheckpointError) {
    _ = removePadding()
    if count > 0 {
      bytes.appendLittleEndian(ZipLayout.paddingField)
      bytes.appendLittleEndian(UInt16(count - 4))
      bytes += [UInt8](repeating: UInt8(ascii: "Z"), count: count - 4)
    }
    try setExtraLength()
  }

  /// Removes the padding and returns the number of bytes that are left.
  private mutating func removePadding() -> Int {
    while let field = field(ZipLayout.paddingField) { bytes.removeSubrange(field) }
    return bytes.count
  }

  private mutating func setExtraLength() throws(CheckpointError) {
    guard let length = UInt16(exactly: bytes.count - extraStart) else {
      throw CheckpointError(
        .unsupported,
        "expected an extra field of at most \(UInt16.max) bytes, found \(bytes.count - extraStart)")
    }
    bytes.setLittleEndian(length, at: extraLengthOffset)
  }

  /// The bytes of the first extra field with an identifier, its header included; the fields were
  /// checked when the archive was opened.
  private func field(_ identifier: UInt16) -> Range<Int>? {
    var position = extraStart
    while position + 4 <= bytes.count {
      let end = position + 4 + Int(bytes.littleEndian(UInt16.self, at: position + 2))
      if bytes.littleEndian(UInt16.self, at: position) == identifier { return position..<end }
      position = end
    }
    return nil
  }

  /// The zip64 field if it repeats numbers that the header has room for, this one among them.
  private func redundantField(with number: Number) -> Range<Int>? {
    guard let field = field(ZipLayout.zip64Field), field.count - 4 >= 8 * (number.rawValue + 1),
      offsets.allSatisfy({ bytes.littleEndian(UInt32.self, at: $0) != ZipLayout.sentinel32 })
    else { return nil }
    return field
  }

  /// Offset of a number in the content of the zip64 field: after the others that are there.
  private func zip64Offset(of number: Number) -> Int {
    8
      * offsets[..<number.rawValue].count {
        bytes.littleEndian(UInt32.self, at: $0) == ZipLayout.sentinel32
      }
  }
}

extension [UInt8] {
  /// Puts a number's bytes, least significant first, in position of those at `offset`.
  mutating func setLittleEndian<Number: FixedWidthInteger>(_ number: Number, at offset: Int) {
    for position in 0..<Number.bitWidth / 8 {
      self[offset + position] = UInt8(truncatingIfNeeded: number >> (8 * position))
    }
  }
}
