import ModuleTree
import TensorCore

/// `s/pattern/replacement/flags`, as `sed` writes it, with a regular expression as Python has it.
struct Substitution: Sendable {
  /// The longest name that a substitution may make: no longer one fits in a ZIP file.
  private static let maxNameByteCount = 65_535

  /// A part of the replacement.
  private enum Part {
    case text(String)
    /// What a group matched; 0 is the whole match.
    case group(Int)
  }

  let source: String
  private let expression: RegularExpression
  private let replacement: [Part]
  private let isGlobal: Bool

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
    isGlobal = parts[2].contains("g")
    expression = try RegularExpression(
      parts[0], title: "substitution '\(text)': '\(parts[0])'", ignoresCase: parts[2].contains("i"))
    do {
      replacement = try Self.parts(of: parts[1], for: expression)
    } catch let error as CheckpointError {
      throw CheckpointError(error.code, "substitution '\(text)': \(error.message)")
    }
  }

  /// The text that it looks for, anchors and final dots left out; `nil` for a pattern of more than that.
  var literal: String? {
    var text = expression.pattern[...]
    if text.first == "^" { text = text.dropFirst() }
    if text.last == "$" { text = text.dropLast() }
    let plain = String(text.replacing("\\.", with: "."))
    guard !plain.contains(where: { "\\[](){}*+?|^$".contains($0) }) else { return nil }
    let rest = plain.last == "." ? String(plain.dropLast()) : plain
    return rest.isEmpty ? nil : rest
  }

  /// The new name; `nil` for one that does not match.
  ///
  /// - Throws: `CheckpointError` for a name that would be too long, and as
  ///   ``RegularExpression/matches(in:all:)``.
  func replaced(in name: String) throws -> String? {
    let matches = try expression.matches(in: name, all: isGlobal)
    if matches.isEmpty { return nil }
    let bytes = Array(name.utf8)
    var result: [UInt8] = []
    var rest = 0
    for match in matches {
      guard let whole = match.first ?? nil else { continue }
      result += bytes[rest..<max(rest, whole.lowerBound)]
      for part in replacement {
        switch part {
        case .text(let text): result += text.utf8
        case .group(let index):
          if let range = index < match.count ? match[index] : nil { result += bytes[range] }
        }
        guard result.count <= Self.maxNameByteCount else {
          throw CheckpointError(
            .malformed,
            "substitution '\(source)': expected names of at most \(Self.maxNameByteCount) bytes, "
              + "found a longer one")
        }
      }
      rest = max(rest, whole.upperBound)
    }
    return String(decoding: result + bytes[rest...], as: UTF8.self)
  }

  // MARK: - The replacement

  private static func parts(of text: String, for expression: RegularExpression) throws -> [Part] {
    var parts: [Part] = []
    var literal = ""
    var rest = text[...]
    func group(_ name: Substring, _ shown: String) throws -> Part {
      let number = name.allSatisfy(\.isNumber) ? Int(name) : expression.group(named: String(name))
      guard let number, number <= expression.groupCount else {
        throw CheckpointError(.malformed, "the pattern has no group '\(shown)'")
      }
      return .group(number)
    }
    func take(_ part: Part) {
      if !literal.isEmpty { parts.append(.text(literal)) }
      literal = ""
      parts.append(part)
    }
    /// The name between an opening text and a closing character.
    func name(after opening: String, _ closing: Character) throws -> Substring {
      guard let end = rest.firstIndex(of: closing) else {
        throw CheckpointError(.malformed, "expected '\(closing)' after '\(opening)'")
      }
      let name = rest[..<end]
      rest = rest[rest.index(after: end)...]
      return name
    }
    while let character = rest.popFirst() {
      let next = rest.first
      switch (character, next) {
      case ("&", _): take(.group(0))
      case ("\\", let digit?) where digit.isASCII && digit.isNumber:
        rest.removeFirst()
        take(try group(Substring(String(digit)), "\\\(digit)"))
      case ("\\", "g") where rest.hasPrefix("g<"):
        rest.removeFirst(2)
        let name = try name(after: "\\g<", ">")
        take(try group(name, "\\g<\(name)>"))
      case ("\\", let other?):
        rest.removeFirst()
        literal.append(other)
      case ("$", let digit?) where digit.isASCII && digit.isNumber:
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(digits.count)
        take(try group(digits, "$\(digits)"))
      case ("$", "{"):
        rest.removeFirst()
        let name = try name(after: "${", "}")
        take(try group(name, "${\(name)}"))
      default: literal.append(character)
      }
    }
    if !literal.isEmpty { parts.append(.text(literal)) }
    return parts
  }

  private static func malformed(_ text: String) -> CheckpointError {
    CheckpointError(
      .malformed,
      "substitution '\(text)': expected s/pattern/replacement/ with optional flags g and i")
  }
}
