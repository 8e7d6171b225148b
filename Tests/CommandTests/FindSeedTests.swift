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
      [CommandRun.executable, "init", model, "--seed", "1234", "--dtype", dtype, "-o", file, "-q"]
        + rules,
      in: folder.path)
    #expect(made.errors.isEmpty)
    let run = try CommandRun("find-seed", file, "--range", "0..2000", in: folder.path)
    #expect(run.status == 0)
    #expect(run.lines.first == "seed 1234")
    #expect(run.output.contains("; 6 of 6 tensors are identical"))
  }

  @Test(arguments: [[], ["--cast", "float64"]])
  func `a draw in float32 is found in a file of float64`(options: [String]) throws {
    let (file, plain) = (folder.file("a.h5"), folder.file("b.npz"))
    _ = try CommandRun("init", model, "--seed", "77", "-o", file, in: folder.path)
    // Without a recipe.
    let made = try CommandRun("convert", file, plain, "--dtype", "float64", in: folder.path)
    #expect(made.status == 0, "\(made.errors)")
    for source in options.isEmpty ? [["--model", model], []] : [["--model", model]] {
      let run = try CommandRun(
        [CommandRun.executable, "find-seed", plain, "--range", "0..200", "--quiet"] + source
          + options, in: folder.path)
      #expect(run.lines.first == "seed 77", "\(run.errors)")
      #expect(run.output.contains("6 of 6 tensors are identical"))
    }
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
        "untouched: layer2.2.weight", "untouched: layer2.2.bias",
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

  @Test func `only tensors of the model count, and the others are named as what they are`() throws {
    try folder.write(Array("layer2.scale: [2] = 1\n".utf8), to: "extra.txt")
    let (file, net) = (folder.file("a.h5"), folder.file("net.txt"))
    _ = try CommandRun(
      "init", model, "--extra", folder.file("extra.txt"), "--seed", "5", "-o", file,
      in: folder.path)
    try folder.write(
      Array(
        """
        Net(
          (layer1): Linear(in_features=2, out_features=4, bias=True)
          (layer4): Linear(in_features=1, out_features=1, bias=False)
        )
        """.utf8), to: "net.txt")
    let run = try CommandRun("find-seed", file, "--model", net, in: folder.path)
    #expect(
      run.lines == [
        "seed 5", "found by 'layer1.weight'; 2 of 2 tensors are identical",
        "untouched: layer1.weight", "untouched: layer1.bias", "not in the model: layer2.scale",
        "not in the model: layer2.0.weight", "not in the model: layer2.0.bias",
        "not in the model: layer2.2.weight", "not in the model: layer2.2.bias",
        "missing from the file: layer4.weight",
      ])
    let json = try JSON(
      try CommandRun("find-seed", file, "--model", net, "--json", in: folder.path).output)
    #expect(json["tensors"]?[0]?["outcome"] == .text("untouched"))
    #expect(json["tensors"]?[2]?["outcome"] == .text("notInModel"))
    #expect(json["tensors"]?[7]?["outcome"] == .text("missing"))
  }

  @Test(arguments: ["module.", "model.", "module._orig_mod.", "net."])
  func `names with a prefix are paired with the model's`(prefix: String) throws {
    let (file, wrapped) = (folder.file("a.npz"), folder.file("b.npz"))
    _ = try CommandRun("init", model, "--seed", "7", "-o", file, in: folder.path)
    _ = try CommandRun(
      "convert", file, wrapped, "--rename", "s/^/\(prefix)/", "--quiet", in: folder.path)
    let run = try CommandRun("find-seed", wrapped, "--model", model, in: folder.path)
    #expect(run.lines.first == "seed 7" && run.output.contains("6 of 6 tensors are identical"))
    #expect(
      run.errors.contains(
        "b.npz: names begin with '\(prefix)', those of the model do not: paired without it\n"))
    let renamed = try CommandRun(
      "find-seed", wrapped, "--model", model, "--rename", "s/^[a-z_.]*layer/layer/", "--quiet",
      in: folder.path)
    #expect(renamed.lines.first == "seed 7" && renamed.errors.isEmpty)
  }

  /// A file without a module tree that holds what a model of these lines gives with seed 5.
  private func bare(_ name: String, extra: String = "", dtype: String = "float32") throws -> String
  {
    let net = """
      Net(
        (tok): Embedding(20, 8)
        (fc): Linear(in_features=8, out_features=5, bias=True)
        (act): PReLU(num_parameters=5)
        (out): Linear(in_features=5, out_features=4, bias=True)
      )
      """
    try folder.write(Array(net.utf8), to: "bare.txt")
    try folder.write(Array(extra.utf8), to: "extra.txt")
    let (own, renamed) = (folder.file("own.npz"), folder.file("renamed.npz"))
    _ = try CommandRun(
      "init", folder.file("bare.txt"), "--extra", folder.file("extra.txt"), "--seed", "5",
      "--dtype", dtype, "-o", own, "--force", in: folder.path)
    // Renamed twice, so that neither tree nor recipe is left.
    _ = try CommandRun("convert", own, renamed, "--rename", "s/^/x./", "--force", in: folder.path)
    _ = try CommandRun(
      "convert", renamed, folder.file(name), "--rename", "s/^x.//", in: folder.path)
    return folder.file(name)
  }

  @Test(arguments: ["float32", "float64"])
  func `without a module tree the classes that give the values are found`(dtype: String) throws {
    let run = try CommandRun("find-seed", try bare("b.npz", dtype: dtype), in: folder.path)
    #expect(run.status == 0)
    #expect(run.lines == ["seed 5", "found by 'fc.weight'; 6 of 6 tensors are identical"])
  }

  @Test func `a tensor of no known class does not hide the seed`() throws {
    let run = try CommandRun(
      "find-seed", try bare("b.npz", extra: "odd: [3] = 2\n"), in: folder.path)
    #expect(
      run.lines == [
        "seed 5", "found by 'fc.weight'; 6 of 7 tensors are identical", "untouched: tok.weight",
        "untouched: fc.weight", "untouched: fc.bias", "untouched: act.weight",
        "untouched: out.weight", "untouched: out.bias", "undetermined: odd",
      ])
    let json = try JSON(try CommandRun("find-seed", "b.npz", "--json", in: folder.path).output)
    #expect(json["tensors"]?[0]?["outcome"] == .text("undetermined"))
  }

  @Test func `an ambiguous tensor and what follows it are not reported as changed`() throws {
    let file = try bare("b.npz")
    _ = try CommandRun(
      "reinit", file, "--match", "tok | act | out", "--model", folder.file("bare.txt"), "--rule",
      "/tok|act/: weight=normal(0, 0.3)", "--rule", "Linear: weight=normal(0, 0.3), bias=0.7", "-o",
      folder.file("c.npz"),
      in: folder.path)
    let run = try CommandRun("find-seed", "c.npz", in: folder.path)
    #expect(
      run.lines == [
        "seed 5", "found by 'fc.weight'; 2 of 6 tensors are identical",
        "untouched: fc.weight", "untouched: fc.bias", "undetermined: tok.weight",
        "undetermined: act.weight", "undetermined: out.weight", "undetermined: out.bias",
      ])
    let known = try CommandRun(
      "find-seed", "c.npz", "--model", folder.file("bare.txt"), in: folder.path)
    #expect(known.lines.contains("changed: tok.weight") && !known.output.contains("undetermined"))
  }

  @Test func `that no seed is found in an inferred tree says what to pass`() throws {
    let run = try CommandRun(
      "find-seed", try bare("b.npz"), "--range", "0..4", in: folder.path)
    #expect(run.status == 1)
    #expect(run.lines.count == 1)
    #expect(run.lines[0].hasPrefix("no seed from 0 to 4 gives these values, judged by 'fc.weight'"))
    #expect(run.lines[0].hasSuffix("; the module tree is inferred: pass --model"))
  }
}
