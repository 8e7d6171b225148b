import ByteIO
import CheckpointFormats
import TensorCore
import TestSupport
import Testing

/// Copies of arrays and archives that NumPy has written, in which some arrays are new.
@Suite struct NPZFillingTests {
  static let files = [
    "types.npz", "compressed.npz", "big-endian.npz", "shapes.npz", "others.npz",
  ]

  private func probe(_ name: String, _ bytes: [UInt8]) throws -> FileProbe {
    try FileProbe(name, in: MemoryFiles([name: bytes]).place)
  }

  private func filled(
    _ name: String, _ bytes: [UInt8], _ entries: [Checkpoint.Entry]
  ) async throws -> [UInt8] {
    let new = Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0) })
    let files = try await CheckpointFormat.npz.filled(probe(name, bytes), with: new)
    return try #require(files[name])
  }

  @Test(arguments: files)
  func `a copy filled with its own arrays is the same to the byte`(name: String) async throws {
    let bytes = try Fixtures.bytes("numpy/" + name)
    let own = try CheckpointFormat.npz.open(probe(name, bytes), OpenOptions()).entries
    // NumPy compresses with zlib's default level, as we do.
    #expect(try await filled(name, bytes, own) == bytes)
  }

  @Test(arguments: files)
  func `an array is filled as it is stored, and no other byte but its sums changes`(
    name: String
  ) async throws {
    let bytes = try Fixtures.bytes("numpy/" + name)
    let before = try CheckpointFormat.npz.open(probe(name, bytes), OpenOptions())
    for entry in before.entries {
      let new = try Checkpoint.Entry(
        noise: entry.name, entry.info.dtype, entry.info.shape.sizes, seed: 9)
      let copy = try await filled(name, bytes, [new])
      let after = try CheckpointFormat.npz.open(probe(name, copy), OpenOptions())
      #expect(after.entries.map(\.name) == before.entries.map(\.name))
      #expect(after.notes == before.notes)
      for (old, now) in zip(before.entries, after.entries) {
        let wanted = old.name == entry.name ? new : old
        #expect(try now.allBytes() == wanted.allBytes(), "\(old.name)")
      }
      let verify = try #require(CheckpointFormat.npz.verify)
      let damage = try await verify(probe(name, copy), 2)
      #expect(damage.isEmpty)
      guard name != "compressed.npz" else { continue }
      #expect(copy.count == bytes.count)
      let changed = zip(bytes, copy).count { $0 != $1 }
      #expect(changed <= entry.info.byteCount + 2 * 4, "\(entry.name)")
    }
  }

  @Test(arguments: [
    "columns.npy", "lone.npy", "python2.npy", "version2.npy", "version3.npy", "void.npy",
  ])
  func `only the elements of a lone array change`(name: String) async throws {
    let bytes = try Fixtures.bytes("numpy/" + name)
    let format = CheckpointFormat.npy
    let before = try format.open(probe(name, bytes), OpenOptions())
    let old = try #require(before.entries.first)
    let new = try Checkpoint.Entry(noise: old.name, old.info.dtype, old.info.shape.sizes, seed: 9)
    let same = try await format.filled(probe(name, bytes), with: [old.name: old])
    #expect(same[name] == bytes)
    let copy = try #require(
      try await format.filled(probe(name, bytes), with: [old.name: new])[name])
    #expect(copy.count == bytes.count)
    let start = bytes.count - old.info.byteCount
    #expect(copy[..<start] == bytes[..<start])
    let after = try format.open(probe(name, copy), OpenOptions())
    #expect(after.notes == before.notes)
    #expect(try after.entries[0].allBytes() == new.allBytes())
  }

  @Test func `texts have no room`() throws {
    let bytes = try Fixtures.bytes("numpy/types.npz")
    var fill = Fill(template: try probe("types.npz", bytes), tensors: [:])
    let decide = try #require(CheckpointFormat.npz.fill)
    #expect(try decide(fill).losses.isEmpty)
    fill.metadata = [Checkpoint.recipeKey: "{}"]
    #expect(try decide(fill).losses == ["npz has no room for recipe"])
  }
}
