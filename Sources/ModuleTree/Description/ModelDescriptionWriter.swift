import TensorCore
import TorchRandom

/// Writes a tree as a description.
struct ModelDescriptionWriter {
  private(set) var text = ""

  init(_ root: Module) throws {
    let plan = try Initialization(of: root, generator: Generator(seed: 0))
    let originals = Dictionary(
      plan.places.map { (TensorName($0.path), $0.original) },
      uniquingKeysWith: { first, _ in first })
    let tensors = Dictionary(
      plan.tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    text = "{\n\"ckpt-model\": \(ModelDescription.version),\n\"modules\": [\n"
    var lines: [String] = []
    var pending: [(path: String, module: Module?)] = [("", root)]
    while let (path, module) = pending.popLast() {
      guard let module else {
        lines.append("{\"path\": \(quoted(path)), \"class\": null}")
        continue
      }
      if let original = originals[TensorName(path)], !original.isSameText(path) {
        lines.append("{\"path\": \(quoted(path)), \"is\": \(quoted(original))}")
        continue
      }
      lines.append(Self.line(module, path, tensors))
      for child in module.ownChildren.reversed() {
        pending.append((path.isEmpty ? child.name : "\(path).\(child.name)", child.module))
      }
    }
    text += lines.joined(separator: ",\n") + "\n],\n\"draws\": ["
    let draws = try Self.draws(plan, tensors)
    text += draws.isEmpty ? "]\n}" : "\n" + draws.joined(separator: ",\n") + "\n]\n}"
  }

  private static func line(
    _ module: Module, _ path: String, _ tensors: [TensorName: PlacedTensor]
  ) -> String {
    var line = "{\"path\": \(quoted(path)), \"class\": \(quoted(module.kind))"
    if let base = module.base { line += ", \"base\": \(quoted(base))" }
    if !module.arguments.isEmpty { line += ", \"arguments\": \(quoted(module.arguments))" }
    let parameters = module.ownParameters.map { parameter -> String in
      let name = TensorName(path.isEmpty ? parameter.name : "\(path).\(parameter.name)")
      if let original = tensors[name]?.original, original != name {
        return "{\"name\": \(quoted(parameter.name)), \"is\": \(quoted(original.text))}"
      }
      return tensor(
        parameter.name, parameter.shape, parameter.dtype, parameter.initializer, parameter.reason)
    }
    let buffers = module.ownBuffers.map { buffer in
      let text = tensor(
        buffer.name, buffer.shape, buffer.dtype, buffer.initializer, buffer.reason)
      return buffer.isPersistent ? text : text.dropLast() + ", \"persistent\": false}"
    }
    // Known layers would bring their own.
    if !parameters.isEmpty || module.layer != nil {
      line += ", \"parameters\": [\(parameters.joined(separator: ", "))]"
    }
    if !buffers.isEmpty || module.layer?.buffers.isEmpty == false {
      line += ", \"buffers\": [\(buffers.joined(separator: ", "))]"
    }
    return line + "}"
  }

  private static func tensor(
    _ name: String, _ shape: [Int], _ dtype: DType?, _ initializer: (any Initializer)?,
    _ reason: String?
  ) -> String {
    var text = "{\"name\": \(quoted(name)), \"shape\": \(shape)"
    if let dtype { text += ", \"dtype\": \(quoted(dtype.torchName))" }
    text += ", \(rule(initializer))"
    if initializer == nil, let reason { text += ", \"reason\": \(quoted(reason))" }
    return text + "}"
  }

  private static func rule(_ initializer: (any Initializer)?) -> String {
    switch initializer {
    case nil: "\"rule\": null"
    case let literal as LiteralValues: "\"data\": \"\(Base64.encode(literal.bytes))\""
    case let initializer?: "\"rule\": \(quoted("\(initializer)"))"
    }
  }

  private static func draws(
    _ plan: Initialization, _ tensors: [TensorName: PlacedTensor]
  ) throws -> [String] {
    let steps = plan.flatConstruction()
    var fills: [TensorName: Int] = [:]
    for step in steps {
      for name in step.names { fills[tensors[name]?.original ?? name, default: 0] += 1 }
    }
    return try steps.compactMap { step -> String? in
      switch step {
      case .fill(let name, let initializer):
        let tensor = tensors[TensorName(name)]
        if fills[tensor?.original ?? TensorName(name)] == 1,
          let info = plan.info(of: TensorName(name)),
          try initializer.fill(for: info).isDeterministic,
          tensor?.initializer.map({ rule($0) == rule(initializer) }) == true
        {
          return nil
        }
        return "{\"fill\": \(quoted(name)), \(rule(initializer))}"
      case .fillPart(let name, let elements, let initializer):
        return "{\"fill\": \(quoted(name)), \"elements\": [\(elements.lowerBound), "
          + "\(elements.upperBound)], \(rule(initializer))}"
      case .discard(let shape, let dtype, let initializer):
        let type = dtype.map { ", \"dtype\": \(quoted($0.torchName))" } ?? ""
        return "{\"discard\": \(shape)\(type), \(rule(initializer))}"
      case .advance(let words): return "{\"advance\": \(words)}"
      case .copy(let source, let target):
        return "{\"copy\": \(quoted(source)), \"to\": \(quoted(target))}"
      case .norms(let source, let target, let dimension):
        let along = dimension == 0 ? "" : ", \"dimension\": \(dimension.map(String.init) ?? "null")"
        return "{\"norms\": \(quoted(source)), \"to\": \(quoted(target))\(along)}"
      case .powerMethod(let weight, let u, let v, let rows):
        return "{\"powers\": \(quoted(weight)), \"u\": \(quoted(u)), \"v\": \(quoted(v)), "
          + "\"rows\": \(rows)}"
      case .normalize(let name): return "{\"normalize\": \(quoted(name))}"
      case .ownParameters, .child, .fillMatrices, .remainder: return nil
      }
    }
  }
}

extension ConstructionStep {
  /// The tensors that a flat step reads or fills.
  fileprivate var names: [TensorName] {
    switch self {
    case .fill(let name, _), .fillPart(let name, _, _), .normalize(let name): [TensorName(name)]
    case .copy(let source, let target), .norms(let source, let target, _):
      [TensorName(source), TensorName(target)]
    case .powerMethod(let weight, let u, let v, _): [weight, u, v].map { TensorName($0) }
    case .ownParameters, .child, .fillMatrices, .discard, .advance, .remainder: []
    }
  }
}

/// A text as JSON has it.
private func quoted(_ text: String) -> String {
  var result: [UInt8] = [UInt8(ascii: "\"")]
  for byte in text.utf8 {
    switch byte {
    case UInt8(ascii: "\""): result += Array("\\\"".utf8)
    case UInt8(ascii: "\\"): result += Array("\\\\".utf8)
    case 0x0a: result += Array("\\n".utf8)
    case 0..<0x20:
      let digits = String(byte, radix: 16)
      result += Array("\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8)
    default: result.append(byte)
    }
  }
  return String(decoding: result + [UInt8(ascii: "\"")], as: UTF8.self)
}
