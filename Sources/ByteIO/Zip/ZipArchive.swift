import ParallelWork
import Synchronization
package import TensorCore

/// A zip archive that any number of tasks may read by position at once.
///
/// The central directory is authoritative. Opening the archive checks that local headers,
/// descriptors, and end records agree with it and that there are no gaps, so that no other reader can
/// see different members. Names are never used as paths.
///
/// The CRC-32 is checked as soon as all bytes of a member have been read, in any order and pieces.
///
/// Source: PKWARE APPNOTE 6.3.10, section 4.
package final class ZipArchive: Sendable {
  /// The archive's path, for errors.
  package var path: String { file.name }
  /// The members in the directory's order.
  package let members: [ZipMember]
  /// The file, or the part of one, that the archive is.
  let file: ByteSource
  /// The bytes of the central directory.
  let directory: Range<Int>
  private let indices: [TensorName: Int]
  private let zeroMeansNoSum: Bool
  let states: Mutex<[Int: State]> = Mutex([:])
  private let inflations = Mutex(ZipInflations())
  /// Held while a member is checked, so that no member is checked twice.
  private let verifying = Mutex(())
  private let spool: Mutex<ZipSpool>
  private let budget: ZipBudget

  /// Times that a member is unpacked again from its beginning before all of it is unpacked to a file.
  private static let maxRestarts = 1
  private let restarts: Mutex<[Int: Int]> = Mutex([:])

  /// The state of a member's CRC-32 check.
  enum State {
    case reading(PieceSums)
    case sound
    /// The sum of what several ranks have read is wrong.
    case damaged(CheckpointError)
  }

  /// Opens an archive.
  ///
  /// With `zeroMeansNoSum`, a CRC-32 of 0 means that the writer did not compute one.
  /// - Throws: ``CheckpointError`` `malformed` when records contradict each other; `unsupported` for
  ///   encryption, comments, and multiple disks. Members of unknown methods are refused when they are
  ///   read.
  package init(_ file: ByteSource, zeroMeansNoSum: Bool = false) throws(CheckpointError) {
    self.file = file
    spool = Mutex(ZipSpool(for: file.name))
    budget = ZipBudget(of: file)
    (directory, members) = try CheckpointError.placing(
      ZipRescue.contents(of: file), path: file.name)
    self.zeroMeansNoSum = zeroMeansNoSum
    var indices: [TensorName: Int] = [:]
    for member in members { indices[member.name] = member.index }
    self.indices = indices
    ZipSums.keep(for: self)
  }

  /// The same archive, in which a CRC-32 of 0 is one that the writer did not compute.
  package var takingZeroForNoSum: ZipArchive { ZipArchive(of: self) }

  private init(of other: ZipArchive) {
    (members, file, indices) = (other.members, other.file, other.indices)
    directory = other.directory
    spool = Mutex(ZipSpool(for: other.file.name))
    budget = ZipBudget(of: other.file)
    zeroMeansNoSum = true
    ZipSums.keep(for: self)
  }

  /// The text about the archive that ``ZipWriter`` has put into its directory, if there is one.
  package var note: String? { members.last { $0.note != nil }?.note }

  /// The member with a name, if there is one.
  package func member(named name: TensorName) -> ZipMember? {
    indices[name].map { members[$0] }
  }

  /// Whether the archive has a CRC-32 of a member's content.
  package func hasSum(_ member: ZipMember) -> Bool { !(zeroMeansNoSum && member.crc32 == 0) }

  /// Fills `target` with a member's content, starting at `offset`.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when the range is outside the member, the member is
  ///   damaged, or this read completes the member and its CRC-32 does not match.
  package func read(
    _ member: ZipMember, at offset: Int, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    let count = target.byteCount
    do throws(CheckpointError) {
      guard offset >= 0, offset <= member.size, count <= member.size - offset else {
        throw CheckpointError(
          .malformed, "expected \(count) bytes at byte \(offset), but it has \(member.size)")
      }
      switch member.method {
      case .stored:
        try file.read(at: member.dataOffset + offset, into: &target)
        try note(target.bytes, at: offset, of: member)
      default:
        if let file = spool.withLock({ $0[member] }) {
          try file.read(at: offset, into: &target)
          break
        }
        let (inflation, isAgain) = try inflation(of: member)
        let goesBack = isAgain ? inflation.isFar(offset) : inflation.goesBack(to: offset)
        if goesBack, mustMaterialize(member) {
          try materialize(member)
          return try read(member, at: offset, into: &target)
        }
        try inflation.read(at: offset, into: &target)
      }
    } catch {
      throw locating(error, member)
    }
  }

  /// The content of a stored member as an open file, without a CRC-32 check; `nil` for a packed
  /// member.
  package func file(of member: ZipMember) throws(CheckpointError) -> ByteSource? {
    guard member.method == .stored else { return nil }
    return try file.part(member.dataOffset..<member.dataOffset + member.size)
  }

  /// The whole content of a member, checked against its CRC-32; at most `limit` bytes.
  package func bytes(_ member: ZipMember, limit: Int) throws(CheckpointError) -> [UInt8] {
    guard member.size <= limit else {
      let error = CheckpointError(
        .unsupported, "expected at most \(limit) bytes here, found \(member.size)")
      throw locating(error, member)
    }
    return try [UInt8](count: member.size) { target throws(CheckpointError) in
      try read(member, at: 0, into: &target)
    }
  }

  /// Reads a whole member and checks its CRC-32, unless that has been done before.
  package func verify(_ member: ZipMember) throws(CheckpointError) {
    if isSound(member) { return }
    try verifying.withLock { _ throws(CheckpointError) in
      if isSound(member) { return }
      do throws(CheckpointError) {
        switch member.method {
        case .stored:
          var sum: UInt32 = 0
          try forEachChunk(of: member) { bytes, offset throws(CheckpointError) in
            try file.read(at: member.dataOffset + offset, into: &bytes)
            sum = Checksum.crc32(bytes.bytes, after: sum)
          }
          try check(sum, of: member)
        default: try newInflation(of: member).verify()
        }
      } catch {
        throw locating(error, member)
      }
      states.withLock { $0[member.index] = .sound }
    }
  }

  /// Checks a member and makes reading it in any order cheap: a packed member is unpacked once to
  /// a temporary file, because going back in its stream means starting over.
  package func materialize(_ member: ZipMember) throws(CheckpointError) {
    guard member.method != .stored else { return try verify(member) }
    try spool.withLock { spool throws(CheckpointError) in
      if spool[member] != nil { return }
      try spool.add(member) { take throws(CheckpointError) in
        try self.unpack(member, take)
      }
    }
  }

  /// A member's content, checked against its CRC-32, as a source of its own: a copy in a temporary
  /// file without a name.
  package func unpacked(_ member: ZipMember) throws(CheckpointError) -> ByteSource {
    let copy = try ByteSink.temporary(for: path)
    try unpack(member) { bytes throws(CheckpointError) in try copy.append(bytes) }
    return try copy.readBack()
  }

  /// Hands over all of a member's content in order, checked against its CRC-32.
  private func unpack(
    _ member: ZipMember, _ take: (RawSpan) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    let inflation: ZipInflation?
    do throws(CheckpointError) {
      inflation = member.method == .stored ? nil : try newInflation(of: member)
      // What checks an empty one as well.
      if member.size == 0 { try inflation?.verify() }
    } catch {
      throw locating(error, member)
    }
    try forEachChunk(of: member) { bytes, offset throws(CheckpointError) in
      if let inflation {
        do throws(CheckpointError) {
          try inflation.read(at: offset, into: &bytes)
        } catch {
          throw locating(error, member)
        }
      } else {
        try read(member, at: offset, into: &bytes)
      }
      try take(bytes.bytes)
    }
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

  /// Records the CRC-32 of bytes that were read, and checks the whole when no byte is missing.
  private func note(
    _ bytes: RawSpan, at offset: Int, of member: ZipMember
  ) throws(CheckpointError) {
    if isSound(member) { return }
    if case .damaged(let error)? = states.withLock({ $0[member.index] }) { throw error }
    let sum = Checksum.crc32(bytes)
    let (whole, isIncomplete) = states.withLock { states -> (UInt32?, Bool) in
      guard case .reading(var pieces) = states[member.index] ?? .reading(PieceSums()) else {
        return (nil, false)
      }
      pieces.add(offset..<offset + bytes.byteCount, sum)
      let whole = pieces.sum(ofFirst: member.size)
      states[member.index] = whole == nil ? .reading(pieces) : nil
      return (whole, pieces.isIncomplete)
    }
    if isIncomplete { return try verifyOnce(member) }
    guard let whole else { return }
    try check(whole, of: member)
    states.withLock { $0[member.index] = .sound }
  }

  /// Reads a whole member of which too many pieces are apart, and remembers what is wrong with it.
  private func verifyOnce(_ member: ZipMember) throws(CheckpointError) {
    do throws(CheckpointError) {
      try verify(member)
    } catch {
      states.withLock { $0[member.index] = .damaged(error) }
      throw error
    }
  }

  private func check(_ sum: UInt32, of member: ZipMember) throws(CheckpointError) {
    if hasSum(member), sum != member.crc32 { throw Self.wrongSum(sum, of: member) }
  }

  static func wrongSum(_ sum: UInt32, of member: ZipMember) -> CheckpointError {
    CheckpointError(
      .malformed, "expected CRC-32 \(member.crc32), found \(sum)")
  }

  /// Counts that a member is read again from its beginning; true from the third time on.
  private func mustMaterialize(_ member: ZipMember) -> Bool {
    restarts.withLock { restarts in
      restarts[member.index, default: 0] += 1
      return restarts[member.index, default: 0] > Self.maxRestarts
    }
  }

  /// The unpacking of a member that is in progress, or a new one, and whether there was one before; the
  /// least recently used is dropped.
  private func inflation(
    of member: ZipMember
  ) throws(CheckpointError) -> (inflation: ZipInflation, isAgain: Bool) {
    try inflations.withLock { inflations throws(CheckpointError) in
      if let index = inflations.kept.firstIndex(where: { $0.member.index == member.index }) {
        let found = inflations.kept.remove(at: index)
        inflations.kept.append(found)
        return (found, false)
      }
      let isAgain = inflations.known.contains(member.index)
      let new = try newInflation(of: member)
      inflations.add(new)
      return (new, isAgain)
    }
  }

  private func newInflation(of member: ZipMember) throws(CheckpointError) -> ZipInflation {
    try ZipInflation(member, in: file, isChecked: hasSum(member), budget)
  }

  private func locating(_ error: CheckpointError, _ member: ZipMember) -> CheckpointError {
    error.adding(member: member.name).adding(path: path, offset: member.dataOffset)
  }
}
