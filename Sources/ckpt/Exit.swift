import ArgumentParser
import CheckpointKit
import Glibc

/// How the process ends: exit status and last message.
extension Ckpt {
  /// Ends the process as an error says: help on standard output and status 0, or one line on
  /// standard error and status 64 for wrong usage, 2 for what could not be done.
  ///
  /// `command` is the one that ran; `nil` if the command line could not be parsed.
  static func leave(_ error: any Error, from command: (any ParsableCommand)?) -> Never {
    switch error {
    case let code as ExitCode: World.leave(status: code.rawValue)
    // Nobody reads standard output any more: the end is that of SIGPIPE, without a word.
    case let error as CheckpointError where error.systemNumber == EPIPE:
      World.leave(status: 128 + SIGPIPE, error: error)
    default: break
    }
    switch exitCode(for: error) {
    case .success:
      do {
        var output = StandardOutput()
        try output.line(fullMessage(for: error))
        try output.flush()
        World.leave(status: 0)
      } catch {
        leave(error, from: command)
      }
    case .validationFailure:
      let help = command.map(helpCommand) ?? helpCommand(in: fullMessage(for: error))
      let text = command == nil ? unknownCommand ?? message(for: error) : message(for: error)
      World.leave(status: 64, error: error, from: command) { _ in
        StandardError().note("\(text.uncapitalized.escapingControls) (see '\(help)')")
      }
    default:
      World.leave(status: 2, error: error, from: command) { found in
        let isDamage = (found ?? error as? CheckpointError)?.code == .malformed
        let remedy = (command as? List).flatMap {
          isDamage && $0.files.count == 1 ? CheckpointSource.remedy(for: $0.files[0]) : nil
        }
        let text = (found.map(\.description) ?? String(describing: error)).escapingControls
        StandardError().note(text + (remedy.map { "; \($0)" } ?? ""))
      }
    }
  }

  /// The error for a first argument that is not a command, with the name of one that is near.
  private static var unknownCommand: String? {
    guard let first = ProcessSetup.arguments.first, !first.hasPrefix("-") else {
      return nil
    }
    guard !(commandNames + ["help"]).contains(first) else { return nil }
    let near =
      nearestName(to: first, among: commandNames + ["help"]).map { "; did you mean '\($0)'?" } ?? ""
    return "unknown command '\(first)'\(near)"
  }

  private static func helpCommand(of command: any ParsableCommand) -> String {
    "ckpt \(name(of: type(of: command))) --help"
  }

  /// The help command that the parser's own text mentions.
  ///
  /// That text ends in `See 'ckpt init --help' for more information.`
  private static func helpCommand(in text: String) -> String {
    let quoted = text.split(separator: "'").last { $0.hasSuffix(" --help") }
    return quoted.map(String.init) ?? "ckpt --help"
  }
}

extension String {
  /// With a lower-case first letter, for a sentence after `ckpt: `.
  fileprivate var uncapitalized: String { prefix(1).lowercased() + dropFirst() }
}
