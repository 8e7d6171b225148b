import ByteIO
public import CheckpointFormats
import ParallelWork
import TensorCore
import TestSupport
public import Testing

/// What every writable format of ``CheckpointFormat/all`` must hold.
@Suite struct FormatContract {
  static let writable = CheckpointFormat.all.filter {
    $0.write != nil && !$0.capabilities.needsTemplate && !$0.capabilities.holdsOneTensor
  }
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Writes a file, and the same into memory.
  private func write(
    _ checkpoint: Checkpoint, _ format: CheckpointFormat, as name: String = "a", threads: Int = 2
  ) async throws -> String {
    var options = WriteOptions()
    options.threads = threads
    let file = name + format.extensions[0]
    let path = folder.file(file)
    try await format.writeFile(checkpoint, path, options)
    let (bytes, written) = (
      try await format.bytes(of: checkpoint, options), try folder.bytes(of: file)
    )
    #expect(bytes == written, "a file in memory has other bytes")
    return path
  }

  /// A written file, opened where it is and, from its bytes, in memory: what holds of one holds of
  /// the other.
  private func opened(_ path: String, _ format: CheckpointFormat) throws -> [Checkpoint] {
    let name = Place.divided(path).name
    let memory = MemoryFiles([name: try folder.bytes(of: name)])
    let probe = try FileProbe(name, in: memory.place)
    #expect(format.recognizes(probe))
    let checkpoints = [try format.open(path), try format.open(probe, OpenOptions())].map(
      \.checkpoint)
    #expect(memory.openCount(of: name) == 1)
    return checkpoints
  }

  @Test(arguments: writable, DType.allCases)
  func `every dtype and shape comes back as it was`(
    _ format: CheckpointFormat, _ dtype: DType
  ) async throws {
    guard format.capabilities.dtypes.contains(dtype) else {
      let entry = try Checkpoint.Entry(noise: "t", dtype, [dtype.block.elements])
      #expect(throws: CheckpointError.self) {
        try format.capabilities.check(Checkpoint(entries: [entry]), format: format.name)
      }
      return
    }
    let unit = dtype.block.elements
    let long = ((1 << 20) + 4096) / dtype.byteWidth + 3
    let shapes =
      (unit == 1 ? [[]] : [])
      + [[0], [3, 0, 2 * unit], [unit], [1, 1, unit], [3, 5, 7 * unit]]
      + (unit == 1 ? [[long]] : [])
    let entries = try shapes.enumerated().map { index, shape in
      try Checkpoint.Entry(noise: TensorName("t\(index)"), dtype, shape, seed: UInt64(index))
    }
    let path = try await write(Checkpoint(entries: entries), format)
    for read in try opened(path, format).map(\.entries) {
      #expect(read.map(\.name) == entries.map(\.name))
      #expect(read.map(\.info) == entries.map(\.info))
      for (entry, original) in zip(read, entries) {
        #expect(try entry.allBytes() == original.allBytes(), "\(entry.name)")
      }
    }
  }

  @Test(arguments: writable)
  func `names keep their order and their bytes`(_ format: CheckpointFormat) async throws {
    let names: [TensorName] = [
      "z", "layer2.0.weight", "\u{e9}", "e\u{301}", "a/b", "a b", "a", "a.b", "a.b.c", "", ".",
      "..", "a..b", ".a", "a.", "日本.重み", "\u{1f600}", "line\nbreak", "tab\tquote\"back\\slash",
      TensorName(String(repeating: "long.", count: 60)), "\u{1}\u{7f}", "10", "9",
    ]
    let entries = try names.enumerated().map { index, name in
      try Checkpoint.Entry(noise: name, .float32, [2], seed: UInt64(index))
    }
    let path = try await write(Checkpoint(entries: entries), format)
    for read in try opened(path, format).map(\.entries) {
      #expect(read.map(\.name) == names)
      for (entry, original) in zip(read, entries) {
        #expect(try entry.allBytes() == original.allBytes(), "\(entry.name)")
      }
    }
  }

  @Test(arguments: writable)
  func `metadata and modules are kept where the format can`(
    _ format: CheckpointFormat
  ) async throws {
    let modules = [
      ModuleLabel(path: "", kind: "Net", arguments: ""),
      ModuleLabel(path: "layer1", kind: "Linear", arguments: "in_features=2, out_features=4"),
      ModuleLabel(path: "act", kind: "None", arguments: "two\nlines \"quoted\" é"),
    ]
    let metadata = [
      Checkpoint.recipeKey: "{\"seed\":0}", "long": String(repeating: "text ", count: 20_000),
      "é\n\u{1}": "\\ ü \u{0}",
    ]
    let entries = [try Checkpoint.Entry(noise: "layer1.weight", .float32, [4, 2])]
    let path = try await write(
      Checkpoint(entries: entries, modules: modules, metadata: metadata), format)
    for read in try opened(path, format) {
      #expect(read.modules == (format.capabilities.keepsModules ? modules : []))
      #expect(read.metadata == (format.capabilities.values.isEmpty ? [:] : metadata))
    }
  }

  @Test(arguments: writable)
  func `values of every kind come back, or are reported`(
    _ format: CheckpointFormat
  ) async throws {
    let group = Value.dictionary([
      .init("lr", .real(1e-3)), .init("betas", .tuple([.real(0.9), .real(0.999)])),
      .init("params", .list([.integer(0), .integer(1)])), .init("fused", .null),
    ])
    let values: [Checkpoint.Named] = [
      .init("null", .null), .init("bool", .bool(true)), .init("epoch", .integer(3)),
      .init("low", .integer(.min)), .init("lr", .real(0.1)), .init("nan", .real(.nan)),
      .init("infinite", .real(-.infinity)), .init("text", .text("3")),
      .init("nul", .text("a\u{0}")),
      .init("bytes", .bytes([0, 255])), .init("texts", .list([.text("a"), .text("é")])),
      .init("integers", .list([.integer(1), .integer(-2)])), .init("reals", .list([.real(0.5)])),
      .init("bools", .list([.bool(false), .bool(true)])), .init("nothing", .list([])),
      .init("mixed", .list([.integer(1), .text("a")])), .init("tuple", .tuple([.integer(1)])),
      .init("lists", .list([.list([.integer(1)]), .list([.integer(2)])])),
      .init("optimizer", .dictionary([.init("param_groups", .list([group]))])),
      .init("keys", .dictionary([.init(.integer(0), .null), .init("0", .null)])),
      .init("args", .opaque("argparse.Namespace", [.init("x", .integer(1))])),
      .init("vocabulary", .list((0..<20_000).map { .text("token \($0)") })),
    ]
    let entries = [try Checkpoint.Entry(noise: "layer1.weight", .float32, [4, 2])]
    let checkpoint = Checkpoint(entries: entries, values: values)
    let path = try await write(checkpoint, format)
    let losses = format.capabilities.losses(of: checkpoint, format: format.name)
    for read in try opened(path, format) {
      guard !format.capabilities.values.isEmpty else {
        #expect(read.values.isEmpty && losses.count == 1)
        continue
      }
      let onlyHere = "values are stored where only ckpt reads them: null, bool and 20 more"
      #expect(losses == (format.name == "pytorch" ? [onlyHere + "; convert --all nests them"] : []))
      let own = read.ownValues
      #expect(own.count == values.count)
      for named in values {
        let again = own.first { $0.name == named.name }?.value
        #expect(again == named.value, "\(named.name)")
      }
    }
  }

  @Test(arguments: writable)
  func `an empty checkpoint is also a file`(_ format: CheckpointFormat) async throws {
    let path = try await write(Checkpoint(entries: []), format)
    for read in try opened(path, format) {
      #expect(read.entries.isEmpty && read.modules.isEmpty && read.metadata.isEmpty)
    }
  }

  @Test(arguments: writable)
  func `a tied tensor has its original's bytes`(_ format: CheckpointFormat) async throws {
    let entries = [
      try Checkpoint.Entry(noise: "embed.weight", .float32, [5, 3]),
      try Checkpoint.Entry(noise: "other", .float32, [5, 3], seed: 2),
      try Checkpoint.Entry(noise: "head.weight", .float32, [5, 3], alias: "embed.weight"),
      try Checkpoint.Entry(noise: "lost", .float32, [5, 3], alias: "not.there"),
      try Checkpoint.Entry(noise: "flat", .float32, [15], alias: "embed.weight"),
    ]
    let path = try await write(Checkpoint(entries: entries), format)
    for read in try opened(path, format).map(\.entries) {
      #expect(read.map(\.name) == entries.map(\.name))
      #expect(read.map(\.info) == entries.map(\.info))
      for (entry, original) in zip(read, entries) {
        #expect(try entry.allBytes() == original.allBytes(), "\(entry.name)")
        #expect(entry.alias == nil || entry.alias == original.alias)
      }
      if format.capabilities.keepsTies { #expect(read[2].alias == "embed.weight") }
    }
  }

  @Test(arguments: writable)
  func `two writes are alike with any number of threads`(_ format: CheckpointFormat) async throws {
    let entries = try (0..<4).map {
      try Checkpoint.Entry(noise: TensorName("t\($0)"), .float32, [300_000 * $0], seed: UInt64($0))
    }
    let checkpoint = Checkpoint(entries: entries, metadata: ["b": "1", "a": "2", "c": "3"])
    _ = try await write(checkpoint, format, as: "first", threads: 1)
    let first = try folder.bytes(of: "first" + format.extensions[0])
    for threads in [1, 2, 3, 7] {
      _ = try await write(checkpoint, format, as: "again\(threads)", threads: threads)
      let again = try folder.bytes(of: "again\(threads)" + format.extensions[0])
      #expect(again == first, "\(threads) threads")
    }
  }

  @Test(arguments: writable)
  func `ranges equal the same part of the whole`(_ format: CheckpointFormat) async throws {
    let original = try Checkpoint.Entry(noise: "t", .float16, [3, (1 << 18) + 1])
    let all = try original.allBytes()
    let path = try await write(Checkpoint(entries: [original]), format)
    let opened = try opened(path, format).flatMap(\.entries)
    #expect(opened.count == 2)
    let chunk = 1 << 20
    let ranges = [
      0..<1, 1..<2, 0..<0, 7..<4099, chunk - 1..<chunk, chunk - 1..<chunk + 1, chunk..<chunk + 5,
      3..<all.count - 3, all.count - 1..<all.count, 0..<all.count, chunk..<all.count,
    ]
    for entry in opened {
      for range in ranges {
        var buffer = ChunkBuffer(capacity: range.count)
        var target = buffer.mutableBytes(range.count)
        try entry.read(range, into: &target)
        let read = unsafe buffer.bytes(range.count).withUnsafeBytes { unsafe Array($0) }
        #expect(read == Array(all[range]), "\(range)")
      }
      #expect(try entry.allBytes(step: 100_003) == all)
    }
  }

  @Test(arguments: writable)
  func `a file cut at any byte is refused`(_ format: CheckpointFormat) async throws {
    let entries = [
      try Checkpoint.Entry(noise: "weight", .float32, [3, 5]),
      try Checkpoint.Entry(noise: "bias", .int64, [2]),
    ]
    let path = try await write(Checkpoint(entries: entries, metadata: ["k": "v"]), format)
    let whole = try folder.bytes(of: "a" + format.extensions[0])
    #expect(await damage(try FileProbe(path: path), format) == nil)
    let name = "cut" + format.extensions[0]
    for length in 0..<whole.count {
      let memory = MemoryFiles([name: Array(whole[..<length])])
      let cut = try FileProbe(name, in: memory.place)
      // GGUF's last tensor may lack the zeros that fill it up: no byte of a tensor is missing then.
      if format.name == "gguf", whole.count - length < 32, whole[length...].allSatisfy({ $0 == 0 }),
        let kept = try? format.open(cut, OpenOptions()).entries.map({ try $0.allBytes() })
      {
        #expect(kept == (try entries.map { try $0.allBytes() }), "\(length) bytes")
        continue
      }
      #expect(await damage(cut, format) is CheckpointError, "\(length) of \(whole.count) bytes")
    }
  }

  @Test(arguments: writable)
  func `extreme integers in the place of sizes are read or refused`(
    _ format: CheckpointFormat
  ) async throws {
    let entries = [
      try Checkpoint.Entry(noise: "weight", .float32, [3, 0, 5]),
      try Checkpoint.Entry(noise: "bias", .int64, [2]),
    ]
    let path = try await write(Checkpoint(entries: entries), format)
    let whole = try folder.bytes(of: "a" + format.extensions[0])
    #expect(await damage(try FileProbe(path: path), format) == nil)
    let name = "changed" + format.extensions[0]
    for number in 0..<MutationTests.count * 2 {
      var random = SplitMix(seed: UInt64(number))
      var bytes = whole
      let notation: ExtremeInteger.Notation = number % 2 == 0 ? .littleEndian : .decimal
      ExtremeInteger.put(into: &bytes, notation, &random)
      let probe = try FileProbe(name, in: MemoryFiles([name: bytes]).place)
      do {
        let checkpoint = try format.open(probe, OpenOptions()).checkpoint
        guard try checkpoint.total().byteCount < 1 << 20 else { continue }
        for entry in checkpoint.entries { _ = try entry.allBytes() }
        _ = try await format.verify?(probe, 2)
      } catch {
        #expect(error is CheckpointError, "\(number)")
      }
    }
  }

  @Test(arguments: writable)
  func `a path that is not a regular file is refused at once`(_ format: CheckpointFormat) throws {
    #expect(throws: CheckpointError.self) { try format.open(folder.file("none")) }
    #expect(throws: CheckpointError.self) { try format.open(folder.path) }
    #expect(throws: CheckpointError.self) { try format.open("/dev/zero") }
  }

  @Test(arguments: writable)
  func `a file is recognized by its beginning, and only by its own format`(
    _ format: CheckpointFormat
  ) async throws {
    let path = try await write(
      Checkpoint(entries: [try .init(noise: "t", .float32, [2])]), format)
    let candidate = try FileProbe(path: path)
    #expect(CheckpointFormat.all.filter { $0.recognizes(candidate) }.map(\.name) == [format.name])
    for other in [[], Array("plain text".utf8), Array("{\"layers\": []}".utf8)] {
      let path = try folder.write(other, to: "other")
      #expect(!format.recognizes(try FileProbe(path: path)))
    }
    let empty = try TemporaryFolder()
    #expect(!format.recognizes(try FileProbe(path: empty.path)))
  }
}

/// The first error of opening a file, reading all of it and verifying it.
func damage(_ probe: FileProbe, _ format: CheckpointFormat) async -> (any Error)? {
  do {
    for entry in try format.open(probe, OpenOptions()).entries { _ = try entry.allBytes() }
    if let verify = format.verify, let first = try await verify(probe, 2).first { return first }
    return nil
  } catch {
    return error
  }
}

extension CheckpointFormat {
  /// Opens the file or the folder at a path.
  func open(_ path: String, _ options: OpenOptions = OpenOptions()) throws -> Opened {
    try open(FileProbe(path: path), options)
  }
}

extension CheckpointFormat: CustomTestStringConvertible {
  public var testDescription: String { name }
}

extension PickleScan {
  /// Scans the file or the folder at a path.
  init(_ path: String) throws { try self.init(FileProbe(path: path)) }
}
