import ByteIO
import CheckpointFormats
import TensorCore
import TestSupport
import Testing

@Suite struct RunPackTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @discardableResult
  private func pack(
    _ checkpoints: [Checkpoint], to name: String = "run.ckz", replaces: Bool = false
  ) async throws -> [UInt8] {
    let writer = try RunPackWriter(folder.file(name), overwrites: replaces)
    for checkpoint in checkpoints {
      try await writer.add(checkpoint, name: "epoch\(writer.count).pt")
    }
    try await writer.finish()
    return try folder.bytes(of: name)
  }

  private func open(_ name: String = "run.ckz") throws -> RunPack {
    try #require(try RunPack(FileProbe(path: folder.file(name))))
  }

  /// A checkpoint of a few bytes.
  private func tiny(_ step: Int) throws -> Checkpoint {
    Checkpoint(
      entries: [
        try DriftSample.entry("w", .float32, 1024, step: step),
        try DriftSample.entry("frozen", .float32, 1024, step: 0, seed: 3),
      ], values: [.init("epoch", .integer(step))])
  }

  @Test func `each step of a pack is what was packed`() async throws {
    let steps = try (1...5).map(DriftSample.checkpoint)
    let bytes = try await pack(steps)
    let run = try open()
    #expect(run.steps.map(\.name) == (0..<5).map { "epoch\($0).pt" })
    for (number, step) in steps.enumerated() {
      try DriftSample.expectEqual(try run.checkpoint(number), step)
    }
    #expect(try await run.verify(threads: 2).isEmpty)
    let plain = try await CheckpointFormat.native.bytes(of: steps[0])
    #expect(bytes.count < 2 * plain.count, "\(bytes.count) of \(plain.count) each")
    // A step is opened like a file.
    let probe = try FileProbe.checkpoint(folder.file("run.ckz@3"))
    let opened = try CheckpointFormat.native.open(probe, OpenOptions())
    try DriftSample.expectEqual(opened.checkpoint, steps[3])
    #expect(try await CheckpointFormat.native.verify?(probe, 1).isEmpty == true)
  }

  @Test func `a pack that grew has the same steps as one written at once`() async throws {
    let steps = try (0..<4).map(tiny)
    try await pack(steps, to: "once.ckz")
    for step in steps { try await pack([step]) }
    let (grown, once) = (try open(), try open("once.ckz"))
    // Their indexes have other offsets.
    for (left, right) in zip(grown.steps, once.steps) {
      #expect(abs(left.storedByteCount - right.storedByteCount) < 8)
    }
    for (number, step) in steps.enumerated() {
      try DriftSample.expectEqual(try grown.checkpoint(number), step)
    }
    #expect(try await grown.verify(threads: 1).isEmpty)
  }

  @Test func `equal tensors are stored once, even if others came between`() async throws {
    let steps = try [0, 1, 0].map(tiny)
    try await pack(steps)
    let run = try open()
    #expect(run.steps[2].storedByteCount < run.steps[0].storedByteCount / 3, "\(run.steps)")
    try DriftSample.expectEqual(try run.checkpoint(2), steps[2])
  }

  @Test func `differences of differences end now and then`() async throws {
    let steps = try (0..<150).map { try tiny($0) }
    try await pack(steps)
    let run = try open()
    for number in [0, 1, 63, 64, 65, 149] {
      try DriftSample.expectEqual(try run.checkpoint(number), steps[number])
    }
    let sizes = run.steps.map(\.storedByteCount)
    #expect(sizes.dropFirst().count { $0 > sizes[1] * 5 / 4 } > 1, "\(sizes)")
  }

  @Test func `a torn tail costs nothing`() async throws {
    let steps = try (0..<3).map(tiny)
    let two = try await pack(Array(steps[..<2]))
    let three = try await pack([steps[2]])
    #expect(three.starts(with: two), "what a pack holds stays as it is")
    for end in two.count..<three.count {
      try folder.write(Array(three[..<end]), to: "torn.ckz")
      let run = try open("torn.ckz")
      #expect(run.steps.count == 2, "\(end) bytes")
      #expect(run.unfinishedByteCount == end - two.count)
    }
    try DriftSample.expectEqual(try open("torn.ckz").checkpoint(1), steps[1])
    // The next one is written over it.
    try await pack([steps[2]], to: "torn.ckz")
    #expect(try folder.bytes(of: "torn.ckz").count == three.count)
    #expect(try open("torn.ckz").steps.count == 3)
    for end in 0..<two.count - 1 where end % 7 == 0 {
      try folder.write(Array(two[..<end]), to: "cut.ckz")
      let steps = try? RunPack(FileProbe(path: folder.file("cut.ckz")))?.steps.count
      #expect(steps == nil, "\(end) bytes")
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func `marks without footers cost little`() throws {
    let header: [UInt8] = [0x89, 0x43, 0x4b, 0x5a, 0x0d, 0x0a, 0x1a, 0x0a, 1, 0, 0, 0, 1, 0, 0, 0]
    let marks = [[UInt8]](repeating: Array("CKZ-end\n".utf8), count: 1 << 20)
    try folder.write(header + marks.joined() + [0], to: "marks.ckz")
    #expect(throws: CheckpointError.self) {
      _ = try RunPack(FileProbe(path: folder.file("marks.ckz")))
    }
  }

  @Test func `a damaged end is not taken for one that was never finished`() async throws {
    try await pack([try tiny(0)])
    let bytes = try await pack([try tiny(1)])
    let start = SignedIndex.start(in: bytes)
    for place in start..<bytes.count where place < start + 20 || place >= bytes.count - 64 {
      var flipped = bytes
      flipped[place] ^= 1 << UInt8(place % 8)
      try folder.write(flipped, to: "flipped.ckz")
      let error = #expect(throws: CheckpointError.self, "byte \(place)") {
        _ = try RunPack(FileProbe(path: folder.file("flipped.ckz")))
      }
      #expect(error?.message.contains("to read the first 1 checkpoint") == true)
      #expect(throws: CheckpointError.self) { _ = try RunPackWriter(folder.file("flipped.ckz")) }
      #expect(try folder.bytes(of: "flipped.ckz") == flipped)
    }
  }

  @Test func `what was added is taken away again if it is not finished`() async throws {
    let before = try await pack([try tiny(0)])
    do {
      let writer = try RunPackWriter(folder.file("run.ckz"))
      try await writer.add(try tiny(1), name: "b.pt")
      #expect(try folder.bytes(of: "run.ckz").count > before.count)
      let error = #expect(throws: CheckpointError.self) {
        _ = try RunPackWriter(folder.file("run.ckz"))
      }
      #expect(error?.message.contains("another process is adding to it") == true)
    }
    #expect(try folder.bytes(of: "run.ckz") == before)
  }

  @Test func `a file that is not a pack is not added to`() async throws {
    try folder.write([1, 2, 3], to: "other.ckz")
    let bytes = try await CheckpointFormat.native.bytes(of: try tiny(0))
    try folder.write(bytes, to: "plain.ckz")
    for name in ["other.ckz", "plain.ckz"] {
      let before = try folder.bytes(of: name)
      let error = #expect(throws: CheckpointError.self) { _ = try RunPackWriter(folder.file(name)) }
      #expect(error?.message.contains("is not a pack") == true)
      #expect(try folder.bytes(of: name) == before)
    }
  }

  @Test func `a pack needs the name of a step, and only a pack has steps`() async throws {
    try await pack([try tiny(0), try tiny(1)])
    let native = CheckpointFormat.native
    func message(_ name: String) -> String? {
      let error = #expect(throws: CheckpointError.self, "\(name)") {
        _ = try native.open(FileProbe.checkpoint(folder.file(name)), OpenOptions())
      }
      return error?.message
    }
    #expect(message("run.ckz")?.contains("is a pack of 2 checkpoints; name one") == true)
    #expect(message("run.ckz@2") == "expected a step of 0 to 1, found 2")
    #expect(message("run.ckz@01") != nil)
    #expect(message("run.ckz@-1") != nil)
    try folder.write(try await native.bytes(of: try tiny(0)), to: "plain.ckz")
    #expect(message("plain.ckz@0") == "holds one checkpoint; remove @0")
    // A file whose name really ends so wins.
    try folder.write(try await native.bytes(of: try tiny(7)), to: "run.ckz@1")
    let opened = try native.open(FileProbe.checkpoint(folder.file("run.ckz@1")), OpenOptions())
    try DriftSample.expectEqual(opened.checkpoint, try tiny(7))
  }

  @Test(arguments: [1, 3])
  func `damage is reported once, with how many need it`(_ threads: Int) async throws {
    var bytes = try await pack(try (0..<4).map(tiny))
    bytes[40] ^= 1
    try folder.write(bytes, to: "run.ckz")
    let errors = try await open().verify(threads: threads)
    #expect(errors.count == 1, "\(errors)")
    #expect(errors.first?.tensor == "w")
    #expect(errors.first?.message.hasPrefix("step 0: chunk 0 of 1: ") == true, "\(errors)")
    #expect(
      errors.first?.message.hasSuffix("; 3 tensors of later steps need it") == true, "\(errors)")
  }

  @Test func `every flipped bit that a step depends on is found`() async throws {
    let bytes = try await pack(try (0..<2).map(tiny))
    for place in bytes.indices where place % 11 == 0 {
      var flipped = bytes
      flipped[place] ^= 1 << UInt8(place % 8)
      try folder.write(flipped, to: "flipped.ckz")
      do {
        let probe = try FileProbe(path: folder.file("flipped.ckz"))
        // Without its flag, a pack is a file with an unknown index.
        guard let run = try RunPack(probe) else {
          _ = try CheckpointFormat.native.open(probe, OpenOptions())
          Issue.record("byte \(place)")
          continue
        }
        #expect(try await !run.verify(threads: 1).isEmpty, "byte \(place)")
      } catch is CheckpointError {}
    }
  }

  /// An index as an attacker would sign it: steps that refer to themselves, to later ones, or to what is
  /// not there.
  @Test(arguments: [
    (#""step":0"#, #""step":1"#), (#""step":0"#, #""step":2"#),
    (#""step":0"#, #""step":18446744073709551615"#), (#","step":0"#, ""),
    (#"{"metadata""#, #"{"base":"00","metadata""#),
    // A digest that no step stores, and another size.
    (#"{"blake3":""#, #"{"blake3":"0"#), (#""shape":[256],"step""#, #""shape":[255],"step""#),
  ])
  func `an index of a step that says what cannot be is refused`(
    _ old: String, _ new: String
  ) async throws {
    let bytes = try await pack(try (0..<2).map(tiny))
    let root = String(decoding: try SignedIndex.text(of: bytes), as: UTF8.self)
    let steps = root.split(separator: #"{"blake3":"#)
    let (first, last) = (try #require(steps.dropFirst().first), try #require(steps.last))
    let (offset, size) = (
      try Self.number(after: "offset", last), try Self.number(after: "size", last)
    )
    let stream = Array(bytes[offset..<offset + size])
    let content = try Self.number(after: "content", last)
    let index = try [UInt8](count: content) { target throws(CheckpointError) in
      try Zlib.inflate(stream.rawBytes, into: &target)
    }
    let changed = Array(
      String(decoding: index, as: UTF8.self).replacing(old, with: new).utf8)
    let packed = try Zlib.deflate(changed.rawBytes, level: 6)
    var digest = DigestBuilder()
    digest.update(packed.rawBytes)
    let step =
      #"{"blake3":"\#(digest.finalize())","content":\#(changed.count),"format":"ckz","name":"x","offset":\#(offset),"#
      + #""size":\#(packed.count),"start":\#(try Self.number(after: "start", last))}]}"#
    let newRoot = Array((#"{"steps":[{"blake3":"# + first + step).utf8)
    let body = Array(bytes[..<offset]) + packed
    let stored = try Zlib.deflate(newRoot.rawBytes, level: 6)
    let mutant = body + SignedIndex.tail(stored, size: newRoot.count, at: body.count)
    try folder.write(mutant, to: "mutant.ckz")
    let run = try open("mutant.ckz")
    #expect(throws: CheckpointError.self) {
      for entry in try run.checkpoint(1).entries { _ = try entry.allBytes() }
    }
    #expect(try await !run.verify(threads: 1).isEmpty)
  }

  @Test(arguments: ["", "-", ".hidden", "a/b", "..", "a\nb", "a\u{0}b"])
  func `only plain file names are packed`(_ name: String) async throws {
    let writer = try RunPackWriter(folder.file("run.ckz"))
    await #expect(throws: CheckpointError.self) { try await writer.add(try tiny(0), name: name) }
  }

  /// The number of a key.
  private static func number(after key: String, _ text: Substring) throws -> Int {
    let parts = text.split(separator: "\"\(key)\":", omittingEmptySubsequences: false)
    return try #require(parts.last.flatMap { Int($0.prefix { $0.isNumber }) })
  }
}
