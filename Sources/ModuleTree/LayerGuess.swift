import TensorCore

/// The classes that a module's own tensors speak for.
struct LayerGuess {
  /// The layers with these tensors and no others, divided into those that get the same initial
  /// values; the likeliest first, of the groups and within each.
  let groups: [[any PrintedLayer]]
  private let names: Set<TensorName>
  private let tensors: [(name: String, info: TensorInfo)]

  /// Guesses from the last part of a module's name and its tensors.
  ///
  /// Only a class that `outer` itself makes under this name counts, as attention does its output; of
  /// other libraries than `torch.nn`, those of `libraries` count.
  init(
    name: String, tensors: [(name: String, info: TensorInfo)], madeBy outer: (any Layer)? = nil,
    libraries: Set<String>
  ) {
    self.tensors = tensors
    names = Set(tensors.map { TensorName($0.name) })
    let lowercased = name.lowercased()
    let made = outer?.children.first { $0.name.isSameText(name) }?.module?.layer
    let candidates = Self.candidates(tensors, names, made: made, libraries: libraries)
      .enumerated().map { ($0.element.likelihood(moduleName: lowercased), $0.offset, $0.element) }
      .sorted { ($1.0, $0.1) < ($0.0, $1.1) }.map(\.2)
    var groups: [[any PrintedLayer]] = []
    for layer in candidates {
      let values = Self.values(of: layer, tensors)
      if let index = groups.firstIndex(where: { Self.values(of: $0[0], tensors) == values }) {
        groups[index].append(layer)
      } else {
        groups.append([layer])
      }
    }
    self.groups = groups
    likelihoods = candidates.map { ($0.kind, $0.likelihood(moduleName: lowercased)) }
  }

  private let likelihoods: [(kind: String, likelihood: Likelihood)]

  /// Every class that has these tensors, the likeliest first.
  var kinds: [String] { likelihoods.map(\.kind) }

  /// The likelier classes as a sentence has them, at most four.
  var kindList: String {
    let usual = likelihoods.filter { $0.likelihood > .rare }.map(\.kind)
    var shown = Array((usual.count > 1 ? usual : kinds).prefix(4))
    if shown.count < kinds.count { return shown.joined(separator: ", ") + ", …" }
    guard let last = shown.popLast(), !shown.isEmpty else { return kinds.joined() }
    return shown.joined(separator: ", ") + (shown.count > 1 ? ", or " : " or ") + last
  }

  private static func candidates(
    _ tensors: [(name: String, info: TensorInfo)], _ names: Set<TensorName>,
    made: (any Layer)?, libraries: Set<String>
  ) -> [any PrintedLayer] {
    let own = OwnTensors(shapes: tensors.map { ($0.name, $0.info.shape.sizes) })
    // A layer multiplies its sizes, by the number of its gates at most.
    guard own.shapes.allSatisfy({ $0.shape.allSatisfy { $0 <= PrintedArguments.maxSize } }) else {
      return []
    }
    var layers: [any PrintedLayer] = []
    for type in KnownLayers.all where type.library.map(libraries.contains) ?? true {
      if let made, ObjectIdentifier(Swift.type(of: made)) != ObjectIdentifier(type) { continue }
      layers += type.inferred(from: own).filter { matches($0, own, names) }
    }
    return layers
  }

  private static func matches(
    _ layer: any Layer, _ own: OwnTensors, _ names: Set<TensorName>
  ) -> Bool {
    // By name, since a recurrent layer may have any number of tensors.
    let expected = Dictionary(
      keepingFirst: layer.parameters.map { (TensorName($0.name), $0.shape) }
        + layer.buffers.map { (TensorName($0.name), $0.shape) })
    return own.shapes.allSatisfy { tensor in
      expected[TensorName(tensor.name)].map { $0 == tensor.shape } ?? false
    } && expected.keys.allSatisfy { names.contains($0) || $0 == "num_batches_tracked" }
  }

  /// What the constructor gives each tensor, in the order of drawing; equal for equal values.
  private static func values(
    of layer: any Layer, _ tensors: [(name: String, info: TensorInfo)]
  ) -> [String] {
    let infos = Dictionary(keepingFirst: tensors.map { (TensorName($0.name), $0.info) })
    let initializers =
      layer.parameters.map { ($0.name, $0.initializer) }
      + layer.buffers.map { ($0.name, $0.initializer) }
    return initializers.map { name, initializer in
      guard let initializer else { return "\(name) unknown" }
      guard let info = infos[TensorName(name)], let fill = try? initializer.fill(for: info) else {
        return "\(name) \(initializer)"
      }
      switch fill {
      case .constant(let value): return "\(name) \(value)"
      case .random(let distribution, let zeroed): return "\(name) \(distribution) \(zeroed as Any)"
      case .ones, .whole, .mapped, .streamed, .nothing: return "\(name) \(initializer)"
      }
    }
  }

  /// The module with all tensors that are there and no others: the layer's in the order in which it
  /// draws them, whatever the file's, then those that it does not know.
  func completing(_ module: Module) -> Module {
    var module = module
    let parameters = module.ownParameters
    module.ownBuffers = module.ownBuffers.filter { names.contains(TensorName($0.name)) }
    let known = Set(
      (parameters.map(\.name) + module.ownBuffers.map(\.name)).map { TensorName($0) })
    module.ownParameters =
      parameters.filter { names.contains(TensorName($0.name)) }
      + tensors.filter { !known.contains(TensorName($0.name)) }.map {
        Parameter($0.name, shape: $0.info.shape.sizes)
      }
    return module
  }
}
