import TensorCore

/// A datatype message, parsed as far as tensors and attributes need it.
///
/// Source: HDF5 File Format Specification 3.0, section IV.A.2.d "The Datatype Message".
struct HDF5Datatype: Sendable {
  /// The datatype classes.
  enum Kind: Sendable {
    case integer(HDF5Integer)
    /// The layout is `nil` for floats without an implied leading bit, or in VAX byte order.
    case float(HDF5FloatLayout?, isBig: Bool)
    case text(filler: Filler)
    case variableText
    case opaque
    /// h5py's bool, an enumeration of FALSE = 0 and TRUE = 1.
    case boolean
    /// An enumeration of integers, with some of its names: `cat=0, dog=1`.
    case enumeration(HDF5Integer, names: String)
    /// A bit field, whose elements are integers without a sign.
    case bits(HDF5Integer)
    /// Real and imaginary part; if not packed, they may have gaps or be in the other order.
    case complex(HDF5FloatLayout, isBig: Bool, isPacked: Bool)
    /// Arrays of one shape, each of them an element.
    indirect case array(HDF5Datatype, sizes: [Int])
    /// Any other class, described for a note.
    case other(String)
  }

  /// Padding of fixed-size strings.
  enum Filler: Sendable {
    case terminator
    case zeros
    case spaces
  }

  /// Size of an element in bytes.
  let size: Int
  let kind: Kind

  /// Whether elements are text of fixed or variable length.
  var isString: Bool {
    switch kind {
    case .text, .variableText: true
    case .integer, .float, .opaque, .boolean, .enumeration, .bits, .complex, .array, .other: false
    }
  }

  /// The type of the elements' own elements, and the sizes that arrays have: none if they are none.
  var flattened: (type: HDF5Datatype, sizes: [Int]) {
    guard case .array(let base, let sizes) = kind else { return (self, []) }
    let inner = base.flattened
    return (inner.type, sizes + inner.sizes)
  }

  /// Reads a datatype message.
  init(_ message: HDF5Cursor) throws(CheckpointError) {
    var body = message
    try self.init(from: &body)
  }

  /// Maximum nesting of datatypes; libhdf5 writes at most three of those that are followed here.
  private static let maxDepth = 16

  /// Reads a datatype that lies within `depth` others.
  private init(from body: inout HDF5Cursor, depth: Int = 0) throws(CheckpointError) {
    guard depth < Self.maxDepth else {
      throw body.unsupported("datatypes are nested more than \(Self.maxDepth) deep")
    }
    // Version and class share a byte; 24 bits of flags, whose meaning depends on the class, follow.
    let first = try body.byte()
    let (version, kind) = (first >> 4, first & 15)
    let bits = try body.integer(3)
    size = try body.integer(4)
    guard (1...5).contains(version) else {
      throw body.malformed("datatype: expected version 1 to 5, found \(version)")
    }
    guard size > 0 else { throw body.malformed("datatype has a size of 0 bytes") }
    // The classes by their numbers in IV.A.2.d. Of the flags, the low 4 bits are a string's padding or
    // tell a variable-length string from a sequence, the low 16 count a compound's or an enumeration's
    // members.
    switch kind {
    case 0: self.kind = .integer(try HDF5Integer(size: size, bits: bits, &body))
    case 1: self.kind = try Self.float(size: size, bits, &body)
    case 2: self.kind = .other("times")
    case 3:
      let fillers: [Filler] = [.terminator, .zeros, .spaces]
      self.kind = .text(filler: bits & 15 < 3 ? fillers[bits & 15] : .zeros)
    case 4: self.kind = .bits(try HDF5Integer(size: size, bits: bits & 7, &body))
    case 5: self.kind = .opaque
    case 6: self.kind = try Self.record(size: size, count: bits & 0xffff, version, &body, depth)
    case 7: self.kind = .other("references")
    case 8: self.kind = try Self.named(size: size, count: bits & 0xffff, version, &body, depth)
    case 9: self.kind = bits & 15 == 1 ? .variableText : .other("variable-length sequences")
    case 10: self.kind = try Self.array(size: size, version, &body, depth)
    case 11:
      let part = try Self(from: &body, depth: depth + 1)
      if case .float(let layout?, let isBig) = part.kind, 2 * layout.size == size {
        self.kind = .complex(layout, isBig: isBig, isPacked: true)
      } else {
        self.kind = .other("complex numbers")
      }
    default: self.kind = .other("numbers of an unusual layout (\(size) bytes)")
    }
  }

  /// Arrays: their sizes, in older versions with a permutation that is not used, and the base type.
  private static func array(
    size: Int, _ version: Int, _ body: inout HDF5Cursor, _ depth: Int
  ) throws(CheckpointError) -> Kind {
    let rank = try body.byte()
    guard (1...maxRank).contains(rank) else {
      throw body.malformed("array: expected 1 to \(maxRank) dimensions, found \(rank)")
    }
    if version < 3 { try body.skip(3) }
    var sizes: [Int] = []
    for _ in 0..<rank { sizes.append(try body.integer(4)) }
    if version < 3 { try body.skip(4 * rank) }
    let base = try Self(from: &body, depth: depth + 1)
    let total = sizes.reduce(base.size) { $0.saturated(times: $1) }
    guard total == size else {
      throw body.malformed("array: expected \(total) bytes for \(sizes), found \(size)")
    }
    return .array(base, sizes: sizes)
  }

  /// Largest number of dimensions of an array (`H5S_MAX_RANK`).
  private static let maxRank = 32

  private static func float(
    size: Int, _ bits: Int, _ body: inout HDF5Cursor
  ) throws(CheckpointError) -> Kind {
    try body.skip(4)  // bit offset and precision
    let exponent = try body.byte()
    let exponentEnd = exponent + (try body.byte())
    let mantissa = try body.byte()
    let mantissaEnd = mantissa + (try body.byte())
    let layout = HDF5FloatLayout(
      size: size, sign: bits >> 8 & 0xff, exponent: exponent..<exponentEnd,
      mantissa: mantissa..<mantissaEnd, bias: try body.integer(4))
    // Bits 0 and 6 give the byte order, bits 4 and 5 the normalization: 2 is an implied leading 1.
    let isVAX = bits & 0x40 != 0
    let isImplied = bits >> 4 & 3 == 2
    return .float(isVAX || !isImplied ? nil : layout, isBig: bits & 1 != 0)
  }

  /// A compound type; one of two equal floats is a complex number if they are named `r` and `i`, as by
  /// h5py, or `real` and `imag`, as by MATLAB and Octave.
  private static func record(
    size: Int, count: Int, _ version: Int, _ body: inout HDF5Cursor, _ depth: Int
  ) throws(CheckpointError) -> Kind {
    let records = Kind.other("compound values")
    guard count == 2 else { return records }
    var parts: [(layout: HDF5FloatLayout, isBig: Bool, offset: Int)] = []
    var names: [String] = []
    for _ in 0..<2 {
      names.append(String(decoding: try name(version, &body), as: UTF8.self))
      guard ["r", "i", "real", "imag"].contains(names.last) else { return records }
      let offset = try body.integer(version < 3 ? 4 : byteWidth(size))
      if version == 1 { try body.skip(28) }  // array dimensions
      guard case .float(let layout?, let isBig) = try Self(from: &body, depth: depth + 1).kind
      else {
        return records
      }
      parts.append((layout, isBig, offset))
    }
    guard parts[0].layout == parts[1].layout, [["r", "i"], ["real", "imag"]].contains(names)
    else { return records }
    let width = parts[0].layout.size
    let isPacked =
      size == 2 * width && parts[0].offset == 0 && parts[1].offset == width
      && parts[0].isBig == parts[1].isBig
    // libhdf5 converts members by their names, and is asked for `r` and `i`.
    guard isPacked || names[0] == "r" else { return records }
    return .complex(parts[0].layout, isBig: parts[0].isBig, isPacked: isPacked)
  }

  /// An enumeration, whose base type is followed by all names and then by all values.
  private static func named(
    size: Int, count: Int, _ version: Int, _ body: inout HDF5Cursor, _ depth: Int
  ) throws(CheckpointError) -> Kind {
    let base = try Self(from: &body, depth: depth + 1)
    guard case .integer(let integer) = base.kind, size == base.size, size <= 8 else {
      return .other("enumerated values")
    }
    var names: [String] = []
    for _ in 0..<count {
      let name = try name(version, &body)
      if names.count < shownNames { names.append(String(decoding: name, as: UTF8.self)) }
    }
    var values: [Int] = []
    for _ in names { values.append(integer.value(try body.bytes(size))) }
    if size == 1, count == 2,
      Set(zip(names, values).map { "\($0)=\($1)" }) == ["FALSE=0", "TRUE=1"]
    {
      return .boolean
    }
    let shown = zip(names, values).map { "\($0)=\($1)" }.joined(separator: ", ")
    return .enumeration(integer, names: count > shownNames ? shown + ", …" : shown)
  }

  /// Names of an enumeration that a remark tells.
  private static let shownNames = 8

  /// The name of a member, which versions 1 and 2 pad to a multiple of 8 bytes.
  private static func name(
    _ version: Int, _ body: inout HDF5Cursor
  ) throws(CheckpointError) -> ArraySlice<UInt8> {
    let name = try body.terminated()
    if version < 3 { try body.skip((8 - (name.count + 1) % 8) % 8) }
    return name
  }

  /// Bytes needed for a number up to `limit`.
  private static func byteWidth(_ limit: Int) -> Int {
    (Int.bitWidth - limit.leadingZeroBitCount + 7) / 8
  }
}

/// The storage of an integer type (class 0).
struct HDF5Integer {
  let size: Int
  let isSigned: Bool
  let isBig: Bool
  /// Position of the number's lowest bit in its bytes, and its number of bits.
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
      throw body.malformed("integers of \(count) bits from bit \(first) exceed \(size) bytes")
    }
  }

  /// Whether the number uses all bits of its bytes.
  var isWhole: Bool { first == 0 && count == 8 * size }

  /// The number in `size` bytes, at most 8; a number above `Int.max` becomes `Int.max`.
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
