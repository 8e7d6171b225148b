import CheckpointKit
import TensorCore
import TestSupport
import Testing

@Suite struct ManifestTests {
  /// Computed by hand with Python's hashlib from the definition in `Manifest`'s documentation.
  @Test func `the fingerprint is the one that hashlib gives`() async throws {
    let checkpoint = Checkpoint(entries: [
      try .init(memory: "b.weight", [1, 2], shape: [1, 2]), try .init(memory: "a\nb\\", [0]),
      try .init(memory: "n", .int64, [], [3, 0, 0, 0, 0, 0, 0, 0]),
    ])
    let manifest = try await Manifest(of: checkpoint, threads: 2, algorithm: .sha256)
    #expect(
      manifest.text == """
        df3f619804a92fdb4057192dc43dd748ea778adc52bc498ce80524c014b81119  F32  [1]  a\\nb\\\\
        b9c80b5adeca450753a16950c3cc655d271f7bef7a485bc83f112b72fef21d37  F32  [1,2]  b.weight
        35be322d094f9d154a8aba4733b8497f180353bd7ae7b0a15f90b586b549f28b  I64  []  n

        """)
    #expect(
      manifest.digest.description
        == "5835eef5ed708ffc6d6806e1defe0203d1177263c323745ca08ddfff3d509559")
    // By the package blake3 of PyPI, from the same definition.
    #expect(
      try await Manifest(of: checkpoint, threads: 2).digest.description
        == "cc02c51f45a01c622e291630ebf2db1859314587f59cdd06ed5356557d25b773")
  }
}
