import TestSupport
import Testing

/// What `ckpt init` writes, tensor for tensor as PyTorch drew it.
@Suite struct InitTests {
  /// A case of `goldens/article.json`.
  struct Golden: Decodable, CustomStringConvertible, Sendable {
    struct Tensor: Decodable, Sendable {
      let name: String
      let sha256: String
    }
    let id: String
    let seed: UInt64
    let seed2: UInt64?
    let dtype: String
    let repr: String
    let tensors: [Tensor]
    var description: String { id }

    static let all = (try? Fixtures.cases("goldens/article.json", as: Golden.self)) ?? []

    /// What comes before the `@` of the id.
    var kind: Substring { id.prefix { $0 != "@" } }

    func matches(_ manifest: [String]) -> Bool {
      let found = manifest.map { line in
        line.split(separator: " ").first.map(String.init) ?? ""
      }
      return found == tensors.sorted { $0.name < $1.name }.map(\.sha256)
    }
  }

  private static func rule(_ bias: Int) -> String { "Linear: weight=xavier_uniform, bias=\(bias)" }

  @Test func `random values are refused in float8, as in PyTorch; constants are not`() throws {
    let place = try Workplace()
    let norm = "LayerNorm((4,), eps=1e-05, elementwise_affine=True)"
    try place.folder.write(Array("Net(\n  (n): \(norm)\n)\n".utf8), to: "norm.txt")
    #expect(try place.ckpt("init", "norm.txt", "-o", "n.ckz", "--dtype", "float8_e5m2").status == 0)
    #expect(try place.ckpt("show", "n.ckz", "n.weight").output.contains("1.0"))
    let run = try place.ckpt("init", "model.txt", "-o", "a.ckz", "--dtype", "float8_e4m3fn")
    #expect(run.status == 2)
    #expect(
      run.errors.hasSuffix(
        "random values need float32, float64, bfloat16 or float16; the tensor is float8_e4m3fn\n"))
    let large = try place.ckpt(
      "init", "norm.txt", "-o", "b.ckz", "--dtype", "float8_e4m3fn", "--rule",
      "LayerNorm: weight=449")
    #expect(large.status == 2)
    #expect(large.errors.contains("449.0 is not in the range of float8_e4m3fn"))
  }

  @Test func `the goldens are there`() {
    #expect(Golden.all.count == 36)
  }

  @Test(arguments: Golden.all.filter { $0.seed2 == nil })
  func `the article's net has torch's bytes`(golden: Golden) throws {
    let options =
      switch golden.kind {
      case "default": [String]()
      case "apply": ["--rule", Self.rule(1), "--order", "apply"]
      case "modules": ["--rule", Self.rule(2), "--order", "modules"]
      default: throw Workplace.Unexpected(text: golden.id)
      }
    let place = try Workplace()
    try place.folder.write(Array(golden.repr.utf8), to: "net.txt")
    let run = try CommandRun(
      [CommandRun.executable, "init", "net.txt", "-o", "net.h5", "--seed", "\(golden.seed)"]
        + ["--dtype", golden.dtype] + options, in: place.folder.path)
    #expect(run.status == 0 && run.output.isEmpty)
    #expect(run.errors.hasPrefix("wrote net.h5: 6 tensors, ") && run.lines.isEmpty)
    #expect(golden.matches(try place.manifest("net.h5")))
  }

  @Test(arguments: Golden.all.filter { $0.seed2 != nil })
  func `reinit with a rule equals apply after a new seed`(golden: Golden) throws {
    let place = try Workplace()
    try place.makeArticle("net.ckz", "--seed", "\(golden.seed)", "--dtype", golden.dtype)
    let run = try place.ckpt(
      "reinit", "net.ckz", "--match", "Linear", "--rule", Self.rule(1), "--order", "apply",
      "--seed", "\(try #require(golden.seed2))", "--in-place")
    #expect(run.status == 0)
    #expect(golden.matches(try place.manifest("net.ckz")))
    #expect(try place.ckpt("verify", "net.ckz").status == 0)
  }

  @Test(arguments: ["resnet18", "resnet50"])
  func `a ResNet has the bytes of torchvision's constructor`(name: String) throws {
    let place = try Workplace()
    let run = try place.ckpt(
      "init", Fixtures.path("models/\(name).txt"), "--library", "torchvision", "-o", "net.h5", "-q")
    #expect(run.status == 0 && run.errors.isEmpty)
    #expect(
      try place.ckpt("hash", "--algorithm", "sha256", "--manifest", "net.h5").output
        == String(
          decoding: try Fixtures.bytes("models/\(name)-seed0.manifest"), as: UTF8.self))
  }

  @Test func `the library is noted where it matters, kept in the recipe, and repeated`() throws {
    let place = try Workplace()
    let text = """
      Net(
        (head): RPNHead(
          (conv): Conv2d(2, 2, kernel_size=(1, 1), stride=(1, 1))
          (cls_logits): Conv2d(2, 3, kernel_size=(1, 1), stride=(1, 1))
          (bbox_pred): Conv2d(2, 4, kernel_size=(1, 1), stride=(1, 1))
        )
      )
      """
    try place.folder.write(Array(text.utf8), to: "net.txt")
    let plain = try place.ckpt("init", "net.txt", "-o", "plain.ckz")
    #expect(
      plain.errors.hasPrefix(
        "ckpt: net.txt: torchvision's RPNHead re-initializes each Conv2d after building them; for "
          + "its bytes: --library torchvision\n"))
    let built = try place.ckpt("init", "net.txt", "--library", "torchvision", "-o", "built.ckz")
    #expect(built.errors.hasSuffix("seed 0, as torchvision initializes it\n"))
    #expect(try place.ckpt("diff", "plain.ckz", "built.ckz").status == 1)
    #expect(try place.ckpt("verify", "built.ckz").status == 0)
    let found = try place.ckpt("find-seed", "built.ckz", "--model", "net.txt", "--range", "0..9")
    #expect(found.output.contains("seed 0\nfound by 'head."))
    #expect(found.output.contains("', as torchvision initializes it; 6 of 6 tensors are identical"))
    let recipe = "model: net.txt\nlibrary: torchvision\n"
    try place.folder.write(Array(recipe.utf8), to: "net.recipe")
    #expect(try place.ckpt("init", "--recipe", "net.recipe", "-o", "again.ckz").status == 0)
    #expect(try place.ckpt("diff", "built.ckz", "again.ckz").status == 0)
    for library in ["timm", "caffe"] {
      let refused = try place.ckpt("init", "net.txt", "--library", library, "-o", "no.ckz")
      #expect(refused.status != 0 && refused.errors.contains(library))
    }
  }

  @Test func `tensors that only a library's source shows are not left out in silence`() throws {
    let place = try Workplace()
    let text = "MixtralModel(\n  (experts): MixtralExperts(\n    (act_fn): SiLU()\n  )\n)"
    try place.folder.write(Array(text.utf8), to: "net.txt")
    let refused = try place.ckpt("init", "net.txt", "-o", "net.ckz")
    #expect(refused.status == 2 && refused.errors.contains("MixtralExperts ('experts') may own"))
    #expect(try place.ckpt("init", "net.txt", "--allow-incomplete", "-o", "net.ckz").status == 0)
    try place.folder.write(Array("model: net.txt\n".utf8), to: "net.recipe")
    let again = try place.ckpt("init", "--recipe", "net.recipe", "-o", "again.ckz")
    #expect(again.status == 2 && again.errors.contains("MixtralExperts ('experts') may own"))
  }

  @Test func `a log's or a dictionary's model is a text, in UTF-16 as in UTF-8`() throws {
    let place = try Workplace()
    let text = "Net(\n  (fc): Linear(in_features=2, out_features=2, bias=True)\n)"
    let log = #"{"level": "info", "msg": "model: \#(text.replacing("\n", with: "\\n"))"}"#
    for (index, text) in [text, log + "\n" + #"{"level": "info"}"#, "{'net': \(text)}"].enumerated()
    {
      let units = Array(text.utf16)
      for (name, bytes) in [
        ("8", Array(text.utf8)),
        ("le", units.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }),
        ("be", units.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }),
      ] {
        let file = "\(index)\(name).txt"
        try place.folder.write(bytes, to: file)
        let made = try place.ckpt("init", file, "-o", "\(file).ckz")
        #expect(made.status == 0, "\(file): \(made.errors)")
        #expect(try place.fingerprint("\(file).ckz") == place.fingerprint("08.txt.ckz"))
      }
    }
    let wide = text.utf8.flatMap { [$0, 0, 0, 0] as [UInt8] }
    try place.folder.write(wide, to: "wide.txt")
    let refused = try place.ckpt("init", "wide.txt", "-o", "no.ckz")
    #expect(
      refused.errors == "ckpt: wide.txt: expected UTF-8 or UTF-16, found UTF-32; save it as UTF-8\n"
    )
  }

  @Test func `a recipe file names model, seed, order, dtype and rules`() throws {
    let place = try Workplace()
    let text = """
      # the article's second net
      model: model.txt
      seed: 42
      order: apply
      dtype: float64
      Linear: weight=xavier_uniform, bias=1
      """
    try place.folder.write(Array(text.utf8), to: "net.recipe")
    #expect(try place.ckpt("init", "--recipe", "net.recipe", "-o", "net.ckz").status == 0)
    let golden = try #require(Golden.all.first { $0.id == "apply@42float64" })
    #expect(golden.matches(try place.manifest("net.ckz")))
    #expect(try place.ckpt("verify", "net.ckz").status == 0)
  }

  @Test func `a recipe file's model may be a checkpoint, and its side file is read`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5", "--seed", "5")
    _ = try place.shell("mkdir d && echo 'scale: [2]' > d/extra.txt && cp a.h5 d/")
    let text = "seed: 5\nextra: extra.txt\nmodel: a.h5\n"
    try place.folder.write(Array(text.utf8), to: "d/net.recipe")
    #expect(try place.ckpt("init", "--recipe", "d/net.recipe", "-o", "b.h5").status == 2)
    _ = try place.shell("echo 'scale: [2] = 1' > d/extra.txt")
    #expect(try place.ckpt("init", "--recipe", "d/net.recipe", "-o", "b.h5").status == 0)
    #expect(
      try place.ckpt("diff", "a.h5", "b.h5").lines.first
        == "different architecture: 1 added; 6 tensors equal")
  }

  @Test func `the recipe in a checkpoint makes it again, and options override it`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5", "--seed", "7", "--rule", Self.rule(1))
    #expect(try place.ckpt("init", "--recipe", "a.h5", "-o", "b.h5").status == 0)
    #expect(try place.folder.bytes(of: "a.h5") == place.folder.bytes(of: "b.h5"))
    #expect(try place.ckpt("init", "--recipe", "a.h5", "--seed", "8", "-o", "c.h5").status == 0)
    try place.makeArticle("d.h5", "--seed", "8", "--rule", Self.rule(1))
    #expect(try place.folder.bytes(of: "c.h5") == place.folder.bytes(of: "d.h5"))
  }

  @Test func `text files may have carriage returns and a byte order mark`() throws {
    let place = try Workplace()
    let mark: [UInt8] = [0xef, 0xbb, 0xbf]
    let model = String(decoding: try place.folder.bytes(of: "model.txt"), as: UTF8.self)
      .split(separator: "\n").map { $0 + "\r\n" }.joined()
    try place.folder.write(mark + Array(model.utf8), to: "win.txt")
    let text = "model: win.txt\r\nseed: 3\r\n\r\nLinear: bias=1\r\n"
    try place.folder.write(mark + Array(text.utf8), to: "win.recipe")
    try place.folder.write(
      mark + Array("layer1.weight = a.weight\r\nlayer1.bias = a.bias\r\n".utf8), to: "win.map")
    #expect(try place.ckpt("init", "--recipe", "win.recipe", "-o", "a.h5", "-q").errors.isEmpty)
    try place.makeArticle("b.h5", "--seed", "3", "--rule", "Linear: bias=1")
    #expect(try place.folder.bytes(of: "a.h5") == place.folder.bytes(of: "b.h5"))
    #expect(
      try place.ckpt("convert", "a.h5", "c.h5", "--map", "win.map", "--quiet").errors.isEmpty)
    #expect(try place.ckpt("ls", "c.h5").lines[1].hasPrefix("a.bias "))
    let net = Array("Net(\n  (é): ReLU()\n)".utf16)
    for isLittle in [true, false] {
      let bytes = ([0xfeff] + net).flatMap { unit in
        isLittle ? [UInt8(unit & 0xff), UInt8(unit >> 8)] : [UInt8(unit >> 8), UInt8(unit & 0xff)]
      }
      try place.folder.write(bytes, to: "wide.txt")
      #expect(try place.ckpt("tree", "wide.txt").lines[..<3] == ["Net(", "  (é): ReLU()", ")"])
      try place.folder.write(bytes + [0x41], to: "odd.txt")
      #expect(
        try place.ckpt("tree", "odd.txt").errors
          == "ckpt: odd.txt: expected text, found bytes that are not UTF-16\n")
    }
  }

  @Test func `what a printed text may hide is reported once`() throws {
    let place = try Workplace()
    try place.folder.write(
      Array("Net(\n  (a): MyLinear(in_features=1, out_features=2, bias=True)\n)".utf8),
      to: "net.txt")
    let run = try place.ckpt("init", "net.txt", "-o", "a.h5")
    #expect(run.status == 0)
    let lines = run.errors.split(separator: "\n")
    #expect(lines.count == 2 && run.errors.hasPrefix("ckpt: net.txt: "))
    #expect(lines.last?.hasPrefix("wrote a.h5: 2 tensors, ") == true)
  }

  @Test func `a checkpoint is a model`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5", "--seed", "7")
    try place.makeArticle("b.h5", "--seed", "8")
    #expect(try place.ckpt("init", "a.h5", "--seed", "8", "-o", "c.h5").status == 0)
    #expect(try place.fingerprint("b.h5") == place.fingerprint("c.h5"))
  }

  @Test func `a negative seed is the one that torch takes modulo 2^64`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5", "--seed", "-1")
    try place.makeArticle("b.h5", "--seed", "18446744073709551615")
    try place.makeArticle("c.h5", "--seed=-1")
    #expect(try place.fingerprint("a.h5") == place.fingerprint("b.h5"))
    #expect(try place.fingerprint("a.h5") == place.fingerprint("c.h5"))
  }

  @Test func `the model comes from standard input and the file goes to standard output`() throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz")
    let run = try place.shell("ckpt init - -o - --to ckz < model.txt > b.ckz")
    #expect(run.status == 0 && run.errors.hasPrefix("wrote standard output: 6 tensors, 112 bytes"))
    #expect(try place.folder.bytes(of: "a.ckz") == place.folder.bytes(of: "b.ckz"))
  }

  @Test func `a side file gives bare parameters and ties`() throws {
    let place = try Workplace()
    try place.folder.write(
      Array("scale: [3] = 2\nlayer2.2.bias = layer2.0.bias\n".utf8), to: "extra.txt")
    try place.makeArticle("a.ckz", "--extra", "extra.txt")
    #expect(
      try place.ckpt("show", "a.ckz", "scale").output == "scale F32 [3]\n[2.0, 2.0, 2.0]\n")
    let listing = try JSON(try place.ckpt("ls", "a.ckz", "--json").output)
    #expect(listing["tensors"]?[6]?["alias"] == .text("layer2.0.bias"))
    #expect(try place.ckpt("verify", "a.ckz").status == 0)
  }

  @Test func `the same command gives the same bytes with any number of threads`() throws {
    let place = try Workplace()
    for output in ["a.h5", "a.ckz"] {
      try place.makeArticle(output, "--threads", "1")
      try place.makeArticle("b." + output, "--threads", "5")
      #expect(try place.folder.bytes(of: output) == place.folder.bytes(of: "b." + output))
    }
  }

  @Test func `one line says what was written`() throws {
    let place = try Workplace()
    let run = try place.ckpt("init", "model.txt", "-o", "net.h5")
    #expect(
      run.errors
        == "wrote net.h5: 6 tensors, 112 bytes, seed 0, layers' default initialization\n")
    let other = try place.ckpt(
      "init", "model.txt", "-o", "b.ckz", "--seed", "-1", "--rule", "Linear: bias=0")
    #expect(other.errors == "wrote b.ckz: 6 tensors, 112 bytes, seed -1, 1 rule\n")
    let early = try place.ckpt(
      "init", "model.txt", "-o", "d.ckz", "--at-construction", "Linear: bias=0")
    #expect(early.errors == "wrote d.ckz: 6 tensors, 112 bytes, seed 0, 1 rule\n")
    let described = try place.ckpt("init", Fixtures.path("models/gpt2.json"), "-o", "e.ckz")
    #expect(described.errors.hasSuffix(", seed 0, as the description draws\n"))
    for flag in ["-q", "--quiet"] {
      #expect(try place.ckpt("init", "model.txt", "-o", "c\(flag).h5", flag).errors.isEmpty)
    }
  }

  @Test func `the README's first example is exact as it is typed`() throws {
    let place = try Workplace()
    let text = String(decoding: try Fixtures.bytes("../README.md"), as: UTF8.self)
    let start = try #require(text.firstRange(of: "cat > net.txt")?.lowerBound)
    let end = try #require(text[start...].firstRange(of: "\n```")?.lowerBound)
    let example = String(text[start..<end])
    let run = try place.shell(example)
    #expect(run.status == 0, "\(run.errors)")
    #expect(
      run.errors == """
        wrote net.h5: 6 tensors, 112 bytes, seed 0, layers' default initialization
        wrote new.ckz: redrew 4 of 6 tensors, seed 1

        """)
    #expect(
      run.output.contains(
        "same architecture, different weights in layer2: 4 of 6 tensors changed; frozen: layer1; "))
    #expect(run.lines.last == "verified: all 6 tensors are identical")
    // PyTorch's own digests of the net with seed 0.
    let golden = try #require(Golden.all.first { $0.id == "default@0float32" })
    #expect(golden.matches(try place.manifest("net.h5")))
  }
}
