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
      Convert.self, Hash.self, Check.self, FindSeed.self, Completions.self,
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
  ///
  /// A handler wakes a thread through a pipe. Blocking the signals and waiting for them would not
  /// do: the dispatch library's main thread sits in `sigsuspend` with all signals open and dies.
  private static func removeTemporariesOnSignals() {
    guard wakeUp.read >= 0 else { return }
    var thread = pthread_t()
    unsafe pthread_create(
      &thread, nil,
      { _ in
        var signal: UInt8 = 0
        while unsafe read(wakeUp.read, &signal, 1) != 1 {}
        CheckpointTarget.removeUnfinished()
        _exit(128 + Int32(signal))
      }, nil)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      signal(number) { number in
        var byte = UInt8(truncatingIfNeeded: number)
        unsafe _ = write(wakeUp.write, &byte, 1)
      }
    }
  }
}

/// The two ends of the pipe through which a signal is told; -1 if the system had none.
private let wakeUp: (read: Int32, write: Int32) = {
  var ends: [Int32] = [-1, -1]
  return unsafe pipe(&ends) == 0 ? (ends[0], ends[1]) : (-1, -1)
}()
