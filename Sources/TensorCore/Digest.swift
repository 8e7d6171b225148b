import Crypto

/// A SHA-256 of bytes, the measure by which tensors and files are called equal.
public struct Digest: Hashable, Sendable, CustomStringConvertible {
  /// The 32 bytes.
  public let bytes: [UInt8]

  /// Parses 64 hexadecimal digits of either case; `nil` if the text is anything else.
  public init?(hexadecimal text: String) {
    let digits = Array(text.utf8)
    guard digits.count == 64 else { return nil }
    func value(_ digit: UInt8) -> UInt8? {
      switch digit {
      case 0x30...0x39: digit - 0x30
      case 0x41...0x46: digit - 0x41 + 10
      case 0x61...0x66: digit - 0x61 + 10
      default: nil
      }
    }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: 64, by: 2) {
      guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    self.bytes = bytes
  }

  fileprivate init(bytes: [UInt8]) { self.bytes = bytes }

  /// 64 lowercase hexadecimal digits, as `sha256sum` prints them.
  public var description: String { bytes.hexDigits() }
}

extension Sequence<UInt8> {
  /// Two lowercase hexadecimal digits per byte.
  package func hexDigits(separator: String = "") -> String {
    map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: separator)
  }
}

/// A SHA-256 in progress: `update` as bytes come, `finalize` once.
public struct DigestBuilder: Sendable {
  private var hash = SHA256()

  /// Starts with no bytes.
  public init() {}

  /// Adds bytes.
  public mutating func update(_ bytes: RawSpan) {
    unsafe bytes.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
  }

  /// Adds a text's UTF-8.
  public mutating func update(_ text: String) {
    var text = text
    text.withUTF8 { unsafe hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
  }

  /// The digest of all that was added.
  public func finalize() -> Digest { Digest(bytes: Array(hash.finalize())) }
}
