public import TensorCore
internal import TorchRandom

/// One number everywhere, rounded to the dtype: `torch.nn.init.constant_`, `ones_`, `zeros_`.
public struct Constant: Initializer, Hashable {
  /// The number.
  package let value: Double

  public let name = "constant"

  /// Makes the initializer of its number.
  public init(_ value: Double) { self.value = value }

  public func fill(for info: TensorInfo) throws -> TensorFill {
    _ = try info.dtype.element(nearest: value)
    return .constant(value)
  }

  /// The bare number, which the text form takes for a constant.
  public var description: String { InitializerSyntax.text(value) }

  static let syntaxes = [
    InitializerSyntax("constant", .required("val")) { values throws(CheckpointError) in
      Constant(try values.number(0))
    },
    InitializerSyntax("ones") { _ in Constant(1) },
    InitializerSyntax("zeros") { _ in Constant(0) },
  ]
}

extension Initializer where Self == Constant {
  /// Every element is `value`.
  public static func constant(_ value: Double) -> Self { Constant(value) }
  /// Every element is one.
  public static var ones: Self { Constant(1) }
  /// Every element is zero.
  public static var zeros: Self { Constant(0) }
}
