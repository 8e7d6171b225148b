import ArgumentParser
import CheckpointKit

/// What `ckpt help` prints: the commands in groups, and the topics.
enum HelpPage {
  /// Commands by what they are for; those that are in no group come last.
  private static let groups: [(title: String, commands: [String])] = [
    ("Make and change", ["init", "reinit", "convert", "apply"]),
    ("Look", ["ls", "tree", "stat", "show", "browse", "report"]),
    ("Compare and verify", ["diff", "verify", "find-seed", "hash", "check", "scan"]),
    ("Keep", ["pack", "unpack", "repair"]),
  ]

  /// Columns before what a command does.
  private static let indent = 15

  /// The page that the arguments ask for; `nil` if they ask for no page of ours.
  ///
  /// - Throws: `ValidationError` when help on something unknown is asked for.
  static func requested(by arguments: [String]) throws -> String? {
    let isFlag = arguments.first.map { ["--help", "-h", "-help"].contains($0) } ?? true
    if isFlag { return arguments.count <= 1 ? front : nil }
    let options = arguments.dropFirst().prefix { $0 != "--" }
    if options.contains(where: { ["--help", "-h"].contains($0) }),
      let help = try CommandHelp(named: arguments[0])
    {
      return help.page
    }
    guard arguments[0].isSameText("help") else { return nil }
    let words = arguments.dropFirst().filter { !["--help", "-h"].contains($0) }
    guard let word = words.first else { return front }
    if let topic = HelpTopic(rawValue: word) { return topic.page }
    let names = Ckpt.commandNames + HelpTopic.allCases.map(\.rawValue)
    if word.hasPrefix("-") || Ckpt.commandNames.contains(word) { return nil }
    let near = nearestName(to: word, among: names).map { "; did you mean '\($0)'?" } ?? ""
    throw ValidationError("no command or topic '\(word)'\(near)")
  }

  /// The first page.
  static var front: String {
    let abstracts = Dictionary(
      Ckpt.configuration.subcommands.map { (Ckpt.name(of: $0), $0.configuration.abstract) },
      uniquingKeysWith: { first, _ in first })
    let listed = Set(groups.flatMap(\.commands))
    let rest = Ckpt.commandNames.filter { !listed.contains($0) }
    var lines = [
      Ckpt.configuration.abstract.withoutPeriod, "", "usage: ckpt COMMAND [OPTIONS] ...",
    ]
    for (title, commands) in groups + [("Other", rest)] {
      lines += ["", "\(title):"]
      lines += commands.compactMap { name in
        abstracts[name].map { line(name, $0.withoutPeriod.clauses(fittingIn: 80 - indent)) }
      }
    }
    lines += ["", "Topics (ckpt help TOPIC):"]
    lines += HelpTopic.allCases.map { line($0.rawValue, $0.abstract) }
    lines += [
      "",
      "'ckpt COMMAND --help' fits a screen; 'ckpt help COMMAND' has all details.",
    ]
    return lines.joined(separator: "\n")
  }

  private static func line(_ name: String, _ text: String) -> String {
    "  " + name + String(repeating: " ", count: max(indent - 2 - name.count, 1)) + text
  }
}

extension Ckpt {
  /// The name of a command as it is typed.
  static func name(of command: any ParsableCommand.Type) -> String {
    command.configuration.commandName ?? "\(command)".lowercased()
  }

  /// The names of all commands.
  static var commandNames: [String] { configuration.subcommands.map(name) }
}

extension String {
  /// As many of the clauses, which end at commas, colons, and semicolons, as fit in some columns, or the first.
  fileprivate func clauses(fittingIn columns: Int) -> String {
    var text = self[...]
    while text.count > columns {
      let ends = [", ", ": ", "; "].compactMap { text.ranges(of: $0).last?.lowerBound }
      guard let end = ends.max() else { break }
      text = text[..<end]
    }
    return String(text)
  }

  fileprivate var withoutPeriod: String { hasSuffix(".") ? String(dropLast()) : self }
}
