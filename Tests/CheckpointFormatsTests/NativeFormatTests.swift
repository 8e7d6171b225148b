import ByteIO
import CheckpointFormats
import FoundationEssentials
import TensorCore
import TestSupport
import Testing

/// What the native format promises beyond the contract of all formats.
@Suite struct NativeFormatTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `example`() async throws {
    let e = try Checkpoint.Entry(memory: "w", [1, -2, 0.5])
    let c = Checkpoint(entries: [e, try .init(memory: "v", [1, -2, 0.5], shape: nil)], metadata: ["k": "v"])
    _ = c
    let tied = try Checkpoint.Entry(memory: "tied", .float32, [3], e.allBytes(), alias: "w")
    try await CheckpointFormat.native.write!(Checkpoint(entries: [e, tied], modules: [ModuleLabel(path: "", kind: "Net", arguments: "")], metadata: ["note": "example"]), "/tmp/nt/example.ckz", WriteOptions())
    var o = WriteOptions(); o.compression = .none
    try await CheckpointFormat.native.write!(Checkpoint(entries: [e, tied], modules: [ModuleLabel(path: "", kind: "Net", arguments: "")], metadata: ["note": "example"]), "/tmp/nt/raw.ckz", o)
    try await CheckpointFormat.native.write!(Checkpoint(entries: DType.allCases.map{ try! .init(noise: TensorName("t\($0)"), $0, [150_000]) }), "/tmp/nt/big.ckz", WriteOptions())
  }
}
