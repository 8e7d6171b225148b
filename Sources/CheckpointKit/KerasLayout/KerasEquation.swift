import TensorCore

/// The equation of an EinsumDense, `abc,cde->abde`, as far as it is that of a linear layer.
///
/// It is, if the input's last axes are summed over and the output ends in the axes of the kernel's others:
/// both as one axis give the weight of `torch.nn.Linear`. Source: Keras 3.15
/// `layers/core/einsum_dense.py`.
struct KerasEquation {
  private let input: [UInt8]
  private let kernel: [UInt8]
  private let output: [UInt8]

  /// Reads an equation; an ellipsis, which stands for the axes before the others, is left out.
  init?(_ text: String) {
    let bytes = text.utf8.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: ".") }
    let sides = bytes.split(separator: UInt8(ascii: ">"), omittingEmptySubsequences: false)
    guard sides.count == 2, sides[0].last == UInt8(ascii: "-") else { return nil }
    let factors = sides[0].dropLast().split(
      separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
    guard factors.count == 2 else { return nil }
    (input, kernel, output) = (Array(factors[0]), Array(factors[1]), Array(sides[1]))
  }

  /// Whether the kernel's first axes are those that are summed over.
  var beginsWithInputs: Bool { kernel.first.map(output.contains) == false }

  /// How kernel and bias are those of a linear layer; `nil` if they are not.
  func linear(
    kernel shape: Shape, bias: Shape?
  ) -> (kernel: KerasSlot.Arrangement, bias: KerasSlot.Arrangement?)? {
    let summed = kernel.filter { input.contains($0) && !output.contains($0) }
    let made = kernel.filter { output.contains($0) && !input.contains($0) }
    let isFirst = kernel == summed + made
    guard kernel.count == shape.count, Set(kernel).count == kernel.count, !summed.isEmpty,
      !made.isEmpty, isFirst || kernel == made + summed, input.suffix(summed.count) == summed[...],
      output.suffix(made.count) == made[...],
      input.dropLast(summed.count) == output.dropLast(made.count)
    else { return nil }
    let count = isFirst ? summed.count : made.count
    let (before, after) = (shape.product(along: 0..<count), shape.product(along: count...))
    let arrangement =
      isFirst
      ? KerasSlot.Arrangement(shape.sizes, seen: [before, after], axes: [1, 0])
      : KerasSlot.Arrangement(shape.sizes, torch: [before, after])
    let width = isFirst ? after : before
    guard let bias else { return (arrangement, nil) }
    guard bias.sizes == Array(isFirst ? shape[count...] : shape[..<count]) else { return nil }
    return (arrangement, KerasSlot.Arrangement(bias.sizes, torch: [width]))
  }
}
