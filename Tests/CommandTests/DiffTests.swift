import TestSupport
import Testing

@Suite struct DiffTests {
  @Test func `a file equals itself in any format`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    try place.makeArticle("a.ckz")
    let run = try place.ckpt("diff", "a.h5", "a.ckz")
    #expect(run.status == 0 && run.output == "identical: 6 tensors\n" && run.errors.isEmpty)
    #expect(try place.ckpt("diff", "a.h5", "a.ckz", "--name-only").output.isEmpty)
    #expect(try place.shell("ckpt diff - a.ckz < a.h5").status == 0)
  }

  @Test func `changes are measured, and a line sums them up`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5", "--rule", "Linear: weight=1, bias=2")
    try place.makeArticle("b.h5", "--rule", "Linear: weight=1, bias=2", "--rule", "layer1: bias=3")
    let run = try place.ckpt("diff", "a.h5", "b.h5")
    #expect(run.status == 1 && run.errors.isEmpty)
    #expect(
      run.output == """
        same architecture, changed only in layer1.bias: 1 of 6 tensors; frozen: layer1.weight, layer2; largest relative change 0.5 (layer1.bias)
                                 changed  rel L2  max abs  cosine  flips
        ~  layer1.bias  F32 [4]     100%     0.5        1       1     0%

        """)
  }

  @Test func `each kind of difference has its mark`() throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz")
    try place.folder.write(
      Array("layer1.bias = first.shift\nlayer2.0.weight = gone.weight\n".utf8), to: "map.txt")
    #expect(
      try place.ckpt(
        "convert", "a.ckz", "b.ckz", "--map", "map.txt", "--exclude", "layer2.2.bias", "--quiet"
      ).status == 0)
    let run = try place.ckpt("diff", "a.ckz", "b.ckz")
    #expect(run.status == 1)
    #expect(
      run.output == """
        different architecture: 1 removed; 5 tensors equal, 2 renamed
        >  layer1.bias → first.shift      F32 [4]
        >  layer2.0.weight → gone.weight  F32 [2, 4]
        -  layer2.2.bias  F32 [2]  removed

        """)
    let back = try place.ckpt("diff", "b.ckz", "a.ckz").output
    #expect(back.contains("+  layer2.2.bias"))
    let wide = try place.ckpt("convert", "a.ckz", "c.ckz", "--dtype", "float64", "--quiet")
    #expect(wide.status == 0)
    let retyped = try place.ckpt("diff", "a.ckz", "c.ckz", "--match", "layer1.bias").output
    #expect(
      retyped == """
        same values: 1 tensor, 1 cast from F32 to F64
        !  layer1.bias  F32 [4] → F64 [4], values equal

        """)
    let narrow = try place.ckpt("convert", "a.ckz", "n.ckz", "--dtype", "bfloat16", "--quiet")
    #expect(narrow.status == 0)
    let near = try place.ckpt("diff", "a.ckz", "n.ckz", "--match", "layer1.bias", "--rtol", "0.01")
    #expect(near.output.contains("F32 [4] → BF16 [4], values within the tolerance\n"))
    try place.folder.write(
      Array("Net(\n  (layer1): Linear(in_features=4, out_features=2, bias=False)\n)".utf8),
      to: "other.txt")
    #expect(try place.ckpt("init", "other.txt", "-o", "d.ckz").status == 0)
    let reshaped = try place.ckpt("diff", "a.ckz", "d.ckz", "--match", "layer1.weight").output
    #expect(
      reshaped == """
        different architecture: 1 reshaped
        !  layer1.weight  F32 [4, 2] → F32 [2, 4]

        """)
  }

  @Test func `only names, or bars`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    try place.makeArticle("b.h5", "--rule", "layer1: bias=0")
    let names = try place.ckpt("diff", "a.h5", "b.h5", "--name-only")
    #expect(names.status == 1 && names.output == "layer1.bias\n")
    let bars = try place.ckpt("diff", "a.h5", "b.h5", "--stat")
    #expect(
      bars.lines.dropFirst() == ["~  layer1.bias  4  |####################|"])
  }

  @Test func `a tolerance takes near values for equal`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5", "--rule", "Linear: weight=1, bias=1")
    try place.makeArticle("b.h5", "--rule", "Linear: weight=1.001, bias=1")
    #expect(try place.ckpt("diff", "a.h5", "b.h5").status == 1)
    #expect(try place.ckpt("diff", "a.h5", "b.h5", "--rtol", "0.01").status == 0)
    #expect(try place.ckpt("diff", "a.h5", "b.h5", "--atol", "0.01").status == 0)
    #expect(try place.ckpt("diff", "a.h5", "b.h5", "--rtol", "1e-4", "--atol", "1e-4").status == 1)
  }

  @Test func `a map pairs tensors of other names`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    try place.folder.write(Array("layer1.bias = one.bias # renamed\n".utf8), to: "wrong.txt")
    try place.folder.write(Array("# comment\n\nlayer1.bias = one.bias\n".utf8), to: "map.txt")
    #expect(
      try place.ckpt("convert", "a.h5", "b.h5", "--map", "map.txt", "--quiet").status == 0)
    #expect(
      try place.ckpt("diff", "a.h5", "b.h5", "--map", "map.txt").output
        == "identical: 6 tensors, 1 renamed\n")
  }

  @Test func `diff as JSON`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5", "--rule", "Linear: weight=1, bias=2")
    try place.makeArticle("b.h5", "--rule", "Linear: weight=1, bias=2", "--rule", "layer1: bias=3")
    let run = try place.ckpt("diff", "a.h5", "b.h5", "--json")
    #expect(run.status == 1)
    let json = try JSON(run.output)
    #expect(
      json.keys == [
        "answer", "becameInfinite", "becameNaN", "changes", "first", "firstPrefix", "identical",
        "identicalByStoredDigest", "identicalTensors", "modules", "noLongerInfinite",
        "noLongerNaN", "second", "secondPrefix", "tied", "values",
      ])
    #expect(json["identical"] == .number(5))
    let change = try #require(json["changes"]?[0])
    #expect(change["kind"] == .text("changed") && change["name"] == .text("layer1.bias"))
    #expect(
      change["difference"]?.keys
        == [
          "becameInfinite", "becameNaN", "beyondRounding", "changedShare", "cosine", "differing",
          "elements", "maxAbsolute", "maxULP", "noLongerInfinite", "noLongerNaN", "relativeL2",
          "signFlips",
        ])
    #expect(json["answer"]?["verdict"] == .text("partial"))
    #expect(json["answer"]?["changedParts"]?[0] == .text("layer1.bias"))
    #expect(json["identicalTensors"]?.count == 5)
    let modules = try #require(json["modules"])
    #expect(
      (0..<(modules.count ?? 0)).map { modules[$0]?["path"] } == [
        .text(""), .text("layer1"), .text("layer2"), .text("layer2.0"), .text("layer2.2"),
      ])
    #expect(modules[1]?["sum"]?["changed"] == .number(1))
  }

  @Test func `values that became NaN or infinite are named first of all`() throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz", "--rule", "Linear: weight=1, bias=0")
    try place.makeArticle(
      "b.ckz", "--rule", "Linear: weight=1, bias=0", "--rule", "layer1: weight=nan, bias=2")
    let run = try place.ckpt("diff", "a.ckz", "b.ckz")
    #expect(run.status == 1)
    #expect(
      run.output == """
        same architecture, changed only in layer1: 2 of 6 tensors; 8 values in 1 tensor became NaN; frozen: layer2
                                      changed  rel L2  max abs  cosine  flips
        ~  layer1.weight  F32 [4, 2]     100%     nan      nan     nan     0%  8 became NaN
        ~  layer1.bias    F32 [4]        100%       -        2       -     0%

        """)
    let back = try place.ckpt("diff", "b.ckz", "a.ckz").output
    #expect(back.contains("2 of 6 tensors; 8 values no longer NaN; frozen: layer2;"))
    #expect(back.contains("nan     0%  8 no longer NaN\n"))
    let json = try JSON(try place.ckpt("diff", "a.ckz", "b.ckz", "--json").output)
    #expect(json["becameNaN"] == .number(8) && json["becameInfinite"] == .number(0))
    let difference = try #require(json["changes"]?[0]?["difference"])
    #expect(difference["relativeL2"] == .text("NaN") && difference["maxULP"] == .null)
    #expect(json["changes"]?[1]?["difference"]?["relativeL2"] == .null)
  }

  @Test(arguments: ["module.", "model.", "_orig_mod.", "module._orig_mod."])
  func `names that differ by a prefix are paired, which is noted once`(prefix: String) throws {
    let place = try Workplace()
    try place.makeArticle("a.npz", "--rule", "Linear: weight=1, bias=1")
    try place.makeArticle("c.npz", "--rule", "Linear: weight=2, bias=1")
    try place.ckpt("convert", "c.npz", "b.npz", "--rename", "s/^/\(prefix)/", "--quiet")
    let run = try place.ckpt("diff", "a.npz", "b.npz")
    #expect(run.status == 1)
    #expect(
      run.errors
        == "ckpt: b.npz: names begin with '\(prefix)', those of a.npz do not: paired without it\n")
    #expect(
      run.output == """
        same architecture, changed only in *.weight: 3 of 6 tensors; frozen: *.bias; largest relative change 1 (layer1.weight); all names gain '\(prefix)'
                                        changed  rel L2  max abs  cosine  flips
        ~  layer1.weight    F32 [4, 2]     100%       1        1       1     0%
        ~  layer2.0.weight  F32 [2, 4]     100%       1        1       1     0%
        ~  layer2.2.weight  F32 [2, 2]     100%       1        1       1     0%

        """)
    let back = try place.ckpt("diff", "b.npz", "a.npz", "--match", "*.bias", "--model", "model.txt")
    #expect(
      back.status == 0
        && back.output == "identical: 3 tensors, all names lose '\(prefix)'\n")
    #expect(
      back.errors
        == "ckpt: b.npz: names begin with '\(prefix)', those of a.npz do not: paired without it\n")
    let json = try JSON(try place.ckpt("diff", "a.npz", "b.npz", "--json").output)
    #expect(json["changes"]?[0]?["name"] == .text("layer1.weight"))
    #expect(json["changes"]?[0]?["newName"] == .text("\(prefix)layer1.weight"))
    for selector in ["Linear", "layer1", "*.weight"] {
      let selected = try place.ckpt(
        "diff", "a.npz", "b.npz", "--match", selector, "--model", "model.txt", "--name-only")
      #expect(selected.status == 1 && selected.lines.first == "layer1.weight")
    }
  }

  @Test(arguments: [
    "diff a.ckz a.ckz", "convert a.ckz b.h5", "convert a.ckz b.h5 --dry-run", "verify a.ckz",
    "verify a.ckz --model model.txt", "find-seed a.ckz --model model.txt",
    "reinit a.ckz --match layer1 --model model.txt -o b.ckz",
    "reinit a.ckz --match layer1 --from a.ckz -o b.ckz",
  ])
  func `a substitution that matches no name is an error with the nearest name`(
    _ line: String
  ) throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz")
    let command = [CommandRun.executable] + line.split(separator: " ").map(String.init)
    for (rename, hint) in [
      (#"s/^layr1\.//"#, "; did you mean 'layer1'?"), ("s/^[xy]+//", ""),
    ] {
      let run = try CommandRun(command + ["--rename", rename], in: place.folder.path)
      #expect(run.status == 2, "\(run.errors)")
      #expect(
        run.errors.hasSuffix("ckpt: a.ckz: --rename '\(rename)' matches no name\(hint)\n"),
        "\(run.errors)")
    }
    // What an earlier substitution makes is a name.
    let chain = try place.ckpt(
      "convert", "a.ckz", "c.h5", "--rename", "s/layer1/one/", "--rename", "s/one/1/")
    #expect(chain.status == 0)
  }

  @Test func `renamed names are paired`() throws {
    let place = try Workplace()
    try place.makeArticle("a.npz")
    try place.ckpt("convert", "a.npz", "b.npz", "--rename", "s/layer([12])/x\\1.y/", "--quiet")
    let rename = "s/x([12])\\.y/layer\\1/"
    for files in [["a.npz", "b.npz"], ["b.npz", "a.npz"]] {
      let run = try place.ckpt("diff", files[0], files[1], "--rename", rename)
      #expect(run.status == 0 && run.output == "identical: 6 tensors, all renamed\n")
    }
    let wrong = try place.ckpt("diff", "b.npz", "a.npz", "--rename", "s/x")
    #expect(wrong.status == 64 && wrong.errors.contains("expected s/pattern/replacement/"))
  }

  @Test func `a selector that matches nothing in the files is an error, also with a model`() throws
  {
    let place = try Workplace()
    try place.folder.write(
      Array("Net(\n  (n): LayerNorm((4,), eps=1e-05, elementwise_affine=True)\n)\n".utf8),
      to: "norm.txt")
    try place.makeArticle("a.h5")
    for command in [
      ["ls", "a.h5"], ["stat", "a.h5"], ["diff", "a.h5", "a.h5"], ["convert", "a.h5", "b.h5"],
    ] {
      let run = try CommandRun(
        [CommandRun.executable] + command + ["--match", "LayerNorm", "--model", "norm.txt"],
        in: place.folder.path)
      #expect(run.status == 2)
      #expect(
        run.errors
          == "ckpt: a.h5: selector 'LayerNorm' matches nothing in the file; the model has 'n.weight', the file for example 'layer1.weight'\n"
      )
    }
    #expect(try place.folder.names() == ["a.h5", "model.txt", "norm.txt"])
  }

  @Test(arguments: ["-q", "--quiet"])
  func `quiet leaves only the exit status`(flag: String) throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    try place.makeArticle("b.h5", "--seed", "1")
    for (file, status) in [("a.h5", 0), ("b.h5", 1), ("no.h5", 2)] {
      let run = try place.ckpt("diff", "a.h5", file, flag)
      #expect(run.status == status && run.output.isEmpty && run.errors.isEmpty == (status < 2))
      #expect(try place.ckpt("diff", "a.h5", file, "--json", flag).output.isEmpty)
    }
  }

  @Test func `a name that a tool left out because it is tied is tied, not added`() throws {
    let place = try Workplace()
    let layer = "Linear(in_features=2, out_features=2, bias=False)"
    try place.folder.write(Array("Net(\n  (a): \(layer)\n  (b): \(layer)\n)".utf8), to: "two.txt")
    try place.folder.write(Array("b.weight = a.weight\n".utf8), to: "ties.txt")
    try place.ckpt("init", "two.txt", "--extra", "ties.txt", "-o", "both.pt")
    for name in ["a", "b"] {
      try place.ckpt("convert", "both.pt", "\(name).npz", "--match", "name:\(name)", "--quiet")
      let run = try place.ckpt("diff", "\(name).npz", "both.pt", "--quiet")
      #expect(run.status == 0)
      let other = name == "a" ? "b" : "a"
      #expect(
        try place.ckpt("diff", "\(name).npz", "both.pt").lines == [
          "identical: 1 tensor", "=  \(other).weight  tied to \(name).weight in both.pt",
        ])
      #expect(
        try place.ckpt("diff", "both.pt", "\(name).npz").lines.first == "identical: 1 tensor")
    }
  }

  @Test func `the summary tells what is equal by stored digest, and --full reads the data`() throws
  {
    let place = try Workplace()
    try place.makeArticle("a.ckz")
    var bytes = try place.folder.bytes(of: "a.ckz")
    bytes[40] ^= 1
    try place.folder.write(bytes, to: "damaged.ckz")
    let quick = try place.ckpt("diff", "a.ckz", "damaged.ckz")
    #expect(quick.status == 0 && quick.lines == ["identical: 6 tensors (by stored digest)"])
    let json = try JSON(try place.ckpt("diff", "a.ckz", "damaged.ckz", "--json").output)
    #expect(json["identicalByStoredDigest"] == .number(6))
    let full = try place.ckpt("diff", "a.ckz", "damaged.ckz", "--full")
    #expect(full.status == 2 && full.errors.contains("damaged.ckz: tensor '"))
    #expect(try place.ckpt("diff", "a.ckz", "a.ckz", "--full").lines == ["identical: 6 tensors"])
  }

  @Test func `a type alone makes no difference where it is ignored`() throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz")
    try place.ckpt("convert", "a.ckz", "half.npz", "--dtype", "float16", "--quiet")
    let cast = try place.ckpt("diff", "a.ckz", "half.npz")
    #expect(
      cast.status == 1
        && cast.lines.first == "same values: 6 tensors, all cast from F32 to F16")
    #expect(cast.lines.dropFirst(2).allSatisfy { $0.hasSuffix("], rounded") })
    let ignored = try place.ckpt("diff", "a.ckz", "half.npz", "--ignore-dtype")
    #expect(ignored.status == 0 && ignored.output == "identical: 6 tensors\n")
    // A cast file that was changed afterward is not a cast.
    try place.makeArticle("b.ckz", "--rule", "layer1: bias=3")
    try place.ckpt("convert", "b.ckz", "other.npz", "--dtype", "float16", "--quiet")
    let changed = try place.ckpt("diff", "a.ckz", "other.npz", "--ignore-dtype")
    #expect(changed.status == 1)
    #expect(changed.output.hasPrefix("same architecture, changed only in layer1.bias: 1 of 6"))
  }

  @Test func `--fail-on decides which differences count`() throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz", "--rule", "Linear: weight=1, bias=1")
    try place.makeArticle(
      "b.ckz", "--rule", "Linear: weight=1, bias=1", "--rule", "layer1: bias=nan")
    try place.ckpt("convert", "a.ckz", "c.ckz", "--exclude", "layer1.bias", "--quiet")
    for (file, kinds, status) in [
      ("b.ckz", "nan", 1), ("b.ckz", "changed", 1), ("b.ckz", "architecture,renamed", 0),
      ("c.ckz", "nan,changed", 0), ("c.ckz", "architecture", 1), ("c.ckz", "removed", 1),
      ("a.ckz", "changed", 0),
    ] {
      for quiet in [[], ["-q"]] {
        let run = try CommandRun(
          [CommandRun.executable, "diff", "a.ckz", file, "--fail-on", kinds] + quiet,
          in: place.folder.path)
        #expect(run.status == status, "\(file) \(kinds)")
      }
    }
    let wrong = try place.ckpt("diff", "a.ckz", "b.ckz", "--fail-on", "nan,archtecture")
    #expect(wrong.status == 64 && wrong.errors.contains("did you mean 'architecture'?"))
  }

  @Test func `depth, order, and number of lines can be chosen`() throws {
    let place = try Workplace()
    try place.makeArticle("a.npz", "--rule", "Linear: weight=1, bias=1")
    try place.makeArticle(
      "b.npz", "--rule", "Linear: weight=2, bias=1", "--rule", "layer2.2: weight=4")
    func names(_ options: String...) throws -> [String] {
      let words = ["diff", "a.npz", "b.npz"] + options
      return try CommandRun([CommandRun.executable] + words, in: place.folder.path).lines
        .dropFirst(2).map { String($0.split(separator: " ").dropFirst().first ?? "") }
    }
    #expect(try names() == ["layer1.weight", "layer2.0.weight", "layer2.2.weight"])
    #expect(try names("--depth", "1") == ["layer1.weight", "layer2"])
    #expect(try names("--depth", "0").isEmpty)
    #expect(try names("--sort", "rel").first == "layer2.2.weight")
    #expect(try names("--sort", "abs").first == "layer2.2.weight")
    #expect(try names("--sort", "size").last == "layer2.2.weight")
    #expect(try names("--sort", "name", "--top", "1") == ["layer1.weight", "and"])
    #expect(try names("--all").count == 6)
    // By hand, over the two that differ: 8 of 12 ones become 2 and 4 become 4, so that √(44/12), and
    // 32 of √(12 · 96).
    let group = try place.ckpt("diff", "a.npz", "b.npz", "--depth", "1").lines.last ?? ""
    #expect(
      group.split(separator: " ") == ["~", "layer2", "2/4", "75%", "1.915", "3", "0.9428", "0%"])
  }

  @Test func `pairs that were found are written as --map reads them`() throws {
    let place = try Workplace()
    try place.makeArticle("a.npz")
    try place.ckpt("convert", "a.npz", "b.npz", "--rename", "s/layer2/block/", "--quiet")
    let run = try place.ckpt("diff", "a.npz", "b.npz", "--write-map", "map.txt")
    #expect(run.status == 1)
    #expect(run.lines == ["same values: 6 tensors, 4 renamed 'layer2' → 'block'"])
    #expect(run.errors == "wrote map.txt: 4 pairs\n")
    let map = String(decoding: try place.folder.bytes(of: "map.txt"), as: UTF8.self)
    #expect(map.hasPrefix("layer2.0.weight = block.0.weight\n"))
    #expect(try place.ckpt("diff", "a.npz", "b.npz", "--map", "map.txt").status == 0)
    #expect(try place.ckpt("diff", "a.npz", "b.npz", "--write-map", "map.txt").status == 2)
    #expect(try place.ckpt("diff", "a.npz", "b.npz", "--write-map", "a.npz").status == 64)
  }
}
