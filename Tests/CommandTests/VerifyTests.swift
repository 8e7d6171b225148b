import TestSupport
import Testing

@Suite struct VerifyTests {
  @Test func `a file is verified against its own recipe`() throws {
    let place = try Workplace()
    for file in ["a.h5", "a.ckz"] {
      try place.makeArticle(file, "--seed", "3", "--rule", "Linear: bias=uniform(-1, 1)")
      let run = try place.ckpt("verify", file)
      #expect(run.status == 0 && run.errors.isEmpty)
      #expect(run.lines.count == 7)
      #expect(run.lines.first == "identical  layer1.weight")
      #expect(run.lines.last == "verified: all 6 tensors are identical")
    }
  }

  @Test func `a file is verified against a model, a seed and rules`() throws {
    let place = try Workplace()
    let rule = "Linear: weight=orthogonal, bias=1"
    try place.makeArticle("a.h5", "--seed", "3", "--rule", rule, "--order", "apply")
    // Renamed there and back, it has no recipe any more.
    try place.ckpt("convert", "a.h5", "b.h5", "--rename", "s/1/one/", "--quiet")
    try place.ckpt("convert", "b.h5", "c.h5", "--rename", "s/one/1/", "--quiet")
    let without = try place.ckpt("verify", "c.h5")
    #expect(without.status == 2)
    #expect(
      without.errors
        == "ckpt: c.h5: has no recipe; pass --model MODEL --seed N\n")
    let options = ["--model", "model.txt", "--rule", rule, "--order", "apply", "--seed"]
    func verify(_ seed: String) throws -> CommandRun {
      try CommandRun(
        [CommandRun.executable, "verify", "c.h5"] + options + [seed], in: place.folder.path)
    }
    #expect(try verify("3").status == 0)
    let other = try verify("4")
    #expect(other.status == 1)
    #expect(other.lines.last == "not verified: 3 of 6 tensors are identical")
    #expect(try place.ckpt("verify", "c.h5", "--recipe", "a.h5").status == 0)
  }

  @Test func `one changed bit is found and measured`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5", "--rule", "Linear: bias=1")
    var bytes = try place.folder.bytes(of: "a.h5")
    let ones = Array(repeating: [0, 0, 0x80, 0x3f] as [UInt8], count: 4).joined()
    let index = try #require(
      bytes.indices.dropLast(15).first { bytes[$0..<$0 + 16].elementsEqual(ones) })
    bytes[index] ^= 1
    try place.folder.write(bytes, to: "a.h5")
    let run = try place.ckpt("verify", "a.h5")
    #expect(run.status == 1)
    #expect(run.lines[1] == "within 1 ULP  layer1.bias      1 of 4, max abs 1.192e-7")
    #expect(run.lines.last == "not verified: 5 of 6 tensors are identical")
    bytes[index + 2] ^= 0x40
    try place.folder.write(bytes, to: "a.h5")
    #expect(try place.ckpt("verify", "a.h5").lines[1].hasPrefix("different  layer1.bias"))
  }

  @Test func `missing, unexpected, and reshaped tensors are named`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    try place.folder.write(
      Array(
        """
        Net(
          (layer1): Linear(in_features=3, out_features=4, bias=True)
          (layer3): Linear(in_features=1, out_features=1, bias=False)
        )
        """.utf8), to: "other.txt")
    let run = try place.ckpt("verify", "a.h5", "--model", "other.txt")
    #expect(run.status == 1)
    #expect(
      run.lines == [
        "reshaped    layer1.weight    the recipe gives F32 [4, 3]",
        "different   layer1.bias      4 of 4, max abs 0.5695",
        "unexpected  layer2.0.weight  not in the recipe's model",
        "unexpected  layer2.0.bias    not in the recipe's model",
        "unexpected  layer2.2.weight  not in the recipe's model",
        "unexpected  layer2.2.bias    not in the recipe's model",
        "missing     layer3.weight    not in the file",
        "not verified: 0 of 7 tensors are identical",
      ])
  }

  @Test func `a survey of seeds matches the distributions`() throws {
    let run = try Workplace().ckpt(
      "verify", "--model", "model.txt", "--seeds", "0..31", "--rule", "Linear: bias=normal(1, 2)",
      "--rule", "layer1: weight=constant(3)")
    #expect(run.status == 0 && run.errors.isEmpty)
    #expect(run.lines.count == 8)
    #expect(run.lines[1].hasPrefix("ok  layer1.weight            3  "))
    #expect(run.lines.last == "32 seeds, 6 tensors: all checks passed")
  }

  @Test func `a count of one is singular`() throws {
    let place = try Workplace()
    try place.folder.write(
      Array("Linear(in_features=1, out_features=1, bias=False)".utf8), to: "net.txt")
    #expect(try place.ckpt("init", "net.txt", "-o", "a.ckz").status == 0)
    func last(_ arguments: String...) throws -> String? {
      try CommandRun([CommandRun.executable] + arguments, in: place.folder.path).lines.last
    }
    #expect(try last("verify", "a.ckz") == "verified: the one tensor is identical")
    #expect(
      try last("verify", "a.ckz", "--seed", "1") == "not verified: 0 of 1 tensor is identical")
    #expect(try last("ls", "a.ckz") == "1 tensor, 1 element, 4 bytes, ckz")
    #expect(try last("tree", "net.txt") == "1 module, 1 parameter tensor, 1 parameter")
    #expect(
      try last("verify", "--model", "net.txt", "--seeds", "0..0")
        == "1 seed, 1 tensor: all checks passed")
  }

  @Test func `verify as JSON`() throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz")
    let json = try JSON(try place.ckpt("verify", "a.ckz", "--json").output)
    #expect(json.keys == ["file", "isVerified", "tensors"])
    #expect(json["isVerified"] == .truth(true))
    #expect(json["tensors"]?[0]?["outcome"] == .text("identical"))
    let other = try place.ckpt("verify", "a.ckz", "--seed", "1", "--json")
    #expect(other.status == 1)
    #expect(try JSON(other.output)["isVerified"] == .truth(false))
    let survey = try JSON(
      try place.ckpt("verify", "--model", "model.txt", "--seeds", "0..3", "--json").output)
    #expect(survey.keys == ["ok", "seeds", "tensors"])
    #expect(survey["seeds"] == .number(4))
    #expect(
      survey["tensors"]?[0]?.keys
        == [
          "expectedMean", "expectedStandardDeviation", "failures", "initializer", "isRandom",
          "mean", "name", "standardDeviation",
        ])
  }

  @Test(arguments: ["module.", "model.", "module._orig_mod."])
  func `names with a prefix are paired with the model's`(prefix: String) throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz", "--seed", "7")
    try place.ckpt("convert", "a.ckz", "b.ckz", "--rename", "s/^/\(prefix)/", "--quiet")
    let run = try place.ckpt("verify", "b.ckz", "--model", "model.txt", "--seed", "7")
    #expect(run.status == 0 && run.lines.first == "identical  \(prefix)layer1.weight")
    #expect(
      run.errors
        == "ckpt: b.ckz: names begin with '\(prefix)', those of the model do not: paired without it\n"
    )
    let renamed = try place.ckpt(
      "verify", "b.ckz", "--model", "model.txt", "--seed", "7", "--rename", "s/^\(prefix)//")
    #expect(renamed.status == 0 && renamed.errors.isEmpty)
    // The file keeps its names, and its recipe has them.
    let redrawn = try place.ckpt(
      "reinit", "b.ckz", "--match", "\(prefix)layer2", "--model", "model.txt", "--seed", "7", "-o",
      "c.ckz")
    #expect(redrawn.status == 0)
    #expect(
      redrawn.errors.contains(
        "names begin with '\(prefix)', those of the model do not: paired without it\n"))
    let verified = try place.ckpt("verify", "c.ckz")
    #expect(verified.status == 0 && verified.errors.isEmpty)
    #expect(verified.lines.contains("identical    \(prefix)layer2.0.weight"))
    #expect(
      verified.lines.last
        == "verified: 4 tensors are identical; 2 tensors are not covered by the recipe")
    let copied = try place.ckpt(
      "reinit", "b.ckz", "--match", "\(prefix)layer1", "--from", "a.ckz", "-o", "d.ckz")
    #expect(
      copied.status == 0 && copied.errors.contains("those of a.ckz do not: paired without it\n"))
  }

  @Test func `of a file of which the recipe covers nothing there is nothing to verify`() throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz")
    try place.ckpt("convert", "a.ckz", "b.ckz", "--rename", "s/layer/l/", "--quiet")
    try place.ckpt("reinit", "b.ckz", "--match", "l1", "--from", "b.ckz", "-o", "c.ckz", "--quiet")
    let run = try place.ckpt("verify", "c.ckz")
    #expect(run.status == 0)
    #expect(run.lines.last == "nothing to verify: the recipe covers none of 6 tensors")
    let fingerprint = try place.fingerprint("b.ckz")
    let origin = "copied from the checkpoint "
    #expect(run.lines.count { $0.hasSuffix(origin + fingerprint.prefix(12)) } == 2)
    #expect(run.lines.allSatisfy { $0.count < 80 })
    let json = try JSON(try place.ckpt("verify", "c.ckz", "--json").output)
    #expect(json["isVerified"] == .truth(false))
    #expect(json["tensors"]?[0]?["detail"] == .text(origin + fingerprint))
  }
}
