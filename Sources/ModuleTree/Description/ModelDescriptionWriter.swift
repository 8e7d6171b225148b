import FoundationEssentials
import JSONText
import TensorCore
import TorchRandom

/// Writes a tree as a description.
struct ModelDescriptionWriter {
  private let root: Module
  private let plan: Initialization
  private let tensors: [TensorName: NamedTensor]

  init(_ root: Module) throws {
    self.root = root
    plan = try Initialization(of: root, generator: Generator(seed: 0))
    tensors = Dictionary(keepingFirst: plan.tensors.map { ($0.name, $0) })
  }

  /// The description, one module and one draw per line.
  func text() throws -> String {
    let draws = try draws()
    var json = JSONWriter()
    json.object(.lines) { json in
      json.key("ckpt-model")
      json.number(ModelDescription.version)
      json.key("modules")
      json.array(.lines, writeModules)
      json.key("draws")
      json.array(draws.isEmpty ? .spaced : .lines) { json in
        for step in draws { json.object(.spaced) { Self.write(step, to: &$0) } }
      }
    }
    return json.text
  }

  // MARK: - Modules

  private func writeModules(to json: inout JSONWriter) {
    let originals = Dictionary(
      keepingFirst: plan.namedModules.map { (TensorName($0.path), $0.original) })
    var pending: [(path: String, module: Module?)] = [("", root)]
    while let (path, module) = pending.popLast() {
      json.object(.spaced) { json in
        json.key("path")
        json.string(path)
        guard let module else {
          json.key("class")
          return json.null()
        }
        if let original = originals[TensorName(path)], !original.isSameText(path) {
          json.key("is")
          return json.string(original)
        }
        write(module, path, to: &json)
        for child in module.ownChildren.reversed() {
          pending.append((path.isEmpty ? child.name : "\(path).\(child.name)", child.module))
        }
      }
    }
  }

  private func write(_ module: Module, _ path: String, to json: inout JSONWriter) {
    json.key("class")
    json.string(module.kind)
    if let base = module.base {
      json.key("base")
      json.string(base)
    }
    if !module.arguments.isEmpty {
      json.key("arguments")
      json.string(module.arguments)
    }
    let (parameters, buffers) = (module.ownParameters, module.ownBuffers)
    // Known layers would bring their own.
    if !parameters.isEmpty || module.layer != nil {
      json.key("parameters")
      json.array { json in
        for parameter in parameters { json.object { write(parameter, in: path, to: &$0) } }
      }
    }
    if !buffers.isEmpty || module.layer?.buffers.isEmpty == false {
      json.key("buffers")
      json.array { json in
        for buffer in buffers { json.object { Self.write(buffer, to: &$0) } }
      }
    }
  }

  private func write(_ parameter: Parameter, in path: String, to json: inout JSONWriter) {
    let name = TensorName(path.isEmpty ? parameter.name : "\(path).\(parameter.name)")
    json.key("name")
    json.string(parameter.name)
    if let original = tensors[name]?.original, original != name {
      json.key("is")
      return json.string(original.text)
    }
    Self.write(
      parameter.shape, parameter.dtype, parameter.initializer, parameter.reason, to: &json)
  }

  private static func write(_ buffer: Buffer, to json: inout JSONWriter) {
    json.key("name")
    json.string(buffer.name)
    write(buffer.shape, buffer.dtype, buffer.initializer, buffer.reason, to: &json)
    if !buffer.isPersistent {
      json.key("persistent")
      json.bool(false)
    }
  }

  private static func write(
    _ shape: Shape, _ dtype: DType?, _ initializer: (any Initializer)?, _ reason: String?,
    to json: inout JSONWriter
  ) {
    json.key("shape")
    json.numbers(shape)
    write(dtype, to: &json)
    Rule(initializer).write(to: &json)
    if let reason {
      json.key("reason")
      json.string(reason)
    }
  }

  static func write(_ dtype: DType?, to json: inout JSONWriter) {
    guard let dtype else { return }
    json.key("dtype")
    json.string(dtype.torchName)
  }

  /// The member that says where values come from.
  private struct Rule: Equatable {
    let key: String
    let value: String?

    init(_ initializer: (any Initializer)?) {
      switch initializer {
      case nil: (key, value) = ("rule", nil)
      case let literal as LiteralValues:
        (key, value) = ("data", Data(literal.bytes).base64EncodedString())
      case let initializer?: (key, value) = ("rule", "\(initializer)")
      }
    }

    func write(to json: inout JSONWriter) {
      json.key(key)
      if let value { json.string(value) } else { json.null() }
    }
  }

  // MARK: - Draws

  /// The steps that the modules' own rules do not imply.
  private func draws() throws -> [ConstructionStep] {
    // One operation in each: `+ 1 * 2` would be read as `+ 2`.
    let steps = try plan.flatConstruction().flatMap { step -> [ConstructionStep] in
      guard case .change(let name, let steps) = step.kind else { return [step] }
      return steps.map { .change(name, [$0]) }
    }
    var fills: [TensorName: Int] = [:]
    for step in steps {
      for name in step.names { fills[tensors[name]?.original ?? name, default: 0] += 1 }
    }
    return try steps.filter { step in
      switch step.kind {
      case .fill(let name, let initializer):
        let tensor = tensors[TensorName(name)]
        // A tensor that is filled just once, without a draw, gets the same values from its own
        // rule, whenever that runs; so its step need not be written.
        guard fills[tensor?.original ?? TensorName(name)] == 1,
          let info = plan.info(of: TensorName(name)),
          try initializer.fill(for: info).isDeterministic
        else { return true }
        return tensor?.initializer.map { Rule($0) == Rule(initializer) } != true
      case .ownParameters, .child, .fillMatrices, .remainder, .rules: return false
      default: return true
      }
    }
  }

  private static func write(_ step: ConstructionStep, to json: inout JSONWriter) {
    switch step.kind {
    case .fill(let name, let initializer):
      json.members(["fill": name])
      Rule(initializer).write(to: &json)
    case .fillPart(let name, let elements, let initializer):
      json.members(["fill": name])
      json.key("elements")
      json.numbers([elements.lowerBound, elements.upperBound])
      Rule(initializer).write(to: &json)
    case .fillView(let name, let view, let initializer):
      json.members(["fill": name, "part": view.description])
      Rule(initializer).write(to: &json)
    case .change(let name, let steps):
      json.members(["change": name, "by": steps.map(\.description).joined(separator: " ")])
    case .cast(let name, let dtype):
      json.members(["cast": name])
      write(dtype, to: &json)
    case .discard(let shape, let dtype, let initializer):
      json.key("discard")
      json.numbers(shape)
      write(dtype, to: &json)
      Rule(initializer).write(to: &json)
    case .advance(let words):
      json.key("advance")
      json.number(words)
    case .copy(let source, let target): json.members(["copy": source, "to": target])
    case .norms(let source, let target, let dimension):
      json.members(["norms": source, "to": target])
      if dimension != 0 {
        json.key("dimension")
        if let dimension { json.number(dimension) } else { json.null() }
      }
    case .powerMethod(let weight, let u, let v, let rows):
      json.members(["powers": weight, "u": u, "v": v])
      json.key("rows")
      json.number(rows)
    case .normalize(let name): json.members(["normalize": name])
    case .derived(let step): step.write(to: &json)
    case .ownParameters, .child, .fillMatrices, .remainder, .rules: break
    }
  }
}

extension ConstructionStep {
  /// The tensors that a flat step reads or fills.
  fileprivate var names: [TensorName] {
    switch kind {
    case .fill(let name, _), .fillPart(let name, _, _), .fillView(let name, _, _),
      .change(let name, _), .cast(let name, _), .normalize(let name):
      [TensorName(name)]
    case .copy(let source, let target), .norms(let source, let target, _):
      [TensorName(source), TensorName(target)]
    case .powerMethod(let weight, let u, let v, _): [weight, u, v].map { TensorName($0) }
    case .derived(let step): step.names
    case .ownParameters, .child, .fillMatrices, .discard, .advance, .remainder, .rules: []
    }
  }
}
