/// One layer of a transformer's encoder or decoder: attention, two linear layers, norms, dropouts.
///
/// It has no tensors of its own; its children are constructed in printed order.
/// Source: PyTorch 2.15 `torch/nn/modules/transformer.py`.
public struct TransformerLayer: Layer {
  /// Encoder or decoder.
  public enum Side: String, Sendable {
    /// Self-attention only.
    case encoder = "Encoder"
    /// Self-attention, then attention to the encoder's output.
    case decoder = "Decoder"
  }

  /// Which of the two it is.
  package let side: Side
  /// Children in registration order.
  public let children: [Module.Child]

  /// Describes `nn.TransformerEncoderLayer(size, heads, feedforward, …)` and its kin; the number
  /// of heads changes no tensor.
  public init(
    _ side: Side, _ size: Int, feedforward: Int = 2048, dropout: Double = 0.1, bias: Bool = true
  ) {
    self.side = side
    let norms = side == .encoder ? 2 : 3
    let drop = Dropout(dropout).module
    let attention = MultiheadAttention(size, bias: bias).module
    var children = [Module.Child("self_attn", attention)]
    if side == .decoder { children.append(Module.Child("multihead_attn", attention)) }
    children += [
      Module.Child("linear1", Linear(size, feedforward, bias: bias).module),
      Module.Child("dropout", drop),
      Module.Child("linear2", Linear(feedforward, size, bias: bias).module),
    ]
    for number in 1...norms {
      children.append(Module.Child("norm\(number)", LayerNorm(size, bias: bias).module))
    }
    for number in 1...norms { children.append(Module.Child("dropout\(number)", drop)) }
    self.children = children
  }

  public var kind: String { "Transformer\(side.rawValue)Layer" }
  public var arguments: String { "" }
  public var parameters: [Parameter] { [] }
}

extension TransformerLayer: PrintedLayer {
  package static let classes: [String: [String]] = [
    "TransformerEncoderLayer": [], "TransformerDecoderLayer": [],
  ]

  package static func prints(_ printed: PrintedModule) -> Bool {
    let norms = printed.kind == "TransformerEncoderLayer" ? 2 : 3
    let names =
      ["self_attn"] + (norms == 3 ? ["multihead_attn"] : []) + ["linear1", "dropout", "linear2"]
      + (1...norms).map { "norm\($0)" } + (1...norms).map { "dropout\($0)" }
    return printed.showsOnly(children: names, optional: ["activation"])
      && printed.children.allSatisfy { child in
        guard child.name.hasSuffix("attn") else { return true }
        return child.module?.layer is MultiheadAttention
      }
  }

  package init(printed: PrintedModule) throws(ArgumentError) {
    side = printed.kind == "TransformerEncoderLayer" ? .encoder : .decoder
    children = printed.children
  }
}
