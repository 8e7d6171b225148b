import ArgumentParser
import CheckpointKit
import Glibc

/// The command: its subcommands, and how errors become lines and exit statuses.
@main
struct Ckpt: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ckpt",
    abstract: "Checkpoints of neural networks: initialise, look into, compare, redraw, convert.",
    discussion: """
      Exit status: 0 success; 1 the answer is "they differ" or "not verified"; 2 it could not be \
      done; 64 wrong usage.

      EXAMPLES
        ckpt init model.txt --seed 0 -o net.h5
        ckpt diff a.h5 b.ckz
        ckpt reinit net.h5 --match Linear --seed 1 -o again.h5
        ckpt verify again.h5
      """,
    version: "0.1.0",
    subcommands: [
      Init.self, Tree.self, List.self, Stat.self, Show.self, Diff.self, Reinit.self, Verify.self,
      Convert.self, Hash.self, Check.self, Completions.self,
    ])

  static func main() async {
    removeTemporariesOnSignals()
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch  where !(error is ExitCode) && exitCode(for: error) == .failure {
      StandardError().note(String(describing: error))
      exit(withError: ExitCode(2))
    } catch {
      exit(withError: error)
    }
  }

  /// On an interrupt or a termination request, removes unfinished outputs before leaving with the
  /// status that a shell gives to the signal.
  private static func removeTemporariesOnSignals() {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGHUP] { unsafe sigaddset(&signals, signal) }
    // Blocked here, before any other thread exists, so that all inherit the mask.
    unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    var thread = pthread_t()
    unsafe pthread_create(
      &thread, nil,
      { _ in
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for signal in [SIGINT, SIGTERM, SIGHUP] { unsafe sigaddset(&signals, signal) }
        var signal: Int32 = 0
        unsafe sigwait(&signals, &signal)
        CheckpointTarget.removeUnfinished()
        _exit(128 + signal)
      }, nil)
  }
}
