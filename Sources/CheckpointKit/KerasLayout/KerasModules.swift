import ModuleTree
import TensorCore

/// The layers that Keras would have for a model's modules, with the names and shapes of their
/// variables; their tensors cannot be read.
///
/// Classes are compared by name, as Keras's own are: what is a counterpart is a fact about the pair,
/// not about the layer, and a tree inferred from tensors has names only.
struct KerasModules {
  private(set) var layers: [KerasLayer] = []
  private let shapes: [TensorName: TensorInfo]

  /// Takes every module whose class has a counterpart; `notes` receives those that have none.
  init(_ checkpoint: Checkpoint, _ tree: Module, notes: inout [String]) {
    shapes = Dictionary(keepingFirst: checkpoint.entries.map { ($0.name, $0.info) })
    for node in tree.namedModules() {
      guard let layer = layer(node, notes: &notes), !layer.variables.isEmpty else { continue }
      layers.append(layer)
    }
  }

  private func layer(_ node: NamedModule, notes: inout [String]) -> KerasLayer? {
    let prefix = node.path.isEmpty ? "" : node.path + "."
    let info = { (name: String) in shapes[TensorName(prefix + name)] }
    guard
      let weight = info("weight") ?? info("running_mean") ?? info("weight_ih_l0")
        ?? info("in_proj_weight") ?? info("q_proj_weight")
    else { return nil }
    var layer = KerasLayer(path: node.path)
    let base = node.path.replacing(".", with: "/") + (node.path.isEmpty ? "" : "/")
    func add(_ name: String, _ shape: [Int], at path: String? = nil) {
      guard let info = try? TensorInfo(dtype: weight.dtype, shape: shape) else { return }
      let entry = Checkpoint.Entry(name: TensorName(base + (path ?? name)), info: info) { _, _ in
        throw CheckpointError(.missing, "has a shape but no values")
      }
      layer.variables.append(.init(name: name, entry: entry))
    }
    func same(_ names: (String, String)...) {
      for (tensor, variable) in names {
        if let info = info(tensor) { add(variable, info.shape.sizes) }
      }
    }
    let (kind, shape) = (node.module.kind, weight.shape)
    switch kind {
    case "Linear" where shape.count == 2:
      add("kernel", [shape[1], shape[0]])
      same(("bias", "bias"))
    case "Embedding": add("embeddings", shape.sizes)
    case "PReLU": add("alpha", shape.sizes)
    case "RMSNorm": add("scale", shape.sizes)
    case "LayerNorm", "GroupNorm": same(("weight", "gamma"), ("bias", "beta"))
    case let kind where kind.contains("BatchNorm"):
      same(
        ("weight", "gamma"), ("bias", "beta"), ("running_mean", "moving_mean"),
        ("running_var", "moving_variance"))
    case let kind where kind.hasPrefix("Conv") && (3...5).contains(shape.count):
      let groups = (node.module.layer as? Convolution)?.options.groups ?? 1
      let spatial = Array(shape.dropFirst(2))
      if groups > 1, shape[1] == 1, shape[0] % groups == 0, !kind.contains("Transpose") {
        layer.kind = "DepthwiseConv"
        add("kernel", spatial + [groups, shape[0] / groups])
      } else {
        layer.kind = "Conv"
        add("kernel", spatial + [shape[1], shape[0]])
      }
      same(("bias", "bias"))
    case "LSTM", "GRU", "RNN": recurrent(kind, info, notes: &notes, node.path, add)
    case "MultiheadAttention":
      notes.append("'\(node.path)': its number of heads, which Keras's shapes contain, is unknown")
    // A transposed convolution without a module tree; its kernel is moved like any other.
    case _ where (3...5).contains(shape.count) && info("bias")?.shape.sizes == [shape[1]]:
      layer.kind = "Conv"
      add("kernel", Array(shape.dropFirst(2)) + [shape[1], shape[0]])
      same(("bias", "bias"))
    default: return nil
    }
    return layer
  }

  private func recurrent(
    _ kind: String, _ info: (String) -> TensorInfo?, notes: inout [String], _ path: String,
    _ add: (String, [Int], String?) -> Void
  ) {
    if info("weight_ih_l1") != nil || info("weight_hr_l0") != nil {
      notes.append(
        "'\(path)' has several layers or a projection, which a single Keras layer cannot have")
      return
    }
    let name = kind == "RNN" ? "simple_rnn" : kind.lowercased()
    let isBoth = info("weight_ih_l0_reverse") != nil
    for (suffix, side) in [("", "forward"), ("_reverse", "backward")] where isBoth || suffix.isEmpty
    {
      guard let input = info("weight_ih_l0" + suffix)?.shape,
        let hidden = info("weight_hh_l0" + suffix)?.shape, input.count == 2, hidden.count == 2
      else { return }
      let role = isBoth ? side + "/" : ""
      let folder = (isBoth ? "\(side)_\(name)/" : "") + name + "_cell/"
      add(role + "kernel", [input[1], input[0]], folder + "kernel")
      add(role + "recurrent_kernel", [hidden[1], hidden[0]], folder + "recurrent_kernel")
      if info("bias_ih_l0" + suffix) != nil {
        add(role + "bias", kind == "GRU" ? [2, input[0]] : [input[0]], folder + "bias")
      }
    }
  }
}
