import ByteIO
import CheckpointFormats
import ParallelWork
import TensorCore
import TestSupport
import Testing

/// Filters and types that libhdf5 does not read, against what h5py sees (`Fixtures/hdf5/filters`).
@Suite struct HDF5FilterTests {
  /// The datasets of /read and of /expected by what follows in their names.
  private func pairs(
    _ file: String
  ) throws -> (read: [String: Checkpoint.Entry], expected: [String: Checkpoint.Entry]) {
    var (read, expected): ([String: Checkpoint.Entry], [String: Checkpoint.Entry]) = ([:], [:])
    for entry in try CheckpointFormat.hdf5.open(Fixtures.path("hdf5/filters/\(file).h5")).entries {
      let name = entry.name.text
      if name.hasPrefix("read.") { read[String(name.dropFirst(5))] = entry }
      if name.hasPrefix("expected.") { expected[String(name.dropFirst(9))] = entry }
    }
    return (read, expected)
  }

  static let files = [
    "own", "zstd", "blosc", "types", "arrays", "virtual", "virtual-latest", "converted",
    "array-fill", "numbers",
  ]

  @Test(arguments: files)
  func `datasets have the values that h5py reads`(file: String) throws {
    try compare(file)
  }

  @Test(arguments: files)
  func `chunks that pass through memory piece by piece have the same values`(file: String) throws {
    try HDF5ChunkDecoder.$maxWholeChunk.withValue(0) { try compare(file) }
  }

  private func compare(_ file: String) throws {
    let (read, expected) = try pairs(file)
    #expect(!read.isEmpty && Set(read.keys) == Set(expected.keys))
    for (name, entry) in read {
      let other = try #require(expected[name])
      #expect(entry.info == other.info, "\(name)")
      do {
        for step in [1 << 20, 64, 7, 4] {
          #expect(try entry.allBytes(step: step) == other.allBytes(), "\(name), \(step) bytes")
        }
      } catch let error as CheckpointError where file == "blosc" {
        // The library is optional.
        #expect(error.message.contains("Debian's package is libblosc1"), "\(error)")
      }
    }
  }

  @Test func `enumerations and bit fields are integers that say what they are`() throws {
    let (read, _) = try pairs("types")
    #expect(
      read["enum-i2"]?.remark?.hasPrefix("enumeration: class0=0, class1=1, ") == true)
    #expect(read["enum-i2"]?.remark?.hasSuffix(", …") == true)
    #expect(read["bits16"]?.info.dtype == .uint16 && read["bits16"]?.remark == "bit field")
    #expect(read["complex-f4"]?.info.dtype == .complex64 && read["complex-f4"]?.remark == nil)
  }

  @Test func `empty arrays of MATLAB have no elements, and the order of axes is reported`() throws {
    let opened = try CheckpointFormat.hdf5.open(Fixtures.path("hdf5/filters/matlab.mat"))
    let infos = Dictionary(uniqueKeysWithValues: opened.entries.map { ($0.name.text, $0.info) })
    #expect(infos["w"]?.shape.sizes == [2, 3])
    #expect(infos["empty"] == (try TensorInfo(dtype: .float64, shape: [0, 0])))
    #expect(infos["rows"] == (try TensorInfo(dtype: .float32, shape: [2, 0, 3])))
    #expect(infos["flags"] == (try TensorInfo(dtype: .uint8, shape: [4, 0])))
    #expect(infos["none"] == nil)
    #expect(opened.notes.contains { $0.hasPrefix("was written by MATLAB") })
    #expect(opened.notes.contains("/none holds an empty MATLAB cell; left out"))
  }

  @Test func `chunks that claim more than they can hold are refused`() throws {
    let entries = try CheckpointFormat.hdf5.open(
      Fixtures.path("hdf5/limits/padded-chunks.h5")
    ).entries
    let padded = #expect(throws: CheckpointError.self) {
      try #require(entries.first { $0.name == "w" }).allBytes()
    }
    #expect(
      padded?.message
        == "has chunks of 2147483648 bytes for 4 bytes of values; pass --allow-large to read them")
    #expect(try #require(entries.first { $0.name == "plain" }).allBytes() == [0, 1, 2])
    let claimed = #expect(throws: CheckpointError.self) {
      try #require(
        CheckpointFormat.hdf5.open(Fixtures.path("hdf5/limits/claimed-chunk.h5")).entries.first
      ).allBytes()
    }
    #expect(
      claimed?.message == "chunk at [0]: 10 packed bytes cannot expand to a chunk of 1048576")
  }

  @Test func `a virtual dataset whose mappings overlap is refused`() throws {
    let path = Fixtures.path("hdf5/limits/overlap.h5")
    let opened = try CheckpointFormat.hdf5.open(path)
    #expect(opened.checkpoint.leftOut["shown"]?.hasSuffix("its mappings overlap") == true)
  }

  @Test func `a virtual dataset is converted, and not filled`() async throws {
    let path = Fixtures.path("hdf5/filters/virtual.h5")
    let entries = try CheckpointFormat.hdf5.open(path).entries
    let entry = try #require(entries.first { $0.name == "read.strided" })
    let template = try FileProbe(path: path)
    let error = await #expect(throws: CheckpointError.self) {
      _ = try await CheckpointFormat.hdf5.filled(
        template, with: [entry.name: entry], metadata: [:], threads: 1)
    }
    #expect(error?.message.contains("virtual dataset") == true)
  }

  @Test func `arrays as elements are not filled`() async throws {
    let path = Fixtures.path("hdf5/filters/arrays.h5")
    let entries = try CheckpointFormat.hdf5.open(path).entries
    let entry = try #require(entries.first { $0.name == "read.gzipf4False" })
    let template = try FileProbe(path: path)
    let error = await #expect(throws: CheckpointError.self) {
      _ = try await CheckpointFormat.hdf5.filled(
        template, with: [entry.name: entry], metadata: [:], threads: 1)
    }
    #expect(error?.message.hasPrefix("has arrays as elements") == true)
  }

  @Test(arguments: ["own", "zstd", "blosc", "virtual", "types", "arrays", "converted"])
  func `damaged chunks, selections, and types are read or refused`(file: String) throws {
    try damage(file)
    try HDF5ChunkDecoder.$maxWholeChunk.withValue(0) { try damage(file) }
  }

  private func damage(_ file: String) throws {
    let whole = try Fixtures.bytes("hdf5/filters/\(file).h5")
    let folder = try TemporaryFolder()
    var random = SplitMix(seed: 11)
    var (read, refused) = (0, 0)
    for _ in 0..<60 {
      var damaged = whole
      for _ in 0..<(1 + random.below(40)) {
        damaged[random.below(whole.count)] = UInt8(random.below(256))
      }
      let path = try folder.write(damaged, to: "damaged.h5")
      guard let opened = try? CheckpointFormat.hdf5.open(path) else { continue }
      for entry in opened.entries where entry.info.byteCount < 1 << 20 {
        do {
          _ = try entry.allBytes()
          read += 1
        } catch let error as CheckpointError {
          #expect(!error.message.isEmpty)
          refused += 1
        }
      }
    }
    // Only packed chunks show damage in their bytes.
    let isPacked = ["own", "zstd", "blosc"].contains(file)
    #expect(read > 60 && (refused > 10 || !isPacked), "\(read) read, \(refused) refused")
  }
}
