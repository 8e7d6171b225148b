public import TensorCore

/// Ones on the main diagonal of a matrix, zeros elsewhere: `torch.nn.init.eye_`.
public struct Eye: Initializer, Hashable {
  public let name = "eye"

  /// Makes the initializer; it has no parameters.
  public init() {}

  public func fill(for info: TensorInfo) throws -> TensorFill {
    guard info.shape.count == 2 else {
      throw CheckpointError(.mismatched, "eye: expected 2 dimensions, found shape \(info.shape)")
    }
    let columns = info.shape[1]
    return .ones(at: (0..<min(info.shape[0], columns)).map { $0 * columns + $0 })
  }

  public var description: String { name }

  static let syntax = InitializerSyntax("eye") { _ in Eye() }
}

extension Initializer where Self == Eye {
  /// Ones on the main diagonal of a matrix.
  public static var eye: Self { Eye() }
}
