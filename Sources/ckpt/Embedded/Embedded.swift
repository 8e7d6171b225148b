import ArgumentParser
import CheckpointKit

/// The command inside another program: what it prints is returned, and its errors are thrown.
///
/// Nothing here touches the process: its streams, signals, arguments, and end are the program's own.
package enum Embedded {
  /// Is told how many of how many bytes or seeds are done, from any thread, one call at a time.
  package typealias Progress = @Sendable (_ done: Int, _ total: Int) -> Void

  /// What a command has found.
  package struct Report: Sendable {
    /// The exit status: 0, 1 for a negative answer, 2 if some of what was asked could not be done.
    package let status: Int32
    /// What it prints on standard output.
    package let document: String
    /// What it prints on standard error, without the command's name.
    package let notes: String
  }

  /// A wrong argument or option.
  package struct UsageError: Error {
    /// One line that says what is wrong.
    package let message: String
  }

  /// Runs a command.
  ///
  /// - Throws: ``UsageError``, `CheckpointError`, or `CancellationError`.
  package static func run(_ arguments: [String], progress: Progress? = nil) async throws -> Report {
    try refuseStreams(arguments)
    let capture = Capture(progress: progress)
    let status = try await Capture.$current.withValue(capture) {
      do {
        let parsed = try Ckpt.parseAsRoot(arguments)
        if (parsed as? any CommonCommand)?.common.allowLarge ?? false {
          try await Budget.$current.withValue(.unlimited) {
            try await run(try Ckpt.parseAsRoot(arguments))
          }
        } else {
          try await run(parsed)
        }
        return Int32(0)
      } catch let code as ExitCode {
        return code.rawValue
      } catch {
        guard Ckpt.exitCode(for: error) == .success else {
          throw translated(error, Ckpt.message(for: error))
        }
        capture.add(output: Array(Ckpt.fullMessage(for: error).utf8))
        return 0
      }
    }
    return Report(status: status, document: capture.output, notes: capture.notes)
  }

  private static func run(_ command: any ParsableCommand) async throws {
    if var command = command as? any AsyncParsableCommand {
      try await command.run()
    } else {
      var command = command
      try command.run()
    }
  }

  /// Parses options, which may not contain `-` as a file.
  static func parse<Options: ParsableArguments>(
    _ kind: Options.Type, _ arguments: [String]
  ) throws -> Options {
    try refuseStreams(arguments)
    do {
      return try kind.parse(arguments)
    } catch {
      throw translated(error, kind.message(for: error))
    }
  }

  static func refuseStreams(_ arguments: [String]) throws {
    guard
      let stream = arguments.first(where: { $0 == "-" || $0.hasPrefix("-") && $0.hasSuffix("=-") })
    else { return }
    throw UsageError(
      message: "\(stream): the process's own streams are not used here; give the path of a file")
  }

  /// The error as callers know it; `message` is the parser's own.
  static func translated(_ error: any Error, _ message: String) -> any Error {
    switch error {
    case is CheckpointError, is UsageError, is CancellationError: error
    case _ where Ckpt.exitCode(for: error) == .validationFailure: UsageError(message: message)
    default: CheckpointError(.system, "\(error)")
    }
  }
}
