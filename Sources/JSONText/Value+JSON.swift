package import TensorCore

/// Values from the JSON that ``JSONWriter/exact(_:)`` writes.
extension Value {
  /// Nesting of JSON that values of `maxDepth` levels take at most.
  package static let maxJSONDepth = 4 * maxDepth + 4

  /// Reads a whole text; `nil` if it is not the exact form of a value that there is room for.
  package init?(exact text: String, in room: inout ValueRoom) {
    var scanner = JSONScanner(Array(text.utf8), maxDepth: Self.maxJSONDepth)
    guard let value = try? Self.exact(&scanner, &room), (try? scanner.end()) != nil else {
      return nil
    }
    self = value
  }

  /// Takes the value that comes next.
  ///
  /// - Throws: ``CheckpointError``: `malformed` for JSON that is not the exact form of a value,
  ///   `unsupported` for more values than `room` has, or nested too deeply.
  package static func exact(
    _ scanner: inout JSONScanner, _ room: inout ValueRoom, depth: Int = 0
  ) throws(CheckpointError) -> Value {
    guard depth <= maxDepth else {
      throw CheckpointError(.unsupported, "values are nested deeper than \(maxDepth) levels")
    }
    guard room.take() else {
      throw CheckpointError(
        .unsupported,
        "holds more than \(Budget.current.maxValues) values; pass --allow-large to read them")
    }
    switch scanner.next() {
    case .null:
      guard scanner.takeNull() else { throw scanner.expected("a value") }
      return .null
    case .bool: return .bool(try scanner.bool())
    case .string: return .text(try scanner.string())
    case .number: return number(try scanner.number())
    case .array: return .list(try elements(&scanner, &room, depth))
    case .object: return try object(&scanner, &room, depth)
    }
  }

  private static func number(_ text: String) -> Value {
    if let number = Int(text) { return .integer(number) }
    let isInteger = text.utf8.allSatisfy { $0 == UInt8(ascii: "-") || $0.isDigit }
    guard !isInteger, let number = Double(text) else {
      return .opaque("int", [Member("digits", .text(text))])
    }
    return .real(number)
  }

  private static func elements(
    _ scanner: inout JSONScanner, _ room: inout ValueRoom, _ depth: Int
  ) throws(CheckpointError) -> [Value] {
    var elements: [Value] = []
    try scanner.array { scanner throws(CheckpointError) in
      elements.append(try exact(&scanner, &room, depth: depth + 1))
    }
    return elements
  }

  /// A dictionary, or a value that an object of one key stands for.
  private static func object(
    _ scanner: inout JSONScanner, _ room: inout ValueRoom, _ depth: Int
  ) throws(CheckpointError) -> Value {
    var members: [Member] = []
    var other: Value?
    try scanner.object { scanner, key, _ throws(CheckpointError) in
      guard key.hasPrefix("$") else {
        members.append(Member(key, try exact(&scanner, &room, depth: depth + 1)))
        return
      }
      guard members.isEmpty, other == nil else {
        throw scanner.expected("one key that begins with $")
      }
      other = try tagged(key, &scanner, &room, depth)
    }
    if other != nil, !members.isEmpty { throw scanner.expected("one key that begins with $") }
    return other ?? .dictionary(members)
  }

  private static func tagged(
    _ tag: String, _ scanner: inout JSONScanner, _ room: inout ValueRoom, _ depth: Int
  ) throws(CheckpointError) -> Value {
    switch tag {
    case "$real":
      guard let number = real(try scanner.string()) else { throw scanner.expected("a number") }
      return .real(number)
    case "$bytes":
      guard let bytes = bytes(hexadecimal: try scanner.string()) else {
        throw scanner.expected("pairs of hexadecimal digits")
      }
      return .bytes(bytes)
    case "$tuple": return .tuple(try elements(&scanner, &room, depth))
    case "$dictionary":
      var members: [Member] = []
      try scanner.array { scanner throws(CheckpointError) in
        let pair = try elements(&scanner, &room, depth)
        guard pair.count == 2 else { throw scanner.expected("a key and a value") }
        members.append(Member(pair[0], pair[1]))
      }
      return .dictionary(members)
    case "$opaque":
      var parts: [Value] = []
      try scanner.array { scanner throws(CheckpointError) in
        parts.append(try exact(&scanner, &room, depth: depth))
      }
      guard parts.count == 2, case .text(let name) = parts[0],
        case .dictionary(let members) = parts[1]
      else { throw scanner.expected("a name and members") }
      return .opaque(name, members)
    default: throw scanner.expected("a kind of value other than \(tag)")
    }
  }

  private static func real(_ text: String) -> Double? {
    switch text {
    case "nan": .nan
    case "inf": .infinity
    case "-inf": -.infinity
    default:
      text.hasPrefix("0x")
        ? UInt64(text.dropFirst(2), radix: 16).map(Double.init(bitPattern:)) : nil
    }
  }

  private static func bytes(hexadecimal text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    for start in stride(from: 0, to: digits.count, by: 2) {
      let pair = String(decoding: digits[start..<start + 2], as: UTF8.self)
      guard let byte = UInt8(pair, radix: 16) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }
}
