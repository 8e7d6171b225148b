import TensorCore

/// What `torch.nn.utils` puts in place of a parameter.
enum Reparametrization: String, CaseIterable {
  /// The weight's rows and, apart, their norms.
  case weightNorm = "weight_norm"
  /// The weight, and two vectors that estimate its largest singular value.
  case spectralNorm = "spectral_norm"

  /// The reparametrization that a printed class stands for.
  init?(printed kind: String) {
    switch kind {
    case "_WeightNorm": self = .weightNorm
    case "_SpectralNorm": self = .spectralNorm
    default: return nil
    }
  }
}

extension Module {
  /// The module after the hook of `torch.nn.utils.weight_norm` or `spectral_norm`, which no text
  /// shows: `weight_g` and `weight_v`, or `weight_orig` with buffers `weight_u` and `weight_v`.
  ///
  /// `dimension` is that of the norms, `nil` for one norm of everything. On a module with the
  /// parametrization of that name, whose text does not show the dimension, it sets that.
  /// Source: PyTorch 2.15 `torch/nn/utils/weight_norm.py`, `spectral_norm.py`.
  func hooked(
    _ own: String, _ way: Reparametrization, along dimension: Int? = 0
  ) throws(ArgumentError) -> Module {
    if let list = self["parametrizations.\(own)"], way == .weightNorm {
      return try renormed(own, list, along: dimension)
    }
    let weight = try matrix(own)
    try weight.check(dimension)
    switch way {
    case .weightNorm:
      var copy = moved(weight, to: "\(own)_v") { module, weight in
        module.ownParameters.append(weight.norms(named: "\(own)_g", along: dimension))
        module.ownParameters.append(weight.named("\(own)_v"))
      }
      copy = copy.constructed(
        by: copy.construction + [.norms(of: "\(own)_v", to: "\(own)_g", along: dimension)])
      return copy
    case .spectralNorm:
      let (rows, columns) = sides(of: weight)
      let (u, v) = ("\(own)_u", "\(own)_v")
      let copy = moved(weight, to: "\(own)_orig") { module, weight in
        module.ownParameters.append(weight.named("\(own)_orig"))
        module.ownBuffers.append(Buffer(u, shape: [rows], initializer: nil))
        module.ownBuffers.append(Buffer(v, shape: [columns], initializer: nil))
      }
      return copy.constructed(
        by: copy.construction + [
          // The hook draws and normalizes one vector after the other; the parametrization below
          // draws both first. Draws are the same, since normalizing draws nothing, but both follow
          // PyTorch's lines.
          .fill(u, Normal()), .normalize(u), .fill(v, Normal()), .normalize(v),
        ])
    }
  }

  /// The module with the parameters that its printed child `parametrizations` stands for.
  ///
  /// Source: PyTorch 2.15 `torch/nn/utils/parametrizations.py`.
  func parametrized() throws(ArgumentError) -> Module {
    var copy = self
    for list in self["parametrizations"]?.ownChildren ?? [] {
      let ways = list.module?.ownChildren ?? []
      guard ways.count == 1, let kind = ways[0].module?.kind,
        let way = Reparametrization(printed: kind)
      else {
        throw ArgumentError(
          offset: -1,
          message: "expected one _WeightNorm or _SpectralNorm, found parametrization "
            + "\(ways.map { $0.module?.kind ?? "None" }); its tensors can be given by a model description"
        )
      }
      copy = try copy.parametrized(list.name, way)
    }
    return copy
  }

  private func parametrized(
    _ own: String, _ way: Reparametrization
  ) throws(ArgumentError) -> Module {
    let weight = try matrix(own)
    let path = "parametrizations.\(own)"
    switch way {
    case .weightNorm:
      let source = "\(path).original1"
      let copy = moved(weight, to: source) { module, weight in
        module[path]?.ownParameters = [
          weight.norms(named: "original0", along: 0), weight.named("original1"),
        ]
      }
      return copy.constructed(
        by: copy.construction + [.norms(of: source, to: "\(path).original0", along: 0)])
    case .spectralNorm:
      let (rows, columns) = sides(of: weight)
      let source = "\(path).original"
      let (u, v) = ("\(path).0._u", "\(path).0._v")
      let copy = moved(weight, to: source) { module, weight in
        module[path]?.ownParameters = [weight.named("original")]
        module["\(path).0"]?.ownBuffers = [
          Buffer("_u", shape: [rows], initializer: nil),
          Buffer("_v", shape: [columns], initializer: nil),
        ]
      }
      return copy.constructed(
        by: copy.construction + [
          .fill(u, Normal()), .fill(v, Normal()), .normalize(u), .normalize(v),
          .powerMethod(weight: source, u: u, v: v, rows: layer?.spectralNormAxis ?? 0),
        ])
    }
  }

  private func renormed(
    _ own: String, _ list: Module, along dimension: Int?
  ) throws(ArgumentError) -> Module {
    guard list.ownParameters.count == 2 else {
      throw ArgumentError(
        offset: -1, message: "found \(kind) without the parametrization weight_norm of '\(own)'")
    }
    let weight = list.ownParameters[1]
    try weight.check(dimension)
    let path = "parametrizations.\(own)"
    var copy = self
    copy[path]?.ownParameters[0] = weight.norms(named: "original0", along: dimension)
    return copy.constructed(
      by: copy.construction.map { step in
        guard case .norms(let source, let target, _) = step.kind, target == "\(path).original0"
        else {
          return step
        }
        return .norms(of: source, to: target, along: dimension)
      })
  }

  private func matrix(_ own: String) throws(ArgumentError) -> Parameter {
    guard let weight = ownParameters.first(where: { $0.name.isSameText(own) }),
      weight.shape.count > 1
    else {
      throw ArgumentError(
        offset: -1,
        message: "found \(kind) without a parameter '\(own)' of 2 or more dimensions")
    }
    return weight
  }

  /// Rows and columns of the matrix that a weight is to `spectral_norm`.
  private func sides(of weight: Parameter) -> (Int, Int) {
    let rows = weight.shape[layer?.spectralNormAxis ?? 0]
    return (rows, rows > 0 ? weight.shape.elementCount / rows : 0)
  }

  /// The module with a parameter taken out that is constructed at another place.
  private func moved(
    _ weight: Parameter, to path: String, _ change: (inout Module, Parameter) -> Void
  ) -> Module {
    var steps: [ConstructionStep] = []
    for step in construction {
      switch step.kind {
      case .ownParameters:
        for parameter in ownParameters {
          guard let initializer = parameter.initializer else { continue }
          // The moved parameter is drawn where it stood, so that all other draws keep their words.
          let isMoved = parameter.name.isSameText(weight.name)
          steps.append(.fill(isMoved ? path : parameter.name, initializer))
        }
      case .child("parametrizations"): break  // drawn here, in place of the parameter
      case .fill(let name, let initializer) where name.isSameText(weight.name):
        steps.append(.fill(path, initializer))
      default: steps.append(step)
      }
    }
    var copy = self
    copy.ownParameters.removeAll { $0.name.isSameText(weight.name) }
    change(&copy, weight)
    return copy.constructed(by: steps)
  }
}

extension Parameter {
  fileprivate func named(_ name: String) -> Parameter {
    Parameter(name, shape: shape.sizes, dtype: dtype, initializer)
  }

  /// The norms of the slices along a dimension, or of everything.
  fileprivate func norms(named name: String, along dimension: Int?) -> Parameter {
    var norms = Parameter(
      name,
      shape: dimension.map { kept in shape.indices.map { $0 == kept ? shape[kept] : 1 } } ?? [],
      dtype: dtype, nil)
    norms.reason = "holds the norms of the weight"
    return norms
  }

  fileprivate func check(_ dimension: Int?) throws(ArgumentError) {
    if let dimension, !shape.indices.contains(dimension) {
      throw ArgumentError(
        offset: -1, message: "expected a dimension of shape \(shape), found dim=\(dimension)")
    }
  }
}
