import Synchronization
package import TensorCore

/// A copy of an archive in which some members have new content and some are added at its end.
///
/// Everything else is as it was: headers, extra fields, descriptors, the order of the members. Stored
/// members stay stored, and deflated ones are deflated again. A member without CRC-32 gets none.
package struct ZipCopy: Sendable {
  /// The contents that the replaced members have now, one after the other in the order of the file.
  package let contents: ByteSource
  /// A text in place of ``ZipArchive/note``, of the same length; `nil` keeps that one.
  package var note: String?
  private let archive: ZipArchive
  private var replacements: [ZipReplacement]
  private let starts: [Int: Int]
  private var additions: [(name: TensorName, bytes: [UInt8])] = []

  /// A copy in which these members get new content, for now of the size that they have.
  package init(of archive: ZipArchive, replacing members: [ZipMember]) throws(CheckpointError) {
    self.archive = archive
    let members = members.sorted { $0.headerOffset < $1.headerOffset }
    // Each member's records end where the next local header or the directory begins.
    let ends = archive.members.map(\.headerOffset).sorted() + [archive.directory.lowerBound]
    var next = 0
    var replacements: [ZipReplacement] = []
    var starts: [Int: Int] = [:]
    var size = 0
    for member in members {
      while ends[next] <= member.headerOffset { next += 1 }
      replacements.append(try ZipReplacement(member, in: archive, until: ends[next]))
      starts[member.index] = size
      size += member.size
    }
    self.replacements = replacements
    self.starts = starts
    contents = Self.contents(of: members, in: archive, size: size)
  }

  /// The bytes of a replaced member's content in ``contents``.
  package func range(of member: ZipMember) -> Range<Int> {
    let start = starts[member.index] ?? 0
    return start..<start + member.size
  }

  /// Changes the size of a replaced member's content.
  package mutating func resize(_ member: ZipMember, to size: Int) throws(CheckpointError) {
    for index in replacements.indices where replacements[index].member.index == member.index {
      try replacements[index].resize(to: size, in: archive)
    }
  }

  /// Adds a stored member of a name that the archive does not have.
  package mutating func add(_ name: TensorName, _ bytes: [UInt8]) {
    additions.append((name, bytes))
  }

  /// Writes the copy; `content` gives the replaced members' new contents in the order of
  /// ``contents``, and is called twice if the sink only appends and headers say what the contents are.
  ///
  /// - Throws: what reading the archive, `content`, and writing throw.
  package func write(
    to sink: ByteSink, content: (ByteSink) async throws -> Void
  ) async throws {
    var known: [ZipNumbers]?
    if !sink.abilities.writesAnywhere, replacements.contains(where: \.showsContent) {
      known = try await measure(content)
    }
    let output = ZipCopyOutput(sink, of: archive, replacements, known: known)
    let contents = ZipContents(
      replacements,
      to: ZipContents.Receiver(
        begin: { index throws(CheckpointError) in try output.begin(index) },
        append: { bytes throws(CheckpointError) in try sink.append(bytes) },
        end: { index, numbers throws(CheckpointError) in try output.end(index, numbers) }))
    try await content(contents.sink(name: sink.name))
    try contents.finish()
    try output.finish(adding: additions, note: note)
  }

  /// What the headers will say of the contents.
  private func measure(_ content: (ByteSink) async throws -> Void) async throws -> [ZipNumbers] {
    let found = FoundNumbers()
    let contents = ZipContents(
      replacements,
      to: ZipContents.Receiver(
        begin: { _ in }, append: { _ in },
        end: { _, numbers in found.numbers.withLock { $0.append(numbers) } }))
    try await content(contents.sink(name: archive.path))
    try contents.finish()
    return found.numbers.withLock { $0 }
  }

  private final class FoundNumbers: Sendable {
    let numbers = Mutex<[ZipNumbers]>([])
  }

  private static func contents(
    of members: [ZipMember], in archive: ZipArchive, size: Int
  ) -> ByteSource {
    var ends: [Int] = []
    for member in members { ends.append((ends.last ?? 0) + member.size) }
    return ByteSource(name: archive.path, size: size) {
      [ends] offset, target throws(CheckpointError) in
      var (low, high) = (0, ends.count)
      while low < high {
        let middle = (low + high) / 2
        if ends[middle] <= offset { low = middle + 1 } else { high = middle }
      }
      var done = 0
      while done < target.byteCount {
        let start = offset + done - (ends[low] - members[low].size)
        let count = min(target.byteCount - done, members[low].size - start)
        var part = target._mutatingExtracting(done..<done + count)
        try archive.read(members[low], at: start, into: &part)
        done += count
        low += 1
      }
    }
  }
}
