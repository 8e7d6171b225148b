public import TensorCore

/// The argument of `torch.manual_seed`.
public struct Seed: Hashable, Sendable, CustomStringConvertible {
  /// The seed as PyTorch stores it: negative seeds are taken modulo 2^64.
  public let value: UInt64

  /// Parses a decimal integer from -2^63 to 2^64 - 1, the range that PyTorch accepts.
  ///
  /// - Throws: `CheckpointError` with code `malformed`.
  public init(_ text: String) throws(CheckpointError) {
    if let value = UInt64(text) {
      self.value = value
    } else if let value = Int64(text) {
      self.value = UInt64(bitPattern: value)
    } else {
      throw CheckpointError(
        .malformed,
        "seed '\(text)': expected an integer from -9223372036854775808 to 18446744073709551615")
    }
  }

  /// The seed with this value.
  public init(_ value: UInt64) { self.value = value }

  public var description: String { "\(value)" }
}
