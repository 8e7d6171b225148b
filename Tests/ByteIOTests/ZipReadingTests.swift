import ByteIO
import Synchronization
import TensorCore
import TestSupport
import Testing

/// The reader of zip archives: what it reads and what it must refuse.
@Suite struct ZipReadingTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func archive(_ bytes: [UInt8], zeroMeansNoSum: Bool = false) throws -> ZipArchive {
    try ZipArchive(
      Place.open(path: folder.write(bytes, to: "a.zip")), zeroMeansNoSum: zeroMeansNoSum)
  }

  /// Opens an archive and reads all its members.
  private func read(_ bytes: [UInt8]) throws -> [[UInt8]] {
    let archive = try archive(bytes)
    return try archive.members.map { try archive.bytes($0, limit: 1 << 24) }
  }

  /// A raw deflate stream: a zlib stream without header and checksum.
  private func deflated(_ content: [UInt8]) throws -> [UInt8] {
    Array(try Zlib.deflate(content.rawBytes, level: 6)[2...].dropLast(4))
  }

  @Test func `members of every kind are read`() throws {
    let text = [UInt8](repeating: 7, count: 5000) + noise(3000, seed: 1)
    var sample = ZipSample([
      .init("a/b", text), .init("packed", text, stored: try deflated(text)), .init("empty", []),
      .described("torch", text), .described("wide", text, wide: true),
      .init("é", [1, 2], flags: 0x800), .init("none", [], stored: try deflated([])),
    ])
    for hasZip64Record in [false, true] {
      sample.hasZip64Record = hasZip64Record
      #expect(try read(sample.bytes) == sample.members.map(\.content))
    }
    let archive = try archive(sample.bytes)
    #expect(
      archive.members.map(\.name.text)
        == sample.members.map { String(decoding: $0.name, as: UTF8.self) })
    #expect(archive.member(named: "e\u{301}") == nil)
    let packed = try #require(archive.member(named: "packed"))
    for range in [0..<8000, 7999..<8000, 10..<20, 5..<5, 4990..<5010] {
      let bytes = try [UInt8](count: range.count) { target throws(CheckpointError) in
        try archive.read(packed, at: range.lowerBound, into: &target)
      }
      #expect(bytes == Array(text[range]))
    }
    for member in archive.members { try archive.verify(member) }
  }

  @Test func `a member that is read in very many pieces is checked all the same`() throws {
    let content = noise(140_001, seed: 4)
    var bytes = ZipSample([.init("a", content)]).bytes
    let start = try #require(bytes.indices.first { bytes[$0...].starts(with: content[..<16]) })
    bytes[start + content.count - 1] ^= 1  // never read here
    let archive = try archive(bytes)
    let error = #expect(throws: CheckpointError.self) {
      for offset in stride(from: 0, to: content.count - 1, by: 2) {
        _ = try [UInt8](count: 1) { target throws(CheckpointError) in
          try archive.read(archive.members[0], at: offset, into: &target)
        }
      }
    }
    #expect(error?.message.contains("expected CRC-32") == true)
  }

  @Test func `an archive without members is read`() throws {
    #expect(try read(ZipSample([]).bytes).isEmpty)
  }

  @Test func `a deflated member larger than the cache is read at any offset`() throws {
    let text = noise(1000, seed: 2) + [UInt8](repeating: 3, count: 7 << 20) + noise(1000, seed: 3)
    let archive = try archive(ZipSample([.init("a", text, stored: try deflated(text))]).bytes)
    for start in [0, text.count - 900, 500, (6 << 20) - 1, 3 << 20] {
      let bytes = try [UInt8](count: 900) { target throws(CheckpointError) in
        try archive.read(archive.members[0], at: start, into: &target)
      }
      #expect(bytes == Array(text[start..<start + 900]))
    }
  }

  @Test func `a materialized member is unpacked once and read in any order`() throws {
    let text = noise(1 << 20, seed: 2) + [UInt8](repeating: 3, count: 1 << 20)
    let packed = ZipSample.Member("a", text, stored: try deflated(text))
    let archive = try archive(ZipSample([packed, .init("b", text)]).bytes)
    for member in archive.members {
      try archive.materialize(member)
      try archive.materialize(member)
      for start in [text.count - 900, 500, 0, text.count - 7] {
        let count = min(900, text.count - start)
        let bytes = try [UInt8](count: count) { target throws(CheckpointError) in
          try archive.read(member, at: start, into: &target)
        }
        #expect(bytes == Array(text[start..<start + count]))
      }
    }
  }

  @Test(arguments: [false, true])
  func `materializing reports a wrong checksum and a truncated stream`(isDeflated: Bool) throws {
    let text = noise(3000, seed: 1)
    let stored = isDeflated ? try deflated(text) : nil
    var wrong = ZipSample.Member("wrong", text, stored: stored)
    wrong.local.crc ^= 1
    wrong.central.crc ^= 1
    var archive = try archive(ZipSample([wrong]).bytes)
    let error = #expect(throws: CheckpointError.self) {
      try archive.materialize(archive.members[0])
    }
    #expect(error?.message.hasPrefix("member 'wrong': expected CRC-32 ") == true)
    if let stored {
      archive = try self.archive(ZipSample([.init("cut", text, stored: stored.dropLast(9))]).bytes)
      let error = #expect(throws: CheckpointError.self) {
        try archive.materialize(archive.members[0])
      }
      #expect(
        error?.message.hasPrefix("member 'cut': the deflate stream is truncated after") == true)
    }
  }

  @Test func `a wrong checksum is reported when the last piece is read, in any order`() throws {
    var member = ZipSample.Member("a", noise(3000, seed: 1))
    member.local.crc ^= 1
    member.central.crc ^= 1
    let archive = try archive(ZipSample([member]).bytes)
    func read(_ range: Range<Int>) throws -> [UInt8] {
      try [UInt8](count: range.count) { target throws(CheckpointError) in
        try archive.read(archive.members[0], at: range.lowerBound, into: &target)
      }
    }
    for range in [2000..<3000, 0..<500, 100..<200, 1500..<2000] { _ = try read(range) }
    let error = #expect(throws: CheckpointError.self) { try read(500..<1500) }
    #expect(error?.message.contains("member 'a': expected CRC-32 ") == true)
    #expect(throws: CheckpointError.self) { try archive.verify(archive.members[0]) }
    #expect(throws: CheckpointError.self) { try read(0..<3000) }
  }

  @Test func `a checksum of zero means none only if the reader says so`() throws {
    var member = ZipSample.Member("a", [1, 2, 3])
    (member.local.crc, member.central.crc) = (0, 0)
    let bytes = ZipSample([member]).bytes
    #expect(throws: CheckpointError.self) { try read(bytes) }
    let archive = try archive(bytes, zeroMeansNoSum: true)
    #expect(try archive.bytes(archive.members[0], limit: 3) == [1, 2, 3])
    #expect(!archive.hasSum(archive.members[0]))
    #expect(throws: CheckpointError.self) { try archive.bytes(archive.members[0], limit: 2) }
  }

  /// Samples that must be refused on opening or reading, each with a part of the error.
  private static var refused: [(String, [UInt8], String)] {
    get throws {
      let content = Array("some content".utf8)
      let packed = Array(try Zlib.deflate(content.rawBytes, level: 6)[2...].dropLast(4))
      var cases: [(String, [UInt8], String)] = []
      func add(
        _ name: String, _ word: String, _ members: [ZipSample.Member]? = nil,
        _ change: (inout ZipSample) -> Void = { _ in }
      ) {
        var sample = ZipSample(members ?? [.init("a", content), .init("b", packed, stored: nil)])
        change(&sample)
        cases.append((name, sample.bytes, word))
      }
      func changed(
        _ member: ZipSample.Member, _ change: (inout ZipSample.Member) -> Void
      ) -> ZipSample.Member {
        var member = member
        change(&member)
        return member
      }
      let plain = ZipSample.Member("a", content)
      let deflated = ZipSample.Member("a", content, stored: packed)
      let described = ZipSample.Member.described("a", content)

      // Z1, Z2: end records.
      add("byte after the end", "end record") { $0.tail = [0] }
      add("comment", "end record") { $0.comment = Array("x".utf8) }
      add("comment that is an end record", "to end at") { $0.comment = ZipSample([]).bytes }
      for wide in [false, true] {
        add("one more", "members") { ($0.countError, $0.hasZip64Record) = (1, wide) }
        add("one less", "members") { ($0.countError, $0.hasZip64Record) = (-1, wide) }
        add("offset +1", "to end at") { ($0.offsetError, $0.hasZip64Record) = (1, wide) }
        add("size +1", "to end at") { ($0.sizeError, $0.hasZip64Record) = (1, wide) }
        add("both off by one", "") {
          ($0.offsetError, $0.sizeError, $0.hasZip64Record) = (1, -1, wide)
        }
      }
      add("bytes before the first member", "first member at") {
        $0.members.insert(changed(plain) { $0.headerOffset = 45 }, at: 0)
        $0.members.remove(at: 1)
      }
      // Z3: local header and directory.
      add("another name", "different name", [changed(plain) { $0.local.name = [0x62] }])
      add("longer name", "different name", [changed(plain) { $0.local.name = [0x61, 0x61] }])
      add("another method", "method", [changed(plain) { $0.local.method = 8 }])
      add("other flags", "flags", [changed(plain) { $0.local.flags = 0x800 }])
      add("another sum", "local header", [changed(plain) { $0.local.crc ^= 1 }])
      add("another size", "local header", [changed(plain) { $0.local.size += 1 }])
      add("another stored size", "local header", [changed(deflated) { $0.local.storedSize -= 1 }])
      add("zeros without a descriptor", "local header", [changed(plain) { $0.local.crc = 0 }])
      // Z4: descriptors.
      add("no descriptor", "descriptor", [changed(described) { $0.descriptor = nil }])
      for place in 0..<16 {
        add(
          "descriptor byte \(place)", "descriptor",
          [changed(described) { $0.descriptor?[place] ^= 1 }])
      }
      add(
        "unannounced descriptor", "between",
        [changed(plain) { $0.descriptor = described.descriptor }])
      // Z5, Z6: duplicate names and offsets.
      add("same name twice", "two members", [plain, plain])
      add(
        "name twice in local headers", "different name",
        [
          plain, changed(.init("b", content)) { $0.local.name = [0x61] },
        ])
      add(
        "one header for two", "another",
        [
          plain, changed(.init("b", content)) { $0.headerOffset = 0 },
        ])
      add("bytes between members", "between", [changed(plain) { $0.gap = [0] }, .init("b", [])])
      add(
        "hidden member", "between",
        [
          changed(plain) { $0.gap = Array(ZipSample([.init("c", content)]).bytes.prefix(43)) }
        ])
      add(
        "member reaches into the next", "next record",
        [
          changed(plain) {
            ($0.local.size, $0.local.storedSize) = (13, 13)
            $0.central = $0.local
          }, .init("b", []),
        ])
      // Z7: checksums.
      for member in [plain, deflated] {
        add(
          "wrong sum", "CRC-32",
          [
            changed(member) {
              $0.local.crc ^= 4
              $0.central.crc ^= 4
            }
          ])
      }
      // Z8: unsupported features.
      for method: UInt16 in [1, 9, 99] {
        add(
          "method \(method)", "method",
          [
            changed(plain) { ($0.local.method, $0.central.method) = (method, method) }
          ])
      }
      for flags: UInt16 in [1, 1 << 5, 1 << 6, 1 << 13, 1 << 15] {
        add(
          "flags \(flags)", "flags",
          [
            changed(plain) { ($0.local.flags, $0.central.flags) = (flags, flags) }
          ])
      }
      add("member's comment", "comment", [changed(plain) { $0.comment = [0x21] }])
      // Z9: deflated sizes.
      func sized(_ count: UInt32) -> ZipSample.Member {
        changed(deflated) {
          $0.local.size = count
          $0.central.size = count
        }
      }
      add("fewer than declared", "ends after 12", [sized(13)])
      add("more than declared", "more than the expected 11", [sized(11)])
      add("more than deflate can", "cannot expand", [sized(1 << 30)])
      func streamed(_ stream: [UInt8]) -> ZipSample.Member { .init("a", content, stored: stream) }
      add("cut stream", "truncated", [streamed(packed.dropLast())])
      add("bytes after the stream", "follow", [streamed(packed + [0])])
      add("damaged stream", "damaged", [streamed([0x07] + packed.dropFirst())])
      add("no stream", "truncated", [streamed([])])
      // Z10: zip64 fields.
      func field(_ bytes: [UInt8], count: Int? = nil) -> [UInt8] {
        var field: [UInt8] = []
        field.appendLittleEndian(UInt16(1))
        field.appendLittleEndian(UInt16(count ?? bytes.count))
        return field + bytes
      }
      func wide(_ extra: [UInt8]) -> ZipSample.Member {
        changed(plain) {
          $0.central.size = .max
          $0.centralExtra = extra
        }
      }
      add("no zip64 field", "zip64 field of 8 bytes, found 0", [wide([])])
      add("empty zip64 field", "zip64 field of 8 bytes, found 0", [wide(field([]))])
      add(
        "long zip64 field", "zip64 field of 8 bytes, found 16",
        [wide(field([UInt8](repeating: 0, count: 16)))])
      add("zip64 field past the end", "remain", [wide(field([0], count: 60000))])
      add(
        "two zip64 fields", "at most 1 zip64", [wide(field([12, 0, 0, 0, 0, 0, 0, 0]) + field([]))])
      add("2^63 bytes", "2^63", [wide(field([0, 0, 0, 0, 0, 0, 0, 0x80]))])
      add("rest in the extra field", "extra field", [changed(plain) { $0.localExtra = [1, 2] }])
      add(
        "zip64 field without need", "zip64",
        [
          changed(plain) { $0.centralExtra = field([UInt8](repeating: 0, count: 8)) }
        ])
      // Z11: names.
      for name in [[], [0], [0x61, 0, 0x62], [0xff, 0xfe]] as [[UInt8]] {
        add(
          "name \(name)", "name",
          [
            changed(plain) { ($0.local.name, $0.central.name) = (name, name) }
          ])
      }
      return cases
    }
  }

  @Test func `archives that another reader may read differently are refused`() throws {
    for (name, bytes, word) in try Self.refused {
      let error = #expect(throws: CheckpointError.self, "\(name)") { try read(bytes) }
      let text = error?.description ?? ""
      #expect(text.contains(word) && !text.contains("\n"), "\(name): \(text)")
      #expect(error?.path != nil && error?.offset != nil, "\(name): \(text)")
    }
  }

  @Test func `names that look like paths or control a terminal are only names`() throws {
    let names = [
      "/a", "../a", "a\\b", "a\nb", "\u{1b}[2J\u{7f}", String(repeating: "n", count: 65_535),
    ]
    let archive = try archive(ZipSample(names.map { .init($0, [1]) }).bytes)
    #expect(archive.members.map(\.name.text) == names)
  }

  @Test func `10,000 members are read`() throws {
    let archive = try archive(ZipSample((0..<10_000).map { .init("m\($0)", []) }).bytes)
    #expect(archive.members.count == 10_000)
  }

  @Test func `a truncated archive or one with a changed byte is never taken for the whole`() throws
  {
    let text = noise(40, seed: 9) + [UInt8](repeating: 1, count: 60)
    let sample = ZipSample([
      .init("a", text), .described("b", text), .init("c", text, stored: try deflated(text)),
    ])
    let whole = sample.bytes
    for length in 0..<whole.count {
      #expect(throws: CheckpointError.self, "\(length)") { try read(Array(whole[..<length])) }
    }
    let contents = sample.members.map(\.content)
    for place in whole.indices {
      for bit: UInt8 in [1, 0x80] {
        var changed = whole
        changed[place] ^= bit
        // Dates, versions, and attributes may differ; content may not.
        do { #expect(try read(changed) == contents, "\(place)") } catch is CheckpointError {}
      }
    }
  }

  @Test func `other programs' archives are read`() throws {
    for name in ["python.zip", "savez.npz", "savez_compressed.npz"] {
      let archive = try ZipArchive(Place.open(path: Fixtures.path("zip/" + name)))
      let sums = try Fixtures.bytes("zip/\(name).sha256")
      var lines = ""
      for member in archive.members {
        let digest = Digest(of: try archive.bytes(member, limit: 1 << 20))
        lines += "\(digest)  \(member.name)\n"
      }
      #expect(lines == String(decoding: sums, as: UTF8.self), "\(name)")
    }
  }

  @Test(arguments: [[0x50, 0x4b, 3, 4], [0x50, 0x4b, 7, 8]] as [[UInt8]])
  func `a search for lost members reads a bounded number of bytes`(mark: [UInt8]) throws {
    // A local header that a descriptor follows, then nothing but signatures.
    var bytes: [UInt8] = [0x50, 0x4b, 3, 4, 20, 0, 8, 0, 0, 0] + [UInt8](repeating: 0, count: 16)
    bytes += [1, 0, 0, 0] + Array("a".utf8)
    bytes += (0..<50_000).flatMap { _ in mark }
    let read = Mutex(0)
    let source = ByteSource(name: "a.zip", size: bytes.count) { [bytes] offset, target in
      read.withLock { $0 += target.byteCount }
      target.copyBytes(from: bytes[offset..<offset + target.byteCount].rawBytes)
    }
    #expect(throws: CheckpointError.self) {
      try Rescue.$current.withValue(Rescue()) { _ = try ZipArchive(source) }
    }
    #expect(read.withLock { $0 } <= 40 * bytes.count)
  }

}
