/// A stack of equal transformer layers, then perhaps a norm.
///
/// One layer is drawn and the others are deep copies of it, so all have the same initial values.
/// Source: PyTorch 2.15 `torch/nn/modules/transformer.py`, `TransformerEncoder`, `_get_clones`.
public struct TransformerStack: Layer {
  /// Encoder or decoder.
  package let side: TransformerLayer.Side
  /// Children: `layers`, and `norm` if there is one.
  public let children: [Module.Child]
  /// The layer that was given, which is drawn even where `count` is 0 and nothing is copied from it.
  private var layer: Module?

  /// Describes `nn.TransformerEncoder(layer, count, norm)` and its kin.
  ///
  /// The layer is drawn even if `count`, 0 or more, is 0.
  public init(
    _ layer: TransformerLayer, count: Int, norm: (any ModuleConvertible)? = nil
  ) {
    precondition(count >= 0, "negative number of layers")
    side = layer.side
    if count == 0 { self.layer = layer.module }
    let layers = (0..<count).map { Module.Child(String($0), layer.module) }
    let list = Module.Child("layers", Module(kind: "ModuleList", children: layers))
    children = [list] + (norm.map { [Module.Child("norm", $0.module)] } ?? [])
  }

  public var kind: String { "Transformer\(side.rawValue)" }
  public var arguments: String { "" }
  public var parameters: [Parameter] { [] }

  public func construction(children names: [String]) -> [ConstructionStep] {
    let layers = children.first { $0.name == "layers" }?.module?.ownChildren.map(\.name) ?? []
    guard let first = layers.first else {
      return ((try? layer?.discarding()) ?? []) + names.map { .child($0) }
    }
    let source = "layers.\(first)"
    // Deep copies draw nothing, so a stack moves the generator by one layer, however deep it is.
    return [.child(source)] + layers.dropFirst().map { .copy(of: source, to: "layers.\($0)") }
      + names.filter { $0 != "layers" }.map { .child($0) }
  }
}

extension TransformerStack: PrintedLayer {
  package static let classes: [String: [String]] = [
    "TransformerEncoder": [], "TransformerDecoder": [],
  ]

  /// A stack of other layers than PyTorch's is taken for a class of the user's own: such a class
  /// seldom copies one layer.
  package static func prints(_ printed: PrintedModule) -> Bool {
    guard printed.showsOnly(children: ["layers"], optional: ["norm"]),
      let list = printed.children.first(where: { $0.name == "layers" })?.module,
      list.kind == "ModuleList"
    else { return false }
    return list.ownChildren.allSatisfy { child in
      (child.module?.layer as? TransformerLayer).map { $0.kind == printed.kind + "Layer" } ?? false
    }
  }

  package init(printed: PrintedModule) throws(ArgumentError) {
    side = printed.kind == "TransformerEncoder" ? .encoder : .decoder
    children = printed.children
    layer = nil
    guard children.first(where: { $0.name == "layers" })?.module?.ownChildren.isEmpty != true else {
      throw ArgumentError(
        offset: -1,
        message: """
          a \(printed.kind) without layers does not show the layer that it was given, whose draws \
          come before those of later modules; describe the live model with ckpt-describe (Tools/describe.py), or \
          say in the --extra file that nothing was drawn, 'class \(printed.kind)(Module)'
          """)
    }
  }
}

/// Encoder and decoder.
///
/// Each is constructed, and then every parameter with more than one dimension is drawn again,
/// xavier uniform, in `parameters()` order: the copies' weights become distinct.
/// Source: PyTorch 2.15 `torch/nn/modules/transformer.py`, `Transformer._reset_parameters`.
public struct Transformer: Layer {
  /// Children: `encoder` and `decoder`.
  public let children: [Module.Child]

  /// Describes `nn.Transformer(size, heads, encoder_layers, decoder_layers, feedforward, …)`.
  public init(
    _ size: Int = 512, encoderLayers: Int = 6, decoderLayers: Int = 6, feedforward: Int = 2048,
    dropout: Double = 0.1, bias: Bool = true
  ) {
    func stack(_ side: TransformerLayer.Side, _ count: Int) -> Module {
      TransformerStack(
        TransformerLayer(side, size, feedforward: feedforward, dropout: dropout, bias: bias),
        count: count, norm: LayerNorm(size, bias: bias)
      ).module
    }
    children = [
      Module.Child("encoder", stack(.encoder, encoderLayers)),
      Module.Child("decoder", stack(.decoder, decoderLayers)),
    ]
  }

  public var kind: String { "Transformer" }
  public var arguments: String { "" }
  public var parameters: [Parameter] { [] }

  public func construction(children names: [String]) -> [ConstructionStep] {
    names.map { .child($0) } + [.fillMatrices(XavierUniform())]
  }
}

extension Transformer: PrintedLayer {
  package static let classes: [String: [String]] = ["Transformer": []]

  /// PyTorch's own always has a norm after either stack.
  package static func prints(_ printed: PrintedModule) -> Bool {
    printed.showsOnly(children: ["encoder", "decoder"])
      && printed.children.allSatisfy { child in
        child.module?.layer is TransformerStack && child.module?["norm"] != nil
      }
  }

  package init(printed: PrintedModule) throws(ArgumentError) { children = printed.children }
}
