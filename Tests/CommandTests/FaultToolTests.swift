import TestSupport
import Testing

/// A short run of `Tools/faults/run`, which plays failing calls, kills, and power cuts.
@Suite struct FaultToolTests {
  private static let hasPrograms =
    (try? CommandRun(shell: "python3 -c '' && cc --version").status == 0) ?? false

  @Test(
    .enabled(if: hasPrograms, "python3 and cc are needed"),
    arguments: [
      ("calls", "pack more"), ("calls", "new shards safetensors"), ("power", "init npz"),
      ("sweep", "hash --manifest"),
    ])
  func `a command that a fault stops leaves the old or the new files`(
    _ what: String, _ scene: String
  ) throws {
    let tool = Fixtures.path("../Tools/faults/run")
    let run = try CommandRun(
      ["python3", tool, CommandRun.executable, what, "--only", scene, "--folder", "/tmp"],
      in: "/tmp")
    #expect(run.status == 0, "\(run.output) \(run.errors)")
    #expect(run.lines.last?.hasSuffix(" 0 faults") == true && run.lines.count > 1)
  }
}
