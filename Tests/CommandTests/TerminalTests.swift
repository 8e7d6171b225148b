import TestSupport
import Testing

/// `Tools/check-terminal`, which runs the command in pseudo-terminals of several sizes.
@Suite struct TerminalTests {
  private static let hasPython = (try? CommandRun(shell: "python3 -c 'import pty'"))?.status == 0

  @Test(.enabled(if: hasPython, "python3 is not installed"))
  func `results fit the terminal, long ones are paged, and an interrupt leaves a clean line`()
    throws
  {
    let folder = try TemporaryFolder()
    let tool = Fixtures.path("../Tools/check-terminal")
    let run = try CommandRun(["python3", tool, CommandRun.executable], in: folder.path)
    #expect(run.status == 0, "\(run.output) \(run.errors)")
    #expect(run.output == "terminal: ok\n")
  }
}
