import ByteIO
import CheckpointFormats
import FoundationEssentials
import HDF5
import ParallelWork
import TensorCore
import TestSupport
import Testing

/// Damaged and hostile metadata: whatever a file holds, the result is a table or one error.
@Suite struct HDF5FuzzTests {
  /// Number of damaged copies of each file.
  static let trials =
    ProcessInfo.processInfo.environment["CKPT_FUZZ_TRIALS"].flatMap { Int($0) } ?? 15
  /// Files with an old superblock have no checksums; in the others checksums are corrected after the
  /// damage, or the code after them would never run.
  static let files = HDF5TableTests.files

  /// Opens a file and reads every tensor that does not need the library.
  private func read(_ path: String) throws {
    let checkpoint = try CheckpointFormat.hdf5.open(path)
    let table = try HDF5File(Place.open(path: path)).table
    let ours = Set(
      table.datasets.filter { if case .library = $0.storage { false } else { true } }
        .map { $0.path.joined(separator: ".") })
    var buffer = ChunkBuffer(capacity: 1 << 18)
    // A shape may claim any size, which would take a debug build too long.
    for entry in checkpoint.entries
    where ours.contains(entry.name.text) && entry.info.byteCount <= buffer.capacity {
      let count = entry.info.byteCount
      var target = buffer.mutableBytes(count)
      do {
        try entry.read(0..<count, into: &target)
      } catch let error as CheckpointError {
        if error.message.hasPrefix("expected checksum ") { throw error }
      }
    }
  }

  @Test(arguments: files)
  func `a damaged file is read or refused`(file: String) throws {
    let whole = try Fixtures.bytes(file)
    let folder = try TemporaryFolder()
    var random = SplitMix(seed: file.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
    for _ in 0..<Self.trials {
      var damaged = whole
      for _ in 0..<random.below(3) + 1 {
        let place = random.below(damaged.count)
        switch random.below(4) {
        case 0: damaged[place] = 0xff
        case 1: damaged[place] = UInt8(random.below(256))
        case 2: damaged[place] &+= random.below(2) == 0 ? 1 : 255
        default: damaged[place] ^= 1 << UInt8(random.below(8))
        }
      }
      try expectAnAnswer(&damaged, in: folder)
    }
  }

  /// Opens and reads damaged bytes, correcting each checksum that an error complains about.
  private func expectAnAnswer(_ damaged: inout [UInt8], in folder: TemporaryFolder) throws {
    for _ in 0..<8 {
      let path = try folder.write(damaged, to: "damaged.h5")
      do {
        try read(path)
        break
      } catch let error as CheckpointError {
        #expect(error.path == path)
        guard error.mendChecksum(in: &damaged) else { break }
      }
    }
  }

  /// Offsets at which there is a structure's signature, or something like an old object header.
  private func structures(_ bytes: [UInt8]) -> Set<Int> {
    let signatures = [
      "TREE", "HEAP", "SNOD", "OHDR", "OCHK", "BTHD", "BTIN", "BTLF", "FRHP", "FHDB", "FHIB",
      "GCOL",
      "FAHD", "FADB", "EAHD", "EAIB", "EASB", "EADB", "SMTB",
    ].map { Array($0.utf8) }
    return Set(
      (8..<bytes.count - 8).filter { place in
        signatures.contains { bytes[place...].starts(with: $0) }
          || place % 8 == 0 && bytes[place...].starts(with: [1, 0]) && bytes[place + 3] == 0
      })
  }

  @Test(
    arguments: [
      "earliest", "chunked", "links", "ways/chunks-many-old", "ways/grown-old", "ways/grown-v110",
      "ways/links-tree", "ways/attributes-few-old", "ways/attributes-many-v110", "ways/shared-v110",
      "ways/chunks-many-v110", "ways/layouts-v110",
    ].map { "hdf5/\($0).h5" })
  func `structures that refer to each other do not loop forever`(file: String) throws {
    let whole = try Fixtures.bytes(file)
    let folder = try TemporaryFolder()
    let places = structures(whole).sorted()
    let known = Set(places)
    // Whatever has the bytes of such an address.
    let pointers = (8..<whole.count - 8).filter { (place: Int) -> Bool in
      let target = Int(whole[place]) | Int(whole[place + 1]) << 8
      return known.contains(target) && whole[place + 2..<place + 8].allSatisfy { $0 == 0 }
    }
    #expect(!pointers.isEmpty)
    if pointers.isEmpty { return }
    var random = SplitMix(seed: 3)
    for _ in 0..<4 * Self.trials {
      var damaged = whole
      for _ in 0..<random.below(2) + 1 {
        let pointer = pointers[random.below(pointers.count)]
        let place = places[random.below(places.count)]
        (damaged[pointer], damaged[pointer + 1]) = (UInt8(place & 0xff), UInt8(place >> 8 & 0xff))
      }
      try expectAnAnswer(&damaged, in: folder)
    }
  }
}
