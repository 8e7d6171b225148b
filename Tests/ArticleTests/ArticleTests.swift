import CheckpointKit
import FoundationEssentials
import TestSupport
import Testing

/// The examples of the README and of the articles, with the one import that they have, in a target that
/// sees what another package would see.
///
/// Each example stands here word for word and runs; file names are those of a temporary folder.
@Suite struct ArticleTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `the README's example gives the checkpoint that it describes`() async throws {
    let Net = ModuleClass("Net")
    let net = Net(
      layer1: Linear(2, 4), relu1: ReLU(), layer2: Sequential(Linear(4, 2), ReLU(), Linear(2, 2)))
    let checkpoint = try net.initialized(seed: 0, rules: [Rule("Linear: bias=0")])
    try await CheckpointTarget(folder.path + "/net.ckz").write(checkpoint)

    let written = try CheckpointSource.open(folder.path + "/net.ckz").checkpoint
    #expect(written.entries.map(\.name) == checkpoint.entries.map(\.name))
    let diff = try await CheckpointDiff(from: checkpoint, to: written, threads: 1)
    #expect(diff.changes.isEmpty && diff.identicalCount == 6)
    let bias = try #require(written.entries.first { $0.name == "layer1.bias" })
    #expect(try bias.allBytes().allSatisfy { $0 == 0 })
    #expect(try Module(labels: written.modules).description == net.description)
  }

  @Test func `a page is made of a report`() async throws {
    let checkpoint = try ModuleClass("Net")(layer1: Linear(2, 4)).initialized(seed: 0)
    try await CheckpointTarget(folder.path + "/net.pt").write(checkpoint)

    let source = try CheckpointSource.open(folder.path + "/net.pt")
    let report = try await Report(
      on: .init(path: "net.pt", format: source.format.name, checkpoint: source.checkpoint),
      threads: 8)
    let page = ReportPage(report).bytes
    #expect(page.starts(with: "<!doctype html>".utf8))
    #expect(report.tensors.map(\.name) == ["layer1.weight", "layer1.bias"])
  }

  @Test func `a checkpoint is written, opened, read, converted, and compared`() async throws {
    let print = Printed()
    let Net = ModuleClass("Net")
    let net = Net(layer1: Linear(2, 4), relu1: ReLU(), layer2: Sequential(Linear(4, 2), ReLU()))
    let checkpoint = try net.initialized(seed: 0, rules: [Rule("Linear: bias=0")])
    try await CheckpointTarget(folder.path + "/net.ckz").write(checkpoint)

    let source = try CheckpointSource.open(folder.path + "/net.ckz")
    for entry in source.checkpoint.entries {
      print(entry.name, entry.info.dtype, entry.info.shape)
    }
    #expect(print.takeLines().first == "layer1.weight float32 [4, 2]")

    var buffer = ChunkBuffer()
    for entry in source.checkpoint.entries {
      var digest = DigestBuilder()
      try entry.forEachChunk(using: &buffer) { _, bytes in digest.update(bytes) }
      print(entry.name, digest.finalize())
    }
    let digests = try source.checkpoint.entries.map { "\($0.name) \(try $0.digest())" }
    #expect(print.takeLines() == digests)

    let weight = source.checkpoint.entries[0]
    let values = try weight.floats()
    let row = try TensorSlice("0", of: weight.info.shape).entry(of: weight).floats()
    let scaled = try Checkpoint.Entry("scaled", shape: [4, 2], values.map { $0 * 2 })
    try await CheckpointTarget(folder.path + "/scaled.safetensors").write(
      Checkpoint(entries: [scaled]))
    #expect(values.count == 8 && row == Array(values[0..<2]))
    // torch.manual_seed(0); torch.nn.Linear(2, 4).weight[0]
    #expect(row == [-0.005293981, 0.3793229])
    let stored = try CheckpointSource.open(folder.path + "/scaled.safetensors").checkpoint
    #expect(try stored.entries[0].floats() == values.map { $0 * 2 })
    #expect(try stored.entries[0].doubles() == values.map { Double($0 * 2) })

    var conversion = Conversion(try Selection(match: ["Linear"]))
    conversion.dtype = .bfloat16
    let converted = try conversion.applied(to: source.opened)
    try await CheckpointTarget(folder.path + "/half.safetensors").write(converted.checkpoint)

    let before = try CheckpointSource.open(folder.path + "/net.ckz").checkpoint
    let after = try CheckpointSource.open(folder.path + "/half.safetensors").checkpoint
    let diff = try await CheckpointDiff(from: before, to: after)
    for change in diff.changes {
      print(change.kind, change.name, change.difference?.maxAbsolute ?? 0)
    }
    let lines = print.takeLines()
    #expect(lines.count == 4 && lines.allSatisfy { $0.hasPrefix("retyped layer") })

    let target = try CheckpointTarget(folder.path + "/copy.h5")
    for try await progress in before.progress(of: { try await target.write($0) }) {
      print(progress.done, "of", progress.total)
    }
    #expect(try #require(print.takeLines().last).hasSuffix("of 88"))
    #expect(try CheckpointSource.open(folder.path + "/copy.h5").checkpoint.entries.count == 4)
  }

  @Test func `a layer of one's own is initialized and printed`() throws {
    /// `y = gain * x`, one gain per channel.
    struct Gain: Layer {
      let channels: Int

      var kind: String { "Gain" }
      var arguments: String { "\(channels)" }
      var parameters: [Parameter] {
        [Parameter("gain", shape: [channels], initializer: Constant(1))]
      }
    }

    let Net = ModuleClass("Net")
    let net = Net(linear: Linear(2, 4), gain: Gain(channels: 4))
    let checkpoint = try net.initialized(seed: 0)

    #expect(net.description.contains("(gain): Gain(4)"))
    #expect(checkpoint.entries.map(\.name) == ["linear.weight", "linear.bias", "gain.gain"])
    let gain = try #require(checkpoint.entries.last)
    #expect(try gain.allBytes() == Array(repeating: [0, 0, 0x80, 0x3f], count: 4).flatMap { $0 })
  }

  @Test func `a format of one's own writes and opens a file in memory`() async throws {
    let Net = ModuleClass("Net")
    let checkpoint = try Net(table: Embedding(3, 2)).initialized(seed: 0)
    let bytes = try #require(checkpoint.entries.first).allBytes()

    let files = MemoryFiles()
    let target = try CheckpointTarget("a.vec", in: files.place, format: .vector)
    try await target.write(checkpoint)
    let probe = try FileProbe("a.vec", in: files.place)
    let opened = try CheckpointFormat.vector.open(probe, OpenOptions()).checkpoint

    #expect(files.bytes(of: "a.vec") == Array("VEC1".utf8) + bytes)
    #expect(opened.entries.map(\.name) == ["vector"])
    #expect(try opened.entries.first?.allBytes() == bytes)
    let cut = MemoryFiles(["a.vec": Array("VEC1".utf8) + [0]])
    #expect(throws: CheckpointError.self) {
      try CheckpointFormat.vector.open(FileProbe("a.vec", in: cut.place), OpenOptions())
    }
  }

  @Test func `every example of the README and the articles stands in this file`() throws {
    let root = Fixtures.path("../")
    let source = Self.bare(try Self.text(#filePath).replacing("folder.path + \"/", with: "\""))
    let articles = root + "Sources/CheckpointKit/CheckpointKit.docc/"
    let names = try FileManager.default.contentsOfDirectory(atPath: articles)
    let pages = [root + "README.md"] + names.filter { $0.hasSuffix(".md") }.map { articles + $0 }
    var count = 0
    for page in pages {
      for example in Self.examples(try Self.text(page)) {
        if example.contains("PackageDescription") {
          try expectManifest(example, root)
        } else {
          let code = example.split(separator: "\n").filter { !$0.hasPrefix("import ") }
          #expect(source.contains(Self.bare(code.joined())), "\(page): not compiled: \(example)")
        }
        count += 1
      }
    }
    #expect(count >= 8)
  }

  /// What a manifest asks for must be what ours offers.
  private func expectManifest(_ example: String, _ root: String) throws {
    let manifest = try Self.text(root + "Package.swift")
    let tools = try #require(manifest.split(separator: "\n").first)
    #expect(example.hasPrefix(tools))
    #expect(example.contains("package(name: \"ckpt\"") && manifest.contains("name: \"ckpt\","))
    #expect(example.contains(".product(name: \"CheckpointKit\", package: \"ckpt\")"))
    #expect(manifest.contains(".library(name: \"CheckpointKit\""))
  }

  private static func text(_ path: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
  }

  /// The blocks of Swift in a page.
  private static func examples(_ page: String) -> [String] {
    page.split(separator: "```swift\n").dropFirst().map { rest in
      rest.split(separator: "```", maxSplits: 1)[0].trimmingPrefix("\n").description
    }
  }

  /// A text without white space, which the formatter may have moved.
  private static func bare(_ text: String) -> String { String(text.filter { !$0.isWhitespace }) }
}

extension CheckpointFormat {
  /// One float32 vector without a name: the letters `VEC1`, then its elements.
  static let vector = CheckpointFormat(
    name: "vector", extensions: [".vec"],
    recognizes: { $0.head.starts(with: Array("VEC1".utf8)) },
    open: { probe, _ in
      let source = try probe.source
      guard source.size % 4 == 0 else {
        throw CheckpointError(
          .malformed, "expected whole elements of 4 bytes, found \(source.size % 4) more",
          path: probe.path, offset: source.size / 4 * 4)
      }
      let info = try TensorInfo(dtype: .float32, shape: [source.size / 4 - 1])
      let entry = Checkpoint.Entry(name: "vector", info: info) { range, target in
        try source.read(at: 4 + range.lowerBound, into: &target)
      }
      return Opened(Checkpoint(entries: [entry]))
    },
    write: { checkpoint, sink, _ in
      try sink.append(Array("VEC1".utf8).span.bytes)
      var buffer = ChunkBuffer()
      for entry in checkpoint.entries {
        try entry.forEachChunk(using: &buffer) { _, bytes in try sink.append(bytes) }
      }
    },
    capabilities: Capabilities(
      dtypes: [.float32], keepsTies: false, keepsModules: false, values: [], holdsOneTensor: true))
}

/// Stands for `print` and keeps what it is given.
private final class Printed {
  private var lines: [String] = []

  func callAsFunction(_ values: Any...) {
    lines.append(values.map { "\($0)" }.joined(separator: " "))
  }

  func takeLines() -> [String] {
    defer { lines = [] }
    return lines
  }
}
