import ByteIO
import CheckpointFormats
import ParallelWork
import TensorCore
import TestSupport
import Testing

/// `Tools/ckz.py`, written from the specification alone, sees what was written.
@Suite struct IndependentReaderTests {
  static let hasNumPy = (try? CommandRun(shell: "python3 -c 'import numpy'"))?.status == 0
  static let script = CommandRun.quoted(Fixtures.path("../Tools/ckz.py"))

  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(
    .enabled(if: hasNumPy, "python3 with numpy is not installed"),
    arguments: [WriteOptions.Compression.planes, .none])
  func `the reader in Python lists the same tensors`(
    _ compression: WriteOptions.Compression
  ) async throws {
    var entries = try DType.allCases.map {
      let length = $0.isComputable ? 50_001 : 512
      return try Checkpoint.Entry(noise: TensorName($0.rawValue), $0, [3, length], seed: 3)
    }
    entries.append(try .init(noise: "é \"quoted\"", .float32, []))
    entries.append(try .init(noise: "empty", .float32, [0, 7]))
    entries.append(try .init(noise: "tied", .float32, [3, 50_001], seed: 3, alias: "F32"))
    entries.append(try .init(memory: "ones", .bfloat16, [4], [0x80, 0x3f, 0x80, 0x3f, 0, 0, 0, 0]))
    var options = WriteOptions()
    options.compression = compression
    let path = folder.file("it's.ckz")
    let numbers = [0.1, 1e-5, 1e16, 1e22, 123_456_789_012_345_680, 0.0001, -0.0, 5e300, .nan]
    let values: [Checkpoint.Named] = [
      .init("z", .list(numbers.map(Value.real))), .init("epoch", .integer(3)),
      .init("d", .dictionary([.init("b", .null), .init("a", .tuple([.bool(true)]))])),
    ]
    try await CheckpointFormat.native.writeFile(
      Checkpoint(entries: entries, values: values, metadata: ["text": "ü\n\u{1}\\"]), path,
      options)

    let run = try CommandRun(shell: "python3 \(Self.script) \(CommandRun.quoted(path))")
    let expected = try entries.map { entry in
      var digest = DigestBuilder()
      let bytes = try entry.allBytes()
      digest.update(bytes.rawBytes)
      let name = entry.name.text.replacing("\"", with: "\\\"")
      return "\"\(name)\" \(entry.info.dtype.rawValue) \(entry.info.shape) \(digest.finalize())\n"
    }
    #expect(run.status == 0)
    #expect(run.output == expected.joined())
  }

  @Test(
    .enabled(if: hasNumPy, "python3 with numpy is not installed"),
    arguments: [WriteOptions.Compression.planes, .smallPlanes])
  func `the reader in Python undoes every filter`(
    _ compression: WriteOptions.Compression
  ) async throws {
    var entries: [Checkpoint.Entry] = []
    for (dtype, width) in [(DType.float32, 4), (.bfloat16, 2), (.float64, 8), (.int32, 4)] {
      for (seed, texture) in NativeChunkTests.Texture.allCases.enumerated() {
        let words = texture.words(20_000, width: width, columns: 200, seed: UInt64(seed))
        entries.append(
          try .init(
            memory: TensorName("\(dtype.rawValue).\(texture)"), dtype, [100, 200],
            NativeChunkTests.bytes(words, width: width)))
      }
    }
    // Enough exponents for what Huffman codes cost to show.
    var random = SplitMix(seed: 9)
    let exponents = (0..<300_000).map { _ in UInt8(random.below(3) + random.below(3)) }
    entries.append(try .init(memory: "exponents", .uint8, [300_000], exponents))
    var options = WriteOptions()
    options.compression = compression
    let path = folder.file("filters.ckz")
    try await CheckpointFormat.native.writeFile(Checkpoint(entries: entries), path, options)
    let index = String(
      decoding: try SignedIndex.text(of: try folder.bytes(of: "filters.ckz")), as: UTF8.self)
    for step in [
      "f32+", "f16+", "bf16+", "sparse+", "levels-200+", "rotated-planes-8", "bits-4", "bits-2",
      "palette-4", "differences-4",
    ] {
      #expect(index.contains(step), "\(step) does not occur")
    }
    // Whoever asks for the smallest file gets streams that zlib does not read.
    #expect(index.contains("+ans") == (compression == .smallPlanes))
    let run = try CommandRun(shell: "python3 \(Self.script) \(CommandRun.quoted(path))")
    let expected = try entries.map { entry in
      var digest = DigestBuilder()
      let bytes = try entry.allBytes()
      digest.update(bytes.rawBytes)
      return
        "\"\(entry.name.text)\" \(entry.info.dtype.rawValue) \(entry.info.shape) \(digest.finalize())\n"
    }
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output == expected.joined())
  }

  @Test(.enabled(if: hasNumPy, "python3 with numpy is not installed"))
  func `the reader in Python finds every flipped bit`() async throws {
    let file = try await NativeSample(folder: folder).small(compression: .none)
    let path = try folder.write(file, to: "a.ckz")
    let program = """
      import importlib.util, sys
      spec = importlib.util.spec_from_file_location("ckz", sys.argv[1])
      ckz = importlib.util.module_from_spec(spec)
      spec.loader.exec_module(ckz)
      good = open(sys.argv[2], "rb").read()
      list(ckz.tensors(sys.argv[2]))
      silent = 0
      for place in range(8 * len(good)):
          data = bytearray(good)
          data[place // 8] ^= 1 << place % 8
          open(sys.argv[2], "wb").write(data)
          try:
              list(ckz.tensors(sys.argv[2]))
              silent += 1
          except (ValueError, KeyError, TypeError, ckz.zlib.error):
              pass
      print(8 * len(good), "flips,", silent, "silent")
      """
    let run = try CommandRun(
      shell:
        "python3 -c \(CommandRun.quoted(program)) \(Self.script) \(CommandRun.quoted(path))")
    #expect(run.output == "\(8 * file.count) flips, 0 silent\n")
  }

  @Test(.enabled(if: hasNumPy, "python3 with numpy is not installed"))
  func `the reader in Python makes the same parity`() async throws {
    var options = WriteOptions()
    options.parity = 12
    let path = folder.file("parity.ckz")
    let checkpoint = Checkpoint(entries: [try .init(noise: "w", .float32, [30, 400], seed: 1)])
    try await CheckpointFormat.native.writeFile(checkpoint, path, options)
    let line = "python3 \(Self.script) \(CommandRun.quoted(path))"
    let intact = try CommandRun(shell: line)
    #expect(intact.status == 0 && intact.output.hasPrefix("\"w\" F32"), "\(intact.errors)")
    // A parity byte, and the seal that makes the checksum of the shard right again.
    var bytes = try folder.bytes(of: "parity.ckz")
    let magic: [UInt8] = [0x89, 0x43, 0x4b, 0x50, 0x0d, 0x0a, 0x1a, 0x0a]
    let start = try #require(bytes.firstRange(of: magic)?.lowerBound)
    let columns = Int(bytes.littleEndian(UInt16.self, at: start + 84))
    let end = start + 96 + 4 * columns + Int(bytes.littleEndian(UInt32.self, at: start + 80))
    bytes[end - 1] ^= 1
    var seal: [UInt8] = []
    seal.appendLittleEndian(Checksum.crc32(bytes[start..<end].rawBytes) ^ 0x6dd9_0a9d)
    bytes.replaceSubrange(end..<end + 4, with: seal)
    try folder.write(bytes, to: "parity.ckz")
    let damaged = try CommandRun(shell: line)
    #expect(damaged.status == 1 && damaged.errors.contains("parity differs"), "\(damaged.errors)")
  }

  @Test(.enabled(if: hasNumPy, "python3 with numpy is not installed"))
  func `the reader in Python reads the steps of a pack`() async throws {
    let steps = try [1, 2, 3, 1].map { Checkpoint(entries: try Self.drifting(step: $0)) }
    let path = folder.file("run.ckz")
    let writer = try RunPackWriter(path)
    for step in steps { try await writer.add(step, name: "step.pt") }
    try await writer.finish()
    for (number, step) in steps.enumerated() {
      let run = try CommandRun(
        shell: "python3 \(Self.script) \(CommandRun.quoted(path)) \(number)")
      #expect(run.status == 0, "\(run.errors)")
      #expect(run.output == (try Self.lines(step.entries)))
    }
    let bare = try CommandRun(shell: "python3 \(Self.script) \(CommandRun.quoted(path))")
    #expect(bare.errors.contains("a pack of 4 checkpoints"))
  }

  @Test(.enabled(if: hasNumPy, "python3 with numpy is not installed"))
  func `the reader in Python applies a patch`() async throws {
    let old = Checkpoint(entries: try Self.drifting(step: 1))
    let new = Checkpoint(entries: try Self.drifting(step: 2))
    try await CheckpointFormat.native.writeFile(old, folder.file("old.ckz"))
    let (place, name) = Place.locate(folder.file("patch.ckz"))
    _ = try await CheckpointPatch.write(from: old, to: new, in: place, name: name)
    let program = """
      import json, sys
      sys.path.insert(0, sys.argv[1].rpartition("/")[0])
      import ckz
      base = ckz.read(sys.argv[2] + "/old.ckz")
      for name, dtype, shape, digest, _ in ckz.tensors(sys.argv[2] + "/patch.ckz", base=base):
          print(json.dumps(name), dtype, json.dumps(shape), digest)
      """
    let run = try CommandRun(
      shell:
        "python3 -B -c \(CommandRun.quoted(program)) \(Self.script) \(CommandRun.quoted(folder.path))"
    )
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output == (try Self.lines(new.entries)))
  }

  private static func drifting(step: Int) throws -> [Checkpoint.Entry] {
    try [DType.float32, .bfloat16, .float64, .int8].map {
      try DriftSample.entry(TensorName($0.rawValue), $0, 40_000, step: step)
    } + [
      try DriftSample.entry("long", .float32, 1_100_000, step: step),
      try DriftSample.entry("frozen", .float32, 1000, step: 0),
    ]
  }

  /// What the reader prints of tensors.
  private static func lines(_ entries: [Checkpoint.Entry]) throws -> String {
    try entries.map { entry in
      "\"\(entry.name.text)\" \(entry.info.dtype.rawValue) \(entry.info.shape) \(try entry.digest())\n"
    }.joined()
  }
}
