internal import TensorCore

/// Classes of well-known libraries that own tensors which printed text does not show, each with
/// an example of such a tensor's name.
///
/// Their names tell enough in any model; see ``LibraryNames`` for those that do not.
///
/// Source: torchvision 0.29.2 `models/`, its printed text compared with `state_dict()`; `LayerScale`,
/// `LayerScale2d`, `GlobalResponseNorm`, `Scale`, and `Affine` are timm's. PyTorch 2.15
/// `torch/ao/quantization/observer.py`, `fake_quantize.py`.
enum UnprintedParameters {
  static let examples = [
    "VisionTransformer": "class_token", "ShiftedWindowAttention": "relative_position_bias_table",
    "ShiftedWindowAttentionV2": "relative_position_index", "CNBlock": "layer_scale",
    "LayerScale": "gamma", "RelativePositionalMultiHeadAttention": "relative_position_bias_table",
    "LayerScale2d": "gamma", "GlobalResponseNorm": "weight", "Scale": "scale", "Affine": "alpha",
    "MinMaxObserver": "min_val", "MovingAverageMinMaxObserver": "min_val",
    "PerChannelMinMaxObserver": "min_val", "MovingAveragePerChannelMinMaxObserver": "min_val",
    "HistogramObserver": "histogram", "FixedQParamsObserver": "scale",
    "FakeQuantize": "fake_quant_enabled", "FixedQParamsFakeQuantize": "fake_quant_enabled",
    "FusedMovingAvgObsFakeQuantize": "fake_quant_enabled",
  ]

  /// Whether a class may own tensors in whatever model it is.
  static func tellsAnywhere(_ module: Module) -> Bool {
    // Classes of this name own a buffer as a rule, in tutorials as in libraries.
    if examples[module.kind] != nil || module.kind == "PositionalEncoding" { return true }
    return LibraryClass.hidesTensors(module)
      || module.ownChildren.isEmpty && Library.isCompleted(module.kind)
  }

  /// Options of PyTorch's classes that no text shows, with their defaults.
  static let options = [
    "PReLU": "init is taken to be 0.25", "CrossEntropyLoss": "weight is taken to be None",
    "NLLLoss": "weight is taken to be None", "BCELoss": "weight is taken to be None",
    "BCEWithLogitsLoss": "weight and pos_weight are taken to be None",
    "MultiMarginLoss": "weight is taken to be None",
    "MultiLabelSoftMarginLoss": "weight is taken to be None",
  ]
}

extension Module {
  /// What a user should know of a tree that was read from text: classes known to own tensors that
  /// the text does not show, unless they have been given, classes recognized by their text,
  /// and tensors that are near PyTorch's and not equal.
  package var notes: [String] {
    guesses + tables + hidden + assumptions + configurations + near + readings
  }

  private var tables: [String] {
    grouped {
      $0.kind.hasSuffix(KnownLayers.rotaryTable) && !KnownLayers.knows($0.kind)
        && $0.arguments.isEmpty && $0.ownParameters.isEmpty && $0.ownBuffers.isEmpty
    }.map { kind, paths in
      "\(kind) is assumed to own no tensors that state_dict() lists: " + Self.list(paths)
    }
  }

  private var assumptions: [String] {
    grouped { $0.assumption != nil }.map { kind, paths in
      "\(kind): \(self[paths[0]]?.assumption ?? ""); if not, give it with --extra: "
        + Self.list(paths)
    }
      + grouped { UnprintedParameters.options[$0.kind] != nil && !$0.arguments.contains("init=") }
      .map { kind, paths in
        "\(kind): \(UnprintedParameters.options[kind] ?? ""), the default; if not, give it with "
          + "--extra: " + Self.list(paths)
      }
  }

  /// Options of constructors that no text shows, for a tree that is drawn as a library does.
  package func notesOnOptions(of library: Library) -> [String] {
    grouped { library.known($0) != nil && LibraryClass.options[library]?[$0.kind] != nil }
      .map { kind, paths in
        let options = LibraryClass.options[library]?[kind] ?? ""
        let places = paths == [""] ? "" : ": \(Self.list(paths))"
        return "\(kind)'s default \(options) is assumed\(places)"
      }
  }

  /// Options that a constructor's loop depends on; the outermost class is that of the configuration.
  private var configurations: [String] {
    for node in namedModules() {
      for library in Library.allCases {
        guard let known = library.known(node.module), let options = known.configuration else {
          continue
        }
        return [
          "what the text does not show of \(known.kind)'s configuration is taken to be "
            + "\(library.rawValue)'s default: \(options)"
        ]
      }
    }
    return []
  }

  private var near: [String] {
    let vectors = grouped { $0.kind == "_SpectralNorm" && !$0.ownBuffers.isEmpty }
      .map { _, paths in
        "the vectors _u and _v of spectral_norm are within 2e-6 of PyTorch's, but not equal: "
          + Self.list(paths)
      }
    func remark(on module: Module) -> String? {
      Library.allCases.lazy.compactMap { $0.known(module)?.remark }.first
    }
    return vectors
      + grouped { remark(on: $0) != nil }.map { kind, paths in
        "\(kind): \(self[paths[0]].flatMap(remark) ?? ""): " + Self.list(paths)
      }
  }

  /// What a user should know of classes recognized by their text.
  package var guesses: [String] {
    grouped { $0.isBaseGuessed }.map { kind, paths in
      let base = self[paths[0]]?.base ?? ""
      let treatment =
        base == kind
        ? "treated as the \(kind) of \(KnownLayers.library(of: kind) ?? "torch.nn")"
        : "treated as \(base) because it prints like one"
      return "\(kind) is not a torch.nn class; \(treatment): " + Self.list(paths)
    }
  }

  private var hidden: [String] {
    grouped { module in
      !module.missing.isEmpty
        || UnprintedParameters.examples[module.kind] != nil && module.ownParameters.isEmpty
          && module.ownBuffers.isEmpty && !module.isToldEmpty
    }
    .map { kind, paths in
      let example = self[paths[0]]?.missing.first ?? UnprintedParameters.examples[kind] ?? ""
      let name = paths[0].isEmpty ? example : "\(paths[0]).\(example)"
      let more = paths.count > 1 ? " and \(paths.count - 1) more" : ""
      return "\(kind) owns tensors that printed text does not show, such as \(name)\(more); "
        + "give them with --extra"
    }
  }

  /// Paths of the modules that fit, by class; none of them empty.
  private func grouped(_ fits: (Module) -> Bool) -> [(kind: String, paths: [String])] {
    var groups: [(kind: String, paths: [String])] = []
    for node in namedModules() where fits(node.module) {
      if let index = groups.firstIndex(where: { $0.kind == node.module.kind }) {
        groups[index].paths.append(node.path)
      } else {
        groups.append((node.module.kind, [node.path]))
      }
    }
    return groups
  }

  /// The first of some paths, and how many more there are.
  static func list(_ paths: [String]) -> String {
    paths.map { $0.isEmpty ? "the model itself" : $0 }.listed(upTo: 1)
  }
}
