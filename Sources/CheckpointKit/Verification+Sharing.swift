import ParallelWork
import Ranks
import TensorCore

/// Outcomes as one rank gives them to the others, which know the recipe as well.
extension Verification {
  /// How ranks share the tensors of a file, given what the recipe says of them.
  static func sharing(
    _ unknown: [TensorName: Recipe.Origin], _ expected: [TensorName: Checkpoint.Entry]
  ) -> Sharing<Checkpoint.Entry, Outcome> {
    Sharing(Ranks.current, "verification", cost: { $0.info.byteCount }) { outcome, record in
      record.add(outcome.number)
      switch outcome {
      case .otherPath(let difference), .near(let difference), .different(let difference):
        record.add(difference)
      case .retyped(_, _, let difference): record.add(difference) { $1.add($0) }
      case .identical, .rounded, .reshaped, .missing, .unexpected, .uncovered: break
      }
    } read: { entry, record in
      let number = record.integer()
      let wanted = expected[entry.name]?.info
      switch (number, wanted, unknown[entry.name]) {
      case (0, _, _): return .identical
      case (1, _, _): return .otherPath(record.difference())
      case (2, _, _): return .near(record.difference())
      case (3, _, _): return .different(record.difference())
      case (4, let wanted?, _): return .rounded(from: wanted.dtype)
      case (5, let wanted?, _):
        return .retyped(
          from: wanted.dtype, to: entry.info.dtype, record.optional { $0.difference() })
      case (6, let wanted?, _): return .reshaped(expected: wanted)
      case (8, _, _): return .unexpected
      case (9, _, let origin?): return .uncovered(origin)
      default: preconditionFailure("outcome \(number) of another rank")
      }
    }
  }
}

extension Verification.Outcome {
  /// What it is called among ranks.
  fileprivate var number: Int {
    switch self {
    case .identical: 0
    case .otherPath: 1
    case .near: 2
    case .different: 3
    case .rounded: 4
    case .retyped: 5
    case .reshaped: 6
    case .missing: 7
    case .unexpected: 8
    case .uncovered: 9
    }
  }
}
