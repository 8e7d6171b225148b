import TestSupport
import Testing

@Suite struct MatchTorchTests {
  let folder: TemporaryFolder
  let model = Fixtures.path("models/article.txt")

  init() throws { folder = try TemporaryFolder() }

  @Test func `a file of the other CPU path is told as such, with its distance`() throws {
    let made = try CommandRun(
      "init", model, "--match-torch", "default", "-o", "a.h5", in: folder.path)
    #expect(made.status == 0)
    #expect(try CommandRun("verify", "a.h5", in: folder.path).status == 0)
    let run = try CommandRun("verify", "a.h5", "--model", model, in: folder.path)
    #expect(run.status == 1)
    #expect(
      run.lines.first
        == "other CPU path  layer1.weight    5 of 8, max abs 5.96e-8, max ULP 34")
    #expect(run.lines.last == "not verified: 3 of 6 tensors are identical")
    let again = try CommandRun(
      "verify", "a.h5", "--model", model, "--match-torch", "default", in: folder.path)
    #expect(again.status == 0)
  }

  @Test func `redraws follow the recipe's path, and find-seed the one it is told`() throws {
    for arguments in [
      ["init", model, "--seed", "9", "--match-torch", "default", "-o", "a.h5"],
      ["reinit", "a.h5", "--match", "layer1", "--seed", "3", "-o", "b.h5"], ["verify", "b.h5"],
      ["find-seed", "a.h5", "--model", model, "--match-torch", "default"],
    ] {
      let run = try CommandRun([CommandRun.executable] + arguments, in: folder.path)
      #expect(run.status == 0, "\(arguments)")
    }
    let wrong = try CommandRun("init", model, "--match-torch", "sse", "-o", "c.h5", in: folder.path)
    #expect(wrong.status == 64)
    #expect(
      wrong.errors
        == "ckpt: unknown CPU path 'sse': expected avx2 or default (see 'ckpt init --help')\n")
  }
}
