import CheckpointFormats
import ModuleTree
import TensorCore

/// The module tree of a Keras model: Keras's own classes, names of layers and of variables.
struct KerasTree {
  /// The tree, in which every tensor of a layer is a parameter or a buffer.
  private(set) var module = Module(kind: "Model")
  /// Names in the tree, by those in the file.
  private(set) var names: [TensorName: TensorName] = [:]
  /// What a user should know.
  private(set) var notes: [String] = []
  /// Whether the file does not describe its layers, so that classes are inferred.
  let isInferred: Bool
  private let model: KerasModel
  private var guesses: [String] = []

  /// Builds the tree of a checkpoint that has names of Keras; `nil` for any other.
  ///
  /// - Throws: `CheckpointError` when the description cannot be read, or stands for more layers than the
  ///   budget allows.
  init?(_ checkpoint: Checkpoint) throws(CheckpointError) {
    guard checkpoint.mayBeKeras else { return nil }
    model = try KerasModel(checkpoint)
    guard model.isKeras else { return nil }
    isInferred = !model.isDescribed
    module = build(0, path: "")
    let listed = KerasLayout.listed(guesses)
    if isInferred {
      notes.append("has no module tree; classes are inferred from Keras's names")
    } else if !guesses.isEmpty {
      notes.append("the model's description does not tell the class of \(listed); inferred")
    }
  }

  private mutating func build(_ index: Int, path: String) -> Module {
    let layer = model.layers[index]
    let inside = path.isEmpty ? "" : "\(path)."
    var children: [Module.Child] = []
    for child in layer.children {
      let name = model.layers[child].name
      children.append(.init(name, build(child, path: inside + name)))
    }
    let variables = model.variables(of: index) ?? layer.tensors.map(\.name.variable)
    let kind = layer.kind ?? kind(of: index, variables)
    if !isInferred, layer.kind == nil || layer.isGuessed, kind != "Layer" {
      guesses.append(inside.isEmpty ? "the model itself" : path)
    }
    var module = Module(
      kind: kind, arguments: layer.described?.arguments.text ?? "", children: children)
    // A class of PyTorch's that has the same name is another one.
    if KnownLayers.knows(kind) { module.base = "Module" }
    var known: Set<TensorName> = []
    for (name, tensor) in zip(variables, layer.tensors) {
      let own = name.isEmpty ? "_" : name.replacing(".", with: "_")
      guard known.insert(TensorName(own)).inserted else { continue }
      names[tensor.entry.name] = TensorName(inside + own)
      let info = tensor.entry.info
      let (initializer, reason) = initial(name, of: index, kind)
      if Self.buffers.contains(own) {
        var buffer = Buffer(
          own, shape: info.shape.sizes, dtype: info.dtype, initializer: initializer)
        buffer.reason = reason
        module.ownBuffers.append(buffer)
      } else {
        var parameter = Parameter(own, shape: info.shape.sizes, dtype: info.dtype, initializer)
        parameter.reason = reason
        module.ownParameters.append(parameter)
      }
    }
    return module
  }

  /// Variables that Keras does not train.
  private static let buffers: Set<String> = [
    "moving_mean", "moving_variance", "running_mean", "running_std", "mean", "variance", "count",
    "vector_u", "kernel_scale", "embeddings_scale", "seed_generator_state",
  ]

  /// A class for a layer whose variables show it.
  private func kind(of index: Int, _ variables: [String]) -> String {
    let layer = model.layers[index]
    let rank = layer.tensors.first?.entry.info.shape.count
    if let place = variables.firstIndex(of: "recurrent_kernel") {
      let shape = layer.tensors[place].entry.info.shape
      guard shape.count == 2, shape[0] > 0 else { return "Layer" }
      let cells = [1: "SimpleRNNCell", 3: "GRUCell", 4: "LSTMCell"]
      return shape[1] % shape[0] == 0 ? cells[shape[1] / shape[0]] ?? "Layer" : "Layer"
    }
    switch Set(variables) {
    case ["kernel"], ["kernel", "bias"]:
      return rank == 2 ? "Dense" : "Layer"
    case ["embeddings"]: return "Embedding"
    case ["gamma", "beta", "moving_mean", "moving_variance"]: return "BatchNormalization"
    case ["gamma", "beta"] where KerasClass.snakeCase(layer.name).hasPrefix("layer_norm"):
      return "LayerNormalization"
    default: return index == 0 ? "Model" : "Layer"
    }
  }

  // MARK: - Initializers

  /// How Keras fills a variable, where that can be repeated, and otherwise why it cannot.
  private func initial(
    _ variable: String, of index: Int, _ kind: String
  ) -> (known: (any Initializer)?, reason: String?) {
    let end = "; reinitialize it in Keras"
    guard let layer = model.description(of: index) else {
      let text = isInferred ? "a file of weights" : "Keras's description"
      return (nil, "\(text) does not tell its initializer\(end)")
    }
    let found = Self.keys(of: variable, kind).lazy.compactMap { layer.initializers[$0] }.first
    guard let found else {
      return (nil, "Keras's description does not tell its initializer\(end)")
    }
    if variable == "bias", layer.options.unitForgetBias == true, found.name == "Zeros" {
      return (nil, "Keras fills it with Zeros, and with Ones for the forget gate\(end)")
    }
    if let known = found.known { return (known, "Keras fills it with \(found.text)") }
    return (nil, "drawn by Keras's \(found.text), which is not reproduced here\(end)")
  }

  /// Names under which a description may have a variable's initializer.
  private static func keys(of variable: String, _ kind: String) -> [String] {
    switch variable {
    case "kernel" where kind.hasPrefix("Depthwise"): ["depthwise", "kernel"]
    case let name where name.hasSuffix("_kernel"): [String(name.dropLast(7)), name]
    default: [variable]
    }
  }
}

extension Checkpoint {
  /// Whether the file has Keras's names, with a tree of Keras's classes.
  package var hasKerasTree: Bool { (try? KerasTree(self)) != nil }

  /// Whether names or metadata are such as Keras's files have, which is told without reading them whole.
  fileprivate var mayBeKeras: Bool {
    let texts = metadata
    return texts[Self.kerasLayersKey] != nil
      || KerasDescription.keys.contains { texts[$0]?.utf8.contains("class_name".utf8) == true }
      || entries.contains { $0.name.text.utf8.contains("/vars/".utf8) }
  }
}
