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
  /// The 32 bytes.
  public let bytes: [UInt8]

  /// Parses 64 hexadecimal digits of either case; `nil` if the text is anything else.
  public init?(hexadecimal text: String) {
    guard text.utf8.count == 64, let bytes = [UInt8](lowercaseHexadecimal: text.lowercased().utf8)
    else { return nil }
    self.bytes = bytes
  }

  /// Parses 64 hexadecimal digits, all of them lowercase.
  package init?(lowercaseHexadecimal text: String) {
    guard text.utf8.count == 64, let bytes = [UInt8](lowercaseHexadecimal: text.utf8) else {
      return nil
    }
    self.bytes = bytes
  }

  package init(bytes: [UInt8]) { self.bytes = bytes }

  /// 64 lowercase hexadecimal digits.
  public var description: String { bytes.hexDigits() }
}

extension [UInt8] {
  /// The bytes of pairs of lowercase hexadecimal digits; `nil` if there is anything else.
  package init?(lowercaseHexadecimal digits: some Collection<UInt8>) {
    func value(_ digit: UInt8) -> UInt8? {
      switch digit {
      case 0x30...0x39: digit - 0x30
      case 0x61...0x66: digit - 0x61 + 10
      default: nil
      }
    }
    guard digits.count.isMultiple(of: 2) else { return nil }
    self = []
    reserveCapacity(digits.count / 2)
    var high: UInt8?
    for digit in digits {
      guard let value = value(digit) else { return nil }
      if let first = high {
        append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
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
