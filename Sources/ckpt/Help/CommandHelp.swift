import ArgumentParser
import CheckpointKit
import JSONText

/// What `ckpt COMMAND --help` prints: what the command does, its options, one sentence each, and examples.
///
/// `ckpt help COMMAND` and the manual page have all sentences. Both are made from the same declarations.
struct CommandHelp {
  private let command: Declared
  private let kind: any ParsableCommand.Type

  /// Columns before the texts of options, and in all.
  private static let (indent, width) = (24, 80)
  /// Options from which on each has one line, not two.
  private static let manyOptions = 15
  /// Options that most commands have, of which one line at the end reminds.
  private static let common = [
    "exclude", "json", "no-pager", "key", "threads", "quiet", "allow-large", "version", "help",
  ]

  /// The parts of what the parser tells of a command.
  private struct Tool: Decodable {
    let command: Declared
  }
  private struct Declared: Decodable {
    let abstract: String?
    let discussion: String?
    let arguments: [Argument]?
  }
  private struct Argument: Decodable {
    struct Name: Decodable {
      let kind: String
      let name: String

      var text: String { (kind == "long" ? "--" : "-") + name }
    }
    let abstract: String?
    let defaultValue: String?
    let isOptional: Bool
    let isRepeating: Bool
    let kind: String
    let names: [Name]?
    let preferredName: Name?
    let shouldDisplay: Bool
    let valueName: String?
  }

  /// `nil` if no command has the name.
  init?(named name: String) throws {
    let command = Ckpt.configuration.subcommands.first { Ckpt.name(of: $0).isSameText(name) }
    guard let command else { return nil }
    try self.init(command)
  }

  private init(_ kind: any ParsableCommand.Type) throws {
    self.kind = kind
    command = try Tool(jsonText: kind._dumpHelp()).command
  }

  /// The page, without a line feed at its end.
  var page: String {
    let shown = (command.arguments ?? []).filter(\.shouldDisplay)
    let (own, common) = (shown.filter { !isCommon($0) }, shown.filter(isCommon))
    var lines = (command.abstract ?? "").wrapped(to: Self.width)
    lines += ["", "USAGE: \(usage(shown))"]
    let (text, sections) = discussion
    if let first = text.first {
      let paragraph = first.wrapped(to: Self.width)
      if paragraph.count <= 4 { lines += [""] + paragraph }
    }
    for section in sections where section[0] != "EXAMPLES" { lines += [""] + section }
    if !own.isEmpty {
      lines +=
        ["", "OPTIONS"]
        + own.flatMap { self.lines($0, limit: own.count < Self.manyOptions ? 2 : 1) }
    }
    let also = common.compactMap { $0.preferredName?.text }
      .filter { !["--help", "--version"].contains($0) }.joined(separator: ", ")
    let name = Ckpt.name(of: kind)
    lines.append("")
    if !also.isEmpty {
      lines += "Also \(also) ('ckpt help options').".wrapped(to: Self.width)
    }
    lines.append("All details: 'ckpt help \(name)'.")
    for section in sections where section[0] == "EXAMPLES" { lines += [""] + section }
    return lines.joined(separator: "\n")
  }

  private func isCommon(_ argument: Argument) -> Bool {
    argument.preferredName.map { Self.common.contains($0.name) } ?? false
  }

  private func usage(_ shown: [Argument]) -> String {
    if let usage = kind.configuration.usage { return usage }
    let positional = shown.filter { $0.kind == "positional" }.map { argument in
      let name = "<\(argument.valueName ?? "value")>\(argument.isRepeating ? " ..." : "")"
      return argument.isOptional ? "[\(name)]" : name
    }
    return (["ckpt", Ckpt.name(of: kind), "[<options>]"] + positional).joined(separator: " ")
  }

  /// The paragraphs of the discussion, and its sections, which begin with a line in capitals.
  private var discussion: (text: [String], sections: [[String]]) {
    var text: [String] = []
    var sections: [[String]] = []
    var isSection = false
    for line in (command.discussion ?? "").split(separator: "\n", omittingEmptySubsequences: false)
    {
      let isTitle = line.count > 3 && line.allSatisfy { $0.isUppercase }
      if isTitle { sections.append([]) }
      isSection = line.isEmpty ? false : isSection || isTitle
      if isSection {
        sections[sections.count - 1].append(String(line))
      } else if !line.isEmpty, sections.isEmpty {
        text.append(String(line))
      }
    }
    return (text, sections)
  }

  /// `  -o, --output <output>  Output file; '-' for standard output`.
  private func lines(_ argument: Argument, limit: Int) -> [String] {
    let value = "<\(argument.valueName ?? "value")>"
    var label = "  " + value
    if let names = argument.names, !names.isEmpty {
      let isFlag = argument.kind == "flag"
      label = "  " + names.sorted { $0.kind > $1.kind }.map(\.text).joined(separator: ", ")
      // What a rule looks like is told after it.
      if !isFlag { label += " " + (value.count > 14 ? "<value>" : value) }
    }
    var sentence = (argument.abstract ?? "").firstSentence
    if let value = argument.defaultValue, !value.isEmpty { sentence += " (default: \(value))" }
    var text = sentence.wrapped(to: Self.width - Self.indent)
    if text.count > limit { text = sentence.firstClause.wrapped(to: Self.width - Self.indent) }
    if text.count > limit {
      text.removeSubrange(limit...)
      text[limit - 1] =
        text[limit - 1].withoutEnd(fitting: Self.width - Self.indent - 4).trimmingClause + " ..."
    }
    if text.isEmpty { return [label] }
    let margin = String(repeating: " ", count: Self.indent)
    let gap = Self.indent - label.count
    guard gap >= 2 else { return [label] + text.map { margin + $0 } }
    return [label + String(repeating: " ", count: gap) + text[0]]
      + text.dropFirst().map { margin + $0 }
  }
}

extension String {
  /// The text up to the first period that ends a sentence, which is left out.
  fileprivate var firstSentence: String {
    var end = self[...].firstRange(of: ". ")?.lowerBound ?? endIndex
    if end == endIndex, hasSuffix(".") { end = index(before: end) }
    return String(self[..<end])
  }

  /// The text up to a colon or semicolon, which is left out.
  fileprivate var firstClause: String {
    let ends = [": ", "; "].compactMap { self[...].firstRange(of: $0)?.lowerBound }
    return String(self[..<(ends.min() ?? endIndex)])
  }

  /// The text without a comma, colon, or semicolon at its end.
  fileprivate var trimmingClause: String {
    var text = self
    while let last = text.last, ",:;".contains(last) { text.removeLast() }
    return text
  }

  /// Lines of whole words.
  func wrapped(to columns: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in split(separator: " ") {
      if line.isEmpty {
        line = String(word)
      } else if line.count + 1 + word.count <= columns {
        line += " " + word
      } else {
        lines.append(line)
        line = String(word)
      }
    }
    return line.isEmpty ? lines : lines + [line]
  }
}
