internal import TensorCore

/// Which count of connections a Kaiming initializer keeps the variance for.
public enum FanMode: String, Sendable, CaseIterable {
  /// The inputs of a unit: the variance of activations is kept.
  case fanIn = "fan_in"
  /// The outputs of a unit: the variance of gradients is kept.
  case fanOut = "fan_out"
}

/// The connections of one unit of a tensor `[outputs, inputs, kernel…]`.
///
/// Groups and transposition are not considered. Source: PyTorch 2.15
/// `_calculate_fan_in_and_fan_out`.
struct Fans {
  /// Size 1 times the kernel's elements.
  let input: Int
  /// Size 0 times the kernel's elements.
  let output: Int

  init(of info: TensorInfo, for initializer: String) throws(CheckpointError) {
    guard info.shape.count >= 2 else {
      throw CheckpointError(
        .mismatched, "\(initializer) needs 2 or more dimensions, found shape \(info.shape)")
    }
    // A size of zero leaves the other products unchecked by TensorInfo.
    var kernel = 1
    for size in info.shape.dropFirst(2) {
      kernel = try Self.product(kernel, size, of: info.shape)
    }
    input = try Self.product(info.shape[1], kernel, of: info.shape)
    output = try Self.product(info.shape[0], kernel, of: info.shape)
  }

  subscript(mode: FanMode) -> Int { mode == .fanIn ? input : output }

  private static func product(
    _ left: Int, _ right: Int, of shape: [Int]
  ) throws(CheckpointError) -> Int {
    let (product, overflow) = left.multipliedReportingOverflow(by: right)
    if overflow {
      throw CheckpointError(.mismatched, "overflow: shape \(shape) has fans past 2^63")
    }
    return product
  }
}
