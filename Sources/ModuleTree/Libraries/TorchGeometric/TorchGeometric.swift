internal import TensorCore

/// Classes of torch_geometric 2.8 whose constructor calls `reset_parameters` of the networks that it
/// is given, or that own tensors which printed text does not show.
///
/// Source: torch_geometric 2.8 `nn/conv/`, `nn/dense/dense_gin_conv.py`, `nn/models/autoencoder.py`,
/// `nn/models/meta.py`.
extension LibraryClass {
  static let torchGeometric: [LibraryClass] =
    ["GINConv", "GINEConv", "DenseGINConv"].map { kind in
      var found = resetting(kind, "nn")
      // A parameter with `train_eps=True`; its name, shape, and value are the same.
      found.hidden = { _ in Hidden(buffers: [Buffer("eps", shape: [1], value: 0)]) }
      found.assumption = "eps is taken to be 0, the default"
      return found
    }
    + [
      resetting("EdgeConv", "nn"), resetting("DynamicEdgeConv", "nn"),
      resetting("PointNetConv"), resetting("PPFConv"), metaLayer,
      resetting("GAE", "encoder decoder"), resetting("VGAE", "encoder decoder"),
      resetting("ARGA", "encoder decoder discriminator"), variational,
    ]

  /// Every network is drawn twice, if all of its layers have a `reset_parameters`.
  private static func resetting(_ kind: String, _ children: String = "") -> LibraryClass {
    var found = LibraryClass(kind, children)
    found.isMeant = { module in
      module.namedModules().dropFirst().allSatisfy {
        $0.module.ownParameters.isEmpty
          || $0.module.layer.map { !($0 is MultiheadAttention) } ?? false
      }
    }
    found.construction = { module in
      let inner = module.innerSteps
      return [.ownParameters] + inner + inner
    }
    return found
  }

  /// Only networks that have a `reset_parameters` of their own are drawn again, in another order.
  private static var metaLayer: LibraryClass {
    var found = LibraryClass("MetaLayer")
    found.construction = { module in
      let again = ["node_model", "edge_model", "global_model"].filter {
        module.child($0)?.layer != nil
      }
      return module.innerSteps + again.map { .child($0) }
    }
    return found
  }

  /// The encoder and the decoder are drawn a third time, by the model inside that has them as well.
  private static var variational: LibraryClass {
    var found = LibraryClass("ARGVA", "encoder decoder discriminator VGAE.encoder VGAE.decoder")
    let both = ["encoder", "decoder"]
    found.shares = { _ in both.map { (path: "VGAE.\($0)", original: $0) } }
    found.construction = { _ in
      (both + both + ["discriminator", "discriminator"] + both).map { .child($0) }
    }
    return found
  }

  /// Classes whose own text shows no children, each with words in it that tell of options without
  /// any tensors.
  private static let opaque: [String: [String]] = [
    "AttentiveFP": [], "DeepGCNLayer": [], "DirGNNConv": [], "EquilibriumAggregation": [],
    "GaussianFilter": [],
    "GaussianSmearing": [], "GroupAddRev": [], "HeteroBasisConv": [], "HeteroConv": [],
    "HeteroJumpingKnowledge": ["mode=cat", "mode=max"], "JumpingKnowledge": ["cat", "max"],
    "LinearAlign": [], "LinkEncoder": [], "MaskLabel": [], "MedianAggregation": [],
    "PerformerAttention": [], "PolynormerAttention": [],
    "PowerMeanAggregation": ["learn=False"], "QFormer": [], "QuantileAggregation": [],
    "ResNetPotential": [], "SAGPooling": [], "SGFormerAttention": [], "SchNet": [],
    "SoftmaxAggregation": ["learn=False"],
  ]

  /// Classes of telling names that own a tensor beside their children.
  private static let owning: Set = ["BesselBasisLayer", "ExpNormalSmearing", "MomentumOptimizer"]

  /// Whether a module is of a class that hides its children or its own tensors.
  static func hidesTensors(_ module: Module) -> Bool {
    if owning.contains(module.kind) { return true }
    guard module.ownChildren.isEmpty, let words = opaque[module.kind] else { return false }
    return !words.contains { module.arguments.contains($0) }
  }
}

extension LibraryNames {
  /// Classes that show their children and draw again, or own tensors.
  static let torchGeometric = LibraryNames(
    models: """
      ARGA ARGVA ARLinkPredictor Atomref DenseGINConv DimeNet DimeNetPlusPlus DynamicEdgeConv
      EdgeConv EquivariantScalar GAE GINConv GINEConv GNNFF GPSE GatedEquivariantBlock PPFConv
      PointNetConv Polynormer RENet SGFormer TGNMemory VGAE ViSNet ViSNetBlock
      """,
    owners: "Atomref DimeNet DimeNetPlusPlus GNNFF InteractionBlock TGNMemory ViSNet")
}

extension Module {
  /// The construction of each child.
  fileprivate var innerSteps: [ConstructionStep] {
    ownChildren.filter { $0.module != nil }.map { .child($0.name) }
  }
}
