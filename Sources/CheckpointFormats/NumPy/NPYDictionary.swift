import TensorCore

/// Parses the Python dictionary in an array's header, and nothing else of Python.
struct NPYDictionary {
  /// What the dictionary holds.
  struct Fields {
    var description: String
    var isFortranOrder: Bool
    var shape: [Int]
  }

  private let bytes: [UInt8]
  private let offset: Int
  private var position = 0

  /// Reads from `bytes`, which begin `offset` bytes into the array.
  init(_ bytes: [UInt8], offset: Int) {
    self.bytes = bytes
    self.offset = offset
  }

  /// Reads the whole text: the keys `descr`, `fortran_order` and `shape`, each of them once.
  mutating func fields() throws(CheckpointError) -> Fields {
    var description: String?
    var isFortranOrder: Bool?
    var shape: [Int]?
    guard take("{") else { throw found("a dictionary") }
    while !take("}") {
      skipBlanks()
      let start = position
      let key = try string()
      guard take(":") else { throw found("':'") }
      switch key {
      case "descr" where description == nil: description = try self.description()
      case "fortran_order" where isFortranOrder == nil: isFortranOrder = try truth()
      case "shape" where shape == nil: shape = try sizes()
      default:
        position = start
        throw found("the keys descr, fortran_order, and shape, once each")
      }
      if !take(",") {
        guard take("}") else { throw found("',' or '}'") }
        break
      }
    }
    skipBlanks()
    guard position == bytes.count else { throw found("the end of the header") }
    guard let description, let isFortranOrder, let shape else {
      throw found("the keys descr, fortran_order, and shape")
    }
    return Fields(description: description, isFortranOrder: isFortranOrder, shape: shape)
  }

  private mutating func description() throws(CheckpointError) -> String {
    skipBlanks()
    if position < bytes.count, bytes[position] == UInt8(ascii: "[") {
      throw CheckpointError(
        .unsupported, "expected numeric or Boolean elements, found a structured type",
        offset: offset + position)
    }
    return try string()
  }

  private mutating func truth() throws(CheckpointError) -> Bool {
    if take("True") { return true }
    if take("False") { return false }
    throw found("True or False")
  }

  private mutating func sizes() throws(CheckpointError) -> [Int] {
    guard take("(") else { throw found("a tuple of sizes") }
    var sizes: [Int] = []
    while !take(")") {
      sizes.append(try size())
      guard sizes.count <= NPYHeader.maxRank else {
        throw found("at most \(NPYHeader.maxRank) dimensions")
      }
      // One size without a comma would be a number in parentheses.
      if take(",") { continue }
      guard sizes.count > 1, take(")") else { throw found("','") }
      break
    }
    return sizes
  }

  private mutating func size() throws(CheckpointError) -> Int {
    skipBlanks()
    let start = position
    while position < bytes.count, bytes[position].isDigit { position += 1 }
    let digits = String(decoding: bytes[start..<position], as: UTF8.self)
    guard let size = Int(digits), digits == "0" || !digits.hasPrefix("0") else {
      position = start
      throw found("a size from 0 to 2^63 - 1")
    }
    _ = take("L")  // as Python 2 wrote long numbers
    return size
  }

  private mutating func string() throws(CheckpointError) -> String {
    skipBlanks()
    let start = position
    guard position < bytes.count, bytes[position] == 0x27 || bytes[position] == 0x22 else {
      throw found("a quoted string")
    }
    let quote = bytes[position]
    position += 1
    while position < bytes.count, bytes[position] != quote {
      guard (0x20..<0x7f).contains(bytes[position]), bytes[position] != UInt8(ascii: "\\") else {
        throw found("an ASCII string without escapes")
      }
      position += 1
    }
    guard position < bytes.count else {
      position = start
      throw found("the end of a string")
    }
    position += 1
    return String(decoding: bytes[start + 1..<position - 1], as: UTF8.self)
  }

  private mutating func take(_ word: String) -> Bool {
    skipBlanks()
    guard bytes[position...].starts(with: word.utf8) else { return false }
    position += word.utf8.count
    return true
  }

  private mutating func skipBlanks() {
    while position < bytes.count, bytes[position].isSpace { position += 1 }
  }

  private func found(_ required: String) -> CheckpointError {
    let rest = bytes[position...].prefix(16)
    let text = String(decoding: rest, as: UTF8.self)
    return CheckpointError(
      .malformed, "expected \(required), found \(rest.isEmpty ? "the end" : "'\(text)'")",
      offset: offset + position)
  }
}
