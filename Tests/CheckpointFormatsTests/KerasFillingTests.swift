import ByteIO
import CheckpointFormats
import TensorCore
import TestSupport
import Testing

/// Copies of Keras's archives and of its sharded weights, in which some tensors are new.
@Suite struct KerasFillingTests {
  private func bytes(_ name: String) throws -> [UInt8] { try Fixtures.bytes("keras/" + name) }

  private func probe(_ name: String, _ bytes: [UInt8]) throws -> FileProbe {
    try FileProbe(name, in: MemoryFiles([name: bytes]).place)
  }

  private func renewed(_ entry: Checkpoint.Entry) throws -> Checkpoint.Entry {
    try .init(noise: entry.name, entry.info.dtype, entry.info.shape.sizes, seed: 5)
  }

  /// An archive whose members are deflated, as other programs write it again.
  private func deflated(_ name: String) throws -> [UInt8] {
    let folder = try TemporaryFolder()
    try folder.write(try bytes(name), to: "a.keras")
    let script = """
      import sys, zipfile
      with zipfile.ZipFile("a.keras") as old, zipfile.ZipFile("b.keras", "w", 8) as new:
        for member in old.infolist():
          new.writestr(member.filename, old.read(member))
      """
    let run = try CommandRun(["python3", "-c", script], in: folder.path)
    #expect(run.status == 0, "\(run)")
    return try folder.bytes(of: "b.keras")
  }

  @Test(arguments: [false, true])
  func `an archive gets new weights, and its other members stay`(isDeflated: Bool) async throws {
    let old = try isDeflated ? deflated("net.keras") : bytes("net.keras")
    let before = try CheckpointFormat.keras.open(probe("a.keras", old), OpenOptions())
    let own = Dictionary(uniqueKeysWithValues: before.entries.map { ($0.name, $0) })
    let same = try await CheckpointFormat.keras.filled(probe("a.keras", old), with: own)
    #expect(same == ["a.keras": old])
    let new = try renewed(before.entries[0])
    let texts = [Checkpoint.recipeKey: "{}", Checkpoint.provenanceKey: "[]"]
    let filled = try await CheckpointFormat.keras.filled(
      probe("a.keras", old), with: [new.name: new], metadata: texts)
    let copy = try #require(filled["a.keras"])
    let after = try CheckpointFormat.keras.open(probe("a.keras", copy), OpenOptions())
    #expect(after.metadata == before.metadata.merging(texts) { _, new in new })
    #expect(after.notes == before.notes)
    for (old, now) in zip(before.entries, after.entries) {
      let wanted = old.name == new.name ? new : old
      #expect(try now.allBytes() == wanted.allBytes(), "\(old.name)")
    }
    let optimizers = try [old, copy].map { bytes in
      try CheckpointFormat.keras.open(probe("a.keras", bytes), OpenOptions(key: "optimizer"))
        .entries.map { try $0.allBytes() }
    }
    #expect(optimizers[0] == optimizers[1])
    let archives = try [old, copy].map { try ZipArchive(ByteSource($0, name: "a.keras")) }
    #expect(archives[1].members.map(\.name) == archives[0].members.map(\.name) + ["ckpt.json"])
    var contents: [[UInt8]] = []
    for archive in archives {
      for member in archive.members { try archive.verify(member) }
      let weights = try #require(archive.member(named: "model.weights.h5"))
      contents.append(try archive.bytes(weights, limit: 1 << 20))
    }
    #expect(contents[0].count == contents[1].count)
    let changed = zip(contents[0], contents[1]).count { $0 != $1 }
    #expect(changed > 0 && changed <= new.info.byteCount)
  }

  @Test func `only the file with the tensor changes`() async throws {
    let names = (0..<4).map { "sharded_0000\($0).weights.h5" } + ["sharded.weights.json"]
    var files: [String: [UInt8]] = [:]
    for name in names { files[name] = try bytes(name) }
    let probe = try FileProbe("sharded.weights.json", in: MemoryFiles(files).place)
    let before = try CheckpointFormat.keras.open(probe, OpenOptions())
    let own = Dictionary(uniqueKeysWithValues: before.entries.map { ($0.name, $0) })
    let same = try await CheckpointFormat.keras.filled(probe, with: own)
    #expect(same.count == 2)  // The other two hold the optimizer.
    for (name, bytes) in same { #expect(bytes == files[name], "\(name)") }
    let new = try renewed(before.entries[0])
    let filled = try await CheckpointFormat.keras.filled(
      probe, with: [new.name: new], metadata: [Checkpoint.recipeKey: "{}"])
    #expect(filled.count == 2 && filled["sharded.weights.json"] != nil)
    let memory = MemoryFiles(files.merging(filled) { _, new in new })
    let after = try CheckpointFormat.keras.open(
      FileProbe("sharded.weights.json", in: memory.place), OpenOptions())
    #expect(after.metadata[Checkpoint.recipeKey] == "{}")
    #expect(after.entries.map(\.name) == before.entries.map(\.name))
    for (old, now) in zip(before.entries, after.entries) {
      let wanted = old.name == new.name ? new : old
      #expect(try now.allBytes() == wanted.allBytes(), "\(old.name)")
    }
  }
}
