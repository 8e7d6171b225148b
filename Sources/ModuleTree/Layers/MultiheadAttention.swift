/// Attention with `size`-wide queries: own projections of the inputs, and the child `out_proj`.
///
/// `in_proj_weight` `[3 × size, size]`, or with keys or values of another width `q_proj_weight`,
/// `k_proj_weight`, `v_proj_weight`; then `in_proj_bias`, and on request `bias_k` and `bias_v`
/// `[1, 1, size]`. The constructor draws `out_proj` as any linear layer, its bias too; then the
/// own weights, xavier uniform; then it sets the biases to zero; then draws `bias_k` and `bias_v`,
/// xavier normal. Widths of keys and values and the extra biases are not printed.
/// Source: PyTorch 2.15 `torch/nn/modules/activation.py`, class `MultiheadAttention`.
public struct MultiheadAttention: Layer {
  /// Width of queries and of the output.
  package let size: Int
  /// Whether there are biases.
  package let hasBias: Bool
  /// Width of keys; one that differs from the queries' divides `in_proj_weight` into three weights.
  package var keySize: Int
  /// Width of values, likewise.
  package var valueSize: Int
  /// Whether a trained key and value is added to the sequence.
  package var addsKeyAndValue: Bool

  /// Describes `nn.MultiheadAttention(size, …)`; the number of heads changes no tensor.
  public init(
    _ size: Int, bias: Bool = true, keySize: Int? = nil, valueSize: Int? = nil,
    addsKeyAndValue: Bool = false
  ) {
    self.size = size
    self.hasBias = bias
    self.keySize = keySize ?? size
    self.valueSize = valueSize ?? size
    self.addsKeyAndValue = addsKeyAndValue
  }

  public var kind: String { "MultiheadAttention" }
  public var arguments: String { "" }

  public var parameters: [Parameter] {
    var parameters: [Parameter] = []
    let xavier = XavierUniform()
    if keySize == size && valueSize == size {
      parameters.append(
        Parameter("in_proj_weight", shape: [3 * size, size], initializer: xavier))
    } else {
      for (name, width) in [("q", size), ("k", keySize), ("v", valueSize)] {
        parameters.append(
          Parameter("\(name)_proj_weight", shape: [size, width], initializer: xavier))
      }
    }
    if hasBias {
      parameters.append(
        Parameter("in_proj_bias", shape: [3 * size], initializer: .zeros))
    }
    if addsKeyAndValue {
      for name in ["bias_k", "bias_v"] {
        parameters.append(
          Parameter(name, shape: [1, 1, size], initializer: .xavierNormal()))
      }
    }
    return parameters
  }

  public var children: [Module.Child] {
    [
      Module.Child(
        "out_proj",
        Linear(size, size, bias: hasBias, kind: "NonDynamicallyQuantizableLinear").module)
    ]
  }

  public func construction(children names: [String]) -> [ConstructionStep] {
    let steps = names.map { ConstructionStep.child($0) } + [.ownParameters]
    // The child draws its bias as any linear layer does; zeros replace it afterward, but the
    // generator has moved.
    return hasBias ? steps + [.fill("out_proj.bias", Constant(0))] : steps
  }
}

extension MultiheadAttention: PrintedLayer {
  package static let classes: [String: [String]] = ["MultiheadAttention": []]

  package static func prints(_ printed: PrintedModule) -> Bool {
    guard printed.showsOnly(children: ["out_proj"]),
      let output = printed.children.first(where: { $0.name == "out_proj" })?.module?.layer
        as? Linear
    else { return false }
    return output.inputs == output.outputs
  }

  package init(printed: PrintedModule) throws(ArgumentError) {
    let output = try printed.linear("out_proj")
    self.init(output.outputs, bias: output.hasBias)
  }

  package static let unprintedOptions = ["kdim", "vdim", "add_bias_kv"]

  package func setting(_ options: PrintedArguments) throws(ArgumentError) -> MultiheadAttention? {
    guard !options.names.isEmpty, Set(Self.unprintedOptions).isSuperset(of: options.names) else {
      return nil
    }
    var copy = self
    copy.keySize = try options.size("kdim", default: keySize)
    copy.valueSize = try options.size("vdim", default: valueSize)
    copy.addsKeyAndValue = try options.flag("add_bias_kv", default: addsKeyAndValue)
    return copy
  }

  package static func inferred(from tensors: OwnTensors) -> [MultiheadAttention] {
    func width(_ name: String) -> Int? {
      tensors.shape(name).flatMap { $0.count == 2 ? $0[1] : nil }
    }
    let query = width("q_proj_weight")
    guard let size = width("in_proj_weight") ?? query else { return [] }
    return [
      MultiheadAttention(
        size, bias: tensors.shape("in_proj_bias") != nil,
        keySize: query == nil ? nil : width("k_proj_weight"),
        valueSize: query == nil ? nil : width("v_proj_weight"),
        addsKeyAndValue: tensors.shape("bias_k") != nil)
    ]
  }
}
