import TestSupport
import Testing

@Suite struct PatchAndPackTests {
  let place: Workplace

  init() throws {
    place = try Workplace()
    try place.makeArticle("a.h5")
    try place.ckpt(
      "reinit", "a.h5", "--match", "layer1", "--seed", "5", "-o", "b.h5")
  }

  @Test func `a patch is written, applied, and refused for another base`() throws {
    let diff = try place.ckpt("diff", "a.h5", "b.h5", "--patch", "p.ckz")
    #expect(diff.status == 1)
    #expect(diff.errors.contains("wrote p.ckz: "))
    let apply = try place.ckpt("apply", "a.h5", "p.ckz", "-o", "c.safetensors")
    #expect(apply.status == 0, "\(apply.errors)")
    let fingerprint = try place.fingerprint("b.h5")
    #expect(apply.errors.contains("fingerprint \(fingerprint)"))
    #expect(try place.fingerprint("c.safetensors") == fingerprint)
    let wrong = try place.ckpt("apply", "b.h5", "p.ckz", "-o", "d.ckz")
    #expect(wrong.status == 2)
    #expect(wrong.errors.hasPrefix("ckpt: b.h5: the patch applies to fingerprint "))
    #expect(try !place.folder.names().contains("d.ckz"))
    let other = try place.ckpt("apply", "a.h5", "b.h5", "-o", "d.ckz")
    #expect(other.status == 2)
    #expect(other.errors.contains("is not a patch"))
  }

  @Test func `a patch that exists is not replaced without force`() throws {
    try place.folder.write([1], to: "p.ckz")
    let diff = try place.ckpt("diff", "a.h5", "b.h5", "--patch", "p.ckz")
    #expect(diff.status == 2)
    #expect(diff.errors.contains("--force"))
    #expect(try place.folder.bytes(of: "p.ckz") == [1])
    #expect(try place.ckpt("diff", "a.h5", "b.h5", "--patch", "p.ckz", "--force").status == 1)
    #expect(try place.ckpt("diff", "a.h5", "b.h5", "--patch", "q", "--match", "x").status == 64)
  }

  @Test func `a pack is listed, read by step, and unpacked`() throws {
    #expect(try place.ckpt("pack", "a.h5", "-o", "run.ckz").status == 0)
    let pack = try place.ckpt("pack", "b.h5", "-o", "run.ckz")
    #expect(pack.errors.contains("2 in the pack"))
    let list = try place.ckpt("ls", "run.ckz").lines
    #expect(list.count == 3)
    #expect(list[0].hasPrefix("@0  a.h5  "))
    #expect(list[1].hasPrefix("@1  b.h5  "))
    let json = try JSON(try place.ckpt("ls", "run.ckz", "--json").output)
    #expect(json["steps"]?[1]?["name"] == .text("b.h5"))
    #expect(try place.fingerprint("run.ckz@0") == place.fingerprint("a.h5"))
    #expect(try place.fingerprint("run.ckz@latest") == place.fingerprint("b.h5"))
    #expect(try place.ckpt("diff", "run.ckz@1", "b.h5").status == 0)
    #expect(try place.ckpt("verify", "run.ckz@0").status == 0)
    let check = try place.ckpt("check", "run.ckz", "run.ckz@1")
    #expect(
      check.lines == [
        "run.ckz: ok (every byte of 2 checkpoints)", "run.ckz@1: ok (every byte)",
      ])
    let bare = try place.ckpt("hash", "run.ckz")
    #expect(bare.status == 2)
    #expect(bare.errors.contains("name one, as run.ckz@1 or run.ckz@latest"))
    #expect(try place.ckpt("unpack", "run.ckz", "-o", "out").status == 0)
    #expect(try place.ckpt("diff", "--values", "out/b.h5", "b.h5").status == 0)
    #expect(try place.ckpt("unpack", "run.ckz", "-o", "out").status == 2, "the files exist")
    #expect(try place.ckpt("unpack", "run.ckz", "--step", "1", "-o", "one.npz").status == 0)
    #expect(try place.fingerprint("one.npz") == place.fingerprint("b.h5"))
    #expect(try place.ckpt("unpack", "run.ckz", "--step", "2").status == 2)
    #expect(try place.ckpt("unpack", "a.h5").status == 2)
  }

  @Test func `checkpoints of one name are unpacked by number`() throws {
    for _ in 0..<2 { try place.ckpt("pack", "a.h5", "-o", "run.ckz") }
    #expect(try place.ckpt("unpack", "run.ckz", "-o", "out").status == 0)
    #expect(try place.shell("ls out").lines == ["a-0.h5", "a-1.h5"])
    // A name that another file has already is not taken.
    try #require(try place.shell("cp b.h5 a-1.h5; ckpt pack a-1.h5 -o run.ckz").status == 0)
    #expect(try place.ckpt("unpack", "run.ckz", "-o", "out2").status == 0)
    #expect(try place.shell("ls out2").lines == ["a-0.h5", "a-1-1.h5", "a-1.h5"])
    #expect(try place.fingerprint("out2/a-1.h5") == place.fingerprint("b.h5"))
  }

  @Test func `an output is not an input as well`() throws {
    #expect(try place.ckpt("pack", "a.h5", "-o", "a.h5", "--force").status == 64)
    #expect(try place.ckpt("pack", "a.h5", "-o", "run.npz").status == 64)
    #expect(try place.ckpt("diff", "a.h5", "b.h5", "--patch", "b.h5", "--force").status == 64)
  }

  @Test func `a step of a pack is redrawn into a new file, not in place`() throws {
    try place.ckpt("pack", "a.h5", "-o", "run.ckz")
    let before = try place.folder.bytes(of: "run.ckz")
    let new = try place.ckpt(
      "reinit", "run.ckz@0", "--match", "layer1", "--seed", "5", "-o", "n.ckz")
    #expect(new.status == 0, "\(new.errors)")
    #expect(try place.fingerprint("n.ckz") == place.fingerprint("b.h5"))
    let inPlace = try place.ckpt("reinit", "run.ckz@0", "--match", "layer1", "--in-place")
    #expect(inPlace.status == 2, "\(inPlace.errors)")
    #expect(try place.folder.bytes(of: "run.ckz") == before)
  }

  @Test func `files of numbers out of order are noted`() throws {
    #expect(try place.shell("cp a.h5 e9.h5 && cp a.h5 e10.h5").status == 0)
    let pack = try place.ckpt("pack", "e10.h5", "e9.h5", "-o", "run.ckz")
    #expect(pack.errors.contains("e10.h5 comes before e9.h5"))
    #expect(try place.ckpt("pack", "e9.h5", "e10.h5", "-o", "-").status == 64)
    #expect(try !place.ckpt("pack", "e9.h5", "e10.h5", "-o", "r2.ckz").errors.contains("order"))
  }

  @Test func `a training checkpoint comes out as it went in`() throws {
    let file = CommandRun.quoted(Fixtures.path("pytorch/training.pt"))
    #expect(try place.shell("ckpt pack \(file) -o run.ckz").status == 0)
    try place.ckpt("unpack", "run.ckz")
    let keys = try place.shell("ckpt ls --keys \(file)").output
    #expect(try place.ckpt("ls", "--keys", "training.pt").output == keys)
    #expect(try place.shell("ckpt diff --values training.pt \(file)").status == 0)
  }

  @Test func `a .ckz of a training checkpoint is nested again, unless its tensors are renamed`()
    throws
  {
    let file = CommandRun.quoted(Fixtures.path("pytorch/training.pt"))
    try #require(try place.shell("ckpt convert --all \(file) all.ckz").status == 0)
    #expect(try place.ckpt("convert", "all.ckz", "again.pt").status == 0)
    let keys = try place.shell("ckpt ls --keys \(file)").output
    #expect(try place.ckpt("ls", "--keys", "again.pt").output == keys)
    let names = try place.shell("ckpt ls \(file) --json").output
    let first = try #require(JSON(names)["tensors"]?[0]?["name"])
    let part = try place.shell("ckpt ls --keys \(file) --json").output
    guard case .text(let key)? = try JSON(part)[0]?["key"] else {
      Issue.record("no part: \(part)")
      return
    }
    let plain = try place.ckpt(
      "convert", "all.ckz", "plain.pt", "--match", "\(key).*", "--rename", "s/^\(key)\\.//")
    #expect(plain.status == 0, "\(plain.errors)")
    #expect(plain.errors.contains("values are stored where only ckpt reads them"))
    let list = try JSON(try place.ckpt("ls", "plain.pt", "--json").output)
    #expect(list["tensors"]?[0]?["name"] == first)
    #expect(try place.ckpt("ls", "--keys", "plain.pt").output.isEmpty)
  }
}
