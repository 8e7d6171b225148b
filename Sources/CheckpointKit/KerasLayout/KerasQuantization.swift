import TensorCore

/// Keras's int8 layers with the numbers that their weights stand for.
///
/// Keras stores integers and what the numbers were multiplied by, one scale for each output or each row
/// of an embedding. Source: Keras 3.15 `quantizers/quantizers.py`, `abs_max_quantize`.
extension KerasLayer {
  /// Puts quotients in place of integers and their scales.
  ///
  /// - Returns: Why that cannot be, for a layer that is quantized in another way; `nil` for any other.
  mutating func dequantize() -> String? {
    let integers = variables.filter { !$0.entry.info.dtype.isFloatingPoint }
    guard let weight = integers.first,
      let scale = variables.first(where: { $0.name == weight.name + "_scale" })
    else { return nil }
    guard options?.quantization == "int8", weight.entry.info.dtype == .int8, integers.count == 1
    else {
      let mode = options?.quantization ?? "quantized in a way that only the description tells"
      return "its weights are \(mode)"
    }
    let (shape, count) = (weight.entry.info.shape, scale.entry.info.elementCount)
    var isByRow = weight.name == "embeddings"
    if let equation = options?.equation {
      isByRow = KerasEquation(equation)?.beginsWithInputs == false
    }
    let axes = 0...shape.count
    let isWhole = axes.contains { axis in
      count == (isByRow ? shape.product(along: ..<axis) : shape.product(along: axis...))
    }
    guard scale.entry.info.dtype.isFloatingPoint, count > 0, isWhole else {
      return "its scales of shape \(scale.entry.info.shape) do not divide its weights"
    }
    guard
      let entry = try? weight.entry.divided(
        by: scale.entry, runs: isByRow ? shape.elementCount / count : 1)
    else { return "its weights are too large" }
    variables.removeAll { $0.name == scale.name }
    for index in variables.indices where variables[index].name == weight.name {
      variables[index] = Variable(name: weight.name, entry: entry)
    }
    isDequantized = true
    return nil
  }
}

extension Checkpoint.Entry {
  /// Float32 quotients; each scale divides `runs` elements in a row, and after the last one comes the
  /// first.
  fileprivate func divided(
    by scale: Checkpoint.Entry, runs: Int
  ) throws -> Checkpoint.Entry {
    let (weight, count, runs) = (self, scale.info.elementCount, max(runs, 1))
    return try .computed(name, shape: info.shape) { elements in
      var values = try weight.singles(elements)
      let first = runs == 1 ? 0 : elements.lowerBound / runs
      let last = runs == 1 ? count : (elements.upperBound - 1) / runs + 1
      let scales = try scale.singles(first..<min(last, count))
      for index in values.indices {
        values[index] /= scales[(elements.lowerBound + index) / runs % count - first]
      }
      return values
    }
  }
}
