import CheckpointKit
import Synchronization
import TestSupport
import Testing

/// Formats, places, and layers of another package, made of what is public.
@Suite struct ExtensionTests {
  @Test func `a format and a place of another package open, write, and fill files`() async throws {
    let store = Store()
    let checkpoint = Checkpoint(entries: [try .init("x", shape: [3], [1, 2, 3] as [Float])])
    try await CheckpointTarget("a.vec", in: store.place, format: .filledVector).write(checkpoint)
    let formats = [.filledVector] + CheckpointFormat.all
    let source = try CheckpointSource.open(FileProbe("a.vec", in: store.place), formats: formats)
    #expect(source.format.name == "filled-vector")
    #expect(try source.checkpoint["vector"]?.floats() == [1, 2, 3])

    let new = try Checkpoint.Entry("vector", shape: [3], [4, 5, 6] as [Float])
    let filled = try await source.filled(with: ["vector": new])
    let copied = try await CopyTarget(replacing: source.probe).write(filled)
    #expect(copied.paths == ["store:a.vec"])
    let after = try CheckpointSource.open(FileProbe("a.vec", in: store.place), formats: formats)
    #expect(try after.checkpoint["vector"]?.floats() == [4, 5, 6])
    #expect(throws: CheckpointError.self) {
      try CheckpointSource.open(FileProbe("a.vec", in: store.place))
    }
  }

  @Test func `a layer of another package says what its constructor draws`() throws {
    struct Gate: Layer {
      var kind: String { "Gate" }
      var arguments: String { "" }
      var parameters: [Parameter] { [Parameter("w", shape: [4], initializer: Normal())] }
      func construction(children names: [String]) -> [ConstructionStep] {
        [
          .discard(shape: [2], Normal()), .ownParameters, .fillPart("w", 0..<2, Constant(1)),
          .change("w", [.times(2)]), .remainder,
        ]
      }
    }
    let values = try ModuleClass("Net")(gate: Gate()).initialized(seed: 1).entries[0].floats()
    // torch.manual_seed(1); torch.randn(2); w = torch.randn(4); w[:2] = 1; w *= 2
    #expect(values == [2, 2, -0.90381193, -0.33226046])
  }
}

extension CheckpointFormat {
  /// One float32 vector, whose copies can be filled.
  fileprivate static let filledVector = CheckpointFormat(
    name: "filled-vector", extensions: [".vec"],
    recognizes: { $0.head.starts(with: Array("VEC1".utf8)) },
    open: { probe, options in try vector.open(probe, options) }, write: vector.write,
    fill: { fill in
      FilledFiles(fill.template.name) { sink in
        try sink.append(Array("VEC1".utf8).span.bytes)
        var buffer = ChunkBuffer()
        try fill.tensors["vector"]?.forEachChunk(using: &buffer) { try sink.append($1) }
      }
    },
    capabilities: vector.capabilities)
}

/// Files in a dictionary.
private final class Store: Sendable {
  private let files = Mutex<[String: [UInt8]]>([:])

  var place: Place {
    Place(prefix: "store:") { [self] name throws(CheckpointError) in
      guard let bytes = files.withLock({ $0[name] }) else {
        throw CheckpointError(.missing, "there is no such file", path: "store:" + name)
      }
      return ByteSource(name: "store:" + name, size: bytes.count) {
        offset, target throws(CheckpointError) in
        for index in 0..<target.byteCount {
          target.storeBytes(of: bytes[offset + index], toByteOffset: index, as: UInt8.self)
        }
      }
    } list: { [self] _ throws(CheckpointError) in
      files.withLock { Array($0.keys) }
    } create: { [self] name, _ throws(CheckpointError) in
      ByteSink.memory(name: "store:" + name) { [self] bytes throws(CheckpointError) in
        files.withLock { $0[name] = bytes }
      }
    }
  }
}
