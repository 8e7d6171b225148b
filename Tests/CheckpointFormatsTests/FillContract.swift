import ByteIO
import CheckpointFormats
import TensorCore
import TestSupport
import Testing

/// What every format of ``CheckpointFormat/all`` that can be written and filled must hold: a filled copy
/// has new bytes for the tensors that were asked for, and everything else of the file.
@Suite struct FillContract {
  static let formats = CheckpointFormat.all.filter {
    $0.write != nil && $0.fill != nil && !$0.capabilities.holdsOneTensor
  }

  /// Tensors of all sizes, tied ones, one without elements, a module tree, and texts.
  private func checkpoint() throws -> Checkpoint {
    var checkpoint = Checkpoint(
      entries: [
        try .init(noise: "embed.weight", .float32, [300, 1000]),
        try .init(noise: "layer.weight", .float32, [7, 5], seed: 2),
        try .init(noise: "layer.bias", .float16, [7], seed: 3),
        try .init(noise: "empty", .float32, [0, 4]),
        try .init(noise: "count", .int64, [1], seed: 4),
        try .init(noise: "twin", .float32, [7, 5], seed: 2),
        try .init(noise: "head.weight", .float32, [300, 1000], alias: "embed.weight"),
      ],
      modules: [
        ModuleLabel(path: "", kind: "Net", arguments: ""),
        ModuleLabel(path: "layer", kind: "Linear", arguments: "in_features=5, out_features=7"),
      ], metadata: ["note": "kept \u{e9}", Checkpoint.recipeKey: "{}"])
    checkpoint.values += [
      .init("epoch", .integer(3)), .init("lr", .real(0.1)), .init("done", .bool(true)),
      .init("names", .list([.text("a"), .text("b")])),
      .init("optimizer", .dictionary([.init("betas", .list([.real(0.9), .real(0.999)]))])),
    ]
    return checkpoint
  }

  private func probe(_ bytes: [UInt8], _ format: CheckpointFormat) throws -> FileProbe {
    let name = "a" + format.extensions[0]
    return try FileProbe(name, in: MemoryFiles([name: bytes]).place)
  }

  private func filled(
    _ bytes: [UInt8], _ format: CheckpointFormat, _ tensors: [Checkpoint.Entry],
    metadata: [String: String] = [:], threads: Int = 2
  ) async throws -> [UInt8] {
    let template = try probe(bytes, format)
    let names = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0) })
    let files = try await format.filled(
      template, with: names, metadata: metadata, threads: threads)
    #expect(Array(files.keys) == [template.name])
    return files[template.name] ?? []
  }

  @Test(arguments: formats)
  func `only the tensors that were asked for are new`(_ format: CheckpointFormat) async throws {
    let original = try checkpoint()
    let bytes = try await format.bytes(of: original)
    let new = [
      try Checkpoint.Entry(noise: "layer.weight", .float32, [7, 5], seed: 20),
      try Checkpoint.Entry(noise: "layer.bias", .float16, [7], seed: 21),
    ]
    let copy = try await filled(bytes, format, new)
    let (before, after) = (
      try format.open(try probe(bytes, format), OpenOptions()),
      try format.open(try probe(copy, format), OpenOptions())
    )
    #expect(after.entries.map(\.name) == before.entries.map(\.name))
    #expect(after.entries.map(\.info) == before.entries.map(\.info))
    #expect(after.entries.map(\.alias) == before.entries.map(\.alias))
    #expect(after.modules == before.modules)
    #expect(after.checkpoint.values == before.checkpoint.values)
    if !format.capabilities.values.isEmpty {
      #expect(after.checkpoint.value(at: "epoch") == .integer(3))
    }
    #expect(after.notes == before.notes)
    for (old, now) in zip(before.entries, after.entries) {
      let wanted = try (new.first { $0.name == old.name } ?? old).allBytes()
      #expect(try now.allBytes() == wanted, "\(old.name)")
    }
    if let verify = format.verify {
      #expect(try await verify(try probe(copy, format), 2).isEmpty)
    }
  }

  @Test(arguments: formats)
  func `a copy filled with its own tensors is the same to the byte`(
    _ format: CheckpointFormat
  ) async throws {
    let bytes = try await format.bytes(of: try checkpoint())
    let own = try format.open(try probe(bytes, format), OpenOptions()).entries
    for threads in [1, 3] {
      let copy = try await filled(bytes, format, own, threads: threads)
      #expect(copy == bytes, "\(threads) threads")
    }
  }

  @Test(arguments: formats)
  func `a tied tensor is filled under any of its names`(_ format: CheckpointFormat) async throws {
    let bytes = try await format.bytes(of: try checkpoint())
    let names: [TensorName] =
      format.capabilities.sharesBytes && format.capabilities.keepsTies
      ? ["head.weight"] : ["embed.weight", "head.weight"]
    let new = try names.map { try Checkpoint.Entry(noise: $0, .float32, [300, 1000], seed: 9) }
    let after = try format.open(
      try probe(try await filled(bytes, format, new), format), OpenOptions())
    for entry in [after.entries[0], after.entries[6]] {
      #expect(try entry.allBytes() == new[0].allBytes(), "\(entry.name)")
    }
    if format.capabilities.keepsTies { #expect(after.entries[6].alias == "embed.weight") }
  }

  @Test(arguments: formats)
  func `tied names that get different values are refused`(
    _ format: CheckpointFormat
  ) async throws {
    guard format.capabilities.sharesBytes, format.capabilities.keepsTies else { return }
    let bytes = try await format.bytes(of: try checkpoint())
    let new = try [("embed.weight", 9), ("head.weight", 10)].map { name, seed in
      try Checkpoint.Entry(
        noise: TensorName(name), .float32, [300, 1000], seed: UInt64(seed))
    }
    let error = await #expect(throws: CheckpointError.self) {
      _ = try await filled(bytes, format, new)
    }
    #expect(error?.code == .mismatched && error?.tensor == "head.weight")
  }

  @Test(arguments: formats)
  func `recorded texts are set where there is room, and the rest stays`(
    _ format: CheckpointFormat
  ) async throws {
    let bytes = try await format.bytes(of: try checkpoint())
    let texts = [
      Checkpoint.recipeKey: String(repeating: "{\"seed\": 1}", count: 9000),
      Checkpoint.provenanceKey: "[]",
    ]
    let (before, after) = (
      try format.open(try probe(bytes, format), OpenOptions()),
      try format.open(
        try probe(try await filled(bytes, format, [], metadata: texts), format), OpenOptions())
    )
    if format.capabilities.values.contains(.text) {
      let isKept = before.metadata.merging(texts) { _, new in new }.allSatisfy { key, text in
        after.metadata[key] == text
      }
      #expect(isKept)
    }
    #expect(after.entries.map(\.name) == before.entries.map(\.name))
    for (old, now) in zip(before.entries, after.entries) {
      #expect(try now.allBytes() == old.allBytes(), "\(old.name)")
    }
  }

  @Test(arguments: formats)
  func `what does not fit the file is refused before anything is written`(
    _ format: CheckpointFormat
  ) async throws {
    let bytes = try await format.bytes(of: try checkpoint())
    let unfit = [
      try Checkpoint.Entry(noise: "layer.weight", .float32, [5, 7]),
      try Checkpoint.Entry(noise: "layer.bias", .float32, [7]),
      try Checkpoint.Entry(noise: "missing", .float32, [7]),
    ]
    for entry in unfit {
      let error = await #expect(throws: CheckpointError.self) {
        _ = try await filled(bytes, format, [entry])
      }
      #expect(error?.tensor == entry.name.text && error?.path != nil)
    }
  }

  @Test(arguments: [1, 2, 5])
  func `a .ckz file of several filters is filled`(count: Int) async throws {
    let bytes = try Fixtures.bytes("native/stock.ckz")
    let own = try CheckpointFormat.native.open(probe(bytes, .native), OpenOptions()).entries
    let new = own.filter { $0.alias == nil }.prefix(count)
    let copy = try await filled(bytes, .native, Array(new))
    let after = try CheckpointFormat.native.open(probe(copy, .native), OpenOptions()).entries
    #expect(after.map(\.name) == own.map(\.name) && after.map(\.alias) == own.map(\.alias))
    for (before, after) in zip(own, after) {
      #expect(try after.allBytes() == before.allBytes(), "\(after.name)")
    }
    #expect(await damage(try probe(copy, .native), .native) == nil)
  }
}
