import TestSupport
import Testing

/// What `ckpt report` writes, prints, and refuses.
///
/// What a page does is tested in a browser, by `Tools/check-report`.
@Suite struct ReportCommandTests {
  @Test func `a page of one checkpoint, of two, and of a run`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    try place.makeArticle("b.ckz", "--seed", "1")
    let one = try place.ckpt("report", "a.h5", "-o", "one.html")
    #expect(one.status == 0 && one.output.isEmpty)
    #expect(one.errors.hasPrefix("wrote one.html: 6 tensors, "))
    let two = try place.ckpt("report", "a.h5", "b.ckz", "-o", "two.html", "--quiet")
    #expect(two.status == 0 && two.errors.isEmpty)
    let run = try place.ckpt("report", "--run", "a.h5", "b.ckz", "-o", "run.html")
    #expect(run.errors.hasPrefix("wrote run.html: 2 steps, 6 tensors, "))
    for page in ["one.html", "two.html", "run.html"] {
      let text = String(decoding: try place.folder.bytes(of: page), as: UTF8.self)
      #expect(text.hasPrefix("<!doctype html>") && text.hasSuffix("</html>\n"))
      #expect(text.contains("layer2.0.weight"))
    }
  }

  @Test func `a pack is a run, its steps in order`() throws {
    let place = try Workplace()
    for seed in 0..<3 { try place.makeArticle("s\(seed).ckz", "--seed", "\(seed)") }
    #expect(try place.ckpt("pack", "s0.ckz", "s1.ckz", "s2.ckz", "-o", "run.ckz").status == 0)
    let json = try JSON(try place.ckpt("report", "--run", "run.ckz", "--json").output)
    #expect(json.keys == ["scalars", "scalarsLeftOut", "steps", "tensors"])
    #expect(json["steps"] == .list([.text("s0.ckz"), .text("s1.ckz"), .text("s2.ckz")]))
    #expect(json["tensors"]?[0]?["norms"]?.count == 3)
    let files = try JSON(
      try place.ckpt("report", "--run", "s0.ckz", "s1.ckz", "s2.ckz", "--json").output)
    #expect(files["tensors"] == json["tensors"])
    let alone = try place.ckpt("report", "--run", "s0.ckz", "--json")
    #expect(alone.status == 2 && alone.errors.contains("is not a pack"))
  }

  @Test func `JSON has an object for each tensor`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    try place.ckpt("reinit", "a.h5", "--match", "layer2", "--seed", "1", "-o", "b.h5")
    let json = try JSON(try place.ckpt("report", "a.h5", "b.h5", "--json").output)
    #expect(json.keys == ["answer", "files", "tensors", "valueCount", "values"])
    #expect(json["files"]?[1]?["provenance"]?.count == 1)
    #expect(json["tensors"]?[0]?.keys == ["before", "dtype", "kind", "name", "shape"])
    #expect(json["tensors"]?[0]?["kind"] == .text("identical"))
    #expect(json["tensors"]?[2]?["kind"] == .text("changed"))
    #expect(json["tensors"]?[2]?["difference"]?["differing"] == .number(8))
    #expect(json["tensors"]?[2]?["after"]?["histogram"]?["counts"]?.count != nil)
  }

  @Test func `names are paired and selected as by other commands`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    try place.ckpt("convert", "a.h5", "b.pt", "--rename", "s/^/module./")
    let run = try place.ckpt("report", "a.h5", "b.pt", "--match", "*.weight", "--json")
    #expect(run.errors.contains("'module.'"))
    let json = try JSON(run.output)
    #expect(json["tensors"]?.count == 3)
    #expect(json["tensors"]?[0]?["kind"] == .text("identical"))
    #expect(json["tensors"]?[0]?["newName"] == .text("module.layer1.weight"))
  }

  @Test func `tensors that cannot be read are named`() throws {
    let path = Fixtures.path("pickles/members.npz")
    let json = try JSON(try Workplace().ckpt("report", path, "--json").output)
    #expect(json["unread"] == .list([.text("records")]))
    let page = try Workplace().ckpt("report", path, path, "-o", "-").output
    #expect(page.contains(#""unread":["records"]"#))
  }

  @Test func `damage in a step of a pack is placed`() throws {
    let place = try Workplace()
    for seed in 0..<2 { try place.makeArticle("s\(seed).ckz", "--seed", "\(seed)") }
    #expect(try place.ckpt("pack", "s0.ckz", "s1.ckz", "-o", "run.ckz").status == 0)
    var bytes = try place.folder.bytes(of: "run.ckz")
    // The first chunk, which begins after the file's mark.
    bytes[20] ^= 0xff
    try place.folder.write(bytes, to: "run.ckz")
    let run = try place.ckpt("report", "--run", "run.ckz", "--json")
    #expect(run.status == 2 && run.output.isEmpty)
    #expect(run.errors.hasPrefix("ckpt: run.ckz"), "\(run.errors)")
  }

  @Test func `a page is not overwritten, and an input never`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    let before = try place.folder.bytes(of: "a.h5")
    #expect(try place.ckpt("report", "a.h5", "-o", "p.html").status == 0)
    let again = try place.ckpt("report", "a.h5", "-o", "p.html")
    #expect(again.status == 2 && again.errors.contains("--force"))
    #expect(try place.ckpt("report", "a.h5", "-o", "p.html", "--force").status == 0)
    #expect(try place.ckpt("report", "a.h5", "-o", "a.h5", "--force").status == 2)
    #expect(try place.folder.bytes(of: "a.h5") == before)
    let page = try place.folder.bytes(of: "p.html")
    #expect(try Array(place.ckpt("report", "a.h5", "-o", "-").output.utf8) == page)
  }

  @Test(arguments: [
    ["a.h5"], ["a.h5", "a.h5", "a.h5", "-o", "p.html"], ["-", "-", "--json"],
    ["a.h5", "-o", "-", "--json"], ["--run", "a.h5", "b.h5", "--rename", "s/a/b/", "--json"],
  ])
  func `wrong usage ends with 64`(arguments: [String]) throws {
    let run = try CommandRun([CommandRun.executable, "report"] + arguments, in: "/tmp")
    #expect(run.status == 64, "\(run.errors)")
    #expect(run.errors.split(separator: "\n").count == 1)
  }

  @Test func `a missing or damaged input writes nothing`() throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz")
    var bytes = try place.folder.bytes(of: "a.ckz")
    bytes[40] ^= 0xff
    try place.folder.write(bytes, to: "damaged.ckz")
    for inputs in [["a.ckz", "missing.pt"], ["damaged.ckz"]] {
      let run = try CommandRun(
        [CommandRun.executable, "report"] + inputs + ["-o", "p.html"], in: place.folder.path)
      #expect(run.status == 2 && run.errors.split(separator: "\n").count == 1)
      #expect(try place.shell("ls").output.contains("p.html") == false)
    }
  }
}
