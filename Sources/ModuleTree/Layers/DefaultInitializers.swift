/// The initialisers that PyTorch's layers use in their `reset_parameters`.
package enum DefaultInitializers {
  /// Kaiming uniform with a = √5, in which weights of linear and convolution layers are drawn.
  package static var kaiming: any Initializer { .kaimingUniform(a: 5.0.squareRoot()) }
  /// N(0, 1).
  package static var standardNormal: any Initializer { .normal() }
  /// Xavier uniform with gain 1.
  package static var xavierUniform: any Initializer { .xavierUniform() }
  /// Xavier normal with gain 1.
  package static var xavierNormal: any Initializer { .xavierNormal() }
  /// All 0.
  package static var zeros: any Initializer { constant(0) }
  /// All 1.
  package static var ones: any Initializer { constant(1) }

  /// All one number.
  package static func constant(_ value: Double) -> any Initializer { .constant(value) }

  /// Uniform within 1/√fan; within 0 for a fan of 0, which still draws.
  package static func uniform(fanIn: Int) -> any Initializer {
    let bound = fanIn > 0 ? 1 / Double(fanIn).squareRoot() : 0
    return .uniform(from: 0 - bound, to: bound)
  }

  /// `weight` 1 and `bias` 0 of one shape, each if wanted.
  package static func scaleAndShift(shape: [Int], scale: Bool, shift: Bool) -> [Parameter] {
    (scale ? [Parameter("weight", shape: shape, initializer: ones)] : [])
      + (shift ? [Parameter("bias", shape: shape, initializer: zeros)] : [])
  }
}
