import TensorCore

/// Rounding to another type, and the values of quantized tensors.
extension Conversion {
  /// The quantized tensors among those of a result.
  struct Quantized {
    /// How many were replaced by their values.
    var count = 0
    /// Names, in the input, of tensors that stay as they are: codes of the type that is wanted, and
    /// their scales.
    var kept: Set<TensorName> = []
  }

  /// Refuses codes without scales, and scales without codes, of one shard of several: the others may hold
  /// what belongs to them.
  ///
  /// - Throws: `CheckpointError` with code `unsupported`.
  package func refuseLoneShard(_ checkpoint: Checkpoint, named path: String) throws {
    guard let dtype, dtype.isFloatingPoint, !castsStored, Self.isShard(path) else { return }
    let tensors = checkpoint.quantizedTensors
    let parts = Set(tensors.values.flatMap(\.parts))
    let lone = checkpoint.entries.first { entry in
      let type = entry.info.dtype
      let isCode = tensors[entry.name] == nil && type.isFloatingPoint && type.byteWidth == 1
      return isCode && type != dtype
        || TensorIndex.isScale(entry.name.parentAndLeaf.leaf) && !parts.contains(entry.name)
          && Self.isScaleOfCodes(entry.name)
    }
    guard let lone else { return }
    throw CheckpointError(
      .unsupported,
      "cannot cast one shard: scales or codes that belong to it may be in the others; give their folder "
        + "or their index, or pass --raw to cast the stored numbers", tensor: lone.name.text)
  }

  /// Whether a name is that of one file of several, `model-00001-of-00002.safetensors`.
  private static func isShard(_ path: String) -> Bool {
    let name = path.split(separator: "/").last ?? ""
    let words = name.split(separator: ".").first?.split { $0 == "-" || $0 == "_" } ?? []
    guard words.count >= 3, words[words.count - 2] == "of", let count = Int(words[words.count - 1])
    else { return false }
    return count > 1 && Int(words[words.count - 3]) != nil
  }

  /// Whether a scale is named after the tensor that it belongs to, as those of codes are.
  private static func isScaleOfCodes(_ name: TensorName) -> Bool {
    let leaf = name.parentAndLeaf.leaf
    return ["weight_", "q_", "kernel_"].contains { leaf.hasPrefix($0) } || leaf == "scale_weight"
      || leaf == "scales"
  }

  /// Replaces quantized tensors by their values in float32, and leaves out their scales.
  ///
  /// - Throws: `CheckpointError` with code `unsupported` for a tensor whose values are not computed.
  func dequantize(_ input: Checkpoint, _ result: inout Result) throws -> Quantized {
    var quantized = Quantized()
    guard let dtype, dtype.isFloatingPoint, !castsStored else { return quantized }
    // Scales may be beside tensors that are not selected.
    let tensors = input.quantizedTensors
    if tensors.isEmpty { return quantized }
    var parts: Set<TensorName> = []
    // Codes in whose place are values that scales make.
    var replaced: Set<TensorName> = []
    var labels: [String: Int] = [:]
    var entries: [Checkpoint.Entry] = []
    for entry in result.checkpoint.entries {
      guard let tensor = tensors[entry.name] else {
        entries.append(entry)
        continue
      }
      if tensor.areNumbers, entry.info.dtype == dtype {
        entries.append(entry)
        quantized.kept.formUnion(tensor.parts + [entry.name])
        continue
      }
      var values = try values(of: tensor, dtype)
      if tensor.parts.isEmpty {
        values.alias = entry.alias
      } else {
        replaced.insert(entry.name)
      }
      if values.name != entry.name { result.origins[values.name] = entry.name }
      entries.append(values)
      parts.formUnion(tensor.parts)
      labels[tensor.label, default: 0] += 1
      quantized.count += 1
    }
    if quantized.count == 0 { return quantized }
    let all = entries.count
    parts.subtract(quantized.kept)
    entries.removeAll { parts.contains($0.name) }
    // What was tied to codes or scales keeps its own stored numbers.
    for index in entries.indices {
      guard let alias = entries[index].alias, parts.contains(alias) || replaced.contains(alias)
      else { continue }
      entries[index].alias = nil
      if replaced.contains(alias) {
        result.notes.append(
          "'\(entries[index].name)' was tied to the codes of '\(alias)' but has no scales of its own; "
            + "its stored numbers are written")
      }
    }
    result.checkpoint.entries = entries
    var names: Set<TensorName> = []
    for entry in entries where !names.insert(entry.name).inserted {
      throw CheckpointError(
        .mismatched,
        "its values would have the name of another tensor; pass --raw or --exclude one",
        tensor: entry.name.text)
    }
    note(labels, dtype, leftOut: all - entries.count, &result)
    return quantized
  }

  private func values(of tensor: QuantizedTensor, _ dtype: DType) throws -> Checkpoint.Entry {
    do {
      return try tensor.values()
    } catch let error as CheckpointError {
      throw CheckpointError(
        error.code,
        "cannot cast \(tensor.label) to \(dtype.torchName): \(error.message); --raw casts the stored "
          + "numbers, without scales", path: error.path, tensor: error.tensor ?? tensor.codes.text)
    }
  }

  private func note(
    _ labels: [String: Int], _ dtype: DType, leftOut: Int, _ result: inout Result
  ) {
    let count = labels.values.saturatedSum()
    let shown = labels.keys.sorted().prefix(3).map { "\($0): \(labels[$0] ?? 0)" }
    let others = labels.count > shown.count ? ["\(labels.count - shown.count) more kinds"] : []
    let list = (shown + others).joined(separator: "; ")
    let scales =
      leftOut == 0
      ? "" : ", and left out their \(leftOut) tensor\(leftOut == 1 ? "" : "s") of scales and codes"
    result.notes.append(
      "dequantized \(count) tensor\(count == 1 ? "" : "s") to \(dtype.torchName) (\(list))\(scales)"
    )
  }

  /// Rounds floating-point tensors to ``dtype``.
  func cast(_ result: inout Result, _ quantized: Quantized) throws {
    guard let dtype else { return }
    guard dtype.isFloatingPoint else {
      throw CheckpointError(
        .unsupported,
        "cannot cast to \(dtype.torchName): expected \(DType.floatingPoint.alternatives)")
    }
    var isCast = quantized.count > 0
    let overflows = result.overflows
    result.checkpoint.entries = try result.checkpoint.entries.map { entry in
      guard entry.info.dtype.isFloatingPoint, entry.info.dtype != dtype,
        !quantized.kept.contains(result.origins[entry.name] ?? entry.name)
      else { return entry }
      isCast = true
      return try entry.cast(to: dtype, overflows: overflows)
    }
    guard isCast else { return }
    result.isChanged = true
    guard var recipe = try result.checkpoint.recipe() else { return }
    if quantized.count > 0 {
      result.checkpoint.setText(nil, for: Checkpoint.recipeKey)
      result.notes.append(
        "left out the recipe, which does not describe values of quantized tensors")
    } else {
      recipe.steps.append(.cast(dtype, nil))
      result.checkpoint.setText(try recipe.json, for: Checkpoint.recipeKey)
    }
  }
}
