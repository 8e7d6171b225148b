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
        .mismatched, "\(initializer): expected 2 or more dimensions, found shape \(info.shape)")
    }
    let kernel = info.shape.product(along: 2...)
    input = info.shape[1] * kernel
    output = info.shape[0] * kernel
  }

  subscript(mode: FanMode) -> Int { mode == .fanIn ? input : output }
}
