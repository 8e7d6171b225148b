import ByteIO
import CheckpointFormats
import HDF5Oracle
import TensorCore
import TestSupport
import Testing

/// Values of formats that keep them outside the tensors' dictionary: attributes, arrays, indexes.
@Suite struct ReadValuesTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `a distributed checkpoint has the values of its own archives`() throws {
    let opened = try CheckpointFormat.pytorch.open(Fixtures.path("pytorch/distributed"))
    #expect(opened.checkpoint.value(at: "epoch") == .integer(3))
    #expect(!opened.notes.contains { $0.contains("skipped") })
  }

  @Test func `attributes of groups and datasets stay where they are`() async throws {
    let entries = [
      try Checkpoint.Entry(noise: "enc.w", .float32, [2, 3]),
      try Checkpoint.Entry(noise: "tied", .float32, [2, 3], alias: "enc.w"),
    ]
    let values: [Checkpoint.Named] = [
      .init("enc.w@scale", .list([.real(0.5), .real(2)])), .init("enc.w@dtype", .text("mine")),
      .init("enc@kind", .text("conv")), .init("format", .integer(2)),
      .init("gone@units", .text("m")), .init("@", .bool(true)),
    ]
    let path = folder.file("a.h5")
    try await CheckpointFormat.hdf5.writeFile(Checkpoint(entries: entries, values: values), path)
    let opened = try CheckpointFormat.hdf5.open(path)
    #expect(opened.modules.isEmpty)
    let sorted = opened.checkpoint.values.sorted { TensorName($0.name) < TensorName($1.name) }
    #expect(sorted == values.sorted { TensorName($0.name) < TensorName($1.name) })
    // They are HDF5's own attributes, not text: another reader of the file finds them.
    let facts = try LibraryContent(path: path).facts
    #expect(facts.keys.contains { $0.hasSuffix("@scale") })
    #expect(opened.checkpoint.value(at: Checkpoint.recipeKey) == nil)
  }

  @Test func `an index keeps typed metadata`() async throws {
    let entry = try Checkpoint.Entry(noise: "w", .float32, [2])
    try await CheckpointFormat.safetensors.writeFile(
      Checkpoint(entries: [entry]), folder.file("a.safetensors"))
    let index =
      #"{"metadata":{"total_size":8,"epoch":3,"tags":["a"]},"weight_map":{"w":"a.safetensors"}}"#
    let path = try folder.write(Array(index.utf8), to: "model.safetensors.index.json")
    let opened = try CheckpointFormat.safetensors.open(path)
    #expect(
      opened.checkpoint.values == [.init("epoch", .integer(3)), .init("tags", .list([.text("a")]))])
    #expect(opened.notes.isEmpty)
  }

  /// An array as `numpy.save` stores it.
  private static func array(_ type: String, _ shape: String, _ elements: [UInt8]) -> [UInt8] {
    let header = "{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }\n"
    return [0x93] + Array("NUMPY\u{1}\u{0}".utf8) + [UInt8(header.utf8.count), 0]
      + Array(header.utf8) + elements
  }

  private func npz(_ array: [UInt8]) throws -> Opened {
    let archive = try MemoryFiles.archive([
      ("w.npy", Self.array("<f4", "(1,)", [0, 0, 0, 0])), ("v.npy", array),
    ])
    return try CheckpointFormat.npz.open(folder.write(archive, to: "a.npz"))
  }

  @Test func `arrays of strings are values`() throws {
    let wide: [UInt8] = [0x61, 0, 0, 0, 0, 0, 0, 0, 0xe9, 0, 0, 0, 0x62, 0, 0, 0]
    let texts = try npz(Self.array("<U2", "(2,)", wide))
    #expect(texts.checkpoint.value(at: "v") == .list([.text("a"), .text("éb")]))
    #expect(texts.entries.map(\.name) == ["w"])
    let single = try npz(Self.array("|S3", "()", [0x61, 0x62, 0]))
    #expect(single.checkpoint.value(at: "v") == .text("ab"))
    let bytes = try npz(Self.array("|S2", "(1, 1)", [0xff, 0x61]))
    #expect(bytes.checkpoint.value(at: "v") == .list([.list([.bytes([0xff, 0x61])])]))
    #expect(try npz(Self.array("|O", "()", [])).checkpoint.value(at: "v")?.isUnread == true)
  }

  @Test func `an array of strings that is cut, or claims too much, is refused or left unread`()
    throws
  {
    for array in [
      Self.array("<U2", "(2,)", [0]), Self.array("<U1048576", "(9223372036854775807,)", [0]),
      Array("junk".utf8), Array(Self.array("<f4", "(2,)", []).prefix(20)),
      Self.array("<f4", "(2,)", [0, 0, 0, 0]),
    ] {
      let damaged = try npz(array)
      #expect(damaged.entries.map(\.name) == ["w"])
      #expect(damaged.checkpoint.leftOut["v"]?.hasPrefix("is damaged: ") == true)
    }
    let empty = try npz(Self.array("<U0", "(9000000000,)", []))
    #expect(empty.checkpoint.value(at: "v")?.isUnread == true)
  }

  @Test func `a damaged member that may be an array is not taken for another file`() throws {
    var bytes = try Fixtures.bytes("pickles/bare-packed.npz")
    // The compressed data of the member `w`: its header is at byte 46, and 30 bytes long, a name of one
    // byte and no extra fields follow.
    bytes[46 + 31] = 0xff
    let opened = try CheckpointFormat.npz.open(try folder.write(bytes, to: "bare.npz"))
    #expect(opened.checkpoint.leftOut["w"]?.hasPrefix("is damaged: ") == true)
    #expect(opened.entries.map(\.name) == ["w.npy"])
    #expect(!opened.notes.contains { $0.contains("member 'w' is not an array") })
  }

  @Test func `a vocabulary beyond the limit is left unread, and the tensors are not`() async throws
  {
    let entry = try Checkpoint.Entry(noise: "w", .float32, [2])
    let numbers = Value.list([Value](repeating: .bool(true), count: 3_000_001))
    let path = folder.file("a.gguf")
    try await CheckpointFormat.gguf.writeFile(
      Checkpoint(entries: [entry], values: [.init("many", numbers)]), path)
    let opened = try CheckpointFormat.gguf.open(path)
    #expect(opened.entries.count == 1)
    #expect(opened.checkpoint.value(at: "many")?.isUnread == true)
    let lifted = try Budget.$current.withValue(.unlimited) { try CheckpointFormat.gguf.open(path) }
    #expect(lifted.checkpoint.value(at: "many") == numbers)
  }
}
