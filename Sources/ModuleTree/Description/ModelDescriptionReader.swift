import JSONText
import TensorCore

/// Builds a tree from a description's modules, then the order of construction from its draws.
struct ModelDescriptionReader {
  private struct Node {
    let path: String
    let object: JSONObject
    var children: [Int] = []
    /// The path of the module that also stands here.
    var original: String?
    var isNone = false
  }

  private var nodes: [Node] = []
  private let draws: [JSONObject]?
  private var tied: [TensorName: Identity] = [:]
  private var parameters: [TensorName: Parameter] = [:]

  init(_ text: String) throws {
    let bytes = Array(text.utf8)
    let top = try JSONObject(
      try JSONValue(text, maxDepth: ModelDescription.maxDepth), in: bytes,
      keys: ModelDescription.keys
    )
    guard try top.count("ckpt-model") == ModelDescription.version else {
      throw CheckpointError(
        .unsupported,
        "expected version \(ModelDescription.version) of the model description, found version "
          + "\(try top.count("ckpt-model"))")
    }
    _ = try top.text("about")
    guard let modules = try top.objects("modules", keys: ModelDescription.moduleKeys),
      !modules.isEmpty
    else { throw top.error("modules", "expected the root with path '', found no modules") }
    draws = try top.objects("draws", keys: ModelDescription.drawKeys)
    var positions: [TensorName: Int] = [:]
    for (position, object) in modules.enumerated() {
      let node = try Self.node(object)
      guard positions.updateValue(position, forKey: TensorName(node.path)) == nil else {
        throw object.error("path", "module '\(node.path)' is described twice")
      }
      nodes.append(node)
      if position == 0 {
        guard node.path.isEmpty, node.original == nil, !node.isNone else {
          throw object.error("path", "expected the root with path '', found '\(node.path)' first")
        }
        continue
      }
      let (parent, leaf) = TensorName(node.path).parentAndLeaf
      guard let index = positions[TensorName(parent)], !leaf.isEmpty,
        nodes[index].original == nil, !nodes[index].isNone
      else {
        throw object.error(
          "path", "expected its parent '\(parent)' before it, found '\(node.path)'")
      }
      if let original = node.original {
        guard let target = positions[TensorName(original)], target < position,
          nodes[target].original == nil, !nodes[target].isNone,
          !"\(node.path).".utf8.starts(with: (original.isEmpty ? "" : original + ".").utf8)
        else {
          throw object.error("is", "expected the path of an earlier module, found '\(original)'")
        }
      }
      nodes[index].children.append(position)
    }
  }

  private static func node(_ object: JSONObject) throws -> Node {
    let path = try object.requiredText("path")
    guard path.utf8.count(where: { $0 == UInt8(ascii: ".") }) < PrintedModel.maxDepth - 1 else {
      throw object.error("path", "modules nest deeper than \(PrintedModel.maxDepth) levels")
    }
    var node = Node(path: path, object: object)
    node.original = try object.text("is")
    if node.original == nil {
      node.isNone = object.has("class") ? try object.text("class") == nil : false
      if !node.isNone { _ = try object.requiredText("class") }
    }
    return node
  }

  mutating func model() throws -> Module {
    for node in nodes where node.original == nil && !node.isNone { try collectTies(node) }
    var built = [Module?](repeating: nil, count: nodes.count)
    // A parent comes before its children, so going backward all children of a node are built before
    // it.
    for position in nodes.indices.reversed() {
      let node = nodes[position]
      if node.original != nil || node.isNone { continue }
      let children = node.children.map {
        Module.Child(TensorName(nodes[$0].path).parentAndLeaf.leaf, built[$0])
      }
      built[position] = try module(node, children)
      for child in node.children { built[child] = nil }
    }
    guard var root = built[0] else { return Module(kind: "Module") }
    try share(in: &root)
    return try draws.map { try root.constructed(by: Self.steps($0, in: root)) } ?? root
  }

  /// Finds the parameters that others are tied to.
  private mutating func collectTies(_ node: Node) throws {
    for object in try node.object.objects("parameters", keys: ModelDescription.parameterKeys) ?? []
    {
      let own = try object.requiredText("name")
      let name = TensorName(node.path.isEmpty ? own : "\(node.path).\(own)")
      guard let target = try object.text("is") else {
        parameters[name] = try Self.parameter(own, object, layer: nil)
        continue
      }
      guard let known = parameters[TensorName(target)] else {
        throw object.error("is", "expected the name of an earlier parameter, found '\(target)'")
      }
      let identity = known.identity ?? Identity()
      parameters[TensorName(target)]?.identity = identity
      tied[TensorName(target)] = identity
      var copy = Parameter(own, shape: known.shape.sizes, dtype: known.dtype, known.initializer)
      copy.identity = identity
      parameters[name] = copy
      tied[name] = identity
    }
  }

  private func module(_ node: Node, _ children: [Module.Child]) throws -> Module {
    let object = node.object
    let kind = try object.requiredText("class")
    let base = try object.text("base")
    let arguments = try object.text("arguments") ?? ""
    if let base, base != "Module", !KnownLayers.knows(base) {
      throw object.error("base", "expected a class of torch.nn, found base '\(base)'")
    }
    let parameters = try object.objects("parameters", keys: ModelDescription.parameterKeys)
    let buffers = try object.objects("buffers", keys: ModelDescription.bufferKeys)
    var layer: (any Layer)?
    do {
      layer = try KnownLayers.layer(
        kind: kind, base: base, arguments: arguments, children: children, isDescribed: true)
    } catch {
      // A class whose tensors are listed needs no arguments that we can read.
      if parameters == nil { throw object.error("arguments", error.message) }
    }
    if layer == nil, parameters == nil, base == nil, children.isEmpty, KnownLayers.isOwner(kind) {
      throw object.error(
        "arguments",
        "expected what torch.nn's \(kind) prints, or the parameters, found '\(arguments)'")
    }
    var module = Module(kind: kind, arguments: arguments, layer: layer, children: children)
    module.base = base
    if base == "ModuleList" { module.compressesRuns = true }
    // A child may have a tensor's name: quantized files hold `l.weight` and `l.weight.absmax`.
    var names: Set<TensorName> = []
    func claim(_ object: JSONObject) throws -> String {
      let name = try object.requiredText("name")
      guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: ".")),
        names.insert(TensorName(name)).inserted
      else { throw object.error("name", "expected a new name without dots, found '\(name)'") }
      return name
    }
    if let parameters {
      module.ownParameters = try parameters.map { object in
        let own = try claim(object)
        let name = TensorName(node.path.isEmpty ? own : "\(node.path).\(own)")
        var parameter =
          object.has("is") ? self.parameters[name] : try Self.parameter(own, object, layer: layer)
        parameter?.identity = tied[name]
        guard let parameter else { throw object.error("name", "there is no parameter '\(own)'") }
        return parameter
      }
    }
    if let buffers {
      module.ownBuffers = try buffers.map {
        try Self.buffer(try claim($0), $0, layer: layer)
      }
    }
    return module
  }

  private static func parameter(
    _ name: String, _ object: JSONObject, layer: (any Layer)?
  ) throws -> Parameter {
    let (shape, dtype) = try size(object)
    let known = layer?.parameters.first { $0.name.isSameText(name) && $0.shape == shape }
    let initializer = try rule(object) ?? (object.has("rule") ? nil : known?.initializer)
    var parameter = Parameter(name, shape: shape, dtype: dtype, initializer)
    parameter.reason = try object.text("reason")
    return parameter
  }

  private static func buffer(
    _ name: String, _ object: JSONObject, layer: (any Layer)?
  ) throws -> Buffer {
    let (shape, dtype) = try size(object)
    let known = layer?.buffers.first { $0.name.isSameText(name) && $0.shape == shape }
    var buffer = Buffer(
      name, shape: shape, dtype: dtype,
      initializer: try rule(object) ?? (object.has("rule") ? nil : known?.initializer),
      isPersistent: try object.flag("persistent", default: true))
    buffer.reason = try object.text("reason")
    return buffer
  }

  private static func size(_ object: JSONObject) throws -> (shape: [Int], dtype: DType?) {
    let dtype = try object.dtype("dtype")
    guard let shape = try object.shape("shape", of: dtype) else {
      throw object.error("shape", "expected a list of sizes, found no shape")
    }
    return (shape, dtype)
  }

  /// The initializer that `rule` or `data` gives.
  private static func rule(_ object: JSONObject) throws -> (any Initializer)? {
    guard let data = try object.data("data") else { return try object.initializer("rule") }
    if object.has("rule") {
      throw object.error("rule", "expected either rule or data, found both")
    }
    return LiteralValues(data)
  }

  /// Registers shared modules at all their paths.
  private func share(in root: inout Module) throws {
    for original in nodes.compactMap(\.original) where root[original]?.identity == nil {
      root[original]?.identity = Identity()
    }
    var total = nodes.count
    for node in nodes {
      guard let original = node.original, let module = root[original] else { continue }
      let depth = node.path.utf8.count { $0 == UInt8(ascii: ".") }
      guard
        let count = module.countedModules(
          atMost: Budget.current.maxModules - total, maxDepth: PrintedModel.maxDepth - depth - 1)
      else {
        throw node.object.error(
          "is",
          "expected at most \(Budget.current.maxModules) modules and \(PrintedModel.maxDepth) levels, "
            + "found more")
      }
      total += count
      root[node.path] = module
    }
  }
}

extension Module {
  /// Number of modules, this one included; `nil` for more than `most` or deeper than `deepest`.
  fileprivate func countedModules(atMost most: Int, maxDepth: Int) -> Int? {
    var count = 0
    var pending: [(module: Module, depth: Int)] = [(self, 0)]
    while let (module, depth) = pending.popLast() {
      count += 1
      if count > most || depth > maxDepth { return nil }
      for child in module.ownChildren {
        if let module = child.module { pending.append((module, depth + 1)) }
      }
    }
    return count
  }
}
