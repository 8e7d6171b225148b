import TestSupport
import Testing

@Suite struct HashAndCheckTests {
  @Test func `the manifest's own SHA-256 is the fingerprint`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    let text = try place.ckpt("hash", "--manifest", "a.h5").output
    let sha256 = "--algorithm sha256 a.h5"
    let digest = try place.shell("ckpt hash --manifest \(sha256) | sha256sum").output.prefix(64)
    #expect(try place.shell("ckpt hash \(sha256)").output.prefix(64) == digest)
    #expect(
      text.split(separator: "\n").first?.hasSuffix("  F32  [4]  layer1.bias") == true)
  }

  // The expected value was computed from the description of the manifest, by the package blake3 of PyPI.
  @Test func `the fingerprint is what the specification says`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5", "--rule", "Linear: weight=1, bias=0")
    #expect(
      try place.fingerprint("a.h5")
        == "443692b5edb28d1fc8ccaca56aab3e9d07ea3922125d608de43b39176ac60fce")
  }

  @Test func `hash as JSON`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    let fingerprint = try place.fingerprint("a.h5")
    let json = try JSON(try place.ckpt("hash", "a.h5", "--json").output)
    #expect(json[0]?.keys == ["algorithm", "file", "fingerprint"])
    #expect(json[0]?["fingerprint"] == .text(fingerprint))
    let manifest = try JSON(try place.ckpt("hash", "a.h5", "--json", "--manifest").output)
    #expect(manifest[0]?["tensors"]?[0]?.keys == ["digest", "dtype", "name", "shape"])
  }

  @Test func `intact files are ok`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    try place.makeArticle("a.ckz")
    let run = try place.ckpt("check", "a.h5", "a.ckz")
    #expect(run.status == 0 && run.errors.isEmpty)
    #expect(run.output == "a.h5: ok (every tensor: fingerprint)\na.ckz: ok (every byte)\n")
    let json = try JSON(try place.ckpt("check", "a.h5", "--json").output)
    #expect(json[0]?.keys == ["comparedWith", "damage", "file", "ok", "verified"])
  }

  @Test func `a file that cannot be hashed does not keep the others from being hashed`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    let run = try place.ckpt("hash", "none.h5", "a.h5")
    #expect(run.status == 2 && run.errors == "ckpt: none.h5: No such file or directory\n")
    #expect(run.output == "\(try place.fingerprint("a.h5"))  a.h5\n")
    let json = try place.ckpt("hash", "none.h5", "a.h5", "--json")
    #expect(json.status == 2)
    #expect(try JSON(json.output)[0]?["file"] == .text("a.h5"))
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
    let quiet = try place.ckpt("check", "-q", "a.ckz", "b.ckz")
    #expect(quiet.status == 2 && quiet.output.isEmpty && !quiet.errors.isEmpty)
    let run = try place.ckpt("check", "a.ckz", "b.ckz")
    #expect(run.status == 2 && run.output == "b.ckz: ok (every byte)\n")
    #expect(run.errors.hasPrefix("ckpt: a.ckz: tensor 'layer1.weight' "))
    // What is damaged, and what can be done.
    #expect(run.errors.split(separator: "\n").count == 2)
    #expect(run.errors.hasSuffix("a.ckz: 'ckpt convert --keep-going' saves what is intact\n"))
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

  @Test func `a damaged tensor of a PyTorch file is named`() throws {
    let place = try Workplace()
    try place.makeArticle("a.pt")
    var bytes = try place.folder.bytes(of: "a.pt")
    // The first storage, after its name and an extra field, whose size comes before the name.
    let mark = Array("archive/data/0".utf8)
    let start = try #require(bytes.indices.first { bytes[$0...].starts(with: mark) })
    let extra = Int(bytes[start - 2]) | Int(bytes[start - 1]) << 8
    bytes[start + mark.count + extra] ^= 4
    try place.folder.write(bytes, to: "a.pt")
    let run = try place.ckpt("check", "a.pt")
    #expect(run.status == 2 && run.output.isEmpty)
    #expect(run.errors.hasPrefix("ckpt: a.pt: tensor 'layer1.weight' "), "\(run.errors)")
    #expect(run.errors.split(separator: "\n").count == 2, "\(run.errors)")
  }

  @Test func `a file of another program is checked as far as it goes`() throws {
    let place = try Workplace()
    let names = ["safetensors/dtypes.safetensors", "numpy/lone.npy"]
    for name in names {
      let run = try place.ckpt("check", Fixtures.path(name))
      #expect(run.status == 0 && run.output.contains(": ok (structure only: "), "\(run.output)")
    }
  }

  @Test(arguments: ["h5", "safetensors", "gguf", "pt", "npz"])
  func `filling renews a fingerprint, unless it did not match before`(_ ending: String) throws {
    let place = try Workplace()
    try place.makeArticle("a.\(ending)")
    let drawn = try place.ckpt(
      "reinit", "a.\(ending)", "--match", "layer1.*", "--model", "model.txt", "--seed", "9",
      "--in-place")
    #expect(drawn.status == 0, "\(drawn.errors)")
    let sound = try place.ckpt("check", "a.\(ending)")
    #expect(sound.status == 0 && sound.output.contains("fingerprint)"), "\(sound.errors)")
    guard ending == "safetensors" else { return }
    var bytes = try place.folder.bytes(of: "a.\(ending)")
    bytes[bytes.count - 1] ^= 1
    try place.folder.write(bytes, to: "b.\(ending)")
    let again = try place.ckpt(
      "reinit", "b.\(ending)", "--match", "layer1.bias", "--model", "model.txt", "--in-place")
    #expect(again.errors.contains("did not match its tensors before, so it is not renewed"))
    #expect(try place.ckpt("check", "b.\(ending)").status == 2)
  }

  @Test func `a file without a fingerprint gets none when it is filled`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    let run = try place.shell(
      """
      set -e; ckpt convert a.h5 - --to safetensors --quiet > a.safetensors; \
      ckpt reinit a.safetensors --match 'layer1.*' --model model.txt --in-place --quiet; \
      ckpt check a.safetensors
      """)
    #expect(
      run.output == "a.safetensors: ok (structure only: safetensors has no checksums)\n",
      "\(run.errors)")
  }

  @Test func `hash --check compares as sha256sum does`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    try place.makeArticle("b.ckz", "--seed", "1")
    try place.makeArticle("c.npz", "--seed", "2")
    let same = try place.shell("ckpt hash a.h5 b.ckz c.npz > SUMS; ckpt hash --check SUMS")
    #expect(same.status == 0 && same.output == "a.h5: OK\nb.ckz: OK\nc.npz: OK\n")
    #expect(same.errors.isEmpty)
    try place.makeArticle("b.ckz", "--seed", "3", "--force")
    let run = try place.shell("rm c.npz; echo nonsense >> SUMS; ckpt hash --check SUMS")
    #expect(run.status == 1)
    #expect(run.output == "a.h5: OK\nb.ckz: FAILED\nc.npz: FAILED open or read\n")
    let warnings = run.errors.split(separator: "\n")
    #expect(warnings.count == 4 && warnings[0].hasPrefix("ckpt: c.npz: "))
    #expect(
      warnings.dropFirst() == [
        "ckpt: WARNING: 1 line is improperly formatted",
        "ckpt: WARNING: 1 listed file could not be read",
        "ckpt: WARNING: 1 computed checksum did NOT match",
      ])
    let json = try JSON(try place.ckpt("hash", "--check", "SUMS", "--json", "--quiet").output)
    #expect(json.count == 4)
    #expect(
      json[3]
        == .object(["line": .number(4), "name": .text("nonsense"), "result": .text("malformed")]))
    let quiet = try place.ckpt("hash", "--check", "SUMS", "--quiet")
    #expect(quiet.status == 1)
    #expect(quiet.output == "b.ckz: FAILED\nc.npz: FAILED open or read\n")
    let none = try place.shell("echo nonsense > none; ckpt hash --check none")
    #expect(none.status == 2 && none.output.isEmpty)
  }

  @Test func `hash --check finds a name with a backslash before an accent`() throws {
    let place = try Workplace()
    try place.makeArticle("a\\\u{301}\n.ckz")
    let sums = try place.ckpt("hash", "a\\\u{301}\n.ckz").output
    #expect(sums.unicodeScalars.count { $0 == "\\" } == 4)  // one in front, two, and one of \n
    try place.folder.write(Array(sums.utf8), to: "sums")
    let run = try place.ckpt("hash", "--check", "sums")
    #expect(run.status == 0, "\(run.output)\(run.errors)")
  }

  @Test func `hash --check of a stored digest reads the data`() throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz")
    _ = try place.shell("ckpt hash a.ckz > SUMS")
    var bytes = try place.folder.bytes(of: "a.ckz")
    bytes[40] ^= 1
    try place.folder.write(bytes, to: "a.ckz")
    #expect(try place.shell("ckpt hash a.ckz | cmp - SUMS").status == 0)
    let run = try place.ckpt("hash", "--check", "SUMS")
    #expect(run.status == 1 && run.output == "a.ckz: FAILED open or read\n")
  }

  @Test func `hash --check takes a manifest for one file`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    try place.makeArticle("b.h5", "--rule", "layer1: bias=1")
    let same = try place.shell("ckpt hash --manifest a.h5 > M; ckpt hash --check M a.h5 --quiet")
    #expect(same.status == 0 && same.output.isEmpty && same.errors.isEmpty)
    let run = try place.ckpt("hash", "--check", "M", "b.h5", "--quiet")
    #expect(run.status == 1 && run.output == "layer1.bias: FAILED\n")
    #expect(try place.ckpt("hash", "--check", "M").status == 64)
  }
}
