import TensorCore

/// A type of elements, as far as tensors and attributes need it.
///
/// Source: HDF5 File Format Specification 3.0, section IV.A.2.d "The Datatype Message".
struct HDF5Datatype {
  /// The classes of types.
  enum Kind {
    case integer(HDF5Integer)
    /// `nil` for floats whose leading bit is not implied, or whose bytes are in VAX's order.
    case float(HDF5FloatLayout?, isBig: Bool)
    case text(filler: Filler)
    case variableText
    case opaque
    /// Named values, which may be those of h5py's bool.
    case named(isBoolean: Bool)
    /// Real and imaginary part; each may be anything, also at any place, if not packed.
    case complex(HDF5FloatLayout, isBig: Bool, isPacked: Bool)
    /// Any other, and what a note says of it.
    case other(String)
  }

  /// What stands behind a text of fixed size.
  enum Filler {
    case terminator
    case zeros
    case spaces
  }

  /// Bytes of an element.
  let size: Int
  let kind: Kind

  /// Reads a datatype message.
  init(_ message: HDF5Cursor) throws(CheckpointError) {
    var body = message
    try self.init(from: &body)
  }

  private init(from body: inout HDF5Cursor) throws(CheckpointError) {
    let first = try body.byte()
    let (version, kind) = (first >> 4, first & 15)
    let bits = try body.integer(3)
    size = try body.integer(4)
    guard (1...5).contains(version) else {
      throw body.malformed("datatype of version \(version)")
    }
    guard size > 0 else { throw body.malformed("elements of no bytes") }
    switch kind {
    case 0: self.kind = .integer(try HDF5Integer(size: size, bits: bits, &body))
    case 1: self.kind = try Self.float(size: size, bits, &body)
    case 2: self.kind = .other("times")
    case 3:
      let fillers: [Filler] = [.terminator, .zeros, .spaces]
      self.kind = .text(filler: bits & 15 < 3 ? fillers[bits & 15] : .zeros)
    case 4: self.kind = .other("bit fields")
    case 5: self.kind = .opaque
    case 6: self.kind = try Self.record(size: size, count: bits & 0xffff, version, &body)
    case 7: self.kind = .other("references")
    case 8: self.kind = try Self.named(size: size, count: bits & 0xffff, version, &body)
    case 9: self.kind = bits & 15 == 1 ? .variableText : .other("rows of varying length")
    case 10: self.kind = .other("arrays")
    case 11:
      let part = try Self(from: &body)
      if case .float(let layout?, let isBig) = part.kind, 2 * layout.size == size {
        self.kind = .complex(layout, isBig: isBig, isPacked: true)
      } else {
        self.kind = .other("complex numbers")
      }
    default: self.kind = .other("numbers of an unusual layout (\(size) bytes)")
    }
  }

  private static func float(
    size: Int, _ bits: Int, _ body: inout HDF5Cursor
  ) throws(CheckpointError) -> Kind {
    try body.skip(4)  // first bit and number of bits
    let exponent = try body.byte()
    let exponentEnd = exponent + (try body.byte())
    let mantissa = try body.byte()
    let mantissaEnd = mantissa + (try body.byte())
    let layout = HDF5FloatLayout(
      size: size, sign: bits >> 8 & 0xff, exponent: exponent..<exponentEnd,
      mantissa: mantissa..<mantissaEnd, bias: try body.integer(4))
    let isVAX = bits & 0x40 != 0
    let isImplied = bits >> 4 & 3 == 2
    return .float(isVAX || !isImplied ? nil : layout, isBig: bits & 1 != 0)
  }

  /// A record: complex numbers are those of two floats `r` and `i`.
  private static func record(
    size: Int, count: Int, _ version: Int, _ body: inout HDF5Cursor
  ) throws(CheckpointError) -> Kind {
    let records = Kind.other("records")
    guard count == 2 else { return records }
    var parts: [(layout: HDF5FloatLayout, isBig: Bool, place: Int)] = []
    for name in ["r", "i"] {
      guard try Self.name(version, &body).elementsEqual(name.utf8) else { return records }
      let place = try body.integer(version < 3 ? 4 : byteWidth(size))
      if version == 1 { try body.skip(28) }  // dimensions of an array
      guard case .float(let layout?, let isBig) = try Self(from: &body).kind else {
        return records
      }
      parts.append((layout, isBig, place))
    }
    guard parts[0].layout == parts[1].layout else { return records }
    let width = parts[0].layout.size
    let isPacked =
      size == 2 * width && parts[0].place == 0 && parts[1].place == width
      && parts[0].isBig == parts[1].isBig
    return .complex(parts[0].layout, isBig: parts[0].isBig, isPacked: isPacked)
  }

  private static func named(
    size: Int, count: Int, _ version: Int, _ body: inout HDF5Cursor
  ) throws(CheckpointError) -> Kind {
    let base = try Self(from: &body)
    guard size == 1, base.size == 1, count == 2 else { return .named(isBoolean: false) }
    var values: [String: Int] = [:]
    let names = [try name(version, &body), try name(version, &body)]
    for name in names { values[String(decoding: name, as: UTF8.self)] = try body.byte() }
    return .named(isBoolean: values == ["FALSE": 0, "TRUE": 1])
  }

  /// The name of a member, which older versions fill up to a multiple of 8 bytes.
  private static func name(
    _ version: Int, _ body: inout HDF5Cursor
  ) throws(CheckpointError) -> ArraySlice<UInt8> {
    let name = try body.terminated()
    if version < 3 { try body.skip((8 - (name.count + 1) % 8) % 8) }
    return name
  }

  /// Bytes that a number up to `limit` takes.
  private static func byteWidth(_ limit: Int) -> Int {
    (Int.bitWidth - limit.leadingZeroBitCount + 7) / 8
  }
}

/// How whole numbers are stored.
struct HDF5Integer {
  let size: Int
  let isSigned: Bool
  let isBig: Bool
  /// The lowest bit of the number in its bytes, and how many it has.
  let (first, count): (Int, Int)

  fileprivate init(
    size: Int, bits: Int, _ body: inout HDF5Cursor
  ) throws(CheckpointError) {
    self.size = size
    isBig = bits & 1 != 0
    isSigned = bits & 8 != 0
    first = try body.integer(2)
    count = try body.integer(2)
    guard count > 0, first + count <= 8 * size else {
      throw body.malformed("whole numbers of \(count) bits from bit \(first) in \(size) bytes")
    }
  }

  /// Whether all bits of its bytes are the number's.
  var isWhole: Bool { first == 0 && count == 8 * size }

  /// The number in `size` bytes, at most 8; what is larger than any `Int` is the largest one.
  func value(_ bytes: ArraySlice<UInt8>) -> Int {
    var word: UInt64 = 0
    for byte in isBig ? Array(bytes) : bytes.reversed() { word = word << 8 | UInt64(byte) }
    word >>= UInt64(first)
    let unused = UInt64(64 - count)
    word <<= unused
    if isSigned { return Int(truncatingIfNeeded: Int64(bitPattern: word) >> Int64(unused)) }
    return Int(clamping: word >> unused)
  }
}
