import TestSupport
import Testing

@Suite struct ReinitTests {
  @Test func `only what is matched changes, and verify can repeat it`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5", "--seed", "3")
    let run = try place.ckpt(
      "reinit", "a.h5", "--match", "layer2.**", "--seed", "5", "-o", "b.ckz")
    #expect(run.status == 0 && run.output.isEmpty)
    #expect(run.errors == "wrote b.ckz: redrew 4 of 6 tensors, seed 5\n")
    #expect(
      try place.ckpt("diff", "a.h5", "b.ckz", "--name-only").lines == [
        "layer2.0.weight", "layer2.0.bias", "layer2.2.weight", "layer2.2.bias",
      ])
    #expect(try place.ckpt("verify", "b.ckz").status == 0)
  }

  @Test func `a redrawn layer has the values of a fresh layer after the seed`() throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz")
    try place.folder.write(
      Array("Net(\n  (layer1): Linear(in_features=2, out_features=4, bias=True)\n)".utf8),
      to: "one.txt")
    #expect(try place.ckpt("init", "one.txt", "--seed", "9", "-o", "one.ckz").status == 0)
    try place.ckpt("reinit", "a.ckz", "--match", "layer1", "--seed", "9", "--in-place")
    let fresh = try place.manifest("one.ckz")
    #expect(fresh.count == 2)
    #expect(try place.manifest("a.ckz").prefix(2) == fresh[...])
  }

  @Test func `a tie that no longer holds is reported`() throws {
    let place = try Workplace()
    let layer = "Linear(in_features=2, out_features=2, bias=False)"
    try place.folder.write(Array("Net(\n  (a): \(layer)\n  (b): \(layer)\n)".utf8), to: "two.txt")
    try place.folder.write(Array("b.weight = a.weight\n".utf8), to: "ties.txt")
    try place.ckpt("init", "two.txt", "--extra", "ties.txt", "-o", "a.safetensors")
    var bytes = try place.folder.bytes(of: "a.safetensors")
    bytes[bytes.count - 1] ^= 1
    try place.folder.write(bytes, to: "a.safetensors")
    let run = try place.ckpt("reinit", "a.safetensors", "--match", "a", "--dry-run")
    // One parameter in the model: both names are redrawn.
    #expect(run.lines == ["a.weight", "b.weight"])
    #expect(
      run.errors == """
        ckpt: a.safetensors: tensor 'b.weight' was tied to 'a.weight' but now differs from it
        ckpt: a.safetensors: 'b.weight' changes as well: it is tied to a selected tensor; pass --untie to separate them

        """)
  }

  @Test func `the order of the walk matters`() throws {
    let place = try Workplace()
    // A parent with a tensor of its own: before its children in modules(), after them in apply().
    try place.folder.write(Array("layer2.scale: [3] = uniform\n".utf8), to: "extra.txt")
    try place.makeArticle("a.ckz", "--extra", "extra.txt")
    for order in ["modules", "apply"] {
      let run = try place.ckpt(
        "reinit", "a.ckz", "--match", "layer2.**", "--exclude", "**.bias",
        "--rule", "layer2.**: scale=uniform, weight=uniform", "--order", order,
        "-o", order + ".ckz")
      #expect(run.status == 0)
      #expect(try place.ckpt("verify", order + ".ckz").status == 0)
    }
    let first = ["layer2.scale[0]", "layer2.0.weight[0, 0]"]
    let values = try zip(["modules.ckz", "apply.ckz"], first).map {
      try place.ckpt("show", $0, $1).lines[1]
    }
    #expect(values[0] == values[1])
    #expect(try place.fingerprint("modules.ckz") != place.fingerprint("apply.ckz"))
  }

  @Test func `in place the file is replaced and keeps its mode`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    _ = try place.shell("chmod 640 a.h5")
    let run = try place.ckpt("reinit", "a.h5", "--match", "Linear", "--seed", "1", "--in-place")
    #expect(run.status == 0)
    try place.makeArticle("b.h5", "--seed", "1")
    #expect(try place.fingerprint("a.h5") == place.fingerprint("b.h5"))
    #expect(try place.shell("stat -c %a a.h5").output == "640\n")
    #expect(try place.folder.names() == ["a.h5", "b.h5", "model.txt"])
  }

  @Test func `a dry run names the tensors and writes nothing`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    let before = try place.folder.bytes(of: "a.h5")
    let run = try place.ckpt(
      "reinit", "a.h5", "--match", "Linear & **.bias", "--exclude", "layer1", "--in-place",
      "--dry-run")
    #expect(run.status == 0 && run.output == "layer2.0.bias\nlayer2.2.bias\n")
    #expect(try place.folder.bytes(of: "a.h5") == before)
    #expect(try place.folder.names() == ["a.h5", "model.txt"])
  }

  @Test func `reinit as JSON`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    let json = try JSON(
      try place.ckpt("reinit", "a.h5", "--match", "layer1", "-o", "b.h5", "--json").output)
    #expect(json.keys == ["file", "losses", "output", "replaced"])
    #expect(json["output"] == .text("b.h5"))
    #expect(json["replaced"] == .list([.text("layer1.weight"), .text("layer1.bias")]))
  }

  @Test func `values are copied from another checkpoint, and verify says which`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5", "--seed", "1")
    try place.makeArticle("b.ckz", "--seed", "2")
    let run = try place.ckpt(
      "reinit", "a.h5", "--match", "layer2.**", "--from", "b.ckz", "-o", "c.h5")
    #expect(run.status == 0 && run.errors == "wrote c.h5: copied 4 of 6 tensors from b.ckz\n")
    #expect(
      try place.ckpt("diff", "a.h5", "c.h5", "--name-only").lines.allSatisfy {
        $0.hasPrefix("layer2.")
      })
    #expect(try place.ckpt("diff", "b.ckz", "c.h5", "--match", "layer2.**").status == 0)
    let verified = try place.ckpt("verify", "c.h5")
    #expect(verified.status == 0)
    #expect(
      verified.output.contains(
        "not covered  layer2.0.bias    copied from the checkpoint \(try place.fingerprint("b.ckz").prefix(12))\n"
      ))
    #expect(
      verified.lines.last
        == "verified: 2 tensors are identical; 4 tensors are not covered by the recipe")
  }

  @Test func `without a tree, classes are inferred, reported, and drawn as torch does`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5", "--seed", "1")
    // As h5py writes: by name, without a tree.
    #expect(
      try place.ckpt("convert", "a.h5", "b.h5", "--rename", "s/^/net./", "--quiet").status == 0)
    let run = try place.ckpt("reinit", "b.h5", "--match", "Linear", "--seed", "2", "-o", "c.h5")
    #expect(run.status == 0)
    #expect(
      run.errors == """
        ckpt: b.h5: has no module tree; inferred 3 Linear
        wrote c.h5: redrew 6 of 6 tensors, seed 2

        """)
    try place.makeArticle("d.h5", "--seed", "2")
    #expect(
      try place.ckpt("convert", "d.h5", "e.h5", "--rename", "s/^/net./", "--quiet").status == 0)
    #expect(try place.fingerprint("c.h5") == place.fingerprint("e.h5"))
    #expect(try place.ckpt("verify", "c.h5").status == 0)
  }

  @Test func `verify repeats what no printed text can show`() throws {
    let place = try Workplace()
    try place.folder.write(Array("scale: [3] = 2\n".utf8), to: "extra.txt")
    try place.makeArticle("a.h5", "--extra", "extra.txt")
    // Without a tree: a bare parameter, and a module whose name is two lines.
    #expect(
      try place.ckpt(
        "convert", "a.h5", "b.h5", "--rename", "s/layer1/one\nlayer/", "--rename", "s/^/net./",
        "--quiet"
      ).status == 0)
    #expect(
      try place.ckpt("reinit", "b.h5", "--match", "Linear", "-o", "c.h5", "--quiet").status == 0)
    #expect(
      try place.ckpt("verify", "c.h5", "--quiet").lines.contains(
        "identical    net.one\\nlayer.weight"))
    let run = try place.ckpt(
      "reinit", "b.h5", "--match", "net.scale", "--rule", "net.scale: scale=normal", "-o", "d.h5",
      "--quiet")
    #expect(run.status == 0, "\(run.errors)")
    let verified = try place.ckpt("verify", "d.h5", "--quiet")
    #expect(verified.errors.isEmpty && verified.lines.contains { $0 == "identical    net.scale" })
    #expect(try place.ckpt("tree", "d.h5").status == 0)
  }

  @Test func `a model gives the classes that a file lacks`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5", "--seed", "1")
    try place.ckpt("convert", "a.h5", "b.h5", "--rename", "s/layer2/x/", "--quiet")
    try place.ckpt("convert", "b.h5", "c.h5", "--rename", "s/x/layer2/", "--quiet")
    let run = try place.ckpt(
      "reinit", "c.h5", "--match", "Linear", "--model", "model.txt", "--in-place", "--quiet")
    #expect(run.status == 0 && run.errors.isEmpty)
    try place.makeArticle("d.h5", "--seed", "0")
    #expect(try place.fingerprint("c.h5") == place.fingerprint("d.h5"))
  }

  @Test func `a name may be that of a tensor and of a module`() throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz")
    // As bitsandbytes stores a quantized layer.
    try place.ckpt(
      "convert", "a.ckz", "b.ckz", "--rename", "s/layer2.2.bias/layer2.2.weight.absmax/", "--quiet")
    let run = try place.ckpt(
      "reinit", "b.ckz", "--match", "layer1.weight", "--rule", "name:layer1: weight=1", "-o",
      "c.ckz", "--quiet")
    #expect(run.status == 0, "\(run.errors)")
    #expect(
      try place.ckpt("verify", "c.ckz").lines.last
        == "verified: 1 tensor is identical; 5 tensors are not covered by the recipe")
  }

  @Test func `a redraw that changes nothing is noted`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    let same =
      "ckpt: a.h5: the redrawn values are those that were there; "
      + "pass another --seed to change them\n"
    let run = try place.ckpt("reinit", "a.h5", "--match", "Linear", "-o", "b.h5")
    #expect(run.status == 0)
    #expect(run.errors == same + "wrote b.h5: redrew 6 of 6 tensors, seed 0\n")
    let other = try place.ckpt("reinit", "a.h5", "--match", "Linear", "--seed", "1", "-o", "c.h5")
    #expect(other.errors == "wrote c.h5: redrew 6 of 6 tensors, seed 1\n")
    // Only the first layer begins where the generator did.
    let part = try place.ckpt(
      "reinit", "a.h5", "--match", "layer1 | layer2.2", "-o", "d.h5")
    #expect(
      part.errors.hasPrefix(
        "ckpt: a.h5: 2 tensors were redrawn with the values that were there, such as 'layer1.weight'; "
      ))
    // Constants are the same with every seed.
    try place.makeArticle("e.h5", "--rule", "Linear: bias=1")
    let constant = try place.ckpt(
      "reinit", "e.h5", "--match", "Linear", "--seed", "1", "--rule", "Linear: bias=1", "-o",
      "f.h5")
    #expect(constant.errors == "wrote f.h5: redrew 6 of 6 tensors, seed 1\n")
  }

  /// A file with an embedding and a head that is tied to it, and no module tree.
  private func tiedPlace() throws -> Workplace {
    let place = try Workplace()
    try place.folder.write(
      Array(
        """
        Net(
          (embed): Embedding(5, 3)
          (head): Linear(in_features=3, out_features=5, bias=False)
        )
        """.utf8), to: "net.txt")
    try place.folder.write(Array("head.weight = embed.weight\n".utf8), to: "ties.txt")
    try place.ckpt("init", "net.txt", "--extra", "ties.txt", "-o", "own.pt")
    // Renamed twice, so that neither tree nor recipe is left, and the tie is.
    try place.ckpt("convert", "own.pt", "x.pt", "--rename", "s/^/net./", "--quiet")
    try place.ckpt("convert", "x.pt", "tied.pt", "--rename", "s/^net.//", "--quiet")
    return place
  }

  @Test func `a tie is redrawn under both names, and verify agrees`() throws {
    let place = try tiedPlace()
    for (name, option, value) in [
      ("model", "--model", "net.txt"), ("rule", "--rule", "name:head: weight=normal"),
    ] {
      let run = try place.ckpt(
        "reinit", "tied.pt", "--match", "head", "--seed", "3", "-o", name + ".pt", option, value)
      #expect(run.status == 0)
      #expect(
        run.errors.contains("'embed.weight' changes as well: it is tied to a selected tensor"))
      #expect(run.errors.contains("wrote \(name).pt: redrew 2 of 2 tensors, seed 3"))
      #expect(try place.ckpt("diff", "tied.pt", name + ".pt", "--quiet").status == 1)
      let verified = try place.ckpt("verify", name + ".pt", "--quiet")
      #expect(verified.status == 0)
      #expect(verified.lines.last == "verified: all 2 tensors are identical")
    }
    let separate = try place.ckpt(
      "reinit", "tied.pt", "--match", "head", "--model", "net.txt", "--untie", "-o", "two.pt",
      "--quiet")
    #expect(separate.status == 0)
    #expect(
      try place.ckpt("diff", "tied.pt", "two.pt", "--name-only", "--quiet").status == 1)
    #expect(try place.ckpt("diff", "tied.pt", "two.pt", "--name-only").lines == ["head.weight"])
    #expect(try place.ckpt("verify", "two.pt", "--quiet").status == 0)
    #expect(
      try place.ckpt("reinit", "tied.pt", "--match", "head", "--untie", "--in-place").status == 64)
  }

  @Test func `an excluded tensor does not change because of a tie`() throws {
    let place = try tiedPlace()
    for (index, source) in [["--seed", "3"], ["--from", "own.pt"]].enumerated() {
      let line = [
        "reinit", "tied.pt", "--match", "head", "--exclude", "embed", "--model", "net.txt",
      ]
      let run = try CommandRun(
        [CommandRun.executable] + line + ["-o", "a\(index).pt"] + source, in: place.folder.path)
      #expect(run.status == 2)
      #expect(
        run.errors.hasSuffix(
          "ckpt: tied.pt: tensor 'embed.weight': is excluded, but tied to 'head.weight'; pass --untie to separate them\n"
        ), "\(run.errors)")
      let separate = try CommandRun(
        [CommandRun.executable] + line + ["--untie", "-o", "b\(index).pt"] + source,
        in: place.folder.path)
      #expect(separate.status == 0, "\(separate.errors)")
    }
  }

  @Test func `an ambiguous guess is not drawn from, and no guess is stored`() throws {
    let place = try tiedPlace()
    let run = try place.ckpt("reinit", "tied.pt", "--match", "head", "-o", "new.pt", "--quiet")
    #expect(run.status == 2)
    #expect(
      run.errors
        == "ckpt: tied.pt: tensor 'head.weight': without a module tree it may be Linear, Embedding, …; pass --model, or give its values by --rule\n"
    )
    #expect(try place.ckpt("tree", "tied.pt", "--quiet").output.contains("(head): Linear?("))
    try place.ckpt(
      "reinit", "tied.pt", "--match", "head", "--rule", "name:head: weight=1", "-o", "new.pt")
    #expect(try place.ckpt("tree", "new.pt").errors.contains("has no module tree"))
  }

  @Test func `the fingerprint of a shard that is filled is renewed, the others stay`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    _ = try place.shell("mkdir d")
    let made = try place.ckpt("convert", "a.h5", "d/model.safetensors", "--shard-size", "40B")
    #expect(made.status == 0, "\(made.errors)")
    #expect(try place.ckpt("check", "d").output.contains("every tensor: fingerprint"))
    let sums = "sha256sum d/*.safetensors"
    let before = try place.shell(sums).lines
    let run = try place.ckpt("reinit", "d", "--match", "layer1", "--seed", "9", "--in-place")
    #expect(run.status == 0, "\(run.errors)")
    let after = try place.shell(sums).lines
    let changed = zip(before, after).count { $0 != $1 }
    #expect(before.count == after.count && (1..<before.count).contains(changed))
    let check = try place.ckpt("check", "d")
    #expect(check.status == 0 && check.output.contains("every tensor: fingerprint"))
  }

  @Test func `a copy of a folder holds all that is in it, and other shards stay`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    _ = try place.shell(
      "mkdir -p d/sub/deep && echo '{}' > d/config.json && echo x > d/sub/deep/y.txt")
    let made = try place.ckpt("convert", "a.h5", "d/model.safetensors", "--shard-size", "40B")
    try #require(made.status == 0)
    let run = try place.ckpt("reinit", "d", "--match", "layer1", "--seed", "8", "-o", "e")
    #expect(run.status == 0, "\(run.errors)")
    let changed = try place.shell("diff -rq d e | sed 's/.* and //; s/ differ//'")
    let shards = try place.ckpt("diff", "d", "e", "--name-only").lines
    #expect(shards == ["layer1.weight", "layer1.bias"])
    #expect(changed.lines.contains("e/model.safetensors.index.json"))
    #expect(changed.lines.allSatisfy { $0.hasPrefix("e/model") })
    #expect(try place.shell("cat e/sub/deep/y.txt e/config.json").output == "x\n{}\n")
    #expect(try place.ckpt("verify", "e", "--quiet").status == 0)
    let inPlace = try place.ckpt("reinit", "d", "--match", "layer1", "--seed", "8", "--in-place")
    #expect(inPlace.status == 0)
    #expect(try place.shell("diff -r d e").status == 0)
  }

  @Test func `the rest of a training checkpoint stays`() throws {
    let place = try Workplace()
    try place.folder.write(try Fixtures.bytes("pytorch/training.pt"), to: "a.pt")
    let keys = try place.ckpt("ls", "--keys", "a.pt", "--quiet").lines
    let optimizer = try place.ckpt("hash", "a.pt", "--key", "optimizer", "--quiet").output
    try place.folder.write(try Fixtures.bytes("pytorch/training.pt"), to: "b.pt")
    for arguments in [["a.pt", "-o", "b.pt", "--force"], ["a.pt", "--in-place"]] {
      let run = try CommandRun(
        [CommandRun.executable, "reinit"] + arguments
          + ["--match", "name:weight", "--rule", "*: weight=0.5", "--quiet"],
        in: place.folder.path)
      #expect(run.status == 0, "\(run.errors)")
      let file = arguments.contains("-o") ? "b.pt" : "a.pt"
      try place.folder.write(try Fixtures.bytes("pytorch/training.pt"), to: "old.pt")
      let diff = try place.ckpt("diff", "old.pt", file, "--values", "--name-only", "--quiet")
      #expect(diff.status == 1)
      #expect(
        try place.ckpt("diff", "old.pt", file, "--values", "--json")
          .output.contains("\"values\" : [\n\n  ]"))
      #expect(
        try place.ckpt("diff", "old.pt", file, "--name-only").lines == ["weight"])
      #expect(try place.ckpt("ls", "--keys", file, "--quiet").lines == keys)
      #expect(
        try place.ckpt("hash", file, "--key", "optimizer", "--quiet").output.prefix(64)
          == optimizer.prefix(64))
    }
  }

  @Test func `a bare parameter of an unknown class stays, and a note says so`() throws {
    let place = try Workplace()
    try place.folder.write(Array("layer2.scale: [3] = normal\n".utf8), to: "extra.txt")
    try place.makeArticle("a.ckz", "--extra", "extra.txt")
    let run = try place.ckpt("reinit", "a.ckz", "--match", "*", "--seed", "5", "-o", "b.ckz")
    #expect(
      run.errors == """
        ckpt: a.ckz: left 'layer2.scale' as in the file: Sequential is not known to fill it in a \
        reset_parameters; to fill it, give a rule such as --rule 'Sequential: scale=normal'
        wrote b.ckz: redrew 6 of 7 tensors, seed 5

        """)
    try place.makeArticle("c.ckz", "--seed", "5")
    #expect(try place.ckpt("diff", "b.ckz", "c.ckz", "--match", "Linear").status == 0)
    #expect(try place.ckpt("verify", "b.ckz").status == 0)
    let alone = try place.ckpt("reinit", "a.ckz", "--match", "layer2.scale", "-o", "d.ckz")
    #expect(alone.status == 2)
    #expect(
      alone.errors.hasPrefix(
        "ckpt: a.ckz: nothing to redraw of 'layer2.scale': Sequential is not known to fill it"))
  }

  @Test func `norms of a weight are refused in one sentence`() throws {
    let place = try Workplace()
    try place.folder.write(Array("layer1: weight_norm=weight\n".utf8), to: "extra.txt")
    try place.makeArticle("a.ckz", "--extra", "extra.txt")
    let run = try place.ckpt(
      "reinit", "a.ckz", "--match", "*", "--model", "model.txt", "--dry-run")
    #expect(run.status == 2)
    let own = try place.ckpt("reinit", "a.ckz", "--match", "*", "--dry-run")
    #expect(
      own.errors
        == "ckpt: a.ckz: tensor 'layer1.weight_g': holds the norms of the weight; give its values by --rule\n"
    )
  }

  @Test func `rules compute with the values of the file`() throws {
    let place = try Workplace()
    try place.makeArticle("a.safetensors", "--seed", "3")
    // Without a recipe, as after training.
    try place.ckpt("convert", "a.safetensors", "trained.npz", "--quiet")
    for file in ["a.safetensors", "trained.npz"] {
      let run = try place.ckpt(
        "reinit", file, "--model", "model.txt", "--match", "Linear", "--rule",
        "Linear: weight=current * 0, bias=current, bias[0:1]=7", "-o", "b.ckz", "--force", "--quiet"
      )
      #expect(run.status == 0, "\(run.errors)")
      #expect(
        try ["0.0", "-0.0"].contains(
          place.ckpt("show", "b.ckz", "layer1.weight[0, 0]").lines.last ?? ""))
      #expect(try place.ckpt("show", "b.ckz", "layer1.bias[0]").lines.last == "7.0")
      #expect(
        try place.ckpt("show", "b.ckz", "layer1.bias[1]").lines.last
          == place.ckpt("show", file, "layer1.bias[1]").lines.last)
      let verified = try place.ckpt("verify", "b.ckz", "--quiet")
      #expect(verified.status == 0, "\(verified.errors)")
      #expect(
        verified.output.contains("nothing to verify: the recipe covers none of 6 tensors")
          == (file == "trained.npz"), "\(verified.output)")
    }
  }

  @Test func `an excluded tensor is not filled by a method of its container`() throws {
    let place = try Workplace()
    let layer = "NonDynamicallyQuantizableLinear(in_features=4, out_features=4, bias=True)"
    try place.folder.write(
      Array("Net(\n  (a): MultiheadAttention(\n    (out_proj): \(layer)\n  )\n)".utf8),
      to: "net.txt")
    try place.ckpt("init", "net.txt", "-o", "a.ckz")
    let line = ["reinit", "a.ckz", "--rule", "MultiheadAttention: _reset_parameters", "--dry-run"]
    let command = { (options: [String]) in
      try CommandRun([CommandRun.executable] + line + options, in: place.folder.path)
    }
    let run = try command(["--match", "*", "--exclude", "a.out_proj"])
    #expect(
      run.errors
        == "ckpt: a.ckz: tensor 'a.out_proj.bias': is excluded, but _reset_parameters of 'a' fills it\n"
    )
    let class_ = try command(["--match", "MultiheadAttention"])
    #expect(
      class_.errors
        == "ckpt: a.ckz: 'a.out_proj.bias' changes as well: _reset_parameters of 'a' fills it\n")
  }
}
