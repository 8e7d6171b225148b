import CheckpointKit

/// Prints a slice as nested brackets, row by row, so that memory does not grow with the tensor.
struct SlicePrinter {
  let entry: Checkpoint.Entry
  let slice: TensorSlice
  let isFull: Bool

  /// More values than this are shortened, as NumPy and PyTorch do.
  private static let threshold = 1000
  /// Values kept at each end of a shortened dimension.
  private static let edge = 3
  /// Values read and printed at once.
  private static let batch = 4096

  func print(to output: inout StandardOutput, asJSON: Bool) throws {
    try dimension(
      0, of: slice.ranges, isShort: !isFull && slice.shape.elementCount > Self.threshold,
      asJSON: asJSON, to: &output)
  }

  private func dimension(
    _ axis: Int, of positions: [TensorSlice.Positions], isShort: Bool, asJSON: Bool,
    prefix: [Int] = [], to output: inout StandardOutput
  ) throws {
    guard axis < positions.count else {
      return try output.text(try texts(prefix, nil, 1, asJSON)[0])
    }
    let here = positions[axis]
    if here.isIndex {
      return try dimension(
        axis + 1, of: positions, isShort: isShort, asJSON: asJSON, prefix: prefix + [0], to: &output
      )
    }
    let isInnermost = !positions[(axis + 1)...].contains { !$0.isIndex }
    let depth = positions[..<axis].count { !$0.isIndex }
    let separator = isInnermost ? ", " : ",\n" + String(repeating: " ", count: depth + 1)
    try output.text("[")
    let isCut = isShort && here.count > 2 * Self.edge
    let parts =
      isCut ? [0..<Self.edge, here.count - Self.edge..<here.count] : [0..<here.count]
    for (part, range) in parts.enumerated() {
      if part > 0 { try output.text(separator + "...") }
      if isInnermost {
        for first in stride(from: range.lowerBound, to: range.upperBound, by: Self.batch) {
          let count = min(Self.batch, range.upperBound - first)
          if first > range.lowerBound || part > 0 { try output.text(separator) }
          try output.text(
            try texts(prefix, first, count, asJSON).joined(separator: separator))
        }
      } else {
        for position in range {
          if position > 0 { try output.text(separator) }
          try dimension(
            axis + 1, of: positions, isShort: isShort, asJSON: asJSON, prefix: prefix + [position],
            to: &output)
        }
      }
    }
    try output.text("]")
  }

  /// Texts of `count` values from `first` on along the last sliced dimension.
  private func texts(
    _ prefix: [Int], _ first: Int?, _ count: Int, _ asJSON: Bool
  ) throws -> [String] {
    let texts = try slice.elementTexts(of: entry, at: prefix, from: first, count: count)
    guard asJSON else { return texts }
    return texts.map { text in
      switch text {
      case "nan", "-nan": "\"NaN\""
      case "inf": "\"Infinity\""
      case "-inf": "\"-Infinity\""
      default: text.hasSuffix("j") ? "\"\(text)\"" : text
      }
    }
  }
}
