import ByteIO
import Synchronization
import TensorCore
import TestSupport
import Testing

/// Copies of archives in which some members have new content; the expected ones are made by hand with
/// that content.
@Suite struct ZipCopyTests {
  private static let old = noise(3000, seed: 1)
  private static let new = noise(3000, seed: 2)

  private static func field(_ identifier: UInt16, _ content: [UInt8]) -> [UInt8] {
    var field: [UInt8] = []
    field.appendLittleEndian(identifier)
    field.appendLittleEndian(UInt16(content.count))
    return field + content
  }

  private static func numbers(_ numbers: [Int]) -> [UInt8] {
    var bytes: [UInt8] = []
    for number in numbers { bytes.appendLittleEndian(UInt64(number)) }
    return bytes
  }

  /// A member whose sizes are in zip64 fields, though they are small, as NumPy writes local headers.
  private static func large(_ content: [UInt8], isCentral: Bool) -> ZipSample.Member {
    var member = ZipSample.Member("large", content)
    let sizes = numbers([content.count, content.count])
    (member.local.size, member.local.storedSize) = (.max, .max)
    member.localExtra = field(0x7075, [1, 2, 3]) + field(1, sizes) + field(0xbeef, [])
    if isCentral {
      (member.central.size, member.central.storedSize) = (.max, .max)
      member.centralExtra = field(0xcafe, [9]) + field(1, sizes)
    }
    return member
  }

  /// Archives of every kind whose member in the middle has a content.
  static let kinds: [(String, @Sendable ([UInt8]) -> ZipSample.Member)] = [
    ("sum in the header", { .init("a", $0) }),
    ("descriptor", { .described("a", $0) }),
    ("wide descriptor", { .described("a", $0, wide: true) }),
    (
      "descriptor without signature",
      {
        var member = ZipSample.Member.described("a", $0)
        member.descriptor?.removeFirst(4)
        return member
      }
    ),
    (
      "descriptor and sum",
      {
        var member = ZipSample.Member.described("a", $0)
        member.local = member.central
        return member
      }
    ),
    (
      "unknown fields",
      {
        var member = ZipSample.Member("a", $0)
        member.localExtra = field(0x5455, [1, 2, 3, 4, 5]) + field(0x4246, [90, 90])
        member.centralExtra = field(0x7875, [7])
        return member
      }
    ),
    ("zip64 in the header", { large($0, isCentral: false) }),
    ("zip64 in both", { large($0, isCentral: true) }),
  ]

  private static func archive(_ member: ZipSample.Member, hasZip64Record: Bool = false) -> [UInt8] {
    var sample = ZipSample([
      .init("first", noise(77, seed: 5)), member, .described("last", noise(130, seed: 6)),
    ])
    sample.hasZip64Record = hasZip64Record
    return sample.bytes
  }

  /// Writes a copy into memory, or into a sink that can only append.
  private static func copied(
    _ copy: ZipCopy, appends: Bool, content: (ByteSink) async throws -> Void
  ) async throws -> [UInt8] {
    let bytes = Mutex<[UInt8]>([])
    let sink =
      appends
      ? ByteSink(name: "pipe") { part, offset throws(CheckpointError) in
        bytes.withLock { bytes in
          #expect(bytes.count == offset)
          unsafe part.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        }
      } commit: {
      }
      : .memory(name: "memory") { content in bytes.withLock { $0 = content } }
    try await copy.write(to: sink, content: content)
    try sink.commit()
    return bytes.withLock { $0 }
  }

  private static func opened(_ bytes: [UInt8]) throws(CheckpointError) -> ZipArchive {
    try ZipArchive(ByteSource(bytes, name: "a.zip"))
  }

  @Test(arguments: kinds.indices, [false, true])
  func `a stored member gets new content, and only sums change around it`(
    kind: Int, appends: Bool
  ) async throws {
    for hasZip64Record in [false, true] {
      let (name, member) = Self.kinds[kind]
      let file = Self.archive(member(Self.old), hasZip64Record: hasZip64Record)
      let archive = try Self.opened(file)
      let copy = try ZipCopy(of: archive, replacing: [archive.members[1]])
      #expect(copy.range(of: archive.members[1]) == 0..<3000)
      let same = try await Self.copied(copy, appends: appends) { sink in
        try sink.append(0..<3000, of: copy.contents)
      }
      #expect(same == file, "\(name)")
      let changed = try await Self.copied(copy, appends: appends) { sink in
        for part in [Array(Self.new[..<1000]), Array(Self.new[1000...])] {
          try sink.append(part.rawBytes)
        }
      }
      #expect(
        changed == Self.archive(member(Self.new), hasZip64Record: hasZip64Record), "\(name)")
    }
  }

  @Test(arguments: [false, true])
  func `a sum that the writer left out stays left out`(appends: Bool) async throws {
    func member(_ content: [UInt8]) -> ZipSample.Member {
      var member = ZipSample.Member("a", content)
      (member.local.crc, member.central.crc) = (0, 0)
      return member
    }
    let archive = try ZipArchive(
      ByteSource(Self.archive(member(Self.old)), name: "a.zip"), zeroMeansNoSum: true)
    let copy = try ZipCopy(of: archive, replacing: [archive.members[1]])
    let changed = try await Self.copied(copy, appends: appends) { sink in
      try sink.append(Self.new.rawBytes)
    }
    #expect(changed == Self.archive(member(Self.new)))
  }

  @Test(arguments: [false, true], [false, true])
  func `a deflated member is deflated again, and all others stay`(
    appends: Bool, isDescribed: Bool
  ) async throws {
    func packed(_ content: [UInt8]) throws -> [UInt8] {
      Array(try Zlib.deflate(content.rawBytes, level: 6)[2...].dropLast(4))
    }
    func member(_ content: [UInt8]) throws -> ZipSample.Member {
      var member = ZipSample.Member("a", content, stored: try packed(content))
      guard isDescribed else { return member }
      let wide = ZipSample.Member.described("a", content)
      (member.flags, member.local.flags, member.central.flags) = (0x808, 0x808, 0x808)
      (member.local.crc, member.local.size, member.local.storedSize) = (0, 0, 0)
      var descriptor = Array((wide.descriptor ?? [])[..<8])
      descriptor.appendLittleEndian(UInt32(member.stored.count))
      descriptor.appendLittleEndian(UInt32(content.count))
      member.descriptor = descriptor
      return member
    }
    let (old, new) = (noise(500_000, seed: 3), [UInt8](repeating: 7, count: 500_000))
    let archive = try Self.opened(Self.archive(try member(old)))
    let copy = try ZipCopy(of: archive, replacing: [archive.members[1]])
    let changed = try await Self.copied(copy, appends: appends) { sink in
      for start in stride(from: 0, to: new.count, by: 70_001) {
        let part = Array(new[start..<min(start + 70_001, new.count)])
        try sink.append(part.rawBytes)
      }
    }
    #expect(changed == Self.archive(try member(new)))
    let back = try Self.opened(changed)
    let copyBack = try ZipCopy(of: back, replacing: [back.members[1]])
    #expect(
      try await Self.copied(copyBack, appends: appends) { try $0.append(old.rawBytes) }
        == Self.archive(try member(old)))
  }

  @Test func `members without bytes are replaced in between`() async throws {
    let sample = ZipSample([
      .init("none", []), .described("a", [1, 2, 3]), .init("nothing", []), .init("b", [4]),
      .init("packed", [], stored: [3, 0]), .init("kept", [5]),
    ])
    let archive = try Self.opened(sample.bytes)
    let copy = try ZipCopy(of: archive, replacing: Array(archive.members.dropLast().reversed()))
    var expected = sample
    expected.members[1] = .described("a", [7, 8, 9])
    expected.members[3] = .init("b", [10])
    for appends in [false, true] {
      let changed = try await Self.copied(copy, appends: appends) { sink in
        try sink.append([7, 8, 9, 10].rawBytes)
      }
      #expect(changed == expected.bytes)
    }
  }

  @Test(arguments: [0, 1, 60, 2900, 2996, 2999, 3001, 3003, 3064, 4000, 80_000], [false, true])
  func `after a member of another size, data move by a multiple of 64`(
    size: Int, isDescribed: Bool
  ) async throws {
    let member =
      isDescribed ? ZipSample.Member.described("a", Self.old) : ZipSample.Member("a", Self.old)
    let archive = try Self.opened(Self.archive(member))
    let content = noise(size, seed: 8)
    var copy = try ZipCopy(of: archive, replacing: [archive.members[1]])
    try copy.resize(archive.members[1], to: size)
    let changed = try await Self.copied(copy, appends: true) { try $0.append(content.rawBytes) }
    let opened = try Self.opened(changed)
    let distance = opened.members[2].dataOffset - archive.members[2].dataOffset
    #expect(distance % 64 == 0 && (size > 3000 || distance <= 64))
    #expect(opened.members.map(\.name) == archive.members.map(\.name))
    #expect(try opened.bytes(opened.members[1], limit: size) == content)
    #expect(try opened.bytes(opened.members[2], limit: 130) == noise(130, seed: 6))
    // And back: the padding goes.
    var back = try ZipCopy(of: opened, replacing: [opened.members[1]])
    try back.resize(opened.members[1], to: 3000)
    let again = try Self.opened(
      try await Self.copied(back, appends: false) { try $0.append(Self.old.rawBytes) })
    #expect(try again.bytes(again.members[1], limit: 3000) == Self.old)
    #expect((again.members[2].dataOffset - archive.members[2].dataOffset) % 64 == 0)
  }

  @Test(arguments: [false, true])
  func `a new member comes last`(hasZip64Record: Bool) async throws {
    let file = Self.archive(.init("a", Self.old), hasZip64Record: hasZip64Record)
    let archive = try Self.opened(file)
    var copy = try ZipCopy(of: archive, replacing: [])
    copy.add("new", [1, 2, 3])
    let changed = try await Self.copied(copy, appends: true) { _ in }
    let opened = try Self.opened(changed)
    #expect(opened.members.map(\.name) == ["first", "a", "last", "new"])
    #expect(try opened.bytes(opened.members[3], limit: 3) == [1, 2, 3])
    let end = opened.members[3].dataOffset - 30 - 3
    #expect(changed.starts(with: file.prefix(archive.members[2].dataOffset + 130 + 16)))
    #expect(end > archive.members[2].dataOffset)
  }

  @Test func `offsets that outgrow 32 bits move to zip64 records`() async throws {
    // Zeros up to just below 4 GiB, a member that grows, and one that follows it.
    let size = Int(UInt32.max) - 500
    var zeros = ZipSample.Member("zeros", [])
    (zeros.local.size, zeros.local.storedSize) = (UInt32(size), UInt32(size))
    zeros.central = zeros.local
    var grows = ZipSample.Member("grows", [4, 5, 6])
    var last = ZipSample.Member("last", [1, 2, 3])
    (grows.headerOffset, last.headerOffset) = (UInt32(size + 35), UInt32(size + 35 + 38))
    last.centralExtra = Self.field(0xcafe, [9])
    var sample = ZipSample([zeros, grows, last])
    sample.offsetError = size
    let records = sample.bytes
    let file = SparseBytes()
    file.add(records[..<35], at: 0)
    file.add(records[35...], at: size + 35)
    let archive = try ZipArchive(file.source, zeroMeansNoSum: true)

    let content = noise(1000, seed: 4)
    var copy = try ZipCopy(of: archive, replacing: [archive.members[1]])
    try copy.resize(archive.members[1], to: 1000)
    let output = SparseBytes()
    let sink = ByteSink(name: "large.zip") { bytes, offset throws(CheckpointError) in
      // What is all zeros is not kept.
      let isZero = offset >= 35 && offset + bytes.byteCount < size + 35
      output.add(isZero ? [] : unsafe bytes.withUnsafeBytes { unsafe Array($0) }[...], at: offset)
    } commit: {
    }
    try await copy.write(to: sink) { try $0.append(content.rawBytes) }
    let changed = try ZipArchive(output.source, zeroMeansNoSum: true)
    #expect(changed.members.map(\.name) == ["zeros", "grows", "last"])
    #expect(changed.members[2].dataOffset > 1 << 32)
    #expect(try changed.bytes(changed.members[1], limit: 1000) == content)
    #expect(try changed.bytes(changed.members[2], limit: 3) == [1, 2, 3])
  }
}

/// Bytes of which most are zero.
private final class SparseBytes: Sendable {
  private let pieces = Mutex<[(offset: Int, bytes: [UInt8])]>([])
  private static let zeros = [UInt8](repeating: 0, count: 1 << 20)

  func add(_ bytes: ArraySlice<UInt8>, at offset: Int) {
    if !bytes.isEmpty { pieces.withLock { $0.append((offset, Array(bytes))) } }
  }

  var source: ByteSource {
    let pieces = pieces.withLock { $0 }
    let size = pieces.map { $0.offset + $0.bytes.count }.max() ?? 0
    return ByteSource(name: "large.zip", size: size) { offset, target throws(CheckpointError) in
      let range = offset..<offset + target.byteCount
      for start in stride(from: 0, to: range.count, by: Self.zeros.count) {
        let count = min(Self.zeros.count, range.count - start)
        var part = target._mutatingExtracting(start..<start + count)
        part.copyBytes(from: Self.zeros.rawBytes.extracting(0..<count))
      }
      for (offset, bytes) in pieces {
        let common = range.clamped(to: offset..<offset + bytes.count)
        if common.isEmpty { continue }
        var part = target._mutatingExtracting(
          common.lowerBound - range.lowerBound..<common.upperBound - range.lowerBound)
        part.copyBytes(
          from: bytes.rawBytes.extracting(common.lowerBound - offset..<common.upperBound - offset))
      }
    }
  }
}
