package import TensorCore
internal import TorchRandom

/// Values that are simply known: a table of positions, a mask, anything computed without a draw.
package struct LiteralValues: Initializer {
  /// Elements, row-major and little-endian.
  package let bytes: [UInt8]

  package let name = "literal"

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package func fill(for info: TensorInfo) throws -> TensorFill {
    guard bytes.count == info.byteCount else {
      throw CheckpointError(
        .mismatched,
        "expected \(info.byteCount) bytes of values for shape \(info.shape) of "
          + "\(info.dtype.rawValue), found \(bytes.count)")
    }
    return .computed { bytes }
  }

  package var description: String { "literal(\(bytes.count) bytes)" }
}

extension TensorFill {
  /// A fill that draws nothing and whose values take work to make.
  static func computed(_ make: @escaping @Sendable () throws -> [UInt8]) -> TensorFill {
    .whole(nil) { _, _ in try make() }
  }
}

extension TensorValues {
  /// All values at once.
  func bytes() throws -> [UInt8] {
    let read = try reader()
    var bytes = [UInt8](repeating: 0, count: info.byteCount)
    guard !bytes.isEmpty else { return bytes }
    try bytes.withMutableRawSpan { try read(0..<info.byteCount, &$0) }
    return bytes
  }
}
