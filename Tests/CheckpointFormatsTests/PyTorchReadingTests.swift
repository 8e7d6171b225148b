import ByteIO
import CheckpointFormats
import FoundationEssentials
import TensorCore
import TestSupport
import Testing

/// Files of torch.save, compared with what torch reads from them.
@Suite struct PyTorchReadingTests {
  /// `[name, dtype, shape, sha256]` as the script wrote it.
  struct Record: Decodable, Equatable, CustomStringConvertible {
    let name: String
    let dtype: String
    let shape: [Int]
    let sha256: String

    init(name: String, dtype: String, shape: [Int], sha256: String) {
      (self.name, self.dtype, self.shape, self.sha256) = (name, dtype, shape, sha256)
    }

    init(from decoder: any Decoder) throws {
      var values = try decoder.unkeyedContainer()
      name = try values.decode(String.self)
      dtype = try values.decode(String.self)
      shape = try values.decode([Int].self)
      sha256 = try values.decode(String.self)
    }

    var description: String { "\(name) \(dtype) \(shape) \(sha256.prefix(8))" }

    static func == (left: Self, right: Self) -> Bool {
      TensorName(left.name) == TensorName(right.name) && left.dtype == right.dtype
        && left.shape == right.shape && left.sha256 == right.sha256
    }
  }

  static let files = [
    "dtypes.pt", "views.pt", "protocol2.pt", "protocol3.pt", "protocol4.pt", "protocol5.pt",
    "legacy.pt", "legacy4.pt", "old.tar.pt", "module.pt", "module5.pt", "trainer.ckpt", "two.pt",
    "quantised.pt", "sparse.pt", "meta.pt", "wrapped.pt", "custom.pt", "list.pt", "one.pt",
    "deflated.pt", "big.pt", "nosums.pt", "distributed",
  ]

  private func open(_ name: String, key: String? = nil) throws -> Opened {
    let path = Fixtures.path("pytorch/" + name)
    let format = try #require(CheckpointFormat.recognized(try FileProbe(path: path)))
    #expect(format.name == "pytorch")
    return try format.open(path, OpenOptions(key: key))
  }

  private func records(_ name: String) throws -> [Record] {
    let json = Data(try Fixtures.bytes("pytorch/\(name).json"))
    return try JSONDecoder().decode([Record].self, from: json)
  }

  private func records(_ checkpoint: Opened, step: Int = 1 << 20) throws -> [Record] {
    try checkpoint.entries.map {
      Record(
        name: $0.name.text, dtype: $0.info.dtype.rawValue, shape: $0.info.shape.sizes,
        sha256: Digest(of: try $0.allBytes(step: step)).description)
    }
  }

  @Test(arguments: files)
  func `tensors are those that torch reads`(name: String) throws {
    let checkpoint = try open(name)
    let expected = try records(name)
    #expect(try records(checkpoint) == expected)
    // Ranges that begin and end inside of elements.
    #expect(try records(checkpoint, step: 3) == expected)
  }

  @Test func `a TorchScript archive has the tensors of its modules`() throws {
    let checkpoint = try open("script.pt")
    #expect(try records(checkpoint) == records("script.pt"))
    #expect(checkpoint.notes.contains { $0.contains("TorchScript") })
  }

  @Test func `tied tensors are aliases and views are not`() throws {
    let aliases = try open("views.pt").entries.filter { $0.alias != nil }
    #expect(aliases.map(\.name.text) == ["tied"] && aliases[0].alias == "base")
    for name in ["module.pt", "trainer.ckpt"] {
      let tied = try open(name).entries.first { $0.name == "tied.weight" }
      #expect(tied?.alias == "second.2.weight")
    }
  }

  @Test func `parts of a trainer's file are listed and chosen`() throws {
    let checkpoint = try open("trainer.ckpt")
    #expect(checkpoint.parts.map(\.key) == ["state_dict", "callbacks", "optimizer_states"])
    #expect(checkpoint.parts.map(\.isOpened) == [true, false, false])
    let moments = try records("trainer.optimizer")
    #expect(checkpoint.parts.map(\.tensorCount) == [14, 1, moments.count])
    #expect(try records(try open("trainer.ckpt", key: "optimizer_states")) == moments)
    #expect(try open("trainer.ckpt", key: "callbacks").entries.map(\.name) == ["best"])
    #expect(try open("two.pt", key: "decoder").entries.map(\.name) == ["weight"])
    let error = #expect(throws: CheckpointError.self) { try open("trainer.ckpt", key: "none") }
    #expect(error?.message.contains("state_dict, callbacks, optimizer_states") == true)
    // A file of one checkpoint is that one, whatever the other file of a comparison has.
    #expect(try open("dtypes.pt", key: "state_dict").parts.isEmpty)
  }

  @Test(arguments: [
    ("quantised.pt", "tensor 'q' is quantized with scale 0.5 and zero point 1"),
    ("sparse.pt", "tensor 'coo' of shape [3, 3] is sparse (torch.sparse_coo)"),
    ("meta.pt", "tensor 'm' of torch.float32 and shape [2, 3] was on the meta device"),
    ("custom.pt", "1 unrecognized class or function: '__main__.Custom' at byte"),
    ("trainer.ckpt", "optimizer_states (15 tensors): use --key to select"),
  ])
  func `what no tensor shows is told`(name: String, words: String) throws {
    let notes = try open(name).notes
    #expect(notes.contains { $0.contains(words) }, "\(notes)")
  }

  @Test func `a distributed checkpoint has parts and needs its files`() throws {
    let checkpoint = try open("distributed", key: "model")
    #expect(checkpoint.entries.map(\.name).contains("rows"))
    #expect(checkpoint.parts.map(\.key) == ["model"])
    let folder = try TemporaryFolder()
    for name in [".metadata", "__0_0.distcp"] {
      try folder.write(try Fixtures.bytes("pytorch/distributed/" + name), to: name)
    }
    let error = #expect(throws: CheckpointError.self) {
      try CheckpointFormat.pytorch.open(folder.path)
    }
    #expect(error?.message == "file '__1_0.distcp' is not in the folder")
    // A file whose parts are not where the metadata say.
    let bytes = try Fixtures.bytes("pytorch/distributed/__1_0.distcp")
    try folder.write([0] + bytes.dropLast(), to: "__1_0.distcp")
    for entry in try CheckpointFormat.pytorch.open(folder.path).entries {
      let error = #expect(throws: CheckpointError.self) { _ = try entry.allBytes() }
      #expect(error?.path?.hasSuffix("__1_0.distcp") == true && error?.offset != nil)
    }
  }

  @Test(arguments: ["dtypes.pt", "legacy.pt", "old.tar.pt", "deflated.pt", "distributed"])
  func `a sound file is found sound`(name: String) async throws {
    let verify = try #require(CheckpointFormat.pytorch.verify)
    #expect(try await verify(FileProbe(path: Fixtures.path("pytorch/" + name)), 2).isEmpty)
  }

  @Test(arguments: ["protocol2.pt", "deflated.pt", "legacy4.pt", "old.tar.pt", "views.pt"])
  func `a cut or changed file is read exactly or refused`(name: String) async throws {
    let folder = try TemporaryFolder()
    let whole = try Fixtures.bytes("pytorch/" + name)
    let isArchive = whole.starts(with: [0x50, 0x4b])
    let original = try records(name)
    func outcome(_ bytes: [UInt8]) throws -> [Record]? {
      let path = try folder.write(bytes, to: "a.pt")
      do {
        return try records(CheckpointFormat.pytorch.open(path))
      } catch is CheckpointError {
        return nil
      }
    }
    // A tar archive ends in zeros, of which one block is enough.
    let needed = name == "old.tar.pt" ? 4608 : whole.count
    for length in stride(from: 0, to: needed, by: whole.count / 40) {
      #expect(try outcome(Array(whole[..<length])) == nil, "cut at \(length)")
    }
    for place in stride(from: 0, to: whole.count, by: whole.count / 300) {
      var bytes = whole
      bytes[place] ^= UInt8(1 << (place % 8))
      let found = try outcome(bytes)
      // Only archives have sums; elsewhere a change may be seen as another value, never as a crash.
      if isArchive, let found { #expect(found == original, "byte \(place)") }
    }
  }

  @Test func `what modules hold besides their state is named, however deep it is`() throws {
    typealias P = PickleSample
    let folder = try TemporaryFolder()
    func dictionary(_ items: (String, P.Code)...) -> P.Code {
      P.emptyDictionary + items.flatMap { P.text($0.0) + $0.1 + [0x73] }
    }
    func object(_ name: String, _ state: P.Code) -> P.Code {
      P.global("__main__", name) + P.emptyTuple + [0x81] + state + [0x62]
    }
    func module(_ parameters: P.Code) -> P.Code {
      object(
        "Net",
        dictionary(
          ("_parameters", parameters), ("_buffers", P.emptyDictionary),
          ("_modules", P.emptyDictionary),
          ("deep", dictionary(("x", P.tuple(P.tensor(), P.tensor())))),
          ("other", object("Other", dictionary(("t", P.tensor()))))))
    }
    func open(_ parameters: P.Code) throws -> Opened {
      try CheckpointFormat.pytorch.open(
        FileProbe(
          path: P.archive(P.proto + module(parameters) + P.stop, in: folder)), OpenOptions())
    }
    let opened = try open(dictionary(("w", P.tensor())))
    #expect(opened.entries.map(\.name) == ["w"])
    #expect(opened.notes.first?.hasPrefix("'deep.x.0' and 2 more are left out") == true)
    let error = #expect(throws: CheckpointError.self) { try open(P.emptyDictionary) }
    #expect(error?.message.hasPrefix("contains no tensor; 'deep.x.0' and 2 more are") == true)
  }
}
