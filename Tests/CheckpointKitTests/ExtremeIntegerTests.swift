import CheckpointKit
import FoundationEssentials
import TestSupport
import Testing

/// Files of every format, and models, with extreme integers in the place of sizes, offsets, counts,
/// and strides: each command reads them or refuses them in one line.
///
/// `CKPT_MUTATIONS` says how many changes are tried for each file; `Tools/check --long` tries many.
@Suite struct ExtremeIntegerTests {
  static let count = ProcessInfo.processInfo.environment["CKPT_MUTATIONS"].flatMap(Int.init) ?? 8

  /// How the integers of a file are found and what is corrected after they were replaced.
  enum Container {
    /// Nothing but the integers themselves; HDF5's checksums are corrected as errors name them.
    case plain(ExtremeInteger.Notation)
    /// Text after its length in eight bytes.
    case safetensors
    /// Text after its length in two bytes.
    case npy
    /// A member of a zip archive, which gets a new sum.
    case zip([ExtremeInteger.Notation])
    /// Headers of 512 bytes with a sum each.
    case tar
    /// A packed index at the end, which is signed again, or the footer.
    case native
  }

  static let files: [(String, Container)] = [
    ("safetensors/dtypes.safetensors", .safetensors),
    ("safetensors/shapes.safetensors", .safetensors),
    ("safetensors/sharded/model.safetensors.index.json", .plain(.decimal)),
    ("pytorch/protocol2.pt", .zip([.pickle])), ("pytorch/views.pt", .zip([.pickle])),
    ("pytorch/sparse.pt", .zip([.pickle])), ("pytorch/quantised.pt", .zip([.pickle])),
    ("pytorch/wrapped.pt", .zip([.pickle])), ("pytorch/meta.pt", .zip([.pickle])),
    ("pytorch/expanded.pt", .zip([.pickle])), ("pytorch/trainer.ckpt", .zip([.pickle])),
    ("pytorch/script.pt", .zip([.pickle, .decimal])),
    ("pytorch/protocol2.pt", .plain(.littleEndian)),
    ("pytorch/legacy.pt", .plain(.pickle)), ("pytorch/legacy.pt", .plain(.littleEndian)),
    ("pytorch/old.tar.pt", .tar), ("pytorch/distributed/.metadata", .plain(.pickle)),
    ("numpy/lone.npy", .npy), ("numpy/columns.npy", .npy), ("numpy/shapes.npz", .zip([.decimal])),
    ("numpy/shapes.npz", .plain(.littleEndian)), ("numpy/compressed.npz", .plain(.littleEndian)),
    ("gguf/types.gguf", .plain(.littleEndian)), ("gguf/values.gguf", .plain(.littleEndian)),
    ("native/stock.ckz", .plain(.littleEndian)), ("native/stock.ckz", .native),
    ("keras/net.keras", .zip([.decimal])), ("keras/net.keras", .zip([.littleEndian])),
    ("keras/described.h5", .plain(.decimal)), ("keras/sharded.weights.json", .plain(.decimal)),
    ("keras/whole.h5", .plain(.littleEndian)), ("keras/recurrent.h5", .plain(.littleEndian)),
    ("hdf5/gzip-shuffle.h5", .plain(.littleEndian)), ("hdf5/latest.h5", .plain(.littleEndian)),
    ("hdf5/chunk-indexes.h5", .plain(.littleEndian)), ("hdf5/types.h5", .plain(.littleEndian)),
    ("hdf5/compact.h5", .plain(.littleEndian)), ("hdf5/new-layout.h5", .plain(.littleEndian)),
    ("hdf5/name-order.h5", .plain(.littleEndian)), ("hdf5/nbit.h5", .plain(.littleEndian)),
    ("hdf5/scale-offset.h5", .plain(.littleEndian)), ("hdf5/unwritten.h5", .plain(.littleEndian)),
    ("hdf5/others.h5", .plain(.littleEndian)), ("hdf5/links.h5", .plain(.littleEndian)),
    ("hdf5/packed-strings.h5", .plain(.littleEndian)),
    ("flax/types.msgpack", .plain(.littleEndian)), ("flax/chunks.msgpack", .plain(.littleEndian)),
    ("onnx/typed.onnx", .plain(.littleEndian)), ("onnx/graphs.onnx", .plain(.littleEndian)),
    ("onnx/external.onnx", .plain(.decimal)), ("exported/net.pt2", .zip([.decimal])),
    ("tensorflow/types.index", .plain(.littleEndian)),
  ]

  @Test(arguments: files)
  func `a file of extreme integers is read or refused`(
    file: String, container: Container
  ) async throws {
    let folder = try TemporaryFolder()
    let name = try Self.copy(file, to: folder)
    let whole = try folder.bytes(of: name)
    for number in 0..<Self.count {
      var random = SplitMix(seed: UInt64(number) &* 1_000_003 &+ UInt64(file.utf8.count))
      var bytes = whole
      try container.change(&bytes, &random)
      let path = try folder.write(bytes, to: name)
      let target = name == ".metadata" ? folder.path : path
      var errors = await Self.errors(of: target)
      for _ in 0..<8 {
        guard let error = errors.lazy.compactMap({ $0 as? CheckpointError }).first,
          error.mendChecksum(in: &bytes)
        else { break }
        try folder.write(bytes, to: name)
        errors = await Self.errors(of: target)
      }
      for error in errors { Self.expectOneLine(error, number) }
    }
  }

  static let models = ["article.txt", "resnet18.txt", "gpt2.json", "swin.json", "transformer.json"]

  @Test(arguments: models)
  func `a model of extreme integers is planned or refused`(file: String) throws {
    let whole = try Fixtures.bytes("models/" + file)
    for number in 0..<Self.count {
      var random = SplitMix(seed: UInt64(number) &* 1_000_003 &+ UInt64(file.utf8.count))
      var bytes = whole
      ExtremeInteger.put(into: &bytes, .decimal, &random)
      do {
        let model = try Model(text: String(decoding: bytes, as: UTF8.self))
        try Self.print(model.module)
        var recipe = Recipe()
        recipe.model = model
        for entry in try recipe.plan().checkpoint.entries.prefix(8) { try Self.ends(of: entry) }
      } catch {
        Self.expectOneLine(error, number)
      }
    }
  }

  private static func expectOneLine(_ error: any Error, _ number: Int) {
    guard let error = error as? CheckpointError else {
      Issue.record("\(number): \(error)")
      return
    }
    let text = error.description
    #expect(!text.utf8.contains(0x0a) && !text.utf8.contains(0x1b), "\(number): \(text)")
    #expect(text.utf8.count <= 500, "\(number): \(text)")
  }

  /// Copies a file, and those beside it that it needs, and returns its name in the folder.
  private static func copy(_ file: String, to folder: TemporaryFolder) throws -> String {
    let path = Fixtures.path(file).split(separator: "/", omittingEmptySubsequences: false)
    let name = String(path[path.count - 1])
    let parent = path.dropLast().joined(separator: "/")
    let isPart = file.hasSuffix(".json") || name == ".metadata" || file == "onnx/external.onnx"
    for other in try FileManager.default.contentsOfDirectory(atPath: parent)
    where other == name
      || isPart && (other.contains("0") || other.hasPrefix("model-") || other.hasSuffix(".data"))
    {
      try folder.write(
        Array(Data(contentsOf: URL(filePath: parent + "/" + other))), to: other)
    }
    return name
  }
}

extension ExtremeIntegerTests.Container {
  func change(_ bytes: inout [UInt8], _ random: inout SplitMix) throws {
    switch self {
    case .plain(let notation): ExtremeInteger.put(into: &bytes, notation, &random)
    case .safetensors:
      let length = Int(bytes.littleEndian(UInt64.self, at: 0))
      var header = Array(bytes[8..<8 + length])
      ExtremeInteger.put(into: &header, .decimal, &random)
      var changed: [UInt8] = []
      changed.appendLittleEndian(UInt64(header.count))
      bytes = changed + header + bytes[(8 + length)...]
    case .npy: Self.changeArray(&bytes, &random)
    case .native: try Self.changeIndex(of: &bytes, &random)
    case .zip(let notations):
      let notation = notations[random.below(notations.count)]
      let archive = try ZipArchive(ByteSource(bytes, name: "a"), zeroMeansNoSum: true)
      var members = try archive.members.map { ($0.name, try archive.bytes($0, limit: 1 << 20)) }
      let texts = members.indices.filter { index in
        switch notation {
        case .pickle: members[index].0.text.hasSuffix(".pkl")
        case .littleEndian: members[index].0.text.hasSuffix(".h5")
        case .decimal, .octal:
          [".json", ".npy", ".py"].contains { members[index].0.text.hasSuffix($0) }
        }
      }
      let index = texts[random.below(texts.count)]
      if members[index].0.text.hasSuffix(".npy") {
        Self.changeArray(&members[index].1, &random)
      } else {
        ExtremeInteger.put(into: &members[index].1, notation, &random)
      }
      bytes = try MemoryFiles.archive(members)
    case .tar:
      // A header begins each member; most of the others blocks are its contents.
      let starts = stride(from: 0, to: bytes.count - 511, by: 512).filter {
        bytes[$0 + 257..<$0 + 262].elementsEqual("ustar".utf8)
      }
      let start = starts[random.below(starts.count)]
      let isHeader = random.below(2) == 0
      guard isHeader else { return ExtremeInteger.put(into: &bytes, .pickle, &random) }
      ExtremeInteger.put(into: &bytes, .octal, in: start + 124..<start + 136, &random)
      bytes.replaceSubrange(start + 148..<start + 156, with: [UInt8](repeating: 0x20, count: 8))
      let sum = bytes[start..<start + 512].reduce(0) { $0 + Int($1) }
      let text = String(sum, radix: 8)
      let digits = String(repeating: "0", count: 6 - text.count) + text
      bytes.replaceSubrange(start + 148..<start + 155, with: Array(digits.utf8) + [0])
    }
  }

  /// Changes numbers of the index, of one to three of its runs of numbers, or those of the footer.
  private static func changeIndex(
    of bytes: inout [UInt8], _ random: inout SplitMix
  ) throws(CheckpointError) {
    if random.below(8) == 0 {
      let footer = bytes.count - 64
      return ExtremeInteger.put(into: &bytes, .littleEndian, in: footer..<footer + 24, &random)
    }
    var text = try SignedIndex.text(of: bytes)
    for _ in 0..<1 + random.below(3) {
      let runs = SignedIndex.unquoted(text)
      ExtremeInteger.put(into: &text, .decimal, in: runs[random.below(runs.count)], &random)
    }
    bytes = try SignedIndex.replace(in: bytes, by: text)
  }

  private static func changeArray(_ bytes: inout [UInt8], _ random: inout SplitMix) {
    let length = Int(bytes.littleEndian(UInt16.self, at: 8))
    var header = Array(bytes[10..<10 + length])
    ExtremeInteger.put(into: &header, .decimal, &random)
    var changed = Array(bytes[..<8])
    changed.appendLittleEndian(UInt16(header.count))
    bytes = changed + header + bytes[(10 + length)...]
  }
}

extension ExtremeIntegerTests {
  /// What the commands do with a file: the errors of those that refuse it.
  private static func errors(of path: String) async -> [any Error] {
    var errors: [any Error] = []
    func attempt(_ body: () async throws -> Void) async {
      do { try await body() } catch { errors.append(error) }
    }
    var listed = Checkpoint(entries: [])
    await attempt {
      listed = try CheckpointSource.open(path, options: OpenOptions(readsValues: false)).checkpoint
    }
    await attempt { _ = try PickleScan(FileProbe(path: path)) }
    guard !listed.entries.isEmpty else { return errors }
    await attempt {
      let tree = try listed.tree()
      try print(tree.module)
      _ = try Reinitialization(match: [Selector("**")]).applied(to: Opened(listed), tree: tree)
    }
    for entry in listed.entries.prefix(8) {
      await attempt { try ends(of: entry) }
      await attempt { try slices(of: entry, in: listed) }
    }
    var source: CheckpointSource?
    await attempt { source = try CheckpointSource.open(path) }
    // What claims more is refused or takes a debug build too long.
    guard let source, source.checkpoint.entries.map(\.info.byteCount).saturatedSum() < 1 << 20
    else { return errors }
    let checkpoint = source.checkpoint
    await attempt {
      let result = try Conversion(Selection()).applied(to: source.opened)
      for format in CheckpointFormat.all where format.write != nil {
        _ = ConversionPlan(of: result, from: checkpoint, to: format)
      }
      let files = MemoryFiles()
      let sink = try files.place.create("a.ckz", replacing: true)
      try await CheckpointFormat.native.write?(result.checkpoint, sink, WriteOptions())
    }
    await attempt { _ = try KerasLayout.toTorch(checkpoint) }
    for entry in checkpoint.entries { await attempt { _ = try TensorStatistics(of: entry) } }
    await attempt { _ = try await CheckpointDiff(from: checkpoint, to: checkpoint, threads: 1) }
    await attempt { _ = try await Manifest(of: checkpoint, threads: 1) }
    await attempt { errors += try await Integrity(of: path, threads: 1).damage }
    return errors
  }

  private static func print(_ module: Module) throws {
    _ = module.description
    _ = module.stateDict().map(\.shape.elementCount).saturatedSum()
    _ = module.namedParameters().map(\.shape.elementCount).saturatedSum()
    _ = try module.json()
  }

  /// Reads the first and the last bytes.
  private static func ends(of entry: Checkpoint.Entry) throws {
    var buffer = ChunkBuffer(capacity: 4096)
    let count = min(entry.info.byteCount, buffer.capacity)
    _ = try entry.read(0, count, using: &buffer)
    _ = try entry.read(entry.info.byteCount - count, count, using: &buffer)
  }

  private static func slices(of entry: Checkpoint.Entry, in checkpoint: Checkpoint) throws {
    guard entry.info.dtype.isComputable, let first = entry.info.shape.first, first > 0 else {
      return
    }
    let texts = ["[-1]", "[::9223372036854775807]", "[-2:]"]
    for text in texts {
      let (found, slice) = try checkpoint.entry(sliced: entry.name.text + text)
      let ranges = slice.ranges
      guard ranges.allSatisfy({ $0.count > 0 }) else { continue }
      let prefix = ranges.dropLast().map { $0.count - 1 }
      let last = ranges[ranges.count - 1]
      _ = try slice.elementTexts(
        of: found, at: last.isIndex ? prefix + [0] : Array(prefix),
        from: last.isIndex ? nil : last.count - 1, count: 1)
    }
  }
}
