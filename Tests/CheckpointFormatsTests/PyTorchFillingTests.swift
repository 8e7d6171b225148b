import ByteIO
import CheckpointFormats
import TensorCore
import TestSupport
import Testing

/// Copies of files that torch has written, in which some tensors are new.
@Suite struct PyTorchFillingTests {
  static let files = PyTorchReadingTests.files + ["script.pt"]
  /// Files in which tensors share storages.
  private static let viewed = ["views.pt", "legacy.pt"]

  /// A file or a folder as files in memory, some of them changed, and as what is opened.
  private func template(
    _ name: String, changed: [String: [UInt8]] = [:]
  ) throws -> (files: [String: [UInt8]], probe: FileProbe) {
    let found = try FileProbe(path: Fixtures.path("pytorch/" + name))
    var files: [String: [UInt8]] = [:]
    var memory: [String: [UInt8]] = [:]
    for member in found.members ?? [name] {
      let path = found.members == nil ? name : "\(name)/\(member)"
      files[member] = try changed[member] ?? Fixtures.bytes("pytorch/" + path)
      memory[path] = files[member]
    }
    return (files, try FileProbe(name, in: MemoryFiles(memory).place))
  }

  private func renewed(_ entry: Checkpoint.Entry, seed: UInt64) throws -> Checkpoint.Entry {
    try .init(noise: entry.name, entry.info.dtype, entry.info.shape.sizes, seed: seed)
  }

  @Test(arguments: files)
  func `a copy filled with its own tensors is the same to the byte`(name: String) async throws {
    let (files, probe) = try template(name)
    var own: [TensorName: Checkpoint.Entry] = [:]
    for entry in try CheckpointFormat.pytorch.open(probe, OpenOptions()).entries
    where entry.name != "overlapping" {
      own[entry.name] = entry
    }
    for threads in [1, 3] {
      let filled = try await CheckpointFormat.pytorch.filled(probe, with: own, threads: threads)
      #expect(!filled.isEmpty)
      for (file, bytes) in filled { #expect(bytes == files[file], "\(file)") }
    }
  }

  @Test(arguments: files.filter { !viewed.contains($0) })
  func `a tensor is filled, and no other byte but its sums changes`(name: String) async throws {
    let (files, probe) = try template(name)
    let before = try CheckpointFormat.pytorch.open(probe, OpenOptions())
    for (number, entry) in before.entries.enumerated()
    where entry.alias == nil && !Self.numbers.contains(entry.name.parentAndLeaf.leaf) {
      let new = try renewed(entry, seed: UInt64(number + 7))
      let filled = try await CheckpointFormat.pytorch.filled(probe, with: [entry.name: new])
      let after = try CheckpointFormat.pytorch.open(
        template(name, changed: filled).probe, OpenOptions())
      #expect(after.entries.map(\.name) == before.entries.map(\.name))
      #expect(after.notes == before.notes)
      for (old, now) in zip(before.entries, after.entries) {
        let isFilled = old.name == entry.name || old.alias == entry.name
        #expect(try now.allBytes() == (isFilled ? new : old).allBytes(), "\(old.name)")
      }
      for (file, bytes) in filled where name != "deflated.pt" {
        let old = files[file] ?? []
        #expect(bytes.count == old.count)
        let changed = zip(old, bytes).count { $0 != $1 }
        // A sum stands in the local header, the descriptor, and the directory, or in none of them.
        #expect(changed <= entry.info.byteCount + 3 * 4 * filled.count * 2, "\(entry.name)")
      }
      let verify = try #require(CheckpointFormat.pytorch.verify)
      let damage = try await verify(template(name, changed: filled).probe, 2)
      #expect(damage.isEmpty)
    }
  }

  /// Parts of quantized and sparse tensors that are numbers inside the pickle.
  private static let numbers = ["q_scale", "q_zero_point", "q_per_channel_axis", "size"]

  @Test(arguments: [("quantised.pt", "q.q_scale"), ("sparse.pt", "coo.size")])
  func `a number inside the pickle keeps its value or is refused`(
    file: String, name: TensorName
  ) async throws {
    let (_, probe) = try template(file)
    let entries = try CheckpointFormat.pytorch.open(probe, OpenOptions()).entries
    let entry = try #require(entries.first { $0.name == name })
    let new = try renewed(entry, seed: 5)
    let error = await #expect(throws: CheckpointError.self) {
      try await CheckpointFormat.pytorch.filled(probe, with: [name: new])
    }
    #expect(error?.message.hasPrefix("is a number inside the pickle") == true)
    #expect(error?.tensor == name.text)
  }

  /// The elements of `base` in the fixtures' views of it, in their order.
  static let views: [(name: TensorName, elements: [Int])] = [
    ("base", Array(0..<240)), ("tied", Array(0..<240)), ("reshaped", Array(0..<240)),
    ("transposed", (0..<20).flatMap { column in (0..<12).map { $0 * 20 + column } }),
    ("offset", Array(7..<19)), ("stepped", Array(stride(from: 3, to: 200, by: 5))),
    ("expanded", [4, 4, 4, 4, 4, 5, 5, 5, 5, 5]), ("one element", [9]),
    ("overlapping", (0..<4).flatMap { row in (0..<6).map { row * 3 + $0 + 2 } }),
    ("nothing", []),
  ]

  private func elements(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    stride(from: 0, to: bytes.count, by: 4).map { bytes[$0..<$0 + 4] }
  }

  @Test(arguments: viewed, views.map(\.name).filter { $0 != "overlapping" })
  func `a view is filled where its elements are`(file: String, name: TensorName) async throws {
    let (_, probe) = try template(file)
    let before = try CheckpointFormat.pytorch.open(probe, OpenOptions()).entries
    let entry = try #require(before.first { $0.name == name })
    let indices = try #require(Self.views.first { $0.name == name }).elements
    var content = elements(noise(indices.count * 4, seed: 3))
    if name == "expanded" { content = content.indices.map { content[$0 / 5 * 5] } }
    let new = try Checkpoint.Entry(
      memory: name, entry.info.dtype, entry.info.shape.sizes, Array(content.joined()))
    var base = elements(try #require(before.first { $0.name == "base" }).allBytes())
    for (element, index) in zip(content, indices) { base[index] = element }
    let filled = try await CheckpointFormat.pytorch.filled(probe, with: [name: new])
    let after = try CheckpointFormat.pytorch.open(
      template(file, changed: filled).probe, OpenOptions())
    for (old, now) in zip(before, after.entries) {
      let view = Self.views.first { $0.name == old.name }
      let expected: [UInt8] =
        if let view { view.elements.flatMap { Array(base[$0]) } } else { try old.allBytes() }
      #expect(try now.allBytes() == expected, "\(old.name)")
    }
  }

  @Test(
    arguments: viewed,
    ["channels last", "permuted", "pairs", "conjugate transposed", "bytes", "doubles"])
  func `a permuted or conjugated view reads as it was filled`(
    file: String, name: TensorName
  ) async throws {
    let (_, probe) = try template(file)
    let before = try CheckpointFormat.pytorch.open(probe, OpenOptions()).entries
    let new = try renewed(try #require(before.first { $0.name == name }), seed: 5)
    let filled = try await CheckpointFormat.pytorch.filled(probe, with: [name: new])
    let after = try CheckpointFormat.pytorch.open(
      template(file, changed: filled).probe, OpenOptions())
    let changed = try zip(before, after.entries).filter { try $0.allBytes() != $1.allBytes() }
    let family: [TensorName: [TensorName]] = [
      "permuted": ["image", "permuted"],
      "pairs": ["pairs", "conjugate", "conjugate transposed"],
      "conjugate transposed": ["pairs", "conjugate", "conjugate transposed"],
    ]
    #expect(changed.map(\.0.name) == family[name] ?? [name])
    let read = try #require(after.entries.first { $0.name == name })
    #expect(try read.allBytes() == new.allBytes())
  }

  @Test func `tensors that share bytes are filled together when they agree`() async throws {
    let (_, probe) = try template("views.pt")
    let entries = try CheckpointFormat.pytorch.open(probe, OpenOptions()).entries
    let base = elements(noise(240 * 4, seed: 6))
    var new: [TensorName: Checkpoint.Entry] = [:]
    for (name, indices) in Self.views where name != "overlapping" {
      let entry = try #require(entries.first { $0.name == name })
      new[name] = try .init(
        memory: name, entry.info.dtype, entry.info.shape.sizes, indices.flatMap { Array(base[$0]) })
    }
    let filled = try await CheckpointFormat.pytorch.filled(probe, with: new)
    let after = try CheckpointFormat.pytorch.open(
      template("views.pt", changed: filled).probe, OpenOptions())
    for (name, entry) in new {
      #expect(
        try after.entries.first { $0.name == name }?.allBytes() == entry.allBytes(), "\(name)")
    }
    // One that does not agree is named.
    let stepped = try #require(entries.first { $0.name == "stepped" })
    new["stepped"] = try renewed(stepped, seed: 8)
    let error = await #expect(throws: CheckpointError.self) {
      try await CheckpointFormat.pytorch.filled(probe, with: new)
    }
    #expect(error?.code == .mismatched && error?.tensor != nil)
    #expect(error?.message.hasPrefix("shares bytes with '") == true)
  }

  @Test(arguments: [
    ("expanded", "is an expanded view, whose elements share bytes, but not all get the same value"),
    ("overlapping", "is a view whose elements overlap, so that it cannot be filled"),
  ])
  func `a view that shares bytes with itself is refused`(
    name: TensorName, message: String
  ) async throws {
    let (_, probe) = try template("views.pt")
    let entries = try CheckpointFormat.pytorch.open(probe, OpenOptions()).entries
    let new = try renewed(try #require(entries.first { $0.name == name }), seed: 5)
    let error = await #expect(throws: CheckpointError.self) {
      try await CheckpointFormat.pytorch.filled(probe, with: [name: new])
    }
    #expect(error?.message == message && error?.tensor == name.text)
    #expect(error?.path?.hasSuffix("views.pt") == true)
  }

  @Test func `tensors that change along with a filled one are named`() throws {
    func losses(_ file: String, _ name: TensorName) throws -> [String] {
      let (_, probe) = try template(file)
      let entries = try CheckpointFormat.pytorch.open(probe, OpenOptions()).entries
      let entry = try #require(entries.first { $0.name == name })
      let fill = try #require(CheckpointFormat.pytorch.fill)
      return try fill(Fill(template: probe, tensors: [name: entry])).losses
    }
    #expect(
      try losses("views.pt", "permuted") == [
        "tensor 'image' shares its storage with filled ones and may change with them"
      ])
    #expect(
      try losses("views.pt", "pairs") == [
        "2 tensors share their storages with filled ones and may change with them, first 'conjugate'"
      ])
    #expect(try losses("trainer.ckpt", "second.2.weight").isEmpty)
  }

  @Test(arguments: ["trainer.ckpt", "dtypes.pt", "nosums.pt", "deflated.pt", "script.pt"])
  func `recorded texts go to a member of their own`(name: String) async throws {
    let (files, probe) = try template(name)
    let old = try ZipArchive(ByteSource(files[name] ?? [], name: name), zeroMeansNoSum: true)
    var bytes = files
    for length in [10, 4000, 5, 4100, 4100] {
      let text = String(repeating: "x", count: length)
      bytes = try await CheckpointFormat.pytorch.filled(
        template(name, changed: bytes).probe, with: [:],
        metadata: [Checkpoint.recipeKey: text, Checkpoint.provenanceKey: "[]"])
      let opened = try CheckpointFormat.pytorch.open(
        template(name, changed: bytes).probe, OpenOptions())
      #expect(opened.metadata[Checkpoint.recipeKey] == text)
      #expect(opened.metadata[Checkpoint.provenanceKey] == "[]")
      let archive = try ZipArchive(ByteSource(bytes[name] ?? [], name: name), zeroMeansNoSum: true)
      #expect(archive.members.dropLast().map(\.name) == old.members.map(\.name))
      #expect(archive.members.last?.name.text.hasSuffix("/ckpt.json") == true)
      for (before, after) in zip(old.members, archive.members) {
        #expect(after.dataOffset == before.dataOffset && after.crc32 == before.crc32)
        #expect(
          try archive.bytes(after, limit: 1 << 20) == old.bytes(before, limit: 1 << 20))
      }
    }
    // Without texts there is no new member.
    let again = try await CheckpointFormat.pytorch.filled(probe, with: [:])
    #expect(again == files)
  }

  @Test func `texts that are there stay, and data after them stay aligned`() async throws {
    let entries = [try Checkpoint.Entry(noise: "w", .float32, [1000])]
    let checkpoint = Checkpoint(
      entries: entries, modules: [ModuleLabel(path: "", kind: "Net", arguments: "")],
      metadata: ["mine": "kept", Checkpoint.recipeKey: "{}"])
    var bytes = try await CheckpointFormat.pytorch.bytes(of: checkpoint)
    for length in [1, 100, 5000, 3] {
      let text = String(repeating: "x", count: length)
      let probe = try FileProbe("a.pt", in: MemoryFiles(["a.pt": bytes]).place)
      let filled = try await CheckpointFormat.pytorch.filled(
        probe, with: [:], metadata: [Checkpoint.recipeKey: text])
      bytes = try #require(filled["a.pt"])
      let archive = try ZipArchive(ByteSource(bytes, name: "a.pt"))
      let data = try #require(archive.member(named: "archive/data/0"))
      #expect(data.dataOffset % 64 == 0)
      let opened = try CheckpointFormat.pytorch.open(
        FileProbe("a.pt", in: MemoryFiles(["a.pt": bytes]).place), OpenOptions())
      #expect(opened.metadata == ["mine": "kept", Checkpoint.recipeKey: text])
      #expect(opened.modules == checkpoint.modules)
      #expect(try opened.entries[0].allBytes() == entries[0].allBytes())
    }
  }

  @Test(arguments: [
    ("legacy.pt", "legacy PyTorch files have"), ("old.tar.pt", "legacy PyTorch files have"),
    ("distributed", "distributed checkpoints have"),
  ])
  func `files without room for texts say so`(name: String, what: String) throws {
    let (_, probe) = try template(name)
    var fill = Fill(template: probe, tensors: [:])
    fill.metadata = [Checkpoint.recipeKey: "{}", Checkpoint.provenanceKey: "[]"]
    let decide = try #require(CheckpointFormat.pytorch.fill)
    #expect(try decide(fill).losses == ["\(what) no room for provenance and recipe"])
  }

  @Test func `only the affected file of several gets new bytes`() async throws {
    var files: [String: [UInt8]] = [:]
    for (file, name) in [("m-1.bin", "a"), ("m-2.bin", "b")] {
      let entry = try Checkpoint.Entry(noise: TensorName(name), .float32, [5])
      files[file] = try await CheckpointFormat.pytorch.bytes(of: Checkpoint(entries: [entry]))
    }
    let index = #"{"metadata": {"total_size": 40}, "weight_map": {"a": "m-1.bin", "b": "m-2.bin"}}"#
    files["m.bin.index.json"] = Array(index.utf8)
    let probe = try FileProbe("m.bin.index.json", in: MemoryFiles(files).place)
    let new = try Checkpoint.Entry(noise: "b", .float32, [5], seed: 9)
    let filled = try await CheckpointFormat.pytorch.filled(probe, with: ["b": new])
    #expect(Array(filled.keys) == ["m-2.bin"])
    let named = try await CheckpointFormat.pytorch.filled(
      probe, with: ["b": new], metadata: [Checkpoint.recipeKey: "{}"])
    #expect(named.keys.sorted() == ["m-2.bin", "m.bin.index.json"])
    #expect(named["m-2.bin"] == filled["m-2.bin"])
    let after = try CheckpointFormat.pytorch.open(
      FileProbe(
        "m.bin.index.json", in: MemoryFiles(files.merging(filled) { _, new in new }).place),
      OpenOptions())
    #expect(try after.entries.first { $0.name == "b" }?.allBytes() == new.allBytes())
  }

  @Test(arguments: ["pytorch/views.pt", "numpy/types.npz"])
  func `damage in what is kept of a member is not covered by a new sum`(name: String) async throws {
    var bytes = try Fixtures.bytes(name)
    let file = String(name.split(separator: "/")[1])
    let archive = try ZipArchive(ByteSource(bytes, name: file))
    let member = try #require(
      archive.member(named: name.hasSuffix("npz") ? "float32.npy" : "views/data/0")
        ?? archive.members.first { $0.size > 100 && $0.name.text.contains("data/0") })
    bytes[member.dataOffset + member.size - 1] ^= 1
    let probe = try FileProbe(file, in: MemoryFiles([file: bytes]).place)
    let format = try #require(CheckpointFormat.recognized(probe))
    let entries = try format.open(probe, OpenOptions()).entries
    let tensor: TensorName = name.hasSuffix("npz") ? "float32" : "offset"
    let new = try renewed(try #require(entries.first { $0.name == tensor }), seed: 1)
    let error = await #expect(throws: CheckpointError.self) {
      try await format.filled(probe, with: [tensor: new])
    }
    #expect(error?.message.contains("expected CRC-32") == true, "\(String(describing: error))")
  }
}
