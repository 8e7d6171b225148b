import Synchronization
import TensorCore

/// A deflated member that is read by range: unpacked forward, keeping the last few blocks.
///
/// Reading in order unpacks once; going back further than the kept blocks starts over.
final class ZipInflation: Sendable {
  private static let blockSize = 1 << 20
  /// Number of blocks kept, so that a few tasks reading side by side do not make each other start
  /// over.
  private static let keptBlocks = 4
  private static let inputSize = 1 << 16

  let member: ZipMember
  private let file: ByteSource
  private let isChecked: Bool
  private let progress: Mutex<Progress>

  /// How far the stream is unpacked.
  private struct Progress: ~Copyable {
    var inflater: Inflater
    /// Number of the member's stored bytes read so far.
    var read = 0
    /// Stored bytes that were read but are not unpacked yet.
    var input: ArraySlice<UInt8> = []
    /// Number of bytes unpacked so far.
    var made = 0
    var crc32: UInt32 = 0
    var blocks: [(index: Int, bytes: [UInt8])] = []

    init() throws(CheckpointError) { inflater = try Inflater() }
  }

  init(_ member: ZipMember, in file: ByteSource, isChecked: Bool) throws(CheckpointError) {
    self.member = member
    self.file = file
    self.isChecked = isChecked
    progress = Mutex(try Progress())
  }

  /// Fills `target` with the content starting at `offset`; the range must be inside the member.
  func read(at offset: Int, into target: inout MutableRawSpan) throws(CheckpointError) {
    var done = 0
    while done < target.byteCount {
      let position = offset + done
      let bytes = try block(position / Self.blockSize)
      let start = position % Self.blockSize
      let count = min(bytes.count - start, target.byteCount - done)
      var part = target._mutatingExtracting(done..<done + count)
      part.copyBytes(from: bytes.rawBytes.extracting(start..<start + count))
      done += count
    }
  }

  /// Unpacks the whole member and checks its size, its end, and its CRC-32.
  func verify() throws(CheckpointError) {
    let last = member.size == 0 ? 0 : (member.size - 1) / Self.blockSize
    for index in 0...last { _ = try block(index) }
  }

  /// Block number `index` of the content, unpacking everything up to it.
  private func block(_ index: Int) throws(CheckpointError) -> [UInt8] {
    try progress.withLock { progress throws(CheckpointError) in
      if let kept = progress.blocks.first(where: { $0.index == index }) { return kept.bytes }
      if index * Self.blockSize < progress.made { progress = try Progress() }
      while true {
        let next = progress.made / Self.blockSize
        let count = min(Self.blockSize, member.size - progress.made)
        let bytes = try [UInt8](count: count) { target throws(CheckpointError) in
          try self.unpack(&progress, into: &target)
        }
        progress.crc32 = Checksum.crc32(bytes.rawBytes, after: progress.crc32)
        if progress.made == member.size { try finish(&progress) }
        if progress.blocks.count == Self.keptBlocks { progress.blocks.removeFirst() }
        progress.blocks.append((next, bytes))
        if next == index { return bytes }
      }
    }
  }

  private func unpack(
    _ progress: inout Progress, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    var done = 0
    while done < target.byteCount {
      if progress.input.isEmpty { try refill(&progress) }
      var part = target._mutatingExtracting(done..<target.byteCount)
      let input = progress.input
      let (taken, made) = try progress.inflater.unpack(input.rawBytes, into: &part)
      progress.input = progress.input.dropFirst(taken)
      done += made
      progress.made += made
      if done == target.byteCount { return }
      if progress.inflater.isAtEnd {
        throw CheckpointError(
          .malformed,
          "expected \(member.size) bytes, but the deflate stream ends after \(progress.made)")
      }
      if taken == 0, made == 0, progress.read == member.storedSize {
        throw CheckpointError(
          .malformed, "the deflate stream is truncated after \(member.storedSize) bytes")
      }
    }
  }

  private func refill(_ progress: inout Progress) throws(CheckpointError) {
    let start = member.dataOffset + progress.read
    let count = min(Self.inputSize, member.storedSize - progress.read)
    progress.input = try file.bytes(start..<start + count)[...]
    progress.read += count
  }

  /// Checks that the stream ends here, that it fills the member, and the CRC-32.
  private func finish(_ progress: inout Progress) throws(CheckpointError) {
    while !progress.inflater.isAtEnd {
      if progress.input.isEmpty { try refill(&progress) }
      let input = progress.input
      var (taken, made) = (0, 0)
      _ = try [UInt8](count: 1) { target throws(CheckpointError) in
        (taken, made) = try progress.inflater.unpack(input.rawBytes, into: &target)
      }
      progress.input = progress.input.dropFirst(taken)
      if made > 0 {
        throw CheckpointError(
          .malformed, "the deflate stream holds more than the expected \(member.size) bytes")
      }
      if taken == 0, !progress.inflater.isAtEnd, progress.read == member.storedSize {
        throw CheckpointError(
          .malformed, "the deflate stream is truncated after \(member.storedSize) bytes")
      }
    }
    let rest = progress.input.count + member.storedSize - progress.read
    guard rest == 0 else {
      throw CheckpointError(.malformed, "\(rest) bytes follow the end of the deflate stream")
    }
    if isChecked, progress.crc32 != member.crc32 {
      throw ZipArchive.wrongSum(progress.crc32, of: member)
    }
  }
}
