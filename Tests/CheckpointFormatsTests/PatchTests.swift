import ByteIO
import CheckpointFormats
import ParallelWork
import TensorCore
import TestSupport
import Testing

@Suite struct PatchTests {
  let files = MemoryFiles()

  private func write(
    from old: Checkpoint, to new: Checkpoint, name: String = "patch.ckz",
    partners: [TensorName: TensorName] = [:], threads: Int = 2
  ) async throws -> CheckpointPatch.Summary {
    var options = WriteOptions()
    options.threads = threads
    return try await CheckpointPatch.write(
      from: old, to: new, partners: partners, in: files.place, name: name, options: options,
      overwrites: true)
  }

  private func patch(_ name: String = "patch.ckz") throws -> CheckpointPatch {
    try #require(try CheckpointPatch(FileProbe(name, in: files.place)))
  }

  @Test func `a patch makes the second checkpoint of the first`() async throws {
    let (old, new) = (try DriftSample.checkpoint(step: 1), try DriftSample.checkpoint(step: 2))
    let summary = try await write(from: old, to: new)
    #expect(summary.unchangedCount == 1 + 4, "the frozen tensor, and those without elements")
    #expect(summary.changedCount > 7)
    let result = try await patch().applied(to: old, threads: 2)
    try DriftSample.expectEqual(result, new)
    let digests = try new.entries.map { (entry: $0, digest: try $0.digest()) }
    #expect(try patch().result == Fingerprint(Manifest(digests)))
    // Less than a third of the drifting bytes differ, and the frozen tensor takes no bytes at all.
    let plain = try await CheckpointFormat.native.bytes(of: new)
    #expect(summary.byteCount * 3 < plain.count)
  }

  @Test func `a patch with parity is refused`() async throws {
    var options = WriteOptions()
    options.parity = 5
    let (old, new) = (try DriftSample.checkpoint(step: 1), try DriftSample.checkpoint(step: 2))
    let error = await #expect(throws: CheckpointError.self) {
      _ = try await CheckpointPatch.write(
        from: old, to: new, in: files.place, name: "patch.ckz", options: options)
    }
    #expect(error?.description == "patch.ckz: a patch cannot have parity")
    #expect(throws: CheckpointError.self) { try FileProbe("patch.ckz", in: files.place) }
  }

  @Test func `the bytes of a patch depend on nothing but the two checkpoints`() async throws {
    let (old, new) = (try DriftSample.checkpoint(step: 1), try DriftSample.checkpoint(step: 2))
    for threads in [1, 3] {
      _ = try await write(from: old, to: new, name: "\(threads)", threads: threads)
    }
    #expect(files.bytes(of: "1") == files.bytes(of: "3"))
    // A base in another format has the same fingerprint.
    let bytes = try await CheckpointFormat.native.bytes(of: old)
    let base = try CheckpointFormat.native.open(
      FileProbe("base.ckz", in: MemoryFiles(["base.ckz": bytes]).place), OpenOptions())
    _ = try await write(from: base.checkpoint, to: new, name: "ckz")
    #expect(files.bytes(of: "ckz") == files.bytes(of: "1"))
    try DriftSample.expectEqual(
      try await patch("1").applied(to: base.checkpoint, threads: 1), new)
  }

  @Test func `tensors are added, removed, renamed, retyped, and reshaped`() async throws {
    let old = Checkpoint(entries: [
      try DriftSample.entry("gone", .float32, 4000, step: 0, seed: 1),
      try DriftSample.entry("old.name", .float32, 4000, step: 0, seed: 2),
      try DriftSample.entry("retyped", .float32, 4000, step: 0, seed: 3),
      try DriftSample.entry("viewed", .float32, 4000, step: 0, seed: 4),
      try DriftSample.entry("moved", .float32, 4000, step: 0, seed: 5),
    ])
    let viewed = DriftSample.bytes(.float32, 4000, step: 0, seed: 4)
    let new = Checkpoint(entries: [
      try DriftSample.entry("new.name", .float32, 4000, step: 0, seed: 2),
      try DriftSample.entry("retyped", .bfloat16, 2000, step: 0, seed: 3),
      try .init(memory: "viewed", .int32, [10, 100], viewed),
      try DriftSample.entry("added", .float32, 4000, step: 0, seed: 6),
      try DriftSample.entry("added.twice", .float32, 4000, step: 0, seed: 6),
      try DriftSample.entry("moved.too", .float32, 4000, step: 1, seed: 5),
    ])
    let summary = try await write(from: old, to: new, partners: ["moved": "moved.too"])
    #expect(summary.unchangedCount == 2)
    #expect(summary.changedCount == 1)
    #expect(summary.wholeCount == 3)
    try DriftSample.expectEqual(try await patch().applied(to: old, threads: 1), new)
  }

  @Test func `another base is refused`() async throws {
    let (old, new) = (try DriftSample.checkpoint(step: 1), try DriftSample.checkpoint(step: 2))
    _ = try await write(from: old, to: new)
    let error = await #expect(throws: CheckpointError.self) {
      _ = try await patch().applied(to: new, threads: 1)
    }
    #expect(error?.code == .mismatched)
    #expect(error?.message.contains("the patch applies to fingerprint") == true)
  }

  @Test func `a patch alone lists its tensors and says what it needs`() async throws {
    let (old, new) = (try DriftSample.checkpoint(step: 1), try DriftSample.checkpoint(step: 2))
    _ = try await write(from: old, to: new)
    let probe = try FileProbe("patch.ckz", in: files.place)
    let alone = try CheckpointFormat.native.open(probe, OpenOptions()).checkpoint
    #expect(alone.entries.map(\.info) == new.entries.map(\.info))
    let frozen = try #require(alone.entries.first)
    let error = #expect(throws: CheckpointError.self) { _ = try frozen.allBytes() }
    #expect(error?.message.contains("needs the base of this patch") == true)
    #expect(try await CheckpointFormat.native.verify?(probe, 1).isEmpty == true)
    let fill = try #require(CheckpointFormat.native.fill)
    #expect(throws: CheckpointError.self) { _ = try fill(Fill(template: probe, tensors: [:])) }
  }

  @Test func `every flipped bit of a patch is found without its base`() async throws {
    let old = Checkpoint(entries: [
      try DriftSample.entry("a", .float32, 96, step: 0), try .init(noise: "b", .int16, [9]),
    ])
    let new = Checkpoint(entries: [
      try DriftSample.entry("a", .float32, 96, step: 1), try .init(noise: "b", .int16, [9]),
      try .init(noise: "c", .int16, [9], seed: 4),
    ])
    let summary = try await write(from: old, to: new)
    #expect((summary.unchangedCount, summary.changedCount, summary.wholeCount) == (1, 1, 1))
    let bytes = try #require(files.bytes(of: "patch.ckz"))
    for place in bytes.indices {
      for bit in 0..<8 {
        var flipped = bytes
        flipped[place] ^= 1 << UInt8(bit)
        #expect(await Self.isDamaged(flipped), "byte \(place) bit \(bit)")
      }
    }
    #expect(await !Self.isDamaged(bytes))
  }

  private static func isDamaged(_ bytes: [UInt8]) async -> Bool {
    do {
      let probe = try FileProbe("p", in: MemoryFiles(["p": bytes]).place)
      _ = try CheckpointFormat.native.open(probe, OpenOptions())
      return try await CheckpointFormat.native.verify?(probe, 1).isEmpty == false
    } catch {
      return true
    }
  }

  @Test(arguments: [
    (#""base":"#, #""bade":"#),
    (#"{"base":"0"#, #"{"base":"G"#),
    (#","filter":"delta+"#, #","filter":"delta+f32+"#),
    (#","filter":"delta+"#, #","filter":""#),
    (#","filter":"delta+sparse+planes-4""#, #","filter":"base""#),
    (
      #","filter":"delta+sparse+planes-4""#, #","filter":"delta+sparse+rotated-planes-4""#
    ),
    (#","shape":[24]}"#, #","shape":[24],"step":0}"#),
    (#","shape":[9]}"#, #","shape":[10]}"#),
  ])
  func `an index that says what cannot be is refused`(_ old: String, _ new: String) async throws {
    let first = Checkpoint(entries: [
      try DriftSample.entry("a", .float32, 96, step: 0), try .init(noise: "b", .int16, [9]),
    ])
    let second = Checkpoint(entries: [
      try DriftSample.entry("a", .float32, 96, step: 1), try .init(noise: "b", .int16, [9]),
    ])
    _ = try await write(from: first, to: second)
    let bytes = try #require(files.bytes(of: "patch.ckz"))
    let text = String(decoding: try SignedIndex.text(of: bytes), as: UTF8.self)
    let digit = text.utf8.dropFirst(9).first.map { String(UnicodeScalar($0)) } ?? ""
    let (old, new) = (old.replacing(#""0"#, with: "\"" + digit), new)
    let changed = text.replacing(old, with: new)
    #expect(changed != text, "\(text)")
    let mutant = try SignedIndex.replace(in: bytes, by: Array(changed.utf8))
    let memory = MemoryFiles(["m": mutant])
    await #expect(throws: CheckpointError.self) {
      let patch = try CheckpointPatch(FileProbe("m", in: memory.place))
      let result = try await patch?.applied(to: first, threads: 1)
      for entry in result?.entries ?? [] { _ = try entry.allBytes() }
      if patch == nil { throw CheckpointError(.malformed, "no patch any more") }
    }
  }
}
