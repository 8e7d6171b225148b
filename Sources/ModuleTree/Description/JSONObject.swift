internal import TensorCore

/// A JSON object whose keys are taken one by one; at the end none may be left.
struct JSONObject {
  private let bytes: [UInt8]
  private let offset: Int
  private var members: [(key: String, value: JSONValue)]
  private let asked: Set<String>

  /// Takes a value that must be an object with no keys but `known` ones.
  init(_ value: JSONValue, in bytes: [UInt8], keys known: Set<String>) throws(CheckpointError) {
    guard case .object(let members) = value.content else {
      throw JSONScanner.error(
        bytes, value.offset,
        "found \(value.kind), required an object with "
          + known.sorted().joined(separator: ", "))
    }
    self.bytes = bytes
    self.members = members
    offset = value.offset
    asked = known
    if let other = members.first(where: { !known.contains($0.key) }) {
      throw JSONScanner.error(
        bytes, other.value.offset,
        "found the key '\(other.key)', required one of \(known.sorted().joined(separator: ", "))")
    }
  }

  /// Whether a key is there, be its value `null`.
  func has(_ key: String) -> Bool { members.contains { $0.key == key } }

  private func value(_ key: String) -> JSONValue? { members.first { $0.key == key }?.value }

  /// An error at a key's value, or at the object.
  func error(_ key: String?, _ message: String) -> CheckpointError {
    JSONScanner.error(bytes, key.flatMap { value($0)?.offset } ?? offset, message)
  }

  private func wrong(_ key: String, _ required: String) -> CheckpointError {
    error(
      key,
      "found \(key) \(value(key)?.kind ?? "missing"), required \(required)")
  }

  /// The text of a key; `nil` if it is not there or `null`.
  func text(_ key: String) throws(CheckpointError) -> String? {
    switch value(key)?.content {
    case nil, .null: return nil
    case .string(let text): return text
    default: throw wrong(key, "a text")
    }
  }

  /// The text of a key that must be there.
  func requiredText(_ key: String) throws(CheckpointError) -> String {
    guard let text = try text(key) else { throw wrong(key, "a text") }
    return text
  }

  /// The truth value of a key, or its default.
  func flag(_ key: String, default standard: Bool) throws(CheckpointError) -> Bool {
    switch value(key)?.content {
    case nil: return standard
    case .bool(let flag): return flag
    default: throw wrong(key, "true or false")
    }
  }

  /// The whole number of a key, 0 or more.
  func count(_ key: String) throws(CheckpointError) -> Int {
    guard let value = value(key), let count = Self.count(value) else {
      throw wrong(key, "a whole number from 0 to 2^63 - 1")
    }
    return count
  }

  /// The whole number of a key, 0 or more; `nil` if it is `null`.
  func countOrNull(_ key: String) throws(CheckpointError) -> Int? {
    if case .null? = value(key)?.content { return nil }
    return try count(key)
  }

  /// The list of whole numbers of a key, at most 64; `nil` if it is not there.
  func counts(_ key: String) throws(CheckpointError) -> [Int]? {
    guard let value = value(key) else { return nil }
    guard case .array(let items) = value.content, items.count <= 64 else {
      throw wrong(key, "a list of at most 64 sizes")
    }
    var counts: [Int] = []
    for item in items {
      guard let count = Self.count(item) else {
        throw JSONScanner.error(
          bytes, item.offset, "found \(item.kind), required a whole number from 0 to 2^63 - 1")
      }
      counts.append(count)
    }
    return counts
  }

  /// The objects listed at a key; `nil` if it is not there.
  func objects(_ key: String, keys: Set<String>) throws(CheckpointError) -> [JSONObject]? {
    guard let value = value(key) else { return nil }
    guard case .array(let items) = value.content else { throw wrong(key, "a list") }
    var objects: [JSONObject] = []
    for item in items { objects.append(try JSONObject(item, in: bytes, keys: keys)) }
    return objects
  }

  /// The element type of a key; `nil` if it is not there.
  func dtype(_ key: String) throws(CheckpointError) -> DType? {
    guard let text = try text(key) else { return nil }
    guard let dtype = DType(named: text) else { throw wrong(key, "a dtype as float32 or int64") }
    return dtype
  }

  /// The sizes of a key, checked to be a tensor's; `nil` if it is not there.
  func shape(_ key: String, of dtype: DType?) throws(CheckpointError) -> [Int]? {
    guard let shape = try counts(key) else { return nil }
    do throws(CheckpointError) {
      _ = try TensorInfo(dtype: dtype ?? .float64, shape: shape)
    } catch {
      throw self.error(key, error.message)
    }
    return shape
  }

  /// The initialiser of a key; `nil` if it is `null` or not there.
  func initializer(_ key: String) throws(CheckpointError) -> (any Initializer)? {
    guard let text = try text(key) else { return nil }
    do {
      return try InitializerText.parse(text)
    } catch {
      throw self.error(key, "\(key) '\(text)', \(error.message)")
    }
  }

  /// The bytes of a key, in Base64; `nil` if it is not there.
  func data(_ key: String) throws(CheckpointError) -> [UInt8]? {
    guard let text = try text(key) else { return nil }
    guard let bytes = Base64.decode(text) else { throw wrong(key, "Base64 (RFC 4648, section 4)") }
    return bytes
  }

  private static func count(_ value: JSONValue) -> Int? {
    guard case .number(let text) = value.content, let count = Int(text), count >= 0 else {
      return nil
    }
    return count
  }
}

/// Base64 with padding, RFC 4648 section 4.
enum Base64 {
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let values: [UInt8] = {
    var values = [UInt8](repeating: 64, count: 256)
    for (value, byte) in alphabet.enumerated() { values[Int(byte)] = UInt8(value) }
    return values
  }()

  /// Writes bytes as text.
  static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var word = 0
      for byte in group { word = word << 8 | Int(byte) }
      word <<= 8 * (3 - group.count)
      for index in 0..<4 {
        text.append(
          index <= group.count ? alphabet[word >> (18 - 6 * index) & 63] : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Reads text back; `nil` if it is not what ``encode(_:)`` writes.
  static func decode(_ text: String) -> [UInt8]? {
    let characters = Array(text.utf8)
    guard characters.count.isMultiple(of: 4) else { return nil }
    let padding = characters.reversed().prefix { $0 == UInt8(ascii: "=") }.count
    guard padding <= 2 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(characters.count / 4 * 3)
    for start in stride(from: 0, to: characters.count, by: 4) {
      var word = 0
      let filled = start + 4 == characters.count ? 4 - padding : 4
      for index in 0..<4 {
        let value = index < filled ? values[Int(characters[start + index])] : 0
        guard value < 64 else { return nil }
        word = word << 6 | Int(value)
      }
      for index in 0..<filled - 1 { bytes.append(UInt8(word >> (16 - 8 * index) & 255)) }
      if filled < 4, word & ((1 << (8 * (4 - filled))) - 1) != 0 { return nil }
    }
    return bytes
  }
}
