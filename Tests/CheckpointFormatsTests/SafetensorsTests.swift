import ByteIO
import CheckpointFormats
import ParallelWork
import TensorCore
import TestSupport
import Testing

@Suite struct SafetensorsTests {
  static let goldens = Result {
    try Fixtures.cases("safetensors/manifest.json", as: Golden.self)
  }
  let folder: TemporaryFolder
  let format = CheckpointFormat.safetensors

  init() throws { folder = try TemporaryFolder() }

  private func write(_ checkpoint: Checkpoint, as name: String = "a") async throws -> String {
    let path = folder.file(name + ".safetensors")
    try await format.writeFile(checkpoint, path, WriteOptions())
    return path
  }

  /// The header of a file that was written, without its padding.
  private func header(_ name: String = "a") throws -> String {
    let bytes = try folder.bytes(of: name + ".safetensors")
    let length = Int(bytes.littleEndian(UInt64.self, at: 0))
    #expect(length % 8 == 0)
    let text = String(decoding: bytes[8..<8 + length], as: UTF8.self)
    return String(text.reversed().drop { $0 == " " }.reversed())
  }

  @Test(arguments: try goldens.get())
  func `what the reference packages wrote is read, bit for bit and in order`(
    golden: Golden
  ) throws {
    let path = Fixtures.path("safetensors/" + golden.file)
    #expect(CheckpointFormat.recognized(try FileProbe(path: path))?.name == "safetensors")
    let checkpoint = try format.open(path)
    #expect(try Golden.tensors(of: checkpoint) == golden.tensors)
    #expect(checkpoint.metadata == golden.metadata)
    #expect(checkpoint.notes == golden.notes)
    #expect(checkpoint.modules.isEmpty && checkpoint.entries.allSatisfy { $0.alias == nil })
  }

  @Test(arguments: ["dtypes", "none"])
  func `what the reference writer wrote is written again, byte for byte`(
    _ name: String
  ) async throws {
    let path = Fixtures.path("safetensors/\(name).safetensors")
    let read = try format.open(path)
    // The reference writer adds no mark by itself.
    if name == "none" { return #expect(read.entries.isEmpty) }
    // Without the fingerprint, which the reference writer does not know.
    #expect(
      try await format.pipedBytes(of: read.checkpoint)
        == Fixtures.bytes("safetensors/\(name).safetensors"))
  }

  @Test func `data are ordered as by the reference writer, the header as the tensors`() async throws
  {
    let entries = [
      try Checkpoint.Entry(noise: "z", .bfloat16, [3]),
      try Checkpoint.Entry(noise: "step", .int64, []),
      try Checkpoint.Entry(noise: "a", .float32, [2]),
      try Checkpoint.Entry(noise: "B", .float32, [0, 2]),
    ]
    let path = try await write(Checkpoint(entries: entries, metadata: ["é": "1", "a": "2"]))
    let fingerprint = try #require(try format.open(path).fingerprints.first?.text)
    #expect(
      try header()
        == #"{"__metadata__":{"a":"2","ckpt.fingerprint":"\#(fingerprint)","format":"pt","é":"1"},"#
        + #""z":{"dtype":"BF16","shape":[3],"data_offsets":[16,22]},"#
        + #""step":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"#
        + #""a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},"#
        + #""B":{"dtype":"F32","shape":[0,2],"data_offsets":[8,8]}}"#)
    #expect(try format.open(path).entries.map(\.name) == ["z", "step", "a", "B"])
  }

  @Test func `tied tensors are written out for every reader and tied again by ours`() async throws {
    let entries = [
      try Checkpoint.Entry(noise: "embed", .float32, [4, 3]),
      try Checkpoint.Entry(noise: "head", .float32, [4, 3], alias: "embed"),
      try Checkpoint.Entry(noise: "flat", .float32, [12], alias: "embed"),
    ]
    let path = try await write(Checkpoint(entries: entries))
    #expect(try header().contains(#""ckpt.ties":"{\"head\":\"embed\"}""#))
    let read = try format.open(path)
    #expect(read.entries.map(\.alias) == [nil, "embed", nil])
    #expect(read.metadata.isEmpty && read.notes.isEmpty)
    var bytes = try folder.bytes(of: "a.safetensors")
    bytes[bytes.count - 5] ^= 1
    var changed = try format.open(folder.write(bytes, to: "b.safetensors"))
    #expect(changed.entries.map(\.alias) == [nil, "embed", nil], "a claim; nothing was read")
    try changed.confirmTies()
    #expect(changed.entries.map(\.alias) == [nil, nil, nil])
    #expect(
      changed.notes == ["tensor 'head' was tied to 'embed' but now differs from it"])
  }

  @Test func `a format that says another framework is kept`() async throws {
    let entry = try Checkpoint.Entry(noise: "t", .int8, [3])
    let path = try await write(Checkpoint(entries: [entry], metadata: ["format": "flax"]))
    #expect(try header().contains(#""format":"flax""#))
    #expect(try format.open(path).metadata == ["format": "flax"])
  }

  @Test func `what the format cannot hold is refused before anything is written`() async throws {
    let name = try Checkpoint.Entry(noise: "__metadata__", .int8, [3])
    let type = try Checkpoint.Entry(noise: "t", .complex128, [3])
    let twice = try ["t", "t"].map { try Checkpoint.Entry(noise: $0, .int8, [3]) }
    for (entries, message) in [
      ([name], "tensor '__metadata__': safetensors reserves this name for its metadata"),
      ([type], "tensor 't': safetensors has no element type C128"),
      (twice, "tensor 't': two tensors have this name"),
    ] {
      let error = await #expect(throws: CheckpointError.self) {
        try await write(Checkpoint(entries: entries))
      }
      #expect(error?.description == message)
      #expect(try folder.names().isEmpty)
    }
  }

  // MARK: - Several files

  /// A folder with an index of these lines and a file `a.safetensors` of the tensors `x` and `y`.
  private func index(_ text: String, name: String = "model.safetensors.index.json") async throws
    -> String
  {
    _ = try? folder.remove("a.safetensors")
    _ = try await write(
      Checkpoint(entries: [
        try .init(noise: "x", .int8, [3]), try .init(noise: "y", .int8, [2]),
      ]))
    return try folder.write(Array(text.utf8), to: name)
  }

  @Test func `tensors come in the order of the index, others after them`() async throws {
    let path = try await index(#"{"weight_map":{"y":"a.safetensors"},"metadata":{"k":"v"}}"#)
    for path in [path, folder.path, folder.path + "/"] {
      let read = try format.open(path)
      #expect(read.entries.map(\.name) == ["y", "x"])
      #expect(read.metadata == ["k": "v"])
      #expect(read.notes == ["1 tensor of 'a.safetensors' is not in the index: 'x'"])
    }
    let other = try await index(#"{"weight_map":{"y":"a.safetensors"}}"#, name: "renamed")
    #expect(CheckpointFormat.recognized(try FileProbe(path: other))?.name == "safetensors")
  }

  @Test(arguments: [
    (#"{"weight_map":{"x":"b.safetensors"}}"#, "file 'b.safetensors': No such file or directory"),
    (
      #"{"weight_map":{"z":"a.safetensors"}}"#,
      "tensor 'z': is missing from 'a.safetensors', where the"
    ),
    (
      #"{"weight_map":{"x":"../a.safetensors"}}"#,
      "tensor 'x' at byte 19: expected the name of a file beside the index, found '../a.safetensors'"
    ),
    (
      #"{"weight_map":{"x":"/etc/passwd"}}"#,
      "tensor 'x' at byte 19: expected the name of a file beside the index, found '/etc/passwd'"
    ),
    (
      #"{"weight_map":{"x":""}}"#,
      "tensor 'x' at byte 19: expected the name of a file beside the index, found ''"
    ),
    (#"{"weight_map":{"x":1}}"#, "at byte 19: expected a string, found '1}}'"),
    (#"{"weight_map":{"x":"a.safetensors","x":"a"}}"#, "at byte 35: duplicate key 'x'"),
    (#"{"weight_map":[]}"#, "at byte 14: expected an object, found '[]}'"),
    (#"{"metadata":{}}"#, "expected a weight_map"),
    (#"{"weight_map":{}"#, "at byte 16: expected ',' or '}', found the end"),
  ])
  func `an index that does not match its files is refused`(
    _ text: String, _ expected: String
  ) async throws {
    let path = try await index(text)
    let error = #expect(throws: CheckpointError.self) { try format.open(path) }
    #expect(
      error?.description.hasPrefix("\(path): \(expected)") == true, "\(error.debugDescription)")
  }

  @Test func `a file that two indexes or no index explains is refused`() async throws {
    _ = try await write(Checkpoint(entries: []), as: "a")
    _ = try await write(Checkpoint(entries: []), as: "b")
    #expect(throws: CheckpointError.self) { try format.open(folder.path) }
    _ = try await index("{}", name: "a.safetensors.index.json")
    _ = try await index("{}", name: "b.safetensors.index.json")
    let error = #expect(throws: CheckpointError.self) { try format.open(folder.path) }
    #expect(
      error?.message
        == "is a folder of 2 .safetensors files and 2 indexes; name one of them")
  }
}
