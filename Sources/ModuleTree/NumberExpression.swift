internal import Glibc
internal import TensorCore

/// A number that follows from a tensor's sizes: `1/sqrt(fan_in)`.
///
/// Computed in IEEE double in the order in which Python computes it.
package indirect enum NumberExpression: Hashable, Sendable, CustomStringConvertible {
  /// An operation of two numbers, by its sign in Python.
  package enum Operation: String, Sendable {
    case plus = "+"
    case minus = "-"
    case times = "*"
    case over = "/"
    case wholeOver = "//"
    case power = "**"
  }

  /// A function of one or two numbers, by its name in Python.
  package enum Function: String, Sendable, CaseIterable {
    case sqrt, log, exp, abs, min, max, pow
    case whole = "int"
  }

  case number(Double)
  /// `fan_in`, `fan_out`, `numel`, `dim`, or an argument of the module, such as `in_features`.
  case name(String)
  /// `size(0)`; negative numbers count from the end.
  case size(Int)
  case negative(NumberExpression)
  case binary(Operation, NumberExpression, NumberExpression)
  case call(Function, [NumberExpression])

  /// Names with a meaning for every tensor, then those for modules that have such an argument.
  package static let names =
    ["fan_in", "fan_out", "numel", "dim"]
    + [
      "in_features", "out_features", "in_channels", "out_channels", "groups", "kernel_size",
      "num_embeddings", "embedding_dim", "input_size", "hidden_size", "num_layers", "num_features",
      "num_channels",
    ]

  /// The number, if no sizes are needed.
  package var constant: Double? {
    switch self {
    case .number(let number): number
    case .name, .size: nil
    case .negative(let inner): inner.constant.map { -$0 }
    case .binary(let operation, let left, let right):
      left.constant.flatMap { left in right.constant.map { operation.applied(left, $0) } }
    case .call(let function, let arguments):
      arguments.allSatisfy { $0.constant != nil }
        ? function.applied(arguments.compactMap(\.constant)) : nil
    }
  }

  /// The number for one tensor.
  ///
  /// - Throws: `CheckpointError` with code `mismatched` for a size that the tensor does not have.
  func value(in context: NumberContext) throws(CheckpointError) -> Double {
    switch self {
    case .number(let number): return number
    case .name(let name): return try context.value(of: name)
    case .size(let index): return try context.size(index)
    case .negative(let inner): return -(try inner.value(in: context))
    case .binary(let operation, let left, let right):
      return operation.applied(try left.value(in: context), try right.value(in: context))
    case .call(let function, let arguments):
      var values: [Double] = []
      for argument in arguments { values.append(try argument.value(in: context)) }
      return function.applied(values)
    }
  }

  package var description: String { text(within: 0) }

  /// Binding strength: sums 1, products 2, signs 3, powers 4.
  private func text(within strength: Int) -> String {
    func wrapped(_ text: String, _ own: Int) -> String {
      own < strength ? "(\(text))" : text
    }
    switch self {
    case .number(let number):
      return number < 0
        ? wrapped(InitializerSyntax.text(number), 3) : InitializerSyntax.text(number)
    case .name(let name): return name
    case .size(let index): return "size(\(index))"
    case .negative(let inner): return wrapped("-" + inner.text(within: 3), 3)
    case .binary(let operation, let left, let right):
      let own = operation.strength
      let (before, after) = operation == .power ? (own + 1, 3) : (own, own + 1)
      return wrapped(
        "\(left.text(within: before)) \(operation.rawValue) \(right.text(within: after))", own)
    case .call(let function, let arguments):
      return "\(function.rawValue)(\(arguments.map(\.description).joined(separator: ", ")))"
    }
  }
}

extension NumberExpression.Operation {
  fileprivate var strength: Int {
    switch self {
    case .plus, .minus: 1
    case .times, .over, .wholeOver: 2
    case .power: 4
    }
  }

  func applied(_ left: Double, _ right: Double) -> Double {
    switch self {
    case .plus: left + right
    case .minus: left - right
    case .times: left * right
    case .over: left / right
    case .wholeOver: Self.floorDivided(left, right)
    case .power: pow(left, right)
    }
  }

  /// Python's `//`, which is not the floor of `/`: `1.0 // 0.1` is 9.
  ///
  /// Source: CPython 3 `Objects/floatobject.c`, `_float_div_mod`.
  private static func floorDivided(_ left: Double, _ right: Double) -> Double {
    let rest = fmod(left, right)
    var quotient = (left - rest) / right
    if rest != 0, (right < 0) != (rest < 0) { quotient -= 1 }
    let whole = quotient.rounded(.down)
    return quotient - whole > 0.5 ? whole + 1 : whole
  }
}

extension NumberExpression.Function {
  /// How many numbers the function takes.
  var arity: Int {
    switch self {
    case .sqrt, .log, .exp, .abs, .whole: 1
    case .min, .max, .pow: 2
    }
  }

  func applied(_ values: [Double]) -> Double {
    guard let first = values.first, let last = values.last else { return .nan }
    return switch self {
    case .sqrt: first.squareRoot()
    case .log: Glibc.log(first)
    case .exp: Glibc.exp(first)
    case .abs: Swift.abs(first)
    case .min: Swift.min(first, last)
    case .max: Swift.max(first, last)
    case .pow: Glibc.pow(first, last)
    case .whole: first.rounded(.towardZero)
    }
  }
}

/// What numbers are computed from: a tensor's sizes, and the module that owns it, if known.
struct NumberContext {
  let shape: Shape
  var module: Module?
  /// The tensor's name within the module.
  var own = ""

  func size(_ index: Int) throws(CheckpointError) -> Double {
    let place = index < 0 ? index + shape.count : index
    guard shape.indices.contains(place) else {
      throw CheckpointError(.mismatched, "size(\(index)): shape \(shape) has no such dimension")
    }
    return Double(shape[place])
  }

  func value(of name: String) throws(CheckpointError) -> Double {
    switch name {
    case "numel": return Double(shape.elementCount)
    case "dim": return Double(shape.count)
    case "fan_in": return Double(try fans().input)
    case "fan_out": return Double(try fans().output)
    default:
      if let value = module?.number(ofArgument: name) { return value }
      throw CheckpointError(
        .mismatched,
        "\(name): \(module?.kind ?? "the tensor's module") does not print such an argument; "
          + "use size(0), fan_in, fan_out, or numel")
    }
  }

  /// The fans of the tensor; those of the weight beside it for one with fewer than 2 dimensions, as
  /// for a bias.
  private func fans() throws(CheckpointError) -> Fans {
    var shape = shape
    if shape.count < 2, let module {
      let partner = own.utf8.starts(with: "bias".utf8) ? "weight" + own.dropFirst(4) : "weight"
      let weights = module.ownParameters.filter { $0.shape.count >= 2 }
      if let weight = weights.first(where: { $0.name.isSameText(partner) }) ?? weights.first {
        shape = weight.shape
      }
    }
    return try Fans(of: TensorInfo(dtype: .float32, shape: shape), for: "fan_in and fan_out")
  }
}

extension Module {
  /// A number among the printed arguments, by the parameter's name in the constructor.
  fileprivate func number(ofArgument name: String) -> Double? {
    let printed = PrintedArguments(arguments)
    if let text = printed.text(name) {
      let parts = Set(text.split { "(), ".contains($0) }.map { Double($0) })
      return parts.count == 1 ? parts.first ?? nil : nil
    }
    let positional: [String] =
      switch base ?? kind {
      case let kind where kind.contains("Conv"): ["in_channels", "out_channels"]
      case let kind where kind.contains("Embedding"): ["num_embeddings", "embedding_dim"]
      case let kind where kind.contains("BatchNorm"): ["num_features"]
      case "GroupNorm": ["num_groups", "num_channels"]
      case "RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell": ["input_size", "hidden_size"]
      default: []
      }
    if let place = positional.firstIndex(of: name), place < printed.positionalCount {
      return (try? printed.size(at: place, called: name)).map(Double.init)
    }
    return ["groups", "num_layers"].contains(name) ? 1 : nil
  }
}
