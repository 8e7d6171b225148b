internal import TensorCore

/// A copy between tensors of which one side at least is a part: `3.bias <- 0.bias[0:5]`.
struct PartCopy {
  private let sides: [(name: String, part: TensorPart)]

  /// Reads both sides; `nil` where neither is a part.
  init?(from source: String, to target: String) throws {
    guard source.hasSuffix("]") || target.hasSuffix("]") else { return nil }
    sides = try [source, target].map { text in
      guard text.hasSuffix("]"), let open = text.firstIndex(of: "[") else {
        return (text, try TensorPart("...", column: 1))
      }
      let part = String(text[text.index(after: open)...].dropLast())
      return (String(text[..<open]), try TensorPart(part, column: 1))
    }
  }

  var source: String { sides[0].name }
  var target: String { sides[1].name }

  /// The step, for tensors of which `info` tells type and shape.
  ///
  /// - Throws: `CheckpointError` with code `missing` for a tensor that is not there, `mismatched` where
  ///   the two parts differ in sizes or type.
  func step(_ info: (_ name: String) throws -> TensorInfo?) throws -> ConstructionStep {
    var views: [(info: TensorInfo, part: StridedPart)] = []
    for (name, part) in sides {
      guard let info = try info(name) else {
        throw CheckpointError(.missing, "the model has no tensor '\(name)'")
      }
      let context = NumberContext(shape: info.shape)
      try CheckpointError.placing(
        views.append((info, part.resolved(in: info.shape, sizes: context))), tensor: name)
    }
    let (from, to) = (views[0], views[1])
    guard from.part.sizes == to.part.sizes, from.info.dtype == to.info.dtype else {
      throw CheckpointError(
        .mismatched,
        "expected \(from.info.dtype.torchName) \(from.part.sizes) as in the source, found "
          + "\(to.info.dtype.torchName) \(to.part.sizes)", tensor: target)
    }
    return .derived(
      .set(
        target, from: source,
        Placement(
          sizes: to.part.sizes, target: to.part.offsetAndStrides,
          source: from.part.offsetAndStrides, indices: nil, operations: [])))
  }
}

/// A line `TARGET <- SOURCE`, whose sides are names, or parts of tensors such as `fc.bias[0:5]`.
package struct CopyText {
  /// What gets the values.
  package let target: String
  /// What has them.
  package let source: String

  /// Reads a line; `nil` for any other.
  package init?(_ line: String) {
    guard
      let match = line.wholeMatch(
        of: /([^\s=:\[\]]+(?:\[[^\[\]]*\])?)\s*<-\s*([^\s=:\[\]]+(?:\[[^\[\]]*\])?)/)
    else { return nil }
    (target, source) = (String(match.output.1), String(match.output.2))
  }
}

extension StridedPart {
  /// Offset in the whole tensor, then a stride for each of ``sizes``.
  fileprivate var offsetAndStrides: [Int] {
    var (offset, stride) = (0, 1)
    var strides: [Int] = []
    for axis in axes.reversed() {
      offset += axis.start * stride
      if axis.isKept { strides.append(axis.step * stride) }
      stride *= axis.size
    }
    return [offset] + strides.reversed()
  }
}
