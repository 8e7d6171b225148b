import TestSupport
import Testing

@Suite struct FindSeedTests {
  let folder: TemporaryFolder
  let model = Fixtures.path("models/article.txt")

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [
    ("float32", ""), ("float64", ""), ("bfloat16", ""), ("float16", ""),
    ("float32", "Linear: weight=normal(0, 0.02), bias=0.5"),
    ("float32", "Linear: weight=kaiming_uniform(nonlinearity=relu), bias=0"),
  ])
  func `the seed of an untouched file is found, whatever its types and rules`(
    dtype: String, rule: String
  ) throws {
    let rules = rule.isEmpty ? [] : ["--rule", rule]
    let file = folder.file("a.h5")
    let made = try CommandRun(
      [CommandRun.executable, "init", model, "--seed", "1234", "--dtype", dtype, "-o", file]
        + rules,
      in: folder.path)
    #expect(made.errors.isEmpty)
    let run = try CommandRun("find-seed", file, "--range", "0..2000", in: folder.path)
    #expect(run.status == 0)
    #expect(run.lines.first == "seed 1234")
    #expect(run.output.contains("; 6 of 6 tensors are identical"))
  }

  @Test func `one untouched tensor is enough, and the others are named`() throws {
    let (file, touched) = (folder.file("a.h5"), folder.file("b.h5"))
    _ = try CommandRun("init", model, "--seed", "77", "-o", file, in: folder.path)
    _ = try CommandRun(
      "reinit", file, "--match", "layer1 | layer2.0", "--rule",
      "Linear: weight=normal(0, 0.3), bias=0.7", "-o", touched, in: folder.path)
    let run = try CommandRun("find-seed", touched, "--model", model, in: folder.path)
    #expect(run.status == 0)
    #expect(
      run.lines == [
        "seed 77", "found by 'layer2.2.weight'; 2 of 6 tensors are identical",
        "changed: layer1.weight", "changed: layer1.bias", "changed: layer2.0.weight",
        "changed: layer2.0.bias",
      ])
  }

  @Test func `no seed in the range is an answer; the range is inclusive`() throws {
    let file = folder.file("a.h5")
    _ = try CommandRun("init", model, "--seed", "500", "-o", file, in: folder.path)
    for (range, status) in [("0..499", 1), ("501..900", 1), ("500..500", 0), ("0..500", 0)] {
      let run = try CommandRun("find-seed", file, "--range", range, in: folder.path)
      #expect(run.status == status, "\(range)")
    }
    let run = try CommandRun("find-seed", file, "--range", "9..1", in: folder.path)
    #expect(run.status == 64)
  }
}
