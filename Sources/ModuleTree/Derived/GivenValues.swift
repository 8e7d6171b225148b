internal import TensorCore

/// The values that a tensor has in a file; `nil` where they are only known to come from elsewhere.
struct GivenValues: Initializer {
  let entry: Checkpoint.Entry?

  let name = "given"

  func fill(for info: TensorInfo) throws -> TensorFill {
    .streamed { [entry] in
      guard let entry else {
        throw CheckpointError(.missing, "its values came from elsewhere")
      }
      return { range, target in try entry.read(range, into: &target) }
    }
  }

  var description: String { "values of the file" }
}

extension TensorValues {
  /// Whether something that only the file had is in the values.
  package var isFromElsewhere: Bool {
    switch initializer {
    case let given as GivenValues: given.entry == nil
    case let changed as ChangedValues: changed.source.isFromElsewhere
    case let patched as Patched: patched.before.isFromElsewhere
    default: false
    }
  }
}
