import TestSupport
import Testing

@Suite struct DiffTests {
  @Test func `a file equals itself in any format`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    try place.makeArticle("a.ckz")
    let run = try place.ckpt("diff", "a.h5", "a.ckz")
    #expect(run.status == 0 && run.output == "6 identical\n" && run.errors.isEmpty)
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
        ~  layer1.bias  F32 [4]  4 of 4, max abs 1, rel L2 0.5, max ULP 4,194,304
        1 changed, 5 identical

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
        >  layer1.bias → first.shift      F32 [4]
        >  layer2.0.weight → gone.weight  F32 [2, 4]
        -  layer2.2.bias                  F32 [2]
        1 removed, 2 renamed, 3 identical

        """)
    let back = try place.ckpt("diff", "b.ckz", "a.ckz").output
    #expect(back.contains("+  layer2.2.bias"))
    let wide = try place.ckpt("convert", "a.ckz", "c.ckz", "--dtype", "float64", "--quiet")
    #expect(wide.status == 0)
    let retyped = try place.ckpt("diff", "a.ckz", "c.ckz", "--match", "layer1.bias").output
    #expect(retyped == "!  layer1.bias  F32 [4] → F64 [4]  values equal\n1 retyped, 0 identical\n")
    let narrow = try place.ckpt("convert", "a.ckz", "n.ckz", "--dtype", "bfloat16", "--quiet")
    #expect(narrow.status == 0)
    let near = try place.ckpt("diff", "a.ckz", "n.ckz", "--match", "layer1.bias", "--rtol", "0.01")
    #expect(near.output.contains("F32 [4] → BF16 [4]  values within the tolerance\n"))
    try place.folder.write(
      Array("Net(\n  (layer1): Linear(in_features=4, out_features=2, bias=False)\n)".utf8),
      to: "other.txt")
    #expect(try place.ckpt("init", "other.txt", "-o", "d.ckz").status == 0)
    let reshaped = try place.ckpt("diff", "a.ckz", "d.ckz", "--match", "layer1.weight").output
    #expect(
      reshaped == "!  layer1.weight  F32 [4, 2] → F32 [2, 4]\n1 reshaped, 0 identical\n")
  }

  @Test func `only names, or bars`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    try place.makeArticle("b.h5", "--rule", "layer1: bias=0")
    let names = try place.ckpt("diff", "a.h5", "b.h5", "--name-only")
    #expect(names.status == 1 && names.output == "layer1.bias\n")
    let bars = try place.ckpt("diff", "a.h5", "b.h5", "--stat")
    #expect(
      bars.output == "~  layer1.bias  4  |####################|\n1 changed, 5 identical\n")
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
    #expect(try place.ckpt("diff", "a.h5", "b.h5", "--map", "map.txt").output == "6 identical\n")
  }

  @Test func `diff as JSON`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5", "--rule", "Linear: weight=1, bias=2")
    try place.makeArticle("b.h5", "--rule", "Linear: weight=1, bias=2", "--rule", "layer1: bias=3")
    let run = try place.ckpt("diff", "a.h5", "b.h5", "--json")
    #expect(run.status == 1)
    let json = try JSON(run.output)
    #expect(json.keys == ["changes", "first", "identical", "second"])
    #expect(json["identical"] == .number(5))
    let change = try #require(json["changes"]?[0])
    #expect(change["kind"] == .text("changed") && change["name"] == .text("layer1.bias"))
    #expect(
      change["difference"]?.keys
        == ["differing", "elements", "maxAbsolute", "maxULP", "relativeL2"])
  }
}
