import ByteIO
import ModuleTree
public import TensorCore

/// New names for tensors: by a list of pairs, and by substitutions as `sed` writes them.
public struct NameMap: Sendable {
  /// Old name to new name.
  public private(set) var names: [TensorName: TensorName] = [:]
  private var substitutions: [Substitution] = []

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
  /// Any character may stand for the slash; flags are `g` (every match) and `i` (case ignored);
  /// `\1` to `\9` and `&` in the replacement stand for what was matched.
  public mutating func add(substitution text: String) throws {
    substitutions.append(try Substitution(text))
  }

  /// Whether nothing is renamed.
  package var isEmpty: Bool { names.isEmpty && substitutions.isEmpty }

  /// A function from old names to new ones; a name that nothing changes is returned as it is.
  ///
  /// Every regular expression is compiled once, here: ask for the function once and call it for all
  /// tensors. It throws a ``TensorCore/CheckpointError`` when a name grows past 65,535 bytes.
  public func renaming() throws -> (TensorName) throws -> TensorName {
    let names = names
    let substitutions = try substitutions.map { ($0, try $0.expression()) }
    return { name in
      if let new = names[name] { return new }
      let text = try substitutions.reduce(name.text) { text, substitution in
        try substitution.0.replaced(in: text, expression: substitution.1)
      }
      return TensorName(text)
    }
  }
}

extension NameMap {
  /// Makes sure that each substitution changes or confirms a name; where there are no names, all is well.
  ///
  /// - Throws: `CheckpointError` `missing` for one that matches none, with the nearest name if there
  ///   is one.
  package func requireMatches(among all: [TensorName]) throws {
    if all.isEmpty { return }
    var texts = all.filter { names[$0] == nil }.map(\.text)
    for substitution in substitutions {
      let expression = try substitution.expression()
      guard texts.contains(where: { $0.firstMatch(of: expression) != nil }) else {
        let nearest = substitution.literal.map { nearestNames(to: $0, among: all) } ?? []
        throw CheckpointError(
          .missing, "--rename '\(substitution.source)' matches no name\(nearest.question)")
      }
      texts = try texts.map { try substitution.replaced(in: $0, expression: expression) }
    }
  }
}

/// `s/pattern/replacement/flags`.
private struct Substitution: Sendable {
  /// The longest name that a substitution may make: no longer one fits in a ZIP file.
  private static let maxNameByteCount = 65_535

  /// Deepest nesting of a pattern: `Regex` parses classes within classes by recursion.
  private static let maxDepth = 100

  let source: String
  private let pattern: String
  private let replacement: String
  private let isGlobal: Bool
  private let ignoresCase: Bool

  init(_ text: String) throws {
    guard text.hasPrefix("s"), let delimiter = text.dropFirst().first,
      !delimiter.isLetter, !delimiter.isNumber, delimiter != "\\"
    else { throw Self.malformed(text) }
    var parts = [""]
    var isEscaped = false
    for character in text.dropFirst(2) {
      if isEscaped {
        parts[parts.count - 1] += character == delimiter ? "\(character)" : "\\\(character)"
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else if character == delimiter && parts.count < 3 {
        parts.append("")
      } else {
        parts[parts.count - 1].append(character)
      }
    }
    guard parts.count == 3, !isEscaped, parts[2].allSatisfy({ "gi".contains($0) }) else {
      throw Self.malformed(text)
    }
    source = text
    (pattern, replacement) = (parts[0], parts[1])
    isGlobal = parts[2].contains("g")
    ignoresCase = parts[2].contains("i")
    _ = try expression()
  }

  /// The text that it looks for, anchors and final dots left out; `nil` for a pattern of more than that.
  var literal: String? {
    var text = pattern[...]
    if text.first == "^" { text = text.dropFirst() }
    if text.last == "$" { text = text.dropLast() }
    let plain = String(text.replacing("\\.", with: "."))
    guard !plain.contains(where: { "\\[](){}*+?|^$".contains($0) }) else { return nil }
    let rest = plain.last == "." ? String(plain.dropLast()) : plain
    return rest.isEmpty ? nil : rest
  }

  func replaced(in name: String, expression: Regex<AnyRegexOutput>) throws -> String {
    var result = ""
    var rest = name[...]
    for match in name.matches(of: expression) {
      result += name[rest.startIndex..<match.range.lowerBound]
      try expand(match.output, into: &result)
      rest = name[match.range.upperBound...]
      if !isGlobal { break }
    }
    return result + rest
  }

  /// The compiled pattern, which is not stored because `Regex` is not `Sendable`.
  func expression() throws -> Regex<AnyRegexOutput> {
    guard depth <= Self.maxDepth else {
      throw CheckpointError(
        .malformed,
        "substitution '\(source)': '\(pattern)' is nested more than \(Self.maxDepth) levels deep")
    }
    do {
      return try Regex(pattern).ignoresCase(ignoresCase).matchingSemantics(.unicodeScalar)
    } catch {
      throw CheckpointError(
        .malformed,
        "substitution '\(source)': '\(pattern)' is not a regular expression: \(error)"
      )
    }
  }

  /// Number of brackets and parentheses that are open at once, at most.
  private var depth: Int {
    var (depth, deepest) = (0, 0)
    var isEscaped = false
    for byte in pattern.utf8 {
      switch byte {
      case _ where isEscaped: isEscaped = false
      case UInt8(ascii: "\\"): isEscaped = true
      case UInt8(ascii: "["), UInt8(ascii: "("): depth += 1
      case UInt8(ascii: "]"), UInt8(ascii: ")"): depth = max(depth - 1, 0)
      default: break
      }
      deepest = max(deepest, depth)
    }
    return deepest
  }

  private func expand(_ output: AnyRegexOutput, into text: inout String) throws {
    var isEscaped = false
    func group(_ index: Int) -> Substring {
      index < output.count ? output[index].substring ?? "" : ""
    }
    for character in replacement {
      if isEscaped {
        text += character.wholeNumberValue.map(group) ?? "\(character)"
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else if character == "&" {
        text += group(0)
      } else {
        text.append(character)
      }
      if text.utf8.count > Self.maxNameByteCount {
        throw CheckpointError(
          .malformed,
          "substitution '\(source)': expected names of at most \(Self.maxNameByteCount) bytes, "
            + "found a longer one"
        )
      }
    }
  }

  private static func malformed(_ text: String) -> CheckpointError {
    CheckpointError(
      .malformed,
      "substitution '\(text)': expected s/pattern/replacement/ with optional flags g and i")
  }
}
