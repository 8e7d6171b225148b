import FoundationEssentials
import TestSupport
import Testing

/// `convert --keep-going` saves what is intact in a damaged file.
@Suite struct RescueTests {
  private static let model = """
    Net(
      (a): Linear(in_features=40, out_features=60, bias=True)
      (b): Linear(in_features=60, out_features=30, bias=True)
      (c): Linear(in_features=30, out_features=20, bias=True)
    )
    """

  /// A folder with a model as `good` in a format, its bytes, and digests by name.
  private static func sample(
    _ ending: String, _ options: String...
  ) throws -> (place: Workplace, bytes: [UInt8], digests: [String: String]) {
    let place = try Workplace()
    try place.folder.write(Array(model.utf8), to: "net.txt")
    let made = try CommandRun(
      [CommandRun.executable, "init", "net.txt", "-q", "-o", "good\(ending)"] + options,
      in: place.folder.path)
    try #require(made.status == 0, "\(made.errors)")
    return (place, try place.folder.bytes(of: "good\(ending)"), try digests(place, "good\(ending)"))
  }

  /// Digests of tensors by name.
  private static func digests(_ place: Workplace, _ file: String) throws -> [String: String] {
    var digests: [String: String] = [:]
    for line in try place.ckpt("hash", "--manifest", file).lines {
      let words = line.split(separator: " ")
      if words.count >= 4 { digests[String(words[words.count - 1])] = String(words[0]) }
    }
    return digests
  }

  /// Converts a damaged file and expects some of the tensors, all of them intact.
  private static func expectRescue(
    _ place: Workplace, _ file: String, of good: [String: String], atLeast: Int = 1,
    location: SourceLocation = #_sourceLocation
  ) throws -> CommandRun {
    let plain = try place.ckpt("convert", file, "plain.ckz")
    #expect(plain.status == 2, "it is damaged: \(plain.errors)", sourceLocation: location)
    let run = try place.ckpt("convert", file, "out.ckz", "--keep-going")
    #expect(run.status == 1, "\(run.errors)", sourceLocation: location)
    #expect(run.errors.contains("left out: "), "\(run.errors)", sourceLocation: location)
    let saved = try digests(place, "out.ckz")
    #expect(
      saved.count >= atLeast && saved.count < good.count, "\(saved.count)", sourceLocation: location
    )
    for (name, digest) in saved {
      #expect(good[name] == digest, "\(name)", sourceLocation: location)
    }
    // Every other tensor is named, or what holds it is.
    return run
  }

  @Test(arguments: [".safetensors", ".gguf", ".pt", ".npz", ".h5"])
  func `a truncated file`(ending: String) throws {
    let (place, bytes, good) = try Self.sample(ending)
    try place.folder.write(Array(bytes[..<(bytes.count * 2 / 3)]), to: "cut\(ending)")
    let run = try Self.expectRescue(place, "cut\(ending)", of: good)
    // Each tensor that is missing has a line of its own, where the file still names it.
    if ending != ".npz", ending != ".h5" {
      let saved = try Self.digests(place, "out.ckz")
      for name in good.keys where saved[name] == nil {
        #expect(run.errors.contains("tensor '\(name)'"), "\(name): \(run.errors)")
      }
    }
  }

  @Test func `a truncated file of old torch save`() throws {
    let place = try Workplace()
    let bytes = try Fixtures.bytes("pytorch/legacy.pt")
    try place.folder.write(bytes, to: "good.pt")
    let good = try Self.digests(place, "good.pt")
    try place.folder.write(Array(bytes.dropLast(3)), to: "cut.pt")
    _ = try Self.expectRescue(place, "cut.pt", of: good)
  }

  @Test(arguments: [".pt", ".npz"])
  func `an archive whose directory is damaged`(ending: String) throws {
    let (place, bytes, good) = try Self.sample(ending)
    var damaged = bytes
    for index in damaged.count - 60..<damaged.count { damaged[index] = 0 }
    try place.folder.write(damaged, to: "bad\(ending)")
    let run = try place.ckpt("convert", "bad\(ending)", "out.ckz", "--keep-going")
    // All tensors are saved; the directory is what is left out.
    #expect(run.status == 1 && run.errors.contains("left out: "), "\(run.errors)")
    #expect(try Self.digests(place, "out.ckz") == good)
  }

  @Test func `a Keras archive without its directory`() throws {
    let place = try Workplace()
    let bytes = try Fixtures.bytes("keras/net.keras")
    try place.folder.write(bytes, to: "good.keras")
    let good = try Self.digests(place, "good.keras")
    try place.folder.write(Array(bytes.dropLast(30)), to: "cut.keras")
    let run = try place.ckpt("convert", "cut.keras", "out.ckz", "--keep-going")
    #expect(run.status == 1, "\(run.errors)")
    #expect(try Self.digests(place, "out.ckz") == good)
    // Weights that are cut off: some are saved, or all are reported as lost.
    for count in stride(from: bytes.count / 4, to: bytes.count - 200, by: bytes.count / 7) {
      try place.folder.write(Array(bytes[..<count]), to: "cut.keras")
      let run = try place.ckpt("convert", "cut.keras", "cut.ckz", "--keep-going", "--force")
      #expect(run.status == 1 || run.status == 2, "\(count): \(run.errors)")
      if run.status == 2 { continue }
      for (name, digest) in try Self.digests(place, "cut.ckz") { #expect(good[name] == digest) }
    }
  }

  @Test func `a packed HDF5 file with a damaged chunk`() throws {
    let (place, bytes, good) = try Self.sample(".h5", "--compression", "gzip:4")
    // A zlib stream begins with these two bytes at level 4.
    let start = try #require(bytes.firstRange(of: [0x78, 0x5e])?.lowerBound)
    var damaged = bytes
    for index in start + 40..<start + 44 { damaged[index] ^= 0xff }
    try place.folder.write(damaged, to: "bad.h5")
    _ = try Self.expectRescue(place, "bad.h5", of: good, atLeast: good.count - 1)
  }

  @Test func `a TensorFlow bundle with a file that is cut, or missing`() throws {
    let place = try Workplace()
    let fixture = CommandRun.quoted(Fixtures.path("tensorflow/graph"))
    #expect(try place.shell("cp -r \(fixture) tf").status == 0)
    let good = try Self.digests(place, "tf")
    let data = "tf/model.ckpt-10.data-00000-of-00002"
    #expect(try place.shell("head -c 2000 \(data) > cut && mv cut \(data)").status == 0)
    let run = try place.ckpt("convert", "tf", "out.ckz", "--keep-going")
    #expect(run.status == 1 && run.errors.contains("left out: "), "\(run.errors)")
    let saved = try Self.digests(place, "out.ckz")
    #expect(!saved.isEmpty && saved.count < good.count)
    for (name, digest) in saved { #expect(good[name] == digest, "\(name)") }
    #expect(try place.shell("rm \(data)").status == 0)
    let rest = try place.ckpt("convert", "tf", "rest.ckz", "--keep-going")
    #expect(rest.status == 1 || rest.errors.contains("no tensor is intact"), "\(rest.errors)")
  }

  @Test func `a step of a pack whose end is damaged`() throws {
    let (place, _, good) = try Self.sample(".ckz")
    let made = try place.shell(
      "ckpt pack good.ckz -o run.ckz -q && ckpt pack good.ckz -o run.ckz -q")
    try #require(made.status == 0, "\(made.errors)")
    var bytes = try place.folder.bytes(of: "run.ckz")
    bytes[bytes.count - 30] ^= 1
    try place.folder.write(bytes, to: "run.ckz")
    #expect(try place.ckpt("convert", "run.ckz@0", "out.ckz").status == 2)
    let run = try place.ckpt("convert", "run.ckz@0", "out.ckz", "--keep-going")
    #expect(run.status == 1, "\(run.errors)")
    #expect(try Self.digests(place, "out.ckz") == good)
  }

  @Test(arguments: [".pt", ".npz", ".ckz"])
  func `one damaged tensor`(ending: String) throws {
    let (place, bytes, good) = try Self.sample(ending, "--rule", "Linear: weight=1")
    // Some byte of a tensor, so that its checksum differs.
    var damaged = bytes
    let middle = ending == ".ckz" ? 30 : bytes.count / 2
    damaged[middle] ^= 0x10
    try place.folder.write(damaged, to: "bad\(ending)")
    let run = try Self.expectRescue(place, "bad\(ending)", of: good, atLeast: good.count - 4)
    #expect(run.errors.contains("tensor '"))
  }

  @Test func `a shard that is missing, and one that is cut`() throws {
    let (place, _, good) = try Self.sample(".ckz")
    let made = try place.shell(
      "mkdir s && ckpt convert good.ckz s/model.safetensors --shard-size 8KB")
    try #require(made.status == 0, "\(made.errors)")
    let names = try FileManager.default.contentsOfDirectory(atPath: place.folder.file("s")).sorted()
    let shards = names.filter { $0.hasSuffix(".safetensors") }
    try #require(shards.count > 1)
    let last = place.folder.file("s/\(shards[shards.count - 1])")
    let content = try Array(Data(contentsOf: URL(filePath: last)))
    try Data(content.dropLast(50)).write(to: URL(filePath: last))
    _ = try Self.expectRescue(place, "s", of: good)
    try FileManager.default.removeItem(atPath: last)
    let run = try place.ckpt("convert", "s", "out2.ckz", "--keep-going")
    #expect(run.status == 1 && run.errors.contains(shards[shards.count - 1]), "\(run.errors)")
    for (name, digest) in try Self.digests(place, "out2.ckz") { #expect(good[name] == digest) }
  }

  @Test func `tensors that two shards have are taken once`() throws {
    let (place, _, good) = try Self.sample(".safetensors")
    let index = #"{"weight_map": {"a.weight": "one.safetensors", "a.bias": "two.safetensors"}}"#
    let name = "m.safetensors.index.json"
    try place.folder.write(Array(index.utf8), to: name)
    _ = try place.shell("cp good.safetensors one.safetensors; cp good.safetensors two.safetensors")
    let plain = try place.ckpt("convert", name, "plain.ckz")
    #expect(plain.status == 2 && plain.errors.contains("but the index names another file"))
    let run = try place.ckpt("convert", name, "out.ckz", "--keep-going")
    #expect(run.status == 1 && run.errors.contains("left out: "), "\(run.errors)")
    #expect(try Self.digests(place, "out.ckz") == good)
  }

  @Test func `what the system refuses is not damage`() throws {
    let (place, _, _) = try Self.sample(".ckz")
    let made = try place.shell(
      """
      mkdir s && ckpt convert good.ckz s/model.safetensors --shard-size 8KB -q
      shard=$(ls s | grep 00002-of) && rm s/$shard && mkdir s/$shard
      """)
    try #require(made.status == 0, "\(made.errors)")
    let run = try place.ckpt("convert", "s", "out.ckz", "--keep-going")
    #expect(run.status == 2 && !run.errors.contains("left out"), "\(run.errors)")
    #expect(!FileManager.default.fileExists(atPath: place.folder.file("out.ckz")))
  }

  @Test func `parity restores what it can first`() throws {
    let (place, bytes, good) = try Self.sample(".ckz", "--parity", "5")
    let damaged = bytes.enumerated().map { (30..<130).contains($0.offset) ? 0 : $0.element }
    try place.folder.write(damaged, to: "bad.ckz")
    let run = try place.ckpt("convert", "bad.ckz", "out.ckz", "--keep-going")
    #expect(run.status == 0 && run.errors.contains("restoring what parity can"), "\(run.errors)")
    #expect(try Self.digests(place, "out.ckz") == good)
  }

  @Test func `an intact file leaves nothing out`() throws {
    let (place, _, good) = try Self.sample(".h5")
    let run = try place.ckpt("convert", "good.h5", "out.ckz", "--keep-going")
    #expect(run.status == 0 && !run.errors.contains("left out"), "\(run.errors)")
    #expect(try Self.digests(place, "out.ckz") == good)
  }

  @Test func `a file of which nothing is intact is refused`() throws {
    let (place, bytes, _) = try Self.sample(".ckz")
    var damaged = bytes
    damaged[bytes.count - 100] ^= 1
    try place.folder.write(damaged, to: "bad.ckz")
    let run = try place.ckpt("convert", "bad.ckz", "out.ckz", "--keep-going")
    #expect(run.status == 2 && run.errors.contains("BLAKE3 of the index"), "\(run.errors)")
    #expect(!FileManager.default.fileExists(atPath: place.folder.file("out.ckz")))
  }
}
