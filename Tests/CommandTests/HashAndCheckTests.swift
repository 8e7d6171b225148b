import TestSupport
import Testing

@Suite struct HashAndCheckTests {
  @Test func `the manifest's own SHA-256 is the fingerprint`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    let text = try place.ckpt("hash", "--manifest", "a.h5").output
    let digest = try place.shell("ckpt hash --manifest a.h5 | sha256sum").output.prefix(64)
    #expect(try place.fingerprint("a.h5") == digest)
    #expect(
      text.split(separator: "\n").first?.hasSuffix("  F32  [4]  layer1.bias") == true)
  }

  // The expected value was computed from the description of the manifest, by hashlib in Python.
  @Test func `the fingerprint is what the specification says`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5", "--rule", "Linear: weight=1, bias=0")
    #expect(
      try place.fingerprint("a.h5")
        == "73746f5dd883e585b5871f588d87072e82aa3e549ba70af0e9aedeef37ad35a1")
  }

  @Test func `hash as JSON`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    let fingerprint = try place.fingerprint("a.h5")
    let json = try JSON(try place.ckpt("hash", "a.h5", "--json").output)
    #expect(json[0]?.keys == ["file", "fingerprint"])
    #expect(json[0]?["fingerprint"] == .text(fingerprint))
    let manifest = try JSON(try place.ckpt("hash", "a.h5", "--json", "--manifest").output)
    #expect(manifest[0]?["tensors"]?[0]?.keys == ["dtype", "name", "sha256", "shape"])
  }

  @Test func `intact files are ok`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    try place.makeArticle("a.ckz")
    let run = try place.ckpt("check", "a.h5", "a.ckz")
    #expect(run.status == 0 && run.output == "a.h5: ok\na.ckz: ok\n" && run.errors.isEmpty)
    let json = try JSON(try place.ckpt("check", "a.h5", "--json").output)
    #expect(json[0]?.keys == ["damage", "file", "isSound"])
  }

  @Test func `a flipped bit is found, the tensor named, and other files are still checked`() throws
  {
    let place = try Workplace()
    try place.makeArticle("a.ckz")
    try place.makeArticle("b.ckz")
    var bytes = try place.folder.bytes(of: "a.ckz")
    // The first chunk, that of layer1.weight, follows the header.
    bytes[40] ^= 1
    try place.folder.write(bytes, to: "a.ckz")
    let run = try place.ckpt("check", "a.ckz", "b.ckz")
    #expect(run.status == 2 && run.output == "b.ckz: ok\n")
    #expect(run.errors.hasPrefix("ckpt: a.ckz: tensor 'layer1.weight' "))
    #expect(run.errors.split(separator: "\n").count == 1)
    let json = try place.ckpt("check", "a.ckz", "--json", "--quiet")
    #expect(json.status == 2)
    let damage = try #require(try JSON(json.output)[0]?["damage"]?[0])
    #expect(damage["tensor"] == .text("layer1.weight"))
  }

  @Test func `every flipped byte of a small file is refused`() throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz")
    let bytes = try place.folder.bytes(of: "a.ckz")
    for index in stride(from: 0, to: bytes.count, by: 23) {
      var damaged = bytes
      damaged[index] ^= 0x10
      try place.folder.write(damaged, to: "b.ckz")
      let run = try place.ckpt("check", "b.ckz")
      #expect(run.status == 2 && run.output.isEmpty, "byte \(index)")
      #expect(run.errors.hasPrefix("ckpt: b.ckz: "), "byte \(index)")
    }
  }
}
