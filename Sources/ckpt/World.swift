import ArgumentParser
import CheckpointKit
import Glibc
import Ranks

/// A command that several ranks can share.
protocol SharedCommand {
  /// Whether they share this run of it; if not, the first does it alone and the others wait.
  var isShared: Bool { get }
}

/// The ranks of this process, and how they end together.
enum World {
  /// Who was started together; one process if MPI cannot be used, after a message.
  static let ranks: Ranks = {
    do throws(CheckpointError) {
      if let warning = Ranks.startWarning, Launcher.current?.rank == 0 {
        StandardError().note(warning)
      }
      return try Ranks.start()
    } catch {
      if (Launcher.current?.rank ?? 0) == 0 { StandardError().note(error.description) }
      Glibc.exit(2)
    }
  }()

  /// This rank's share of the processors.
  static var threads: Int {
    let all = Threads.available
    // Inside another program this is not a rank, however that program was started.
    return Capture.current == nil ? ranks.threads ?? all : all
  }

  /// Takes the output of all ranks but the first away: their lines would break into each other.
  static func silenceOthers() {
    guard !ranks.isFirst else { return }
    let nothing = unsafe open("/dev/null", O_WRONLY)
    for stream in [STDOUT_FILENO, STDERR_FILENO] { dup2(nothing, stream) }
  }

  /// Runs a command on the ranks that share it.
  static func run(_ command: any ParsableCommand) async throws {
    let isShared = isShared(command)
    guard isShared || ranks.isFirst else { return }
    try await Ranks.$current.withValue(isShared ? ranks : .alone) {
      if let command = command as? any AsyncParsableCommand {
        try await ProcessSetup.run(command)
      } else {
        var command = command
        try command.run()
      }
    }
  }

  /// Ends the process once all ranks are done, with one status and one message for all.
  ///
  /// `say` prints the message of this rank's error, or that of the error that counts.
  static func leave(
    status: Int32, error: (any Error)? = nil, from command: (any ParsableCommand)? = nil,
    say: (CheckpointError?) -> Void = { _ in }
  ) -> Never {
    Pager.finish()
    // One that was drawn when an error ended the work.
    ProgressBar.close(afterKey: false)
    guard ranks.size > 1 else {
      say(nil)
      Glibc.exit(status)
    }
    let fault = error.map { RankFault($0, status: status) }
    let end = ranks.finish(
      status: status, fault: fault, isLocated: command.map(isShared) ?? false)
    if let found = end.fault?.error, ranks.isFirst {
      if error == nil { StandardError().note(found.description) }
      say(found == fault?.error ? nil : found)
    }
    // The launcher ends all when one ends badly, and what the first has just said could be lost: it
    // alone tells the status.
    Glibc.exit(ranks.isFirst ? end.status : 0)
  }

  /// Standard input and output belong to the first alone.
  private static func isShared(_ command: any ParsableCommand) -> Bool {
    ranks.size > 1 && (command as? any SharedCommand)?.isShared ?? false
      && !ProcessSetup.arguments.contains { $0 == "-" || $0.hasSuffix("=-") }
  }
}

extension OutputOptions {
  /// Whether ranks write an output together: a file of a format whose bytes come in order.
  ///
  /// HDF5 is written by a library that knows nothing of other ranks, and parity is made by one.
  func isShared(_ path: String) -> Bool {
    let format =
      try? to.map { try CheckpointFormat.writable(named: $0) }
      ?? CheckpointFormat.writable(forPath: path)
    return parity == nil && format.map { $0.name != "hdf5" } ?? false
  }
}
