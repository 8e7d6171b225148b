import ParallelWork
import Synchronization
package import TensorCore

/// A zip archive that is read by position, from any number of tasks at once.
///
/// The central directory is what counts; that local headers, descriptors and end records say the
/// same, and that nothing lies between them, is checked when the archive is opened, so that no
/// other reader sees other members. Names are never paths, and nothing is unpacked to a disk.
///
/// CRC-32 is checked as soon as all bytes of a member were read once, in whatever order and pieces.
package final class ZipArchive: Sendable {
  /// Where it was opened, for errors.
  package var path: String { file.name }
  /// The members in the directory's order.
  package let members: [ZipMember]
  private let file: ByteSource
  private let places: [TensorName: Int]
  private let zeroMeansNoSum: Bool
  private let states: Mutex<[Int: State]> = Mutex([:])
  private let inflations: Mutex<[ZipInflation]> = Mutex([])
  /// Held while a member is checked, so that it is done once.
  private let verifying = Mutex(())
  private let unpacked: Mutex<[Int: ByteSource]> = Mutex([:])

  /// Most members that are kept half unpacked.
  private static let maxInflations = 4

  /// What is known of a member's sum.
  private enum State {
    case reading(PieceSums)
    case sound
  }

  /// Opens an archive.
  ///
  /// With `zeroMeansNoSum` a CRC-32 of 0 is one that the writer did not compute.
  /// - Throws: ``CheckpointError``: `malformed` when records contradict each other, `unsupported`
  ///   for encryption, other methods than stored and deflated, comments and several disks.
  package init(_ file: ByteSource, zeroMeansNoSum: Bool = false) throws(CheckpointError) {
    self.file = file
    do throws(CheckpointError) {
      let directory = try ZipDirectory(file)
      members = try Self.located(directory, in: file)
    } catch {
      throw error.adding(path: file.name)
    }
    self.zeroMeansNoSum = zeroMeansNoSum
    var places: [TensorName: Int] = [:]
    for member in members { places[member.name] = member.index }
    self.places = places
  }

  /// The members with the places of their bytes, which fill the file without a gap.
  private static func located(
    _ directory: ZipDirectory, in file: ByteSource
  ) throws(CheckpointError) -> [ZipMember] {
    var members = directory.members
    let order = members.indices.sorted { members[$0].headerOffset < members[$1].headerOffset }
    let first = order.first.map { members[$0].headerOffset } ?? directory.start
    guard first == 0 else {
      throw CheckpointError(
        .malformed, "the first member begins at byte \(first), required 0", offset: 0)
    }
    for (place, index) in order.enumerated() {
      let next = place + 1 < order.count ? members[order[place + 1]].headerOffset : directory.start
      let member = members[index]
      do throws(CheckpointError) {
        guard member.headerOffset < next, next <= directory.start else {
          throw CheckpointError(.malformed, "its header is another member's, too")
        }
        members[index].dataOffset = try ZipLocalHeader.check(member, in: file, until: next)
      } catch {
        throw error.adding(member: member.name).adding(offset: member.headerOffset)
      }
    }
    return members
  }

  /// The member of that name, if there is one.
  package func member(named name: TensorName) -> ZipMember? {
    places[name].map { members[$0] }
  }

  /// Whether the archive has a sum for a member's bytes.
  package func hasSum(_ member: ZipMember) -> Bool { !(zeroMeansNoSum && member.crc32 == 0) }

  /// Fills `target` with a member's content from `offset` on.
  ///
  /// - Throws: ``CheckpointError`` with code `malformed` when the range does not lie in the member,
  ///   the member is damaged, or this read is the last of all its bytes and they have another CRC-32.
  package func read(
    _ member: ZipMember, at offset: Int, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    let count = target.byteCount
    do throws(CheckpointError) {
      guard offset >= 0, offset <= member.size, count <= member.size - offset else {
        throw CheckpointError(
          .malformed, "\(count) bytes are required from byte \(offset) on, it has \(member.size)")
      }
      switch member.method {
      case .stored:
        try file.read(at: member.dataOffset + offset, into: &target)
        try note(target.bytes, at: offset, of: member)
      case .deflated:
        if let file = unpacked.withLock({ $0[member.index] }) {
          try file.read(at: offset, into: &target)
        } else {
          try inflation(of: member).read(at: offset, into: &target)
        }
      }
    } catch {
      throw place(error, member)
    }
  }

  /// The content of a stored member as a file of its own, unchecked; `nil` for a deflated one.
  package func file(of member: ZipMember) throws(CheckpointError) -> ByteSource? {
    guard member.method == .stored else { return nil }
    return try file.part(member.dataOffset..<member.dataOffset + member.size)
  }

  /// All of a member's content, checked; at most `limit` bytes.
  package func bytes(_ member: ZipMember, limit: Int) throws(CheckpointError) -> [UInt8] {
    guard member.size <= limit else {
      let error = CheckpointError(
        .unsupported, "\(member.size) bytes, at most \(limit) are allowed here")
      throw place(error, member)
    }
    return try [UInt8](count: member.size) { target throws(CheckpointError) in
      try read(member, at: 0, into: &target)
    }
  }

  /// Reads all of a member and checks its sum, unless that was done before.
  package func verify(_ member: ZipMember) throws(CheckpointError) {
    if isSound(member) { return }
    try verifying.withLock { _ throws(CheckpointError) in
      if isSound(member) { return }
      do throws(CheckpointError) {
        switch member.method {
        case .deflated:
          try ZipInflation(member, in: file, isChecked: hasSum(member)).verify()
        case .stored:
          var sum: UInt32 = 0
          try forEachChunk(of: member) { bytes, offset throws(CheckpointError) in
            try file.read(at: member.dataOffset + offset, into: &bytes)
            sum = Checksum.crc32(bytes.bytes, after: sum)
          }
          try check(sum, of: member)
        }
      } catch {
        throw place(error, member)
      }
      states.withLock { $0[member.index] = .sound }
    }
  }

  /// Checks a member, and makes reading it in any order cheap: what is deflated is unpacked to a
  /// temporary file, once, since going back in a stream means to begin again.
  package func materialize(_ member: ZipMember) throws(CheckpointError) {
    guard member.method == .deflated else { return try verify(member) }
    try unpacked.withLock { unpacked throws(CheckpointError) in
      if unpacked[member.index] != nil { return }
      unpacked[member.index] = try AtomicFile.withTemporary("ckpt-member") {
        path throws(CheckpointError) in
        try unpack(member, to: path)
        return try Place.open(path: path)
      }
    }
  }

  /// Writes a member's content, checked, to a new file.
  package func unpack(_ member: ZipMember, to path: String) throws(CheckpointError) {
    let output = try OutputFile(creating: path)
    let inflation =
      member.method == .deflated
      ? try ZipInflation(member, in: file, isChecked: hasSum(member)) : nil
    try forEachChunk(of: member) { bytes, offset throws(CheckpointError) in
      if let inflation {
        do throws(CheckpointError) {
          try inflation.read(at: offset, into: &bytes)
        } catch {
          throw place(error, member)
        }
      } else {
        try read(member, at: offset, into: &bytes)
      }
      try output.append(bytes.bytes)
    }
    try output.close()
  }

  private func forEachChunk(
    of member: ZipMember,
    _ body: (_ bytes: inout MutableRawSpan, _ offset: Int) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    var buffer = ChunkBuffer()
    for offset in stride(from: 0, to: member.size, by: buffer.capacity) {
      var bytes = buffer.mutableBytes(min(buffer.capacity, member.size - offset))
      try body(&bytes, offset)
    }
  }

  // MARK: - Sums

  private func isSound(_ member: ZipMember) -> Bool {
    if case .sound? = states.withLock({ $0[member.index] }) { true } else { false }
  }

  private func note(
    _ bytes: RawSpan, at offset: Int, of member: ZipMember
  ) throws(CheckpointError) {
    if isSound(member) { return }
    let sum = Checksum.crc32(bytes)
    let whole = states.withLock { states -> UInt32? in
      guard case .reading(var pieces) = states[member.index] ?? .reading(PieceSums()) else {
        return nil
      }
      pieces.add(offset..<offset + bytes.byteCount, sum)
      let whole = pieces.sum(ofFirst: member.size)
      states[member.index] = whole == nil ? .reading(pieces) : nil
      return whole
    }
    guard let whole else { return }
    try check(whole, of: member)
    states.withLock { $0[member.index] = .sound }
  }

  private func check(_ sum: UInt32, of member: ZipMember) throws(CheckpointError) {
    if hasSum(member), sum != member.crc32 { throw Self.wrongSum(sum, of: member) }
  }

  static func wrongSum(_ sum: UInt32, of member: ZipMember) -> CheckpointError {
    CheckpointError(
      .malformed, "CRC-32 of its bytes is \(sum), the directory gives \(member.crc32)")
  }

  private func inflation(of member: ZipMember) throws(CheckpointError) -> ZipInflation {
    try inflations.withLock { inflations throws(CheckpointError) in
      if let place = inflations.firstIndex(where: { $0.member.index == member.index }) {
        let found = inflations.remove(at: place)
        inflations.append(found)
        return found
      }
      if inflations.count == Self.maxInflations { inflations.removeFirst() }
      let new = try ZipInflation(member, in: file, isChecked: hasSum(member))
      inflations.append(new)
      return new
    }
  }

  private func place(_ error: CheckpointError, _ member: ZipMember) -> CheckpointError {
    error.adding(member: member.name).adding(path: path, offset: member.dataOffset)
  }
}
