internal import TensorCore

/// The classes of timm 1.0.31 that draw values after building their layers, or own tensors that
/// printed text does not show.
///
/// Source: timm 1.0.31 `models/` and `layers/`, checked by `Tools/check-models`.
extension LibraryClass {
  static let timm = timmResidual + timmConvolutional + timmMobile + timmTransformers + timmStaged

  /// The parts of models whose tensors are all printed and that draw no values themselves, though
  /// other classes of their name do: each with the children that tell.
  static func plain(_ classes: KeyValuePairs<String, String>) -> [LibraryClass] {
    classes.map { LibraryClass($0.key, $0.value) }
  }
}

extension LibraryClass.Hidden {
  /// Parameters that are one number throughout.
  init(_ shapes: KeyValuePairs<String, [Int]>, all value: Double) {
    parameters = shapes.map {
      Parameter($0.key, shape: $0.value, initializer: Constant(value))
    }
  }
}

extension Redraw {
  /// timm's `trunc_normal_(weight, std)`, and a bias of 0.
  static func cut(_ classes: String..., deviation: Double = 0.02) -> Redraw {
    Redraw(
      named: classes,
      [
        Rule.Assignment("weight", InvertedNormal(standardDeviation: deviation)),
        Rule.Assignment("bias", Constant(0)),
      ])
  }

  /// Weights 1 and biases 0.
  static func norms(_ classes: String...) -> Redraw {
    Redraw(
      named: classes,
      [Rule.Assignment("weight", Constant(1)), Rule.Assignment("bias", Constant(0))])
  }

  /// Convolutions of the standard deviation √(2 / fan_out), the fan being that of one group.
  static let fanOutNormal = Redraw("Conv2d") { module in
    [
      Rule.Assignment(
        "weight", Normal(standardDeviation: (2 / module.groupedFanOut).squareRoot())),
      Rule.Assignment("bias", Constant(0)),
    ]
  }

  /// Linear layers within 1/√outputs, as EfficientNets have them.
  static let uniformByOutputs = Redraw("Linear") { module in
    let bound = 1 / Double(max(1, module.weightSizes.first ?? 1)).squareRoot()
    return [
      Rule.Assignment("weight", Uniform(lower: -bound, upper: bound)),
      Rule.Assignment("bias", Constant(0)),
    ]
  }

  /// timm's `lecun_normal_`, and a bias of 0.
  static let lecun = Redraw("Conv2d") { module in
    let deviation = (1 / Double(max(1, module.weightSize(from: 1)))).squareRoot()
    return [
      Rule.Assignment(
        "weight",
        InvertedNormal(standardDeviation: deviation / 0.87962566103423978, isScaled: true)),
      Rule.Assignment("bias", Constant(0)),
    ]
  }

  /// The same only at some paths.
  func at(_ place: @escaping @Sendable (String) -> Bool) -> Redraw {
    var copy = self
    copy.place = place
    return copy
  }
}

extension Module {
  /// Channels that a convolution's output has, times the kernel's sizes.
  var fanOut: Double { Double(weightSizes.first ?? 1) * Double(weightSize(from: 2)) }

  /// The same of one of its groups, a whole number.
  var groupedFanOut: Double {
    (fanOut / Double(max(1, (layer as? Convolution)?.options.groups ?? 1))).rounded(.down)
  }

  /// Whether a module of one of these classes is inside.
  func holds(anyOf kinds: Set<String>) -> Bool {
    namedModules().contains { kinds.contains($0.module.kind) }
  }

  /// Sizes of the weight of a module inside; empty where there is none.
  func weightSizes(at path: String) -> [Int] { self[path]?.weightSizes ?? [] }

  /// Fills of one number in modules inside, of each class at its own path.
  func filling(
    with value: Double, _ paths: [String: [String]],
    where isMeant: (Module) -> Bool = { _ in true }
  ) -> [ConstructionStep] {
    namedModules().flatMap { node in
      (paths[node.module.kind] ?? []).filter {
        isMeant(node.module) && node.module.owns(parameter: $0)
      }.map { .fill(node.name(of: $0), Constant(value)) }
    }
  }

  /// The construction in the printed order, with a child before all others.
  func construction(from child: String) -> [ConstructionStep] {
    let rest = construction.filter { step in
      if case .child(let name) = step.kind { name != child } else { true }
    }
    return self[child] == nil ? rest : [.child(child)] + rest
  }
}
