package import TensorCore

/// A module whose class a file tells, beside the tensors that the file has of it.
extension Module {
  /// The module with the tensors of the file, given by name in the module.
  ///
  /// The layer counts if it makes these parameters: as its arguments say, or with options that are not
  /// printed, or under weight or spectral normalization. Otherwise the module keeps its class and
  /// arguments, and the file's tensors have no known initial values. Buffers that the file lacks are
  /// left out. Tensors that the class does not have are not added here.
  func agreeing(with tensors: [(name: String, info: TensorInfo)]) -> Module {
    let own = OwnTensors(shapes: tensors.map { ($0.name, $0.info.shape.sizes) })
    let fits = layer != nil && hasParameters(of: own)
    if fits, own.shapes.count <= ownParameters.count + ownBuffers.count {
      return keepingBuffers(of: own)
    }
    if let layer = KnownLayers.layer(kind, having: own) {
      var module = Module(kind: kind, arguments: arguments, layer: layer, children: ownChildren)
      module.compressesRuns = compressesRuns
      return module.keepingBuffers(of: own)
    }
    if layer == nil { return self }
    if fits { return keepingBuffers(of: own) }
    if let hooked = normed(by: own), hooked.hasParameters(of: own) {
      return hooked.keepingBuffers(of: own)
    }
    var module = Module(kind: kind, arguments: arguments, children: ownChildren)
    module.compressesRuns = compressesRuns
    module.base = base
    module.isBaseGuessed = isBaseGuessed
    for (name, info) in tensors {
      var parameter = Parameter(name, shape: info.shape.sizes, dtype: info.dtype)
      parameter.reason = "the file has other tensors than \(base ?? kind)(\(arguments)) makes"
      module.ownParameters.append(parameter)
    }
    return module
  }

  /// The same tree with one module at each of these paths and the earlier path that it is given with;
  /// left as it is where that cannot be, or for more than 256 of them.
  package func sharing(_ paths: [TensorName: TensorName]) -> Module {
    guard paths.count <= 256 else { return self }
    return paths.sorted { $0.key < $1.key }.reduce(self) { tree, pair in
      (try? tree.sharing(pair.key.text, with: pair.value.text)) ?? tree
    }
  }

  /// Whether all parameters are among the tensors, in the same shapes.
  private func hasParameters(of tensors: OwnTensors) -> Bool {
    ownParameters.allSatisfy { tensors.shape($0.name) == $0.shape.sizes }
  }

  private func keepingBuffers(of tensors: OwnTensors) -> Module {
    var copy = self
    copy.ownBuffers.removeAll { buffer in
      buffer.isPersistent && tensors.shape(buffer.name) != buffer.shape.sizes
    }
    return copy
  }

  /// The module with hooks of `torch.nn.utils.weight_norm` or `spectral_norm` on the parameters that
  /// the tensors show to have one.
  private func normed(by tensors: OwnTensors) -> Module? {
    var copy = self
    for parameter in ownParameters where tensors.shape(parameter.name) == nil {
      let name = parameter.name
      let hooked: Module?
      if let norms = tensors.shape("\(name)_g"), tensors.shape("\(name)_v") != nil {
        let dimension = norms.isEmpty ? nil : norms.firstIndex { $0 != 1 } ?? 0
        hooked = try? copy.hooked(name, .weightNorm, along: dimension)
      } else if tensors.shape("\(name)_orig") != nil, tensors.shape("\(name)_u") != nil {
        hooked = try? copy.hooked(name, .spectralNorm)
      } else {
        return nil
      }
      guard let hooked else { return nil }
      copy = hooked
    }
    return copy
  }
}

extension KnownLayers {
  /// The layer of a class that has just these parameters, whatever its arguments; `nil` if there is none.
  static func layer(_ kind: String, having tensors: OwnTensors) -> (any Layer)? {
    guard !tensors.shapes.isEmpty else { return nil }
    return inferred(kind, from: tensors).first { layer in
      let buffers = Set(layer.buffers.map(\.name))
      return layer.kind == kind
        && layer.parameters.allSatisfy { tensors.shape($0.name) == $0.shape.sizes }
        && tensors.shapes.allSatisfy { own in
          buffers.contains(own.name) || layer.parameters.contains { $0.name == own.name }
        }
    }
  }
}
