import ByteIO
import TensorCore

/// Finding the files of a checkpoint, and what they say about its structure.
extension DeepSpeedCheckpoint {
  /// The files in the order of their numbers; those that hold parts of layers or experts are refused.
  static func sorted(
    _ names: [String], in folder: FileProbe
  ) throws(CheckpointError) -> [String] {
    for name in names {
      let words = name.split(separator: "_")
      if let place = words.firstIndex(of: "mp"), place + 2 < words.count,
        let rank = Int(words[place + 2]), rank > 0
      {
        throw CheckpointError(
          .unsupported,
          "is divided among several model-parallel ranks ('\(name)'), which neither ckpt nor "
            + "zero_to_fp32 joins; convert it with DeepSpeed's ds_to_universal.py",
          path: folder.path)
      }
    }
    let divided = folder.members?.first { name in
      name.hasSuffix(".pt") && (name.hasPrefix("layer_") || name.hasPrefix("expp_"))
    }
    if let divided {
      throw CheckpointError(
        .unsupported,
        "holds the layers or experts of a divided model ('\(divided)'), which neither ckpt nor "
          + "zero_to_fp32 joins; convert it with DeepSpeed's ds_to_universal.py", path: folder.path)
    }
    func number(_ name: String) -> Int {
      let words = name.split(separator: "_")
      guard let place = words.firstIndex(of: "pp"), place + 2 < words.count else { return 0 }
      return Int(words[place + 2]) ?? 0
    }
    return names.map { (number($0), $0) }.sorted { $0 < $1 }.map(\.1)
  }

  /// Compares the number of files with the number of ranks that wrote them.
  func checkCount() throws(CheckpointError) {
    let first = optimizers[0]
    guard let count = first.item(Self.state, "partition_count") else {
      throw first.missing("\(Self.state).partition_count")
    }
    // Groups of experts may have other numbers of ranks.
    let counts = (first.elements(count) ?? [count]).compactMap { first.number($0) }
    guard let ranks = counts.max() else { throw first.unexpected("partition_count", "a number") }
    guard ranks == optimizers.count else {
      throw CheckpointError(
        .missing,
        "expected \(ranks) files *\(DeepSpeed.optimizerEnding), as partition_count says, found "
          + "\(optimizers.count); copy those of all ranks", path: folder.path)
    }
    guard stage < 3 || models.count == ranks else {
      throw CheckpointError(
        .missing,
        "expected \(ranks) files *\(DeepSpeed.modelEnding), as partition_count says, found "
          + "\(models.count); copy those of all ranks", path: folder.path)
    }
    for layers in ["ds_autoep_layers", "autoep_layers"] where models[0].item(layers) != nil {
      guard stage < 3 else {
        throw CheckpointError(
          .unsupported,
          "its experts are divided among ranks (AutoEP), which neither ckpt nor zero_to_fp32 joins; "
            + "convert it with DeepSpeed's ds_to_universal.py", path: folder.path)
      }
    }
  }

  // MARK: - Structure

  /// The parts of frozen parameters that are in the files of models, of stages 1 and 2 in the first.
  func fragments() throws(CheckpointError) -> [[TensorName: Pickle.Reference]] {
    var all: [[TensorName: Pickle.Reference]] = []
    for file in stage < 3 ? models[..<1] : models[...] {
      guard let fragments = file.item("frozen_param_fragments") else {
        throw file.missing("frozen_param_fragments")
      }
      let items = try file.items(fragments, "frozen_param_fragments")
      all.append(
        Dictionary(items.map { ($0.name, $0.value) }, uniquingKeysWith: { _, last in last }))
    }
    return all
  }

  /// Names and shapes of the parameters, by group.
  func shapes() throws(CheckpointError) -> [[(name: TensorName, shape: [Int])]] {
    let file = models[0]
    guard let shapes = file.item("param_shapes") else { throw file.missing("param_shapes") }
    var groups: [[(name: TensorName, shape: [Int])]] = []
    for group in file.elements(shapes) ?? [shapes] {
      var parameters: [(name: TensorName, shape: [Int])] = []
      for (name, shape) in try file.items(group, "param_shapes") {
        parameters.append((name, try file.shape(shape, of: name)))
      }
      groups.append(parameters)
    }
    return groups
  }

  /// The flat tensors of all ranks, the same number of each.
  func flatVectors(_ key: String) throws(CheckpointError) -> [[Checkpoint.Entry]] {
    var all: [[Checkpoint.Entry]] = []
    for file in optimizers {
      guard let groups = file.item(Self.state, key) else {
        throw file.missing("\(Self.state).\(key)")
      }
      var vectors: [Checkpoint.Entry] = []
      for (index, group) in (file.elements(groups) ?? [groups]).enumerated() {
        vectors.append(try file.tensor(group, named: TensorName("\(key).\(index)")))
      }
      guard !vectors.isEmpty, vectors.count == all.first?.count ?? vectors.count else {
        throw CheckpointError(
          .mismatched,
          "expected \(all.first?.count ?? 1) flat tensors as in the first file, found "
            + "\(vectors.count)", path: file.path)
      }
      all.append(vectors)
    }
    return all
  }

  /// Numbers of elements after each parameter that only align the next one; not in older files.
  func alignmentPaddings(
    _ groups: [[(name: TensorName, shape: [Int])]]
  ) throws(CheckpointError) -> [[Int]] {
    let file = optimizers[0]
    guard let paddings = file.item(Self.state, "param_alignment_paddings") else {
      return groups.map { [Int](repeating: 0, count: $0.count) }
    }
    let numbers = (file.elements(paddings) ?? []).map { group in
      (file.elements(group) ?? []).compactMap { file.number($0) }
    }
    guard numbers.map(\.count) == groups.map(\.count), numbers.joined().allSatisfy({ $0 >= 0 })
    else {
      throw CheckpointError(
        .malformed, "expected one padding per parameter in param_alignment_paddings",
        path: file.path)
    }
    return numbers
  }
}
