import TestSupport
import Testing

/// Outputs that are inputs under another name.
@Suite struct AliasTests {
  private let place: Workplace

  init() throws {
    place = try Workplace()
    try place.makeArticle("a.ckz", "--seed", "1")
    try place.makeArticle("b.ckz", "--seed", "2")
  }

  /// Runs a command that must be refused and change nothing.
  private func refuses(_ line: String, _ message: String) throws {
    let before = try place.shell("cat *").output
    let run = try place.shell(line)
    #expect(run.status == 2 && run.errors.contains(message), "\(line): \(run.status) \(run.errors)")
    #expect(try place.shell("cat *").output == before, "\(line)")
  }

  @Test(arguments: ["./a.ckz", "link.ckz", "hard.ckz", "d/../b.ckz", "$PWD/b.ckz"])
  func `a patch never takes the place of a file that it compares`(_ output: String) throws {
    _ = try place.shell("ln -s a.ckz link.ckz; ln a.ckz hard.ckz; mkdir d")
    try refuses(
      "ckpt diff a.ckz b.ckz --patch \(output) --force",
      "is one of the files that are read; write to another file")
  }

  @Test func `the result of a patch never takes the patch's place`() throws {
    _ = try place.shell("ckpt diff a.ckz b.ckz --patch p.ckz; ln -s p.ckz q.ckz")
    try refuses("ckpt apply a.ckz p.ckz -o q.ckz --force", "is one of the files that are read")
    let run = try place.shell("ckpt apply a.ckz p.ckz -o ./a.ckz --force")
    #expect(run.status == 0)
    #expect(try place.fingerprint("a.ckz") == place.fingerprint("b.ckz"))
  }

  @Test func `a checkpoint of a pack never takes the pack's place`() throws {
    _ = try place.shell("ckpt pack a.ckz b.ckz -o run.ckz; ln run.ckz hard.ckz")
    try refuses(
      "ckpt unpack run.ckz --step 0 -o hard.ckz --force", "is one of the files that are read")
  }

  @Test func `a conversion never takes the place of one of the shards that it reads`() throws {
    _ = try place.shell("ckpt convert a.ckz m.safetensors --shard-size 4000B")
    let shard = try #require(try place.folder.names().first { $0.hasPrefix("m-00001-of") })
    try refuses(
      "ckpt convert m.safetensors.index.json \(shard) --force", "is one of the files that are read")
    try refuses(
      "ckpt reinit m.safetensors.index.json --match '*' -o n.safetensors.index.json --force",
      "is one of the files that 'm.safetensors.index.json' names")
    let run = try place.shell(
      "ckpt reinit m.safetensors.index.json --match '*' --seed 2 -o ./m.safetensors.index.json --force"
    )
    #expect(run.status == 0, "\(run.errors)")
    #expect(try place.shell("ckpt check m.safetensors.index.json").status == 0)
    _ = try place.shell("ckpt convert a.ckz t.safetensors")
    _ = try place.shell("mv m.safetensors.index.json x.index.json")
    try refuses(
      "ckpt convert x.index.json \(shard) --like t.safetensors --force",
      "is one of the files that are read")
    try refuses(
      "ckpt convert x.index.json m.safetensors --shard-size 4000B --force",
      "is one of the files that are read")
  }

  @Test func `a checkpoint is not added to the file that it is read from`() throws {
    try refuses(
      "ckpt convert a.ckz - --to npz >> a.ckz", "is a file that is being read")
  }

  @Test func `a checkpoint may take its own place, whatever it is called`() throws {
    let fingerprint = try place.fingerprint("a.ckz")
    for output in ["./a.ckz", "hard.ckz", "link.ckz"] {
      _ = try place.shell("ln -s a.ckz link.ckz; ln a.ckz hard.ckz")
      let run = try place.shell("ckpt convert a.ckz \(output) --force")
      #expect(run.status == 0, "\(run.errors)")
      #expect(try place.fingerprint(output) == fingerprint)
    }
    let shards = "ckpt convert a.ckz m.safetensors --shard-size 4000B"
    let again = "ckpt convert m.safetensors.index.json m.safetensors --shard-size 300B --force"
    #expect(try place.shell("\(shards) && \(again)").status == 0)
    #expect(try place.fingerprint("m.safetensors.index.json") == fingerprint)
  }
}
