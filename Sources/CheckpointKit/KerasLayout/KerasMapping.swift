import TensorCore

/// How the tensors of one Keras layer correspond to those of the equivalent PyTorch module.
///
/// This is the table; the article *Keras and PyTorch layouts* explains it. Every rule is read in
/// both directions, so that what it gives can be undone exactly.
struct KerasMapping {
  /// Places of the variables in PyTorch's tensors, in PyTorch's order of tensors.
  private(set) var slots: [KerasSlot] = []
  /// Second biases of PyTorch that Keras does not have: each is added to the other one.
  private(set) var second: [(name: String, first: String)] = []
  /// Why the layer has no counterpart; the mapping is empty then.
  private(set) var reason: String?

  /// Finds the rule for a layer, by its variables, and by its class where those leave a choice.
  init(_ layer: KerasLayer) {
    let names = Set(layer.variables.map(\.name))
    if names.count != layer.variables.count {
      reason = "two of its variables have the same name"
    } else if names.contains(where: { $0.hasSuffix("recurrent_kernel") }) {
      recurrent(layer)
    } else if names.contains("query/kernel") {
      attention(layer)
    } else if names.contains("W") || names.contains("running_std") {
      oldest(layer)
    } else if names.isSubset(of: ["gamma", "beta", "moving_mean", "moving_variance"]) {
      plain(
        layer,
        [
          ("gamma", "weight"), ("beta", "bias"), ("moving_mean", "running_mean"),
          ("moving_variance", "running_var"),
        ])
    } else if names == ["embeddings"] || names == ["scale"] {
      plain(layer, [("embeddings", "weight"), ("scale", "weight")])
    } else if names == ["weight"] || names == ["weight", "bias"] {
      named(layer)
    } else if names == ["alpha"] {
      slope(layer)
    } else if names.contains("depthwise_kernel"),
      names.isSubset(of: ["depthwise_kernel", "pointwise_kernel", "bias"])
    {
      separable(layer)
    } else if names.contains("kernel"), names.isSubset(of: ["kernel", "bias"]) {
      kernel(layer)
    } else if layer.isTransformers {
      named(layer)
    } else {
      reason = layer.kind == nil ? "its variables match no class" : "PyTorch has no such layer"
    }
    if reason == nil, Set(slots.map(\.variable)) != names { reason = "not all variables match" }
    if reason != nil { (slots, second) = ([], []) }
  }

  private mutating func add(
    _ variable: String, _ tensor: String, _ arrangement: KerasSlot.Arrangement,
    part: KerasSlot.Part = .init(), of tensorPart: KerasSlot.Part = .init()
  ) {
    slots.append(
      KerasSlot(
        variable: variable, part: part, tensor: tensor, tensorPart: tensorPart,
        arrangement: arrangement))
  }

  /// Variables that only change their names.
  private mutating func plain(_ layer: KerasLayer, _ names: [(String, String)]) {
    for (variable, tensor) in names {
      guard let shape = layer.shape(variable) else { continue }
      add(variable, tensor, .init(shape.sizes))
    }
  }

  /// Variables that have PyTorch's names; the bias of transformers' Conv1D is a row.
  private mutating func named(_ layer: KerasLayer) {
    for variable in layer.variables {
      let shape = variable.entry.info.shape
      let isRow = variable.name == "bias" && shape.count == 2 && shape[0] == 1
      add(variable.name, variable.name, .init(shape.sizes, torch: isRow ? [shape[1]] : nil))
    }
  }

  /// Layers of Keras 1, which stores variances under the name `running_std`.
  private mutating func oldest(_ layer: KerasLayer) {
    switch layer.kind {
    case "Dense" where layer.shape("W")?.count == 2:
      if let shape = layer.shape("W") { add("W", "weight", Self.moved(shape)) }
      plain(layer, [("b", "bias")])
    case "Embedding": plain(layer, [("W", "weight")])
    case "BatchNormalization":
      plain(
        layer,
        [
          ("gamma", "weight"), ("beta", "bias"), ("running_mean", "running_mean"),
          ("running_std", "running_var"),
        ])
    default:
      reason =
        "layers of Keras 1 are not converted, except Dense, Embedding, and BatchNormalization"
    }
  }

  /// A slope for each channel, however many shared axes of size 1 Keras keeps.
  private mutating func slope(_ layer: KerasLayer) {
    guard let shape = layer.shape("alpha"), shape.count(where: { $0 != 1 }) <= 1 else {
      reason = "PyTorch has one slope per channel, not per element"
      return
    }
    add("alpha", "weight", .init(shape.sizes, torch: [shape.max() ?? 1]))
  }

  // MARK: - Dense and convolutions

  private mutating func kernel(_ layer: KerasLayer) {
    guard let shape = layer.shape("kernel"), (2...5).contains(shape.count) else {
      reason = "expected a kernel of rank 2 to 5"
      return
    }
    let bias = layer.shape("bias")
    if let dtype = layer.info("kernel")?.dtype, !dtype.isFloatingPoint {
      reason = "its kernel is quantized, and its scales are not there"
      return
    }
    if layer.kind == "EinsumDense" || (bias?.count ?? 1) != 1 {
      guard let equation = layer.options?.equation,
        let (kernel, bias) = KerasEquation(equation)?.linear(kernel: shape, bias: bias)
      else {
        reason = "its equation is not that of a linear layer"
        return
      }
      add("kernel", "weight", kernel)
      if let bias { add("bias", "bias", bias) }
      return
    }
    if layer.kind == nil, bias == nil, shape.count > 2, !layer.isTensorFlow {
      reason = "without a bias, a convolution cannot be told from a depthwise one"
      return
    }
    let isDepthwise =
      layer.kind.map { $0.hasPrefix("Depthwise") }
      ?? (bias.map { !shape.suffix(2).contains($0[0]) } ?? false)
    if isDepthwise, shape.count > 2 {
      add("kernel", "weight", Self.depthwise(shape))
    } else {
      add("kernel", "weight", Self.moved(shape))
    }
    if let bias { add("bias", "bias", .init(bias.sizes)) }
  }

  private mutating func separable(_ layer: KerasLayer) {
    guard let depthwise = layer.shape("depthwise_kernel"), depthwise.count > 2 else { return }
    guard let pointwise = layer.shape("pointwise_kernel") else {
      add("depthwise_kernel", "weight", Self.depthwise(depthwise))
      if let bias = layer.shape("bias") { add("bias", "bias", .init(bias.sizes)) }
      return
    }
    guard pointwise.count == depthwise.count else { return }
    add("depthwise_kernel", "depthwise.weight", Self.depthwise(depthwise))
    add("pointwise_kernel", "pointwise.weight", Self.moved(pointwise))
    if let bias = layer.shape("bias") { add("bias", "pointwise.bias", .init(bias.sizes)) }
  }

  /// (…, a, b) to (b, a, …): in and out for a convolution, out and in for a transposed one.
  private static func moved(_ shape: Shape) -> KerasSlot.Arrangement {
    let rank = shape.count
    return .init(shape.sizes, axes: [rank - 1, rank - 2] + Array(0..<(rank - 2)))
  }

  /// (…, channels, multiplier) to (channels · multiplier, 1, …), which is a convolution in groups.
  private static func depthwise(_ shape: Shape) -> KerasSlot.Arrangement {
    let rank = shape.count
    return .init(
      shape.sizes, axes: [rank - 2, rank - 1] + Array(0..<(rank - 2)),
      torch: [shape.product(along: (rank - 2)...), 1] + shape.prefix(rank - 2))
  }

  // MARK: - Recurrent layers

  /// LSTM keeps the order of its gates (i, f, c, o); of a GRU's (z, r, h) PyTorch has r first.
  private mutating func recurrent(_ layer: KerasLayer) {
    // A cell that stands alone has the same tensors under shorter names.
    let level = layer.isCell ? "" : "_l0"
    for (role, side) in [("", ""), ("forward/", ""), ("backward/", "_reverse")] {
      let suffix = level + side
      guard let kernel = layer.shape(role + "kernel"),
        let recurrent = layer.shape(role + "recurrent_kernel")
      else { continue }
      guard kernel.count == 2, recurrent.count == 2, recurrent[0] > 0, kernel[1] == recurrent[1],
        [1, 3, 4].contains(recurrent[1] / recurrent[0]), recurrent[1] % recurrent[0] == 0
      else {
        reason = "its kernel shapes match no LSTM, GRU, or simple RNN"
        return
      }
      let isGRU = recurrent[1] / recurrent[0] == 3
      let gates = isGRU ? [1, 0, 2] : [0]
      add(
        role + "kernel", "weight_ih" + suffix, .init(kernel.sizes, axes: [1, 0], blocks: gates))
      add(
        role + "recurrent_kernel", "weight_hh" + suffix,
        .init(recurrent.sizes, axes: [1, 0], blocks: gates))
      let (first, other) = ("bias_ih" + suffix, "bias_hh" + suffix)
      switch (layer.shape(role + "bias")?.sizes, isGRU) {
      case (nil, true) where layer.options?.resetAfter == false:
        reason = "PyTorch's GRU applies the reset gate after the product, this one before it"
      case (nil, _): break
      case ([2, recurrent[1]]?, true):
        for (index, name) in [first, other].enumerated() {
          add(
            role + "bias", name, .init([1, recurrent[1]], seen: [recurrent[1]], blocks: gates),
            part: .init(index: index, count: 2))
        }
      case ([recurrent[1]]?, false):
        add(role + "bias", first, .init([recurrent[1]]))
        second.append((other, first))
      case ([recurrent[1]]?, true):
        reason = "PyTorch's GRU applies the reset gate after the product, this one before it"
      default: reason = "its bias shape does not match its kernels"
      }
    }
  }

  // MARK: - Attention

  /// PyTorch stores projections to heads as matrices, the heads one after another.
  private mutating func attention(_ layer: KerasLayer) {
    let roles = ["query", "key", "value"]
    let kernels = roles.compactMap { layer.shape($0 + "/kernel") }
    guard kernels.count == 3, let output = layer.shape("output/kernel"), output.count == 3,
      kernels.allSatisfy({ $0.count == 3 }), Set(kernels.map { Array($0.dropFirst()) }).count == 1,
      case let (heads, size, width) = (output[0], output[1], output[2]),
      Array(kernels[0].dropFirst()) == [heads, size], width == output.product(along: 0..<2),
      kernels[0][0] == width
    else {
      reason = "PyTorch's attention needs the number of features to equal heads × head size"
      return
    }
    let isPacked = Set(kernels.map { $0[0] }).count == 1
    for (index, kernel) in kernels.enumerated() {
      let arrangement = KerasSlot.Arrangement(
        kernel.sizes, seen: [kernel[0], width], axes: [1, 0])
      let variable = roles[index] + "/kernel"
      if isPacked {
        add(variable, "in_proj_weight", arrangement, of: .init(index: index, count: 3))
      } else {
        add(variable, ["q_proj_weight", "k_proj_weight", "v_proj_weight"][index], arrangement)
      }
    }
    for (index, role) in roles.enumerated()
    where layer.shape(role + "/bias")?.sizes == [heads, size] {
      add(
        role + "/bias", "in_proj_bias", .init([heads, size], torch: [width]),
        of: .init(index: index, count: 3))
    }
    add(
      "output/kernel", "out_proj.weight",
      .init(output.sizes, seen: [width, width], axes: [1, 0]))
    if let bias = layer.shape("output/bias") {
      add("output/bias", "out_proj.bias", .init(bias.sizes))
    }
  }
}
