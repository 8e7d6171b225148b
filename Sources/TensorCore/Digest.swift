import Crypto

/// How bytes are digested.
public enum DigestAlgorithm: String, Sendable, CaseIterable {
  /// BLAKE3, unkeyed, 32 bytes: what `b3sum` prints. Many threads can digest one tensor.
  case blake3
  /// SHA-256: what `sha256sum` prints. One thread digests a tensor from its first byte to its last.
  case sha256
}

/// A digest of bytes, the measure by which tensors and files are called equal.
public struct Digest: Hashable, Sendable, CustomStringConvertible {
  /// Eight bytes each, the first one highest: an index has a digest per tensor, which needs no memory
  /// of its own.
  private let first, second, third, fourth: UInt64

  /// Parses 64 hexadecimal digits of either case; `nil` if the text is anything else.
  public init?(hexadecimal text: String) {
    let text = text.lowercased()
    self.init(lowercaseHexadecimal: text.utf8Span.span)
  }

  /// Parses 64 hexadecimal digits, all of them lowercase.
  package init?(lowercaseHexadecimal digits: Span<UInt8>) {
    guard digits.count == 64, let first = Self.word(digits, at: 0),
      let second = Self.word(digits, at: 16), let third = Self.word(digits, at: 32),
      let fourth = Self.word(digits, at: 48)
    else { return nil }
    (self.first, self.second, self.third, self.fourth) = (first, second, third, fourth)
  }

  /// Takes 32 bytes.
  package init(bytes: [UInt8]) {
    precondition(bytes.count == 32, "\(bytes.count) bytes")
    func word(at start: Int) -> UInt64 {
      bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }
    (first, second, third, fourth) = (word(at: 0), word(at: 8), word(at: 16), word(at: 24))
  }

  private static func word(_ digits: Span<UInt8>, at start: Int) -> UInt64? {
    var (word, areDigits) = (UInt64(0), true)
    for index in start..<start + 16 {
      let (value, isDigit) = digits[index].lowercaseHexadecimal
      word = word << 4 | UInt64(value)
      areDigits = areDigits && isDigit
    }
    return areDigits ? word : nil
  }

  /// The 32 bytes.
  public var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(32)
    for word in [first, second, third, fourth] {
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
      }
    }
    return bytes
  }

  /// 64 lowercase hexadecimal digits.
  public var description: String { bytes.hexDigits() }
}

extension [UInt8] {
  /// The bytes of pairs of lowercase hexadecimal digits; `nil` if there is anything else.
  package init?(lowercaseHexadecimal digits: Span<UInt8>) {
    guard digits.count.isMultiple(of: 2) else { return nil }
    self = []
    reserveCapacity(digits.count / 2)
    var areDigits = true
    for index in 0..<digits.count / 2 {
      let (high, low) = (
        digits[2 * index].lowercaseHexadecimal, digits[2 * index + 1].lowercaseHexadecimal
      )
      append(high.value << 4 | low.value)
      areDigits = areDigits && high.isDigit && low.isDigit
    }
    if !areDigits { return nil }
  }
}

extension Sequence<UInt8> {
  /// Two lowercase hexadecimal digits per byte.
  package func hexDigits(separator: String = "") -> String {
    func digit(_ value: UInt8) -> UInt8 {
      (value < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10) + value
    }
    var text: [UInt8] = []
    text.reserveCapacity(underestimatedCount * (2 + separator.utf8.count))
    for byte in self {
      if !text.isEmpty { text += separator.utf8 }
      text.append(digit(byte >> 4))
      text.append(digit(byte & 15))
    }
    return String(decoding: text, as: UTF8.self)
  }
}

/// A digest in progress: `update` as bytes come, `finalize` once.
public struct DigestBuilder: Sendable {
  private enum State {
    case tree(TreeHash)
    case serial(SHA256)
  }

  private var state: State

  /// Starts with no bytes.
  public init(_ algorithm: DigestAlgorithm = .blake3) {
    switch algorithm {
    case .blake3: state = .tree(TreeHash())
    case .sha256: state = .serial(SHA256())
    }
  }

  /// Adds bytes.
  public mutating func update(_ bytes: RawSpan) {
    switch state {
    case .tree(var hash):
      // The old state is given up first, so that what it holds is not copied.
      state = .tree(TreeHash())
      hash.update(bytes)
      state = .tree(hash)
    case .serial(var hash):
      unsafe bytes.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
      state = .serial(hash)
    }
  }

  /// Adds a text's UTF-8.
  public mutating func update(_ text: String) {
    let bytes = Array(text.utf8)
    unsafe update(bytes.span.bytes)
  }

  /// The digest of all that was added.
  public func finalize() -> Digest {
    switch state {
    case .tree(var hash): hash.finalize()
    case .serial(let hash): Digest(bytes: Array(hash.finalize()))
    }
  }
}
