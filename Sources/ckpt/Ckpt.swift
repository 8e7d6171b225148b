package import ArgumentParser
import CheckpointKit

/// The command: its subcommands, and how errors become lines and exit statuses.
package struct Ckpt: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
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
    // Each gives its name: to derive names the parser would describe all their types, a fifth of the start.
    subcommands: [
      Init.self, Tree.self, List.self, Stat.self, Show.self, Browse.self, Diff.self,
      Report.self, Reinit.self,
      Verify.self,
      Convert.self, Apply.self, Pack.self, Unpack.self, Hash.self, Check.self, Repair.self,
      Scan.self,
      FindSeed.self, Completions.self,
    ])

  /// Parses nothing.
  package init() {}

  /// Opens those of the standard streams that are closed, before anything else can take their place.
  package static func openStandardStreams() { ProcessSetup.openStandardStreams() }

  /// Runs the command as a program: with the process's own arguments, or with these, without the name.
  ///
  /// On the caller's thread, which starts MPI and must also be the one that ends it.
  nonisolated(nonsending) package static func main(with arguments: [String]? = nil) async -> Never {
    if let arguments { ProcessSetup.use(arguments) }
    ProcessSetup.openStandardStreams()
    ProcessSetup.requireProc()
    ProcessSetup.allowManyFiles()
    ProcessSetup.growMemoryInLargeSteps()
    // MPI handles signals of crashes: those that are handled here come later.
    World.silenceOthers()
    ProcessSetup.removeTemporariesOnSignals()
    ProcessSetup.reportLibraryCrashes()
    ProcessSetup.requireThreads()
    var command: (any ParsableCommand)?
    do {
      if let page = try HelpPage.requested(by: ProcessSetup.arguments) {
        var output = StandardOutput()
        try output.line(page)
        try output.flush()
        World.leave(status: 0)
      }
      let parsed = try parseAsRoot(ProcessSetup.arguments)
      command = parsed
      if takesPager(parsed) { Pager.allow() }
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

  private static func takesPager(_ command: any ParsableCommand) -> Bool {
    (command as? any ReportCommand)?.report.noPager == false
  }

  private static func allowsLarge(_ command: any ParsableCommand) -> Bool {
    (command as? any CommonCommand)?.common.allowLarge ?? false
  }
}
