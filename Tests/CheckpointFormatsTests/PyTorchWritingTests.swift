import ByteIO
import CheckpointFormats
import TensorCore
import TestSupport
import Testing

/// What is written is read by Python's own zipfile and pickle, as torch.load reads it.
@Suite struct PyTorchWritingTests {
  static let hasPython = (try? CommandRun(shell: "python3 -c ''"))?.status == 0
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// `torch.load` in small: an unpickler that knows what `weights_only=True` allows and no more.
  private static let program = """
    import collections, hashlib, pickle, sys, zipfile
    archive = zipfile.ZipFile(sys.argv[1])
    assert archive.testzip() is None
    assert all(i.compress_type == 0 and i.date_time == (1980, 1, 1, 0, 0, 0) for i in archive.infolist())
    for i in archive.infolist():
        archive.fp.seek(i.header_offset + 26)
        name, extra = (int.from_bytes(archive.fp.read(2), "little") for _ in range(2))
        assert (i.header_offset + 30 + name + extra) % 64 == 0
    class Named:
        def __init__(self, module, name):
            self.name = module + "." + name
        def __call__(self, *arguments):
            return (self.name, *arguments)
    class Reader(pickle.Unpickler):
        def find_class(self, module, name):
            if (module, name) == ("collections", "OrderedDict"):
                return collections.OrderedDict
            assert module in ("torch", "torch._utils", "torch.storage"), module
            return Named(module, name)
        def persistent_load(self, identifier):
            kind, cls, key, location, count = identifier
            assert (kind, location) == ("storage", "cpu")
            return key, cls.name, count
    assert archive.read("archive/version") == b"3\\n" and archive.read("archive/byteorder") == b"little"
    state = Reader(archive.open("archive/data.pkl")).load()
    assert type(state) is collections.OrderedDict
    for name, call in state.items():
        (key, cls, count), offset, size, stride, grad, hooks = call[1:7]
        assert offset == 0 and grad is False and hooks == collections.OrderedDict()
        data = archive.read("archive/data/" + key)
        dtype = call[7].name if len(call) > 7 else ""
        print(name, call[0].split(".")[-1], key, cls, count, list(size), list(stride), dtype, hashlib.sha256(data).hexdigest())
    print({k: v["version"] for k, v in state._metadata.items()})
    """

  @Test(.enabled(if: hasPython, "python3 is not installed"))
  func `Python's pickle finds tensors, ties and versions`() async throws {
    let entries = [
      try Checkpoint.Entry(noise: "net.0.weight", .float32, [3, 2]),
      try Checkpoint.Entry(noise: "net.1.num_batches_tracked", .int64, [], seed: 2),
      try Checkpoint.Entry(noise: "tied", .float32, [3, 2], alias: "net.0.weight"),
      try Checkpoint.Entry(noise: "small", .float8e4m3, [4], seed: 3),
      try Checkpoint.Entry(noise: "empty", .bfloat16, [2, 0]),
    ]
    let path = folder.file("a.pt")
    try await CheckpointFormat.pytorch.writeFile(
      Checkpoint(entries: entries, metadata: ["recipe": "{}"]), path, WriteOptions())
    let program = CommandRun.quoted(Self.program)
    let run = try CommandRun(shell: "python3 -c \(program) \(CommandRun.quoted(path))")
    let sums = try entries.map { Digest(of: try $0.allBytes()) }
    #expect(
      run.lines == [
        "net.0.weight _rebuild_tensor_v2 0 torch.FloatStorage 6 [3, 2] [2, 1]  \(sums[0])",
        "net.1.num_batches_tracked _rebuild_tensor_v2 1 torch.LongStorage 1 [] []  \(sums[1])",
        "tied _rebuild_tensor_v2 0 torch.FloatStorage 6 [3, 2] [2, 1]  \(sums[0])",
        "small _rebuild_tensor_v3 2 torch.storage.UntypedStorage 4 [4] [1] torch.float8_e4m3fn"
          + " \(sums[3])",
        "empty _rebuild_tensor_v2 3 torch.BFloat16Storage 0 [2, 0] [1, 1]  \(sums[4])",
        "{'': 1, 'net': 1, 'net.0': 1, 'net.1': 2}",
      ], "\(run.errors)")
  }

  @Test func `more tensors than are set at once`() async throws {
    let entries = try (0..<2003).map {
      try Checkpoint.Entry(memory: TensorName("m\($0).w"), .uint8, [1], [UInt8($0 % 256)])
    }
    let path = folder.file("a.pt")
    try await CheckpointFormat.pytorch.writeFile(Checkpoint(entries: entries), path, WriteOptions())
    let read = try CheckpointFormat.pytorch.open(path).entries
    #expect(read.map(\.name) == entries.map(\.name))
    for (entry, original) in zip(read, entries) {
      #expect(try entry.allBytes() == original.allBytes())
    }
  }

  @Test func `an odd number of 4-bit elements in a row is refused`() async throws {
    let entry = try Checkpoint.Entry(noise: "t", .float4e2m1, [2, 3])
    let error = await #expect(throws: CheckpointError.self) {
      try await CheckpointFormat.pytorch.writeFile(
        Checkpoint(entries: [entry]), folder.file("a.pt"), WriteOptions())
    }
    #expect(error?.code == .unsupported && error?.tensor == "t")
  }

  @Test func `an index of several files is read as one`() async throws {
    let parts = [["a", "b"], ["c"]]
    var map: [String] = []
    for (number, names) in parts.enumerated() {
      let file = "pytorch_model-0000\(number + 1)-of-00002.bin"
      let entries = try names.map { try Checkpoint.Entry(noise: TensorName($0), .float32, [3]) }
      try await CheckpointFormat.pytorch.writeFile(
        Checkpoint(entries: entries), folder.file(file), WriteOptions())
      map += names.map { "\"\($0)\": \"\(file)\"" }
    }
    let index =
      "{\"metadata\": {\"total_size\": 36}, \"weight_map\": {\(map.joined(separator: ", "))}}"
    let path = try folder.write(Array(index.utf8), to: "pytorch_model.bin.index.json")
    for path in [path, folder.path] {
      let candidate = try FileProbe(path: path)
      #expect(CheckpointFormat.recognized(candidate)?.name == "pytorch")
      let checkpoint = try CheckpointFormat.pytorch.open(path)
      #expect(checkpoint.entries.map(\.name) == ["a", "b", "c"])
      for entry in checkpoint.entries { #expect(try entry.allBytes() == noise(12, seed: 1)) }
      let verify = try #require(CheckpointFormat.pytorch.verify)
      #expect(try await verify(FileProbe(path: path), 2).isEmpty)
    }
  }
}
