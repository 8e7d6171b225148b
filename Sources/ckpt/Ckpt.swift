import ArgumentParser
import CheckpointKit

/// The command: its subcommands, and how errors become lines and exit statuses.
@main
struct Ckpt: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ckpt",
    abstract: "Initialize, inspect, compare, redraw, and convert checkpoints of neural networks.",
    discussion: """
      Exit status: 0 success; 1 a negative answer (they differ, not verified, dangerous names found); 2 \
      failure; 64 wrong usage.

      EXAMPLES
        ckpt init model.txt --seed 0 -o net.h5
        ckpt diff a.h5 b.ckz
        ckpt reinit net.h5 --match Linear --seed 1 -o again.h5
        ckpt verify again.h5
      """,
    version: "0.1.0",
    subcommands: [
      Init.self, Tree.self, List.self, Stat.self, Show.self, Diff.self, Report.self, Reinit.self,
      Verify.self,
      Convert.self, Apply.self, Pack.self, Unpack.self, Hash.self, Check.self, Repair.self,
      Scan.self,
      FindSeed.self, Completions.self,
    ])

  static func main() async {
    ProcessSetup.openStandardStreams()
    ProcessSetup.allowManyFiles()
    // MPI handles signals of crashes: those that are handled here come later.
    World.silenceOthers()
    ProcessSetup.removeTemporariesOnSignals()
    ProcessSetup.reportLibraryCrashes()
    ProcessSetup.requireThreads()
    var command: (any ParsableCommand)?
    do {
      let parsed = try parseAsRoot(ProcessSetup.arguments)
      command = parsed
      if allowsLarge(parsed) {
        // Parsed again: a command cannot be sent to where the budget is another.
        try await Budget.$current.withValue(.unlimited) {
          try await World.run(parseAsRoot(ProcessSetup.arguments))
        }
      } else {
        try await World.run(parsed)
      }
    } catch {
      leave(error, from: command)
    }
    World.leave(status: 0, from: command)
  }

  private static func allowsLarge(_ command: any ParsableCommand) -> Bool {
    (command as? any CommonCommand)?.common.allowLarge ?? false
  }
}
