import ArgumentParser
import CheckpointKit

/// What counts as a difference, and which tensors are compared with which.
struct ComparisonOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: "Relative tolerance: |a - b| ≤ atol + rtol · |b|.")
  var rtol: Double?
  @Option(parsing: .unconditional, help: "Absolute tolerance.") var atol: Double?
  @Flag(help: "Ignore types; values may differ by their rounding.")
  var ignoreDtype = false
  @Flag(
    help: "Also list and count values that are not tensors.")
  var values = false
  @Flag(help: "Read all data, even where digests are stored.") var full = false
  @Option(
    help: ArgumentHelp(
      "Exit with status 1 only for \(Failure.names).", valueName: "kinds"))
  var failOn: String?
  @Option(
    help: ArgumentHelp(
      "File of lines 'first name = second name'.", valueName: "file"), completion: .file())
  var map: String?
  @Option(
    help: ArgumentHelp(
      "Write pairs of unequal names, as --map reads them.", valueName: "file"), completion: .file())
  var writeMap: String?

  /// What `--fail-on` names.
  enum Failure: String, CaseIterable {
    case added, removed, renamed, reshaped, transposed, retyped, changed
    /// Values became NaN or infinite.
    case nan
    /// Added, removed, or reshaped.
    case architecture
    /// A value that is not a tensor differs.
    case values

    static let names = allCases.map(\.rawValue).joined(separator: ", ")
  }

  var tolerance: TensorDifference.Tolerance { .init(relative: rtol ?? 0, absolute: atol ?? 0) }

  /// Whether the exit status depends on more than whether anything differs.
  var needsMeasures: Bool { failOn != nil || writeMap != nil }

  mutating func validate() throws {
    guard [rtol ?? 0, atol ?? 0].allSatisfy({ $0 >= 0 && $0.isFinite }) else {
      throw ValidationError("--rtol and --atol: expected finite numbers of 0 or more")
    }
    _ = try failures
  }

  private var failures: [Failure]? {
    get throws {
      try failOn?.split(separator: ",", omittingEmptySubsequences: false).map { word in
        if let kind = Failure(rawValue: String(word)) { return kind }
        let near = nearestName(to: String(word), among: Failure.allCases.map(\.rawValue))
        throw ValidationError(
          "--fail-on: expected some of \(Failure.names), found '\(word)'"
            + (near.map { [$0] } ?? []).question)
      }
    }
  }

  /// Whether the exit status is 1.
  func isFailure(_ diff: CheckpointDiff, _ valueDiff: ValueDiff) -> Bool {
    guard let failures = try? failures else {
      return !diff.changes.isEmpty || values && !valueDiff.changes.isEmpty
    }
    return failures.contains { failure in
      switch failure {
      case .values: !valueDiff.changes.isEmpty
      case .architecture:
        diff.changes.contains { [.added, .removed, .reshaped].contains($0.kind) }
      case .nan:
        diff.changes.contains {
          $0.difference.map { $0.becameNaNCount + $0.becameInfiniteCount > 0 } == true
        }
      default: diff.changes.contains { $0.kind.rawValue == failure.rawValue }
      }
    }
  }
}

/// How a comparison is shown.
struct DiffViewOptions: ParsableArguments {
  /// What lines are sorted by.
  enum Order: String, CaseIterable, ExpressibleByArgument {
    case rel, abs, name, size
  }

  @Option(
    help: ArgumentHelp(
      "Sum up modules of N components; 0: only the answer.",
      valueName: "n"))
  var depth: Int?
  @Option(help: "Order of lines.")
  var sort: Order?
  @Option(
    help: ArgumentHelp("Print only the first N lines.", valueName: "n")) var top: Int?
  @Flag(help: "Print every tensor, identical ones included.") var all = false
  @Flag(help: "Print only the names that differ.") var nameOnly = false
  @Flag(help: "Print the share of changed elements as a bar.") var stat = false
  @Flag(help: "Print all distances in units in the last place.")
  var ulp = false

  mutating func validate() throws {
    if let depth, depth < 0 { throw ValidationError("--depth: expected 0 or more, found \(depth)") }
    if let top, top < 0 { throw ValidationError("--top: expected 0 or more, found \(top)") }
  }
}
