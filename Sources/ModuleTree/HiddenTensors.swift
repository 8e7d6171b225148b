/// Classes of well-known libraries that own tensors which printed text does not show, each with
/// an example of such a tensor's name.
///
/// Source: torchvision 0.29.2 `models/`, its printed text compared with `state_dict()`; `LayerScale`
/// is timm's.
enum HiddenTensors {
  static let examples = [
    "VisionTransformer": "class_token", "ShiftedWindowAttention": "relative_position_bias_table",
    "ShiftedWindowAttentionV2": "relative_position_index", "CNBlock": "layer_scale",
    "LayerScale": "gamma", "RelativePositionalMultiHeadAttention": "relative_position_bias_table",
  ]
}

extension Module {
  /// What a user should know of a tree that was read from text: classes known to own tensors that
  /// the text does not show, unless they have been given.
  public var notes: [String] {
    var places: [(kind: String, paths: [String])] = []
    for place in namedModules() where place.module.ownParameters.isEmpty {
      guard HiddenTensors.examples[place.module.kind] != nil else { continue }
      if let index = places.firstIndex(where: { $0.kind == place.module.kind }) {
        places[index].paths.append(place.path)
      } else {
        places.append((place.module.kind, [place.path]))
      }
    }
    return places.map { kind, paths in
      let example = HiddenTensors.examples[kind] ?? ""
      let name = (paths.first ?? "").isEmpty ? example : "\(paths[0]).\(example)"
      let more = paths.count > 1 ? " and \(paths.count - 1) more" : ""
      return "\(kind) owns tensors that its text does not show, such as \(name)\(more); "
        + "give them with --extra"
    }
  }
}
