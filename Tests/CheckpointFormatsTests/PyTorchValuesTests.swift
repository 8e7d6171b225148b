import ByteIO
import CheckpointFormats
import TensorCore
import TestSupport
import Testing

/// What a trainer's file holds besides tensors.
@Suite struct PyTorchValuesTests {
  private typealias P = PickleSample
  private static let hasPython = (try? CommandRun(shell: "python3 -c ''"))?.status == 0
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private struct Case: Decodable {
    let address: String
    let text: String
  }

  @Test func `values of a real trainer are what Python printed`() throws {
    let opened = try CheckpointFormat.pytorch.open(Fixtures.path("pytorch/training.pt"))
    let cases = try Fixtures.json("pytorch/training.values.json", as: [Case].self)
    var found: [String] = []
    for named in opened.checkpoint.values {
      named.value.forEachLeaf(at: named.name) { found.append("\($0) \($1.shortText(limit: 200))") }
    }
    #expect(found == cases.map { "\($0.address) \($0.text)" })
    #expect(opened.parts.map(\.key) == ["state_dict", "optimizer", "mixed"])
  }

  @Test func `a part by its key has its own values`() throws {
    let probe = try FileProbe(path: Fixtures.path("pytorch/training.pt"))
    let opened = try CheckpointFormat.pytorch.open(probe, OpenOptions(key: "optimizer"))
    #expect(opened.checkpoint.values.map(\.name) == ["param_groups"])
    #expect(opened.checkpoint.value(at: "param_groups.0.lr") == .real(0.01))
  }

  @Test func `all parts are nested, and written as they were`() async throws {
    var options = OpenOptions()
    options.readsAllParts = true
    let probe = try FileProbe(path: Fixtures.path("pytorch/training.pt"))
    let all = try CheckpointFormat.pytorch.open(probe, options)
    let names = all.entries.map(\.name)
    #expect(names.contains("state_dict.weight") && names.contains("optimizer.state.0.exp_avg"))
    #expect(names.contains("mixed.0"))
    var write = WriteOptions()
    write.nests = true
    let path = folder.file("nested.pt")
    try await CheckpointFormat.pytorch.writeFile(all.checkpoint, path, write)
    let again = try CheckpointFormat.pytorch.open(try FileProbe(path: path), options)
    #expect(again.entries.map(\.name) == names)
    for (one, other) in zip(all.entries, again.entries) {
      #expect(try one.allBytes() == other.allBytes(), "\(one.name)")
    }
    // Objects lose their classes; everything else is as it was.
    let losses = CheckpointFormat.pytorch.capabilities.losses(
      of: all.checkpoint, write, format: "pytorch")
    #expect(losses.count == 2, "\(losses)")
    for address in [
      "labels", "dtype", "epoch", "best_acc", "optimizer", "nan", "classes", "t", "b", "mixed",
    ] {
      #expect(
        again.checkpoint.value(at: address) == all.checkpoint.value(at: address), "\(address)")
    }
    #expect(again.checkpoint.value(at: "args.lr") == .real(0.5))
  }

  /// `torch.load(weights_only=True)` in small, for the shape of the dictionary alone.
  private static let program = """
    import collections, pickle, sys, zipfile
    from _codecs import encode
    class Reader(pickle.Unpickler):
        def find_class(self, module, name):
            known = {("builtins", "set"): set, ("collections", "OrderedDict"): collections.OrderedDict, ("_codecs", "encode"): encode}
            if (module, name) in known:
                return known[module, name]
            assert module in ("torch", "torch._utils", "torch.storage"), module
            return lambda *arguments: name
        def persistent_load(self, identifier):
            return "storage"
    state = Reader(zipfile.ZipFile(sys.argv[1]).open("archive/data.pkl")).load()
    print(state)
    """

  @Test(.enabled(if: hasPython, "python3 is not installed"))
  func `Python's pickle finds the nested dictionary`() async throws {
    let values: [Checkpoint.Named] = [
      .init("epoch", .integer(3)), .init("state_dict", .dictionary([])),
      .init(
        "optimizer",
        .dictionary([
          .init("state", .dictionary([.init(.integer(0), .dictionary([]))])),
          .init(
            "param_groups", .list([.dictionary([.init("betas", .tuple([.real(0.9), .null]))])])),
        ])), .init("b", .bytes([0, 255])), .init("list", .list([.tensor, .bool(true)])),
    ]
    let names: [TensorName] = [
      "state_dict.fc.weight", "optimizer.state.0.step", "list.0", "other.bias", "list.5",
    ]
    let entries = try names.map { try Checkpoint.Entry(noise: $0, .float32, [2]) }
    var options = WriteOptions()
    options.nests = true
    let path = folder.file("a.pt")
    try await CheckpointFormat.pytorch.writeFile(
      Checkpoint(entries: entries, values: values), path, options)
    let run = try CommandRun(shell: "python3 -c '\(Self.program)' \(path)")
    let tensor = "'_rebuild_tensor_v2'"
    #expect(
      run.output == "{'epoch': 3, 'state_dict': {'fc.weight': \(tensor)}, 'optimizer': {'state': "
        + "{0: {'step': \(tensor)}}, 'param_groups': [{'betas': (0.9, None)}]}, "
        + "'b': b'\\x00\\xff', 'list': [\(tensor), True], 'other.bias': \(tensor), 'list.5': \(tensor)}\n",
      "\(run.errors)")
  }

  @Test(arguments: [
    ([0, 0, 0, 0, 0, 0, 0, 0, 0x40], "1180591620717411303424"),
    ([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0], "18446744073709551615"),
    ([1, 0, 0, 0, 0, 0, 0, 0, 0xc0], "-1180591620717411303423"),
    ([0, 0, 0, 0, 0, 0, 0, 0, 0xff], "-18446744073709551616"),
  ])
  func `integers of more than 64 bits keep their digits`(bytes: [UInt8], digits: String)
    async throws
  {
    let value = try #require(try values([0x8a, UInt8(bytes.count)] + bytes))
    #expect(value == .opaque("int", [.init("digits", .text(digits))]))
    var options = WriteOptions()
    options.nests = true
    let path = folder.file("large.pt")
    let entries = [try Checkpoint.Entry(noise: "w", .float32, [2])]
    try await CheckpointFormat.pytorch.writeFile(
      Checkpoint(entries: entries, values: [.init("v", value)]), path, options)
    #expect(try CheckpointFormat.pytorch.open(path).checkpoint.value(at: "v") == value)
  }

  @Test func `an integer of any size costs no time`() throws {
    let count = 1 << 20
    let code = [0x8b] + P.little(UInt32(count)) + [UInt8](repeating: 1, count: count)
    #expect(try values(code)?.isUnread == true)
  }

  // MARK: - Hostile pickles

  private func values(_ code: [UInt8]) throws -> Value? {
    let path = try P.archive(
      P.dictionary(("w", P.tensor()), ("v", code)), storages: ["0": 24], in: folder)
    return try CheckpointFormat.pytorch.open(path).checkpoint.value(at: "v")
  }

  @Test func `deep nesting is cut`() throws {
    let depth = 100_000
    let code = [UInt8](repeating: 0x5d, count: depth) + [UInt8](repeating: 0x61, count: depth - 1)
    var value = try values(code)
    var levels = 0
    while case .list(let elements)? = value {
      value = elements.first
      levels += 1
    }
    #expect(levels == Value.maxDepth && value?.isUnread == true)
  }

  @Test func `shared lists do not multiply without limit`() throws {
    // Each list holds the one before it ten times: 10^12 values by their addresses.
    var code: [UInt8] = [0x5d, 0x71, 0]
    for level in UInt8(1)...12 {
      code += [0x30, 0x5d, 0x28]
      for _ in 0..<10 { code += [0x68, level - 1] }
      code += [0x65, 0x71, level]
    }
    #expect(try values(code) != nil)
  }

  @Test func `a list that holds itself is cut`() throws {
    #expect(try values([0x5d, 0x71, 0, 0x68, 0, 0x61]) != nil)
  }

  @Test func `objects are their class and their state, and nothing is called`() throws {
    let folder = try TemporaryFolder()
    let command = "touch \(folder.file("canary"))"
    let call = P.global("os", "system") + P.tuple(P.text(command)) + P.reduce
    #expect(try values(call) == .opaque("os.system", [.init(.integer(0), .text(command))]))
    #expect(try folder.names().isEmpty)
    let state = P.emptyDictionary + P.text("lr") + P.int(1) + [0x73]
    let namespace = P.global("argparse", "Namespace") + P.emptyTuple + [0x81] + state + [0x62]
    #expect(try values(namespace) == .opaque("argparse.Namespace", [.init("lr", .integer(1))]))
    let holder = P.global("a", "Holder") + P.tuple(P.tensor()) + P.reduce
    #expect(try values(holder) == nil)
    #expect(try values(P.global("torch", "float32")) == .opaque("torch.float32", []))
  }
}
