import CheckpointFormats
import FoundationEssentials
import Glibc
import HDF5
import TensorCore
import TestSupport
import Testing

/// What h5py reads from the files that we write: in every run if it is installed, and in a committed
/// file, which we must still write byte for byte.
@Suite struct HDF5OracleTests {
  /// The output of `Tools/fixtures/make_hdf5.py FILE`.
  struct Seen: Decodable {
    struct Dataset: Decodable, Equatable {
      let dtype: String
      let shape: [Int]
      let sha256: String
    }
    let datasets: [String: Dataset]
    let groups: [String]
    let attributes: [String: String]
  }

  /// A Python with h5py.
  static let python =
    ProcessInfo.processInfo.environment["CKPT_ORACLE_PYTHON"] ?? "/opt/oracle/bin/python"
  static var hasPython: Bool { unsafe access(python, X_OK) == 0 }

  /// Every type, a scalar, an empty tensor, several blocks, modules, a tied tensor, a custom order.
  static func checkpoint(blockCount: Int) throws -> Checkpoint {
    var entries = try HDF5WritingTests.net().entries
    entries += try DType.computable.flatMap { dtype in
      try [[], [2, 0], [3, 5]].map { shape in
        try .init(
          noise: TensorName("types.\(dtype.torchName).r\(shape.count)x\(shape.reduce(1, *))"),
          dtype,
          shape)
      }
    }
    entries.append(try .init(noise: "z.last", .float32, [blockCount, 1000]))
    entries.append(try .init(noise: "embed.late", .int8, [2]))
    let net = try HDF5WritingTests.net()
    return Checkpoint(entries: entries, modules: net.modules, metadata: net.metadata)
  }

  static func expect(_ seen: Seen, _ checkpoint: Checkpoint) throws {
    var expected: [String: Seen.Dataset] = [:]
    for entry in checkpoint.entries {
      expected[entry.name.text.split(separator: ".").joined(separator: "/")] = Seen.Dataset(
        dtype: entry.info.dtype.rawValue, shape: entry.info.shape.sizes,
        sha256: try entry.digest(chunk: 1 << 20).description)
    }
    #expect(seen.datasets == expected)
    #expect(
      seen.groups.prefix(6) == ["", "embed", "layers", "layers/0", "layers/1", "downsample"])
    #expect(seen.attributes["@format"] == "ckpt")
    #expect(seen.attributes["@version"] == "1")
    #expect(seen.attributes["@recipe"] == "{\"seed\": 1}")
    #expect(seen.attributes["@é"] == "ü")
    #expect(seen.attributes["@kind"] == "Net")
    #expect(seen.attributes["layers/0@kind"] == "Linear")
    #expect(
      seen.attributes["layers/0@arguments"] == "in_features=4, out_features=4, bias=True")
    #expect(seen.attributes["layers/1@kind"] == "ReLU")
    #expect(seen.attributes["head@arguments"] == "two\nlines")
  }

  @Test(
    .enabled(if: hasPython, "a Python with h5py, see CKPT_ORACLE_PYTHON"),
    arguments: [WriteOptions.Compression.none, .planes, .gzip(level: 6)])
  func `h5py reads what we wrote`(compression: WriteOptions.Compression) async throws {
    let checkpoint = try Self.checkpoint(blockCount: 700)
    let folder = try TemporaryFolder()
    try await CheckpointFormat.hdf5.writeFile(
      checkpoint, folder.file("a.h5"), HDF5WritingTests.options(compression, threads: 2))
    let script = Fixtures.path("../Tools/fixtures/make_hdf5.py")
    let command = "'\(Self.python)' '\(script)' '\(folder.file("a.h5"))' > '\(folder.file("seen"))'"
    try #require(unsafe system(command) == 0)
    let seen = Data(try folder.bytes(of: "seen"))
    try Self.expect(try JSONDecoder().decode(Seen.self, from: seen), checkpoint)
  }

  @Test(
    .enabled(if: HDF5Library.version == "1.10.8", "other versions may lay files out differently"))
  func `the bytes that we write are those that h5py has read`() async throws {
    let checkpoint = try Self.checkpoint(blockCount: 2)
    let folder = try TemporaryFolder()
    try await CheckpointFormat.hdf5.writeFile(checkpoint, folder.file("a.h5"), WriteOptions())
    let bytes = try folder.bytes(of: "a.h5")
    // After a deliberate change: run with this set, then Tools/fixtures/make.py hdf5.
    if let renewed = ProcessInfo.processInfo.environment["CKPT_RENEW_WRITTEN_H5"] {
      try Data(bytes).write(to: URL(filePath: renewed))
      return
    }
    #expect(bytes == (try Fixtures.bytes("hdf5/written.h5")))
    let seen = Data(try Fixtures.bytes("hdf5/written.json"))
    try Self.expect(try JSONDecoder().decode(Seen.self, from: seen), checkpoint)
  }
}
