import ByteIO
import ModuleTree
public import TensorCore

/// New names for tensors: by a list of pairs, and by substitutions as `sed` writes them.
public struct NameMap: Sendable {
  /// Old name to new name.
  public private(set) var names: [TensorName: TensorName] = [:]
  private var substitutions: [Substitution] = []
  /// What all substitutions may take together.
  private let steps = MatchingSteps()

  /// Renames nothing.
  public init() {}

  /// Reads lines `old = new`; `#` begins a comment; blank lines are ignored.
  ///
  /// - Throws: `CheckpointError` with the line's number for a line that is not a pair, or a name
  ///   that is mapped twice.
  public init(file path: String) throws {
    let probe = try FileProbe.argument(path)
    let path = probe.path
    for (index, line) in try probe.text().trimmedLines.enumerated() {
      if line.isEmpty || line.hasPrefix("#") { continue }
      guard let equals = line.firstRange(of: " = ") ?? line.firstRange(of: "=") else {
        throw CheckpointError(
          .malformed, "line \(index + 1): expected 'old = new', found '\(line)'", path: path)
      }
      let old = TensorName(line[..<equals.lowerBound].trimmingBlanks)
      let new = TensorName(line[equals.upperBound...].trimmingBlanks)
      guard names.updateValue(new, forKey: old) == nil else {
        throw CheckpointError(
          .malformed, "line \(index + 1): '\(old)' is mapped twice", path: path)
      }
    }
  }

  /// Adds a substitution `s/pattern/replacement/`, tried on names that the list does not hold.
  ///
  /// The pattern is a regular expression as Perl and Python have it. Any character may stand for the
  /// slash; flags are `g` (every match) and `i` (case ignored). In the replacement `&` stands for what
  /// was matched, `\1` or `$1` for a group, `\g<name>` or `${name}` for a group `(?P<name>…)`.
  /// - Throws: ``TensorCore/CheckpointError`` `malformed` for any other text.
  public mutating func add(substitution text: String) throws {
    let substitution = try MatchingSteps.$shared.withValue(steps) { try Substitution(text) }
    substitutions.append(substitution)
  }

  /// Whether nothing is renamed.
  package var isEmpty: Bool { names.isEmpty && substitutions.isEmpty }

  /// A function from old names to new ones; a name that nothing changes is returned as it is.
  ///
  /// It throws a ``TensorCore/CheckpointError`` when a name grows past 65,535 bytes, or a substitution
  /// takes too many steps.
  public func renaming() -> (TensorName) throws -> TensorName {
    let (names, substitutions) = (names, substitutions)
    return { name in
      if let new = names[name] { return new }
      return TensorName(try substitutions.reduce(name.text) { try $1.replaced(in: $0) ?? $0 })
    }
  }
}

extension NameMap {
  /// Makes sure that each substitution changes or confirms a name; where there are no names, all is well.
  ///
  /// - Throws: `CheckpointError` `missing` for one that matches none, with the nearest name if there
  ///   is one; and as ``renaming()``.
  package func requireMatches(among all: [TensorName]) throws {
    if all.isEmpty { return }
    var texts = all.filter { names[$0] == nil }.map(\.text)
    for substitution in substitutions {
      var isFound = false
      texts = try texts.map { text in
        guard let new = try substitution.replaced(in: text) else { return text }
        isFound = true
        return new
      }
      guard isFound else {
        let nearest = substitution.literal.map { nearestNames(to: $0, among: all) } ?? []
        throw CheckpointError(
          .missing, "--rename '\(substitution.source)' matches no name\(nearest.question)")
      }
    }
  }
}
