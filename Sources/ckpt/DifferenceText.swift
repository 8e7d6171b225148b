import CheckpointKit

/// How far two tensors are apart, as `diff` and `verify` print it.
extension TensorDifference {
  /// A larger distance in units in the last place is not printed: rounding does not explain it.
  static let maxShownULP: UInt64 = 64

  /// How many elements, and by how much at most: `1 of 4, max abs 0.5`.
  var summary: String {
    let counts =
      ["\(differingCount.grouped) of \(elementCount.grouped)"] + Self.specials(in: [self])
    return (counts + ["max abs \(maxAbsolute?.short ?? "-")"]).joined(separator: ", ")
  }

  /// The same, and the distance in units in the last place where it is small.
  var detail: String { summary + distance }

  private var distance: String {
    guard let maxULP, maxULP <= Self.maxShownULP, !changesSpecials else { return "" }
    return ", max ULP \(maxULP.grouped)"
  }

  /// How many values of some tensors became NaN or infinite, or ceased to be; without the counts
  /// that are zero.
  static func specials(in differences: [TensorDifference]) -> [String] {
    let counts = [
      (differences.map(\.becameNaNCount), "became NaN"),
      (differences.map(\.becameInfiniteCount), "became Inf"),
      (differences.map(\.noLongerNaNCount), "no longer NaN"),
      (differences.map(\.noLongerInfiniteCount), "no longer Inf"),
    ]
    return counts.compactMap { numbers, outcome in
      let total = numbers.saturatedSum()
      guard total > 0 else { return nil }
      let tensors = numbers.count { $0 > 0 }
      let place = differences.count > 1 ? " in \(tensors.pluralized("tensor"))" : ""
      return "\(total.grouped) \(outcome)\(place)"
    }
  }
}
