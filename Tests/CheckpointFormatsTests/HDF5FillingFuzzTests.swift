import ByteIO
import CheckpointFormats
import TensorCore
import TestSupport
import Testing

/// Damaged files as templates: libhdf5 writes only into what our own reader has accepted, and whatever
/// it then finds, the result is a file or one error.
@Suite struct HDF5FillingFuzzTests {
  static let files = [
    "filling/old", "filling/v110", "filling/ordered", "filling/many-attributes",
    "filling/timed-v108",
    "written", "ways/shared-v110", "ways/attributes-many-v110",
  ]

  @Test(arguments: files)
  func `a damaged file is filled or refused`(file: String) async throws {
    let whole = try Fixtures.bytes("hdf5/\(file).h5")
    let folder = try TemporaryFolder()
    var random = SplitMix(seed: file.utf8.reduce(11) { $0 &* 31 &+ UInt64($1) })
    for _ in 0..<HDF5FuzzTests.trials {
      var damaged = whole
      for _ in 0..<random.below(3) + 1 {
        let place = random.below(damaged.count)
        switch random.below(3) {
        case 0: damaged[place] = 0xff
        case 1: damaged[place] = UInt8(random.below(256))
        default: damaged[place] ^= 1 << UInt8(random.below(8))
        }
      }
      for _ in 0..<8 {
        let path = try folder.write(damaged, to: "damaged.h5")
        do {
          try await fill(path)
          break
        } catch let error as CheckpointError {
          #expect(error.path != nil, "\(error)")
          guard error.mendChecksum(in: &damaged) else { break }
        }
      }
    }
  }

  /// Fills a copy with zeros and records a text.
  private func fill(_ path: String) async throws {
    let probe = try FileProbe(path: path)
    let entries = try CheckpointFormat.hdf5.open(probe, OpenOptions()).entries
    // A shape may claim any size, which would take a debug build too long.
    let small = try entries.filter { $0.info.byteCount < 1 << 16 && $0.alias == nil }.map { entry in
      try Checkpoint.Entry(
        memory: entry.name, entry.info.dtype, entry.info.shape.sizes,
        [UInt8](repeating: 0, count: entry.info.byteCount))
    }
    for entry in small.prefix(6) {
      do {
        _ = try await CheckpointFormat.hdf5.filled(probe, with: [entry.name: entry])
      } catch let error as CheckpointError {
        #expect(error.path != nil, "\(error)")
      }
    }
    _ = try await CheckpointFormat.hdf5.filled(
      probe, with: Dictionary(small.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first }),
      metadata: ["provenance": "[]"])
  }
}
