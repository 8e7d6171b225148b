import Synchronization
import TensorCore

/// Writes the records of a ``ZipCopy`` around the contents of its members.
final class ZipCopyOutput: Sendable {
  private let sink: ByteSink
  private let archive: ZipArchive
  private let replacements: [ZipReplacement]
  /// What the contents are, if that is known before they are written.
  private let known: [ZipNumbers]?
  /// The sink's position at the beginning of the archive.
  private let base: Int
  private let state = Mutex(State())

  private struct State {
    /// End of the part of the old file that has been copied or replaced.
    var copied = 0
    /// Where the current local header is in the sink, and what it says.
    var header = (offset: 0, bytes: [UInt8]())
    var numbers: [Int: ZipNumbers] = [:]
    /// By how many bytes what follows an offset in the old file has moved.
    var moves: [(start: Int, distance: Int)] = []
  }

  init(
    _ sink: ByteSink, of archive: ZipArchive, _ replacements: [ZipReplacement],
    known: [ZipNumbers]?
  ) {
    self.sink = sink
    self.archive = archive
    self.replacements = replacements
    self.known = known
    base = sink.position
  }

  /// Copies what comes before a replaced member, and writes its local header.
  func begin(_ index: Int) throws(CheckpointError) {
    let replacement = replacements[index]
    let header = try replacement.header(known?[index] ?? replacement.expected)
    try state.withLock { state throws(CheckpointError) in
      try sink.append(state.copied..<replacement.member.headerOffset, of: archive.file)
      state.header = (sink.position, header)
      try sink.append(header.rawBytes)
    }
  }

  /// Writes what follows a replaced member's content, and corrects its header.
  func end(_ index: Int, _ numbers: ZipNumbers) throws(CheckpointError) {
    let replacement = replacements[index]
    let header = try replacement.header(numbers)
    let descriptor = try replacement.descriptor(numbers)
    try state.withLock { state throws(CheckpointError) in
      if header != state.header.bytes {
        guard header.count == state.header.bytes.count else { throw replacement.tooLarge }
        guard known == nil else {
          throw CheckpointError(.mismatched, "the new content was not the same when read again")
            .adding(member: replacement.member.name)
        }
        try sink.write(header.rawBytes, at: state.header.offset)
      }
      try sink.append(descriptor.rawBytes)
      state.numbers[replacement.member.index] = numbers
      state.copied = replacement.end
      state.moves.append((replacement.end, sink.position - base - replacement.end))
    }
  }

  /// Writes everything after the last replaced member: other members, new ones, the directory.
  func finish(
    adding additions: [(name: TensorName, bytes: [UInt8])], note: String?
  ) throws(CheckpointError) {
    let state = state.withLock { $0 }
    try sink.append(state.copied..<archive.directory.lowerBound, of: archive.file)
    var writer = ZipWriter(sink, base: base)
    for (name, bytes) in additions { try writer.add(name, bytes) }
    let added = writer.takeDirectory()
    let start = sink.position - base
    let directory = try directory(state, note: note) + added
    try sink.append(directory.rawBytes)
    let end = try ZipEndRecords.bytes(
      count: archive.members.count + additions.count, directory: start..<start + directory.count,
      like: archive.file.bytes(archive.directory.upperBound..<archive.file.size))
    try sink.append(end.rawBytes)
  }

  /// The old members' entries, in which sizes, sums, and offsets are the new ones.
  private func directory(_ state: State, note: String?) throws(CheckpointError) -> [UInt8] {
    let old = try archive.file.bytes(archive.directory)
    var directory: [UInt8] = []
    directory.reserveCapacity(old.count)
    var offset = 0
    for member in archive.members {
      let size =
        ZipLayout.centralSize + Int(old.littleEndian(UInt16.self, at: offset + 28))
        + Int(old.littleEndian(UInt16.self, at: offset + 30))
      let entry = old[offset..<offset + size]
      offset += size
      let distance = state.moves.last { $0.start <= member.headerOffset }?.distance ?? 0
      let numbers = state.numbers[member.index]
      if distance == 0, numbers == nil {
        directory += entry
        Self.setNote(of: member, to: note, at: &directory)
        continue
      }
      var header = ZipHeader(central: Array(entry))
      if let numbers {
        header.crc32 = numbers.crc32
        try header.set(.size, to: numbers.size)
        try header.set(.storedSize, to: numbers.storedSize)
      }
      try header.set(.headerOffset, to: member.headerOffset + distance)
      directory += header.bytes
      Self.setNote(of: member, to: note, at: &directory)
    }
    return directory
  }

  /// Replaces the note with which a member's entry, the last so far, ends.
  private static func setNote(
    of member: ZipMember, to note: String?, at directory: inout [UInt8]
  ) {
    guard let old = member.note, let note, old.utf8.count == note.utf8.count,
      directory.suffix(old.utf8.count).elementsEqual(old.utf8)
    else { return }
    directory.replaceSubrange((directory.count - old.utf8.count)..., with: note.utf8)
  }
}

/// The records after the central directory (APPNOTE 4.3.14 to 4.3.16).
enum ZipEndRecords {
  /// The end record, after those of the zip64 kind where numbers need them.
  static func bytes(count: Int, directory: Range<Int>) -> [UInt8] {
    var end: [UInt8] = []
    let isLarge =
      count >= ZipLayout.sentinel16 || directory.count >= ZipLayout.sentinel32
      || directory.lowerBound >= ZipLayout.sentinel32
    if isLarge {
      end.appendLittleEndian(ZipLayout.end64Signature)
      end.appendLittleEndian(UInt64(ZipLayout.end64Size - 12))
      for _ in 0..<2 { end.appendLittleEndian(ZipLayout.zip64Version) }
      end.appendLittleEndian(UInt64(0))
      for number in [count, count, directory.count, directory.lowerBound] {
        end.appendLittleEndian(UInt64(number))
      }
      end.appendLittleEndian(ZipLayout.locatorSignature)
      end.appendLittleEndian(UInt32(0))
      end.appendLittleEndian(UInt64(directory.upperBound))
      end.appendLittleEndian(UInt32(1))
    }
    end.appendLittleEndian(ZipLayout.endSignature)
    end.appendLittleEndian(UInt32(0))
    for _ in 0..<2 { end.appendLittleEndian(UInt16(clamping: count)) }
    end.appendLittleEndian(UInt32(clamping: directory.count))
    end.appendLittleEndian(UInt32(clamping: directory.lowerBound))
    end.appendLittleEndian(UInt16(0))
    return end
  }

  /// The records of an archive with these numbers changed; an archive that has records of the zip64
  /// kind keeps them.
  static func bytes(count: Int, directory: Range<Int>, like old: [UInt8]) -> [UInt8] {
    let end = old.count - ZipLayout.endSize
    guard end > 0 else { return bytes(count: count, directory: directory) }
    var new = old
    for offset in [24, 32] { new.setLittleEndian(UInt64(count), at: offset) }
    new.setLittleEndian(UInt64(directory.count), at: 40)
    new.setLittleEndian(UInt64(directory.lowerBound), at: 48)
    new.setLittleEndian(UInt64(directory.upperBound), at: ZipLayout.end64Size + 8)
    for offset in [end + 8, end + 10]
    where old.littleEndian(UInt16.self, at: offset) != ZipLayout.sentinel16 {
      new.setLittleEndian(UInt16(clamping: count), at: offset)
    }
    for (offset, number) in [(end + 12, directory.count), (end + 16, directory.lowerBound)]
    where old.littleEndian(UInt32.self, at: offset) != ZipLayout.sentinel32 {
      new.setLittleEndian(UInt32(clamping: number), at: offset)
    }
    return new
  }
}
