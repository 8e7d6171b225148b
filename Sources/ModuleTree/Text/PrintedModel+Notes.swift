import TensorCore

extension Module {
  /// What the printed text leaves open and how it was read.
  var readings: [String] { stacks + transformers + biases + norms }

  private var stacks: [String] {
    let open = namedModules().filter { node in
      ["TransformerEncoder", "TransformerDecoder"].contains(node.module.kind)
        && node.module.layer == nil && node.module.base != "Module"
        && node.module["layers"]?.kind == "ModuleList"
    }
    guard let first = open.first else { return [] }
    return [
      """
      \(first.module.kind) holds layers that are not torch.nn's, so it is treated as your own class, \
      which draws each layer; torch.nn's copies one: \(Self.list(open.map(\.path)))
      """
    ]
  }

  private var transformers: [String] {
    let nodes = namedModules().filter { !$0.module.hasOwnOrder }
    let whole = nodes.filter { $0.module.layer is Transformer }
    let stacks = nodes.filter { node in
      node.module.layer is TransformerStack && node.module["layers.1"] != nil
        && !whole.contains { $0.path == TensorName(node.path).parentAndLeaf.parent }
    }
    return [(whole, "draws its matrices again"), (stacks, "copies one layer")]
      .compactMap { open, habit in
        guard let kind = open.first?.module.kind else { return nil }
        return """
          \(kind) is taken to be torch.nn's, which \(habit); if it is your own class, say so with \
          --extra, 'class \(kind)(Module)': \(Self.list(open.map(\.path)))
          """
      }
  }

  private var biases: [String] {
    let open = namedModules().filter { node in
      node.module.layer is Linear
        && (PrintedArguments(node.module.arguments).arrow != nil
          || PrintedArguments(node.module.arguments).text("bias") == nil)
    }
    guard !open.isEmpty else { return [] }
    return [
      "PyTorch before 0.4 does not print whether a Linear has a bias; each is taken to have one: "
        + Self.list(open.map(\.path))
    ]
  }

  private var norms: [String] {
    let open = namedModules().filter { node in
      node.module.base != nil && !node.module.hasOtherNorms
        && (node.module["parametrizations"]?.ownChildren ?? []).contains {
          $0.module?["0"]?.kind == "_WeightNorm"
        }
    }
    guard !open.isEmpty else { return [] }
    let path = open[0].path
    return [
      "the printed text does not show the dim of weight_norm, so 0 is taken unless --extra says "
        + "otherwise, '\(path.isEmpty ? "" : path): weight_norm=weight, dim=2': "
        + Self.list(open.map(\.path))
    ]
  }
}

extension Module {
  /// Whether a class of a library is known to take the norms of its weight along another dimension.
  fileprivate var hasOtherNorms: Bool {
    construction.contains { step in
      guard case .norms(_, _, let dimension) = step.kind else { return false }
      return dimension != 0
    }
  }
}
