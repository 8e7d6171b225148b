import TestSupport
import Testing

@Suite struct ConvertTests {
  @Test func `there and back the fingerprint, the tree and the recipe stay`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5", "--seed", "4")
    #expect(try place.ckpt("convert", "a.h5", "b.ckz").status == 0)
    #expect(try place.ckpt("convert", "b.ckz", "c.h5").status == 0)
    #expect(try place.folder.bytes(of: "a.h5") == place.folder.bytes(of: "c.h5"))
    let run = try place.ckpt("hash", "a.h5", "b.ckz", "c.h5")
    #expect(Set(run.lines.map { $0.prefix(64) }).count == 1)
    #expect(run.lines.map { $0.dropFirst(66) } == ["a.h5", "b.ckz", "c.h5"])
    #expect(try place.ckpt("tree", "b.ckz").output == place.ckpt("tree", "model.txt").output)
    #expect(try place.ckpt("verify", "b.ckz").status == 0)
  }

  @Test(arguments: [
    ("none", "ckz"), ("planes", "ckz"), ("none", "h5"), ("gzip", "h5"), ("gzip:9", "h5"),
  ])
  func `compression does not touch the values`(kind: String, format: String) throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz")
    let run = try place.ckpt("convert", "a.ckz", "b." + format, "--compression", kind)
    #expect(run.status == 0 && run.errors == "wrote b.\(format): 6 tensors, 112 bytes\n")
    #expect(try place.fingerprint("a.ckz") == place.fingerprint("b." + format))
  }

  @Test func `some of the tensors are converted, and the rest is reported`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    let run = try place.ckpt(
      "convert", "a.h5", "b.ckz", "--match", "Linear", "--exclude", "**.bias")
    #expect(run.status == 0 && run.output.isEmpty)
    #expect(
      run.errors == """
        ckpt: a.h5: tensors were left out, so the module tree was left out
        wrote b.ckz: 3 tensors, 80 bytes

        """)
    let verified = try place.ckpt("verify", "b.ckz")
    #expect(verified.status == 0)
    #expect(verified.lines.last == "verified: all 3 tensors are identical")
    #expect(
      try place.manifest("b.ckz") == place.manifest("a.h5").filter { $0.hasSuffix(".weight") })
    #expect(
      try place.ckpt("convert", "a.h5", "c.ckz", "--match", "layer1", "--quiet").errors.isEmpty)
  }

  @Test func `names change as sed would change them`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    let run = try place.ckpt(
      "convert", "a.h5", "b.h5", "--rename", #"s/^layer(\d)\./block.\1./"#, "--rename",
      "s|BLOCK|stage|i", "--rename", "s/[.]/_/g", "--quiet")
    #expect(run.status == 0)
    #expect(
      try place.ckpt("ls", "b.h5").lines.dropLast().map { $0.prefix { $0 != " " } } == [
        "stage_1_weight", "stage_1_bias", "stage_2_0_weight", "stage_2_0_bias", "stage_2_2_weight",
        "stage_2_2_bias",
      ])
  }

  @Test(arguments: ["float64", "bfloat16", "float16"])
  func `values are rounded to another type`(dtype: String) throws {
    let place = try Workplace()
    let rule = "Linear: weight=1.00048828125, bias=-0.5"
    try place.makeArticle("a.h5", "--rule", rule)
    try place.makeArticle("b.h5", "--rule", rule, "--dtype", dtype)
    let run = try place.ckpt("convert", "a.h5", "c.ckz", "--dtype", dtype)
    #expect(run.status == 0)
    #expect(!run.errors.contains("left out"))
    #expect(try place.ckpt("verify", "c.ckz").status == 0)
    #expect(try place.fingerprint("b.h5") == place.fingerprint("c.ckz"))
  }

  @Test func `streams, with the format named`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    let run = try place.shell(
      "ckpt convert - - --to ckz < a.h5 | ckpt convert - - --to hdf5 -q | ckpt hash -")
    #expect(run.status == 0 && run.errors == "wrote standard output: 6 tensors, 112 bytes\n")
    #expect(run.output == (try place.fingerprint("a.h5")) + "  -\n")
  }

  @Test func `a file replaces itself with force`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    let before = try place.fingerprint("a.h5")
    #expect(try place.ckpt("convert", "a.h5", "a.h5").status == 2)
    #expect(try place.ckpt("convert", "a.h5", "a.h5", "--force", "--to", "ckz").status == 0)
    #expect(try place.fingerprint("a.h5") == before)
    #expect(try place.ckpt("check", "a.h5").status == 0)
    #expect(try place.folder.names() == ["a.h5", "model.txt"])
  }

  @Test func `a link is kept and its target is replaced`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    let run = try place.shell(
      "mkdir d && : > d/real.ckz && ln -s d/real.ckz l.ckz && ckpt convert a.h5 l.ckz --force")
    #expect(run.status == 0)
    #expect(try place.shell("readlink l.ckz").output == "d/real.ckz\n")
    #expect(try place.fingerprint("d/real.ckz") == place.fingerprint("a.h5"))
  }

  @Test func `a dry run says what would be written and writes nothing`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    let run = try place.ckpt(
      "convert", "a.h5", "b.ckz", "--dry-run", "--dtype", "bfloat16", "--match", "layer1.*",
      "--rename", "s/layer1/one/")
    #expect(run.status == 0)
    #expect(
      run.output == """
        layer1.weight → one.weight  F32 → BF16  [4, 2]  16
        layer1.bias → one.bias      F32 → BF16  [4]      8
        2 tensors, 4 left out, 24 bytes to ckz; nothing was written

        """)
    #expect(run.errors.contains("the module tree and the recipe were left out"))
    #expect(try place.folder.names() == ["a.h5", "model.txt"])
    let json = try JSON(
      try place.ckpt("convert", "a.h5", "b.ckz", "--dry-run", "--json", "--quiet").output)
    #expect(json["tensors"]?.count == 6)
    #expect(json["tensors"]?[0]?["from"] == .text("layer1.weight"))
    #expect(json["losses"]?.count == 0 && json["leftOut"]?.count == 0)
  }

  @Test func `values too large for the type are counted and named`() throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz", "--rule", "layer1.bias: bias=1e6")
    for target in ["b.ckz", "b.h5"] {
      let run = try place.ckpt("convert", "a.ckz", target, "--dtype", "float16")
      #expect(run.status == 0)
      #expect(
        run.errors.contains(
          "4 values were too large for float16 and became infinite, in 'layer1.bias' (4)\n"))
    }
    let run = try place.ckpt("convert", "a.ckz", "c.ckz", "--dtype", "bfloat16")
    #expect(!run.errors.contains("infinite"))
    for (dtype, outcome) in [("float8_e4m3fn", "became ±448"), ("float8_e5m2fnuz", "became NaN")] {
      let run = try place.ckpt("convert", "a.ckz", "\(dtype).ckz", "--dtype", dtype)
      #expect(
        run.errors.contains(
          "4 values were too large for \(dtype) and \(outcome), in 'layer1.bias' (4)\n"))
    }
  }

  @Test(arguments: [
    ("bf16", "BF16"), ("half", "F16"), ("torch.float64", "F64"), ("fp8_e4m3", "F8_E4M3"),
    ("FLOAT8_E5M2", "F8_E5M2"), ("f16", "F16"),
  ])
  func `a type may be named as people write it`(name: String, dtype: String) throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    let run = try place.ckpt("convert", "a.h5", "b.ckz", "--dtype", name, "--dry-run", "--json")
    #expect(run.status == 0)
    #expect(try JSON(run.output)["tensors"]?[0]?["dtype"] == .text(dtype))
  }

  @Test func `float8 tensors are shown, measured, and compared`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5", "--rule", "Linear: weight=0.3, bias=-2.0")
    try place.makeArticle("b.h5", "--rule", "Linear: weight=0.35, bias=3.5")
    for name in ["a", "b"] {
      let run = try place.ckpt("convert", "\(name).h5", "\(name).pt", "--dtype", "float8_e4m3fn")
      #expect(run.status == 0)
    }
    #expect(try place.ckpt("show", "a.pt", "layer1.bias[0]").output.contains("-2.0"))
    let statistics = try JSON(try place.ckpt("stat", "a.pt", "--json").output)
    #expect(statistics["tensors"]?[0]?["statistics"]?["maximum"] == .number(0.3125))
    // From 0x2a to 0x2b; from -2 over zero to 3.5, 64 and 70 numbers away from it.
    let changes = try JSON(try place.ckpt("diff", "a.pt", "b.pt", "--json").output)["changes"]
    #expect(changes?[0]?["difference"]?["maxULP"] == .number(1))
    #expect(changes?[1]?["difference"]?["maxULP"] == .number(134))
  }

  @Test func `the result is reported as JSON`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    let run = try place.ckpt("convert", "a.h5", "b.ckz", "--json", "--quiet")
    #expect(run.status == 0 && run.errors.isEmpty)
    let report = try JSON(run.output)
    #expect(report["files"] == .list([.text("b.ckz")]))
    #expect(report["tensors"]?.count == 6)
    #expect(report["tensors"]?[0]?["name"] == .text("layer1.weight"))
    let shards = try place.ckpt(
      "convert", "a.h5", "c.safetensors", "--shard-size", "60", "--json", "--quiet")
    #expect((try JSON(shards.output)["files"]?.count ?? 0) > 2)
    let mixed = try place.ckpt("convert", "a.h5", "-", "--to", "npz", "--json")
    #expect(mixed.status == 64 && mixed.output.isEmpty)
  }

  @Test func `ties are kept and reported`() throws {
    let place = try Workplace()
    try place.folder.write(Array("layer2.2.bias = layer2.0.bias\n".utf8), to: "ties.txt")
    try place.makeArticle("a.h5", "--extra", "ties.txt")
    let run = try place.ckpt("convert", "a.h5", "b.ckz")
    #expect(run.status == 0)
    #expect(
      run.errors == "ckpt: a.h5: tied tensors stay tied: 'layer2.2.bias' (= 'layer2.0.bias')\n"
        + "wrote b.ckz: 6 tensors, 104 bytes\n")
    let other = try place.ckpt("convert", "b.ckz", "c.safetensors")
    #expect(
      other.errors == "ckpt: b.ckz: tied tensors are each written out, and tied again when ckpt "
        + "reads them: 'layer2.2.bias' (= 'layer2.0.bias')\n"
        + "wrote c.safetensors: 6 tensors, 104 bytes\n")
    for file in ["b.ckz", "c.safetensors"] {
      let json = try JSON(try place.ckpt("ls", file, "--json").output)
      #expect(json["tensors"]?[5]?["alias"] == .text("layer2.0.bias"))
    }
  }

  @Test func `shards with an index are one checkpoint`() throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz")
    _ = try place.shell("mkdir out")
    let run = try place.ckpt(
      "convert", "a.ckz", "out/model.safetensors", "--shard-size", "64B")
    #expect(run.status == 0 && run.output.isEmpty, "\(run.errors)")
    let names = try place.shell("ls out").lines
    #expect(names.last == "model.safetensors.index.json" && names.count > 2)
    #expect(names.first == "model-00001-of-0000\(names.count - 1).safetensors")
    for path in ["out", "out/model.safetensors.index.json"] {
      #expect(try place.fingerprint("a.ckz") == place.fingerprint(path))
      #expect(try place.ckpt("verify", path).status == 0)
    }
    let again = try place.ckpt("convert", "a.ckz", "out/model.safetensors", "--shard-size", "64B")
    #expect(again.status == 2 && again.errors.contains("exists; pass --force to replace it"))
    let other = try place.ckpt("convert", "a.ckz", "b.ckz", "--shard-size", "1GB")
    #expect(other.status == 2 && other.errors.contains("safetensors"))
    #expect(try place.ckpt("convert", "a.ckz", "b", "--shard-size", "much").status == 64)
  }

  @Test func `the files of a divided checkpoint are named`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    let few = try place.ckpt("convert", "a.h5", "a.safetensors", "--shard-size", "80B")
    #expect(
      few.errors == "wrote a.safetensors.index.json: 6 tensors, 112 bytes, in 2 files: "
        + "a-00001-of-00002.safetensors, a-00002-of-00002.safetensors\n")
    let many = try place.ckpt("convert", "a.h5", "b.safetensors", "--shard-size", "8B")
    #expect(
      many.errors == "wrote b.safetensors.index.json: 6 tensors, 112 bytes, in 6 files: "
        + "b-00001-of-00006.safetensors to b-00006-of-00006.safetensors\n")
  }

  @Test(arguments: ["a.pt", "a.npz", "a.ckz"])
  func `what is left out is not read, so that the rest of a damaged file is rescued`(
    file: String
  ) throws {
    let place = try Workplace()
    try place.makeArticle("a.h5", "--rule", "layer1: weight=7")
    #expect(try place.ckpt("convert", "a.h5", file, "--compression", "none", "-q").status == 0)
    var bytes = try place.folder.bytes(of: file)
    let seven: [UInt8] = Array([[0, 0, 0xe0, 0x40], [0, 0, 0xe0, 0x40]].joined())
    let index = try #require(
      bytes.indices.dropLast(8).first { bytes[$0..<$0 + 8].elementsEqual(seven) })
    bytes[index] ^= 1
    try place.folder.write(bytes, to: file)
    #expect(try place.ckpt("convert", file, "b.h5").status == 2)
    let checked = try place.ckpt("check", file)
    #expect(checked.status == 2 && checked.errors.contains("tensor 'layer1.weight'"))
    let run = try place.ckpt("convert", file, "b.h5", "--exclude", "layer1.weight", "-q")
    #expect(run.status == 0 && run.errors.isEmpty)
    #expect(try place.ckpt("diff", "a.h5", "b.h5", "--exclude", "layer1.weight").status == 0)
    let part = try place.ckpt("convert", file, "c.h5", "--match", "layer2", "-q")
    #expect(part.status == 0 && part.errors.isEmpty)
  }
}
