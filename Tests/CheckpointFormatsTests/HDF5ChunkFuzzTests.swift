import ByteIO
import CheckpointFormats
import ParallelWork
import TensorCore
import TestSupport
import Testing

/// Damage in the chunks of files that h5py or we wrote, each with an Adler-32 or a Fletcher-32
/// checksum: it is detected, or it changes no tensor.
@Suite struct HDF5ChunkFuzzTests {
  static let chunks = try? Fixtures.json("hdf5/chunks.json", as: [String: [[Int]]].self)
  static let files = (chunks ?? [:]).keys.sorted()

  private func sums(_ path: String) throws -> [Digest] {
    try CheckpointFormat.hdf5.open(path, OpenOptions()).entries.map { try $0.digest() }
  }

  @Test(arguments: files)
  func `damage in a chunk is detected or harmless`(_ file: String) throws {
    let chunks = try #require(Self.chunks?[file])
    let whole = try Fixtures.bytes("hdf5/\(file)")
    let sound = try sums(Fixtures.path("hdf5/\(file)"))
    let folder = try TemporaryFolder()
    let random = noise(4 * 150, seed: 9)
    var found = 0
    for trial in 0..<150 {
      let choice = random[(trial * 4)..<(trial * 4 + 4)].map(Int.init)
      let chunk = chunks[(choice[0] * 256 + choice[1]) % chunks.count]
      var damaged = Array(whole)
      damaged[chunk[0] + (choice[2] * 8 + choice[3] / 32) % chunk[1]] ^= 1 << UInt8(choice[3] % 8)
      let path = try folder.write(damaged, to: "damaged.h5")
      do {
        #expect(try sums(path) == sound, "trial \(trial) of \(file)")
      } catch let error as CheckpointError {
        found += 1
        #expect(error.code == .malformed)
        #expect(error.message.hasPrefix("chunk at ["), "\(error)")
      }
    }
    #expect(found > 100, "\(found) of 150")
  }

  @Test func `a damaged chunk in a file that we wrote is named`() async throws {
    let folder = try TemporaryFolder()
    let entry = try Checkpoint.Entry(
      memory: "a", .float32, [512, 512],
      (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 % 4 == 3 ? 63 : $0 &* 37 >> 3) })
    try await CheckpointFormat.hdf5.writeFile(
      Checkpoint(entries: [entry]), folder.file("a.h5"), WriteOptions())
    let whole = try folder.bytes(of: "a.h5")
    let sound = try entry.digest()
    #expect(try sums(folder.file("a.h5")) == [sound])
    let content = try entry.bytes()
    let stream = PlaneCodec.encode(content.rawBytes, width: 4, rotated: false)
    let start = try #require(
      whole.indices.first { whole[$0...].starts(with: stream.prefix(64)) })
    #expect(Array(whole[start..<start + stream.count]) == stream)
    for place in stride(from: 0, to: stream.count, by: stream.count / 40) {
      var damaged = whole
      damaged[start + place] ^= 16
      let path = try folder.write(damaged, to: "b.h5")
      do {
        #expect(try sums(path) == [sound], "byte \(place)")
      } catch let error as CheckpointError {
        #expect(error.description.hasPrefix("\(path): tensor 'a': chunk at [0, 0]: "))
      }
    }
  }
}
