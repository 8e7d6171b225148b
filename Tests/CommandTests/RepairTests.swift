import TestSupport
import Testing

/// `--parity`, `ckpt check`, and `ckpt repair`.
@Suite struct RepairTests {
  @Test func `a damaged file is restored byte for byte`() throws {
    let place = try Workplace()
    try place.makeArticle("good.ckz", "--parity", "20")
    let good = try place.folder.bytes(of: "good.ckz")
    let intact = try place.ckpt("check", "good.ckz")
    #expect(intact.output == "good.ckz: ok (every byte)\n" && intact.errors.isEmpty)
    var bytes = good
    for index in 0..<100 { bytes[index] = 0 }
    try place.folder.write(bytes, to: "bad.ckz")
    let checked = try place.ckpt("check", "bad.ckz")
    #expect(checked.status == 2 && checked.errors.contains("; 'ckpt repair' can restore it"))
    let json = try JSON(try place.ckpt("check", "bad.ckz", "--json").output)
    #expect(json[0]?["repairable"] == .truth(true))
    let run = try place.ckpt("repair", "bad.ckz", "-o", "out.ckz")
    #expect(run.status == 0 && run.errors.hasPrefix("wrote out.ckz: "), "\(run.errors)")
    #expect(try place.folder.bytes(of: "out.ckz") == good)
    let again = try place.ckpt("repair", "bad.ckz", "-o", "out.ckz")
    #expect(again.status == 2 && again.errors.contains("exists"))
    // In its own place.
    #expect(try place.ckpt("repair", "bad.ckz", "-o", "bad.ckz", "--force").status == 0)
    #expect(try place.folder.bytes(of: "bad.ckz") == good)
  }

  @Test func `too much damage writes nothing`() throws {
    let place = try Workplace()
    try place.makeArticle("bad.ckz", "--parity", "1")
    var bytes = try place.folder.bytes(of: "bad.ckz")
    for index in stride(from: 20, to: bytes.count, by: 50) { bytes[index] ^= 0xff }
    try place.folder.write(bytes, to: "bad.ckz")
    let run = try place.ckpt("repair", "bad.ckz", "-o", "out.ckz")
    #expect(run.status == 2 && run.errors.contains("--keep-going"), "\(run.errors)")
    #expect(try !place.folder.names().contains("out.ckz"))
  }

  @Test func `a file without parity is refused`() throws {
    let place = try Workplace()
    try place.makeArticle("plain.ckz")
    let run = try place.ckpt("repair", "plain.ckz", "-o", "out.ckz")
    #expect(run.status == 2 && run.errors.contains("found no parity"), "\(run.errors)")
  }

  @Test(arguments: ["0", "101", "x"])
  func `a percentage is one`(text: String) throws {
    let run = try Workplace().ckpt("init", "model.txt", "-o", "a.ckz", "--parity", text)
    #expect(run.status == 64)
  }

  @Test func `other formats have no parity`() throws {
    let run = try Workplace().ckpt("init", "model.txt", "-o", "a.h5", "--parity", "5")
    #expect(
      run.status == 2 && run.errors.contains("hdf5 has no parity; write .ckz"), "\(run.errors)")
  }

  @Test func `to a pipe, the same bytes`() throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz", "--parity", "7")
    let piped = try place.shell("ckpt init model.txt --parity 7 --to ckz -q -o - > b.ckz")
    #expect(piped.status == 0, "\(piped.errors)")
    #expect(try place.folder.bytes(of: "a.ckz") == place.folder.bytes(of: "b.ckz"))
  }

  @Test func `reinit in place keeps parity`() throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz", "--parity", "30")
    let run = try place.ckpt("reinit", "a.ckz", "--match", "*", "--seed", "3", "--in-place")
    #expect(run.status == 0, "\(run.errors)")
    let good = try place.folder.bytes(of: "a.ckz")
    #expect(try place.ckpt("check", "a.ckz").status == 0)
    var bytes = good
    for index in 40..<90 { bytes[index] = 1 }
    try place.folder.write(bytes, to: "b.ckz")
    #expect(try place.ckpt("repair", "b.ckz", "-o", "c.ckz").status == 0)
    #expect(try place.folder.bytes(of: "c.ckz") == good)
  }
}
