/// Parameters that many layers share.
extension Parameter {
  /// A weight as linear and convolution layers draw it: kaiming uniform with a = √5.
  static func kaimingWeight(shape: [Int]) -> Parameter {
    Parameter("weight", shape: shape, initializer: .kaimingUniform(a: 5.0.squareRoot()))
  }

  /// `weight` 1 and `bias` 0 of one shape, each if wanted.
  static func scaleAndShift(shape: [Int], scale: Bool, shift: Bool) -> [Parameter] {
    (scale ? [Parameter("weight", shape: shape, initializer: .ones)] : [])
      + (shift ? [Parameter("bias", shape: shape, initializer: .zeros)] : [])
  }
}
