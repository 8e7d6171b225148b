import TensorCore

/// The parts of one file: trainers save the optimizer and other state along with the model.
struct PyTorchParts {
  /// One value of the file's dictionary that holds tensors.
  struct Part {
    /// Dotted path in the file.
    let key: String
    let reference: Pickle.Reference
  }

  /// In file order; empty if the file is a single state dict.
  let parts: [Part]
  private let root: Pickle.Reference
  private let decoder: PyTorchTensorDecoder

  /// Names that trainers use for the model's state, in order of preference.
  static let modelKeys = [
    "state_dict", "model_state_dict", "model_state", "model", "module", "net", "network",
    "weights", "params", "generator", "params_ema", "ema", "model_ema", "ema_state_dict",
  ]
  /// Marks of parts that belong to training and not to the model: substrings and whole words of names.
  private static let trainingParts = ["optim", "scheduler", "scaler", "callback"]
  private static let trainingWords: Set<String> = [
    "loops", "rng", "random", "amp", "grad", "grads", "args", "config", "history", "metrics",
  ]
  /// Depth to which dictionaries are searched for those names.
  private static let maxDepth = 3

  init(_ tree: PyTorchTree) {
    root = tree.pickle.root
    decoder = tree.decoder
    parts = Self.parts(of: tree.pickle.root, path: "", in: tree, depth: 0)
  }

  private static func parts(
    of reference: Pickle.Reference, path: String, in tree: PyTorchTree, depth: Int
  ) -> [Part] {
    guard let items = tree.pickle.items(reference) else { return [] }
    let holders = items.filter { tree.holdsTensor($0.value) }
    // A dictionary with tensors of its own is a state dict, unless they only stand beside one: an
    // accuracy, a loss.
    let loose = holders.filter { tree.decoder.isTensor($0.value) }
    guard loose.isEmpty || isTrainers(holders, in: tree) else { return [] }
    return tree.pickle.named(holders).flatMap { name, value -> [Part] in
      let path = TensorName.text(of: name, in: path)
      // A nested dictionary of parts, such as `{'state': {'model': …, 'optimizer': …}}`.
      if depth < maxDepth, !isTraining(name), let inner = tree.pickle.items(value),
        inner.contains(where: { item in
          tree.pickle.text(item.key).map { modelKeys.contains($0) } ?? false
            && (tree.pickle.items(item.value) != nil || tree.isModule(item.value))
        })
      {
        let parts = parts(of: value, path: path, in: tree, depth: depth + 1)
        if !parts.isEmpty { return parts }
      }
      return [Part(key: path, reference: value)]
    }
  }

  /// Whether modules or state dicts are among the values, and no name of a tensor beside them is one of
  /// theirs.
  private static func isTrainers(
    _ holders: [(key: Pickle.Reference, value: Pickle.Reference)], in tree: PyTorchTree
  ) -> Bool {
    var (hasState, hasLayer, areNumbers) = (false, false, true)
    for (key, value) in holders {
      guard let name = tree.pickle.key(key), name.kind == .text else { return false }
      if tree.decoder.isTensor(value) {
        if name.text.text.utf8.contains(UInt8(ascii: ".")) { return false }
        areNumbers = areNumbers && isNumber(value, in: tree)
      } else if tree.isModule(value) {
        hasState = true
      } else if let items = tree.pickle.items(value) {
        let names = items.compactMap { item in
          tree.decoder.isTensor(item.value) ? tree.pickle.text(item.key) : nil
        }
        hasState =
          hasState || modelKeys.contains(name.text.text)
          || names.contains { $0.utf8.contains(UInt8(ascii: ".")) }
        hasLayer = hasLayer || !names.isEmpty
      }
    }
    // The state dict of one layer has no dots either: a step or a loss beside it is a single number.
    return hasState || hasLayer && areNumbers
  }

  private static func isNumber(_ tensor: Pickle.Reference, in tree: PyTorchTree) -> Bool {
    guard case .tensor(let found)? = try? tree.decoder.decode(tensor) else { return false }
    return found.info.elementCount <= 1
  }

  static func isTraining(_ key: String) -> Bool {
    let key = key.lowercased()
    return trainingParts.contains { key.contains($0) }
      || key.split(whereSeparator: { !$0.isLetter }).contains { trainingWords.contains(String($0)) }
  }

  /// The prefix of the names of a part's tensors that is opened alone: none, or for a lone tensor its
  /// own name.
  private func prefix(alone part: Part) -> String {
    guard decoder.isTensor(part.reference) else { return "" }
    return part.key.split(separator: ".").last.map(String.init) ?? part.key
  }

  /// The parts to open, each with the prefix for its tensors' names.
  ///
  /// - Throws: ``CheckpointError`` `missing` for a key that no part has.
  func chosen(_ key: String?) throws(CheckpointError) -> [(part: Part, prefix: String)] {
    if parts.isEmpty { return [(Part(key: "", reference: root), "")] }
    if let key {
      guard let part = parts.first(where: { TensorName($0.key) == TensorName(key) }) else {
        throw Opened.unknownPart(key, known: parts.map(\.key))
      }
      return [(part, prefix(alone: part))]
    }
    for wanted in Self.modelKeys {
      let found = parts.first {
        TensorName($0.key) == TensorName(wanted) || $0.key.hasSuffix("." + wanted)
      }
      if let found { return [(found, prefix(alone: found))] }
    }
    let models = parts.filter { !Self.isTraining($0.key) }
    return (models.isEmpty ? parts : models).map { ($0, $0.key) }
  }
}
