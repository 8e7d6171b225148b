import ParallelWork
import Synchronization
import TensorCore

/// A packed member that is read by range: unpacked forward, keeping the last few blocks.
///
/// Reading in order unpacks once; going back further than the kept blocks starts over.
final class ZipInflation: Sendable {
  private static let blockSize = 1 << 20
  private static let keptBlocks = 4
  private static let inputSize = 1 << 16

  let member: ZipMember
  private let file: ByteSource
  private let isChecked: Bool
  private let budget: ZipBudget
  /// The latest blocks, so that parallel tasks do not force each other to start over.
  private let kept = BlockCache(capacity: keptBlocks * blockSize)
  private let progress: Mutex<Progress>

  /// How far the stream is unpacked.
  private struct Progress: ~Copyable {
    var unpacker: any StreamUnpacker & ~Copyable
    /// Number of the member's stored bytes read so far.
    var read: Int
    /// Stored bytes that were read but are not unpacked yet.
    var input: ArraySlice<UInt8> = []
    /// Number of bytes unpacked so far.
    var made = 0
    var crc32: UInt32 = 0

    init(_ member: ZipMember, in file: ByteSource) throws(CheckpointError) {
      unpacker = try ZipUnpacker.make(for: member, in: file)
      read = ZipUnpacker.start(of: member)
    }
  }

  init(
    _ member: ZipMember, in file: ByteSource, isChecked: Bool, _ budget: ZipBudget
  ) throws(CheckpointError) {
    self.budget = budget
    self.member = member
    self.file = file
    self.isChecked = isChecked
    progress = Mutex(try Progress(member, in: file))
  }

  /// Whether reading at `offset` would unpack the stream again from its beginning.
  func goesBack(to offset: Int) -> Bool {
    let start = offset / Self.blockSize * Self.blockSize
    return progress.withLock { $0.made > start + Self.keptBlocks * Self.blockSize }
  }

  /// Whether reading at `offset` has to unpack more than the first blocks.
  func isFar(_ offset: Int) -> Bool { offset >= Self.blockSize }

  /// Fills `target` with the content starting at `offset`; the range must be inside the member.
  func read(at offset: Int, into target: inout MutableRawSpan) throws(CheckpointError) {
    var done = 0
    while done < target.byteCount {
      let start = (offset + done) / Self.blockSize * Self.blockSize
      let skipped = offset + done - start
      let count = min(blockCount(at: start) - skipped, target.byteCount - done)
      var part = target._mutatingExtracting(done..<done + count)
      try copy(skipped..<skipped + count, ofBlockAt: start, into: &part)
      done += count
    }
  }

  /// Unpacks the whole member and checks its size, its end, and its CRC-32.
  func verify() throws(CheckpointError) {
    try progress.withLock { progress throws(CheckpointError) in
      repeat { try makeNextBlock(&progress) } while progress.made < member.size
    }
  }

  /// What errors call the stream.
  private var title: String { member.method == .deflated ? "the deflate stream" : "the stream" }

  private func blockCount(at start: Int) -> Int { min(Self.blockSize, member.size - start) }

  private func copy(
    _ part: Range<Int>, ofBlockAt start: Int, into target: inout MutableRawSpan
  ) throws(CheckpointError) {
    if kept.copy(part, of: .init(offset: start), into: &target) { return }
    try progress.withLock { progress throws(CheckpointError) in
      if kept.copy(part, of: .init(offset: start), into: &target) { return }
      if start < progress.made { progress = try Progress(member, in: file) }
      // The blocks on the way are made in full and kept: the stream only moves by unpacking.
      while progress.made <= start {
        let isWanted = progress.made == start
        try makeNextBlock(&progress) { bytes in
          if isWanted { target.copyBytes(from: bytes.extracting(part)) }
        }
      }
    }
  }

  private func makeNextBlock(
    _ progress: inout Progress, _ use: (RawSpan) -> Void = { _ in }
  ) throws(CheckpointError) {
    let start = progress.made
    do throws(CheckpointError) {
      // Made even if it is cached: the stream has to move past it all the same.
      try kept.remake(.init(offset: start), size: blockCount(at: start)) {
        target throws(CheckpointError) in
        try unpack(&progress, into: &target)
        progress.crc32 = Checksum.crc32(target.bytes, after: progress.crc32)
        if progress.made == member.size { try finish(&progress) }
      } _: { bytes throws(CheckpointError) in
        use(bytes)
      }
    } catch {
      // The stream cannot go on in the middle of a block.
      progress = try Progress(member, in: file)
      throw error
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
      let (taken, made) = try progress.unpacker.unpack(input.rawBytes, into: &part)
      try budget.charge(upTo: progress.made + made, of: member)
      progress.input = progress.input.dropFirst(taken)
      done += made
      progress.made += made
      if done == target.byteCount { return }
      if progress.unpacker.isAtEnd {
        if member.method.allowsStreams, left(of: progress) > 0 {
          try progress.unpacker.restart()
          continue
        }
        throw CheckpointError(
          .malformed, "expected \(member.size) bytes, but \(title) ends after \(progress.made)")
      }
      if taken == 0, made == 0, progress.read == member.storedSize {
        throw CheckpointError(
          .malformed, "\(title) is truncated after \(member.storedSize) bytes")
      }
    }
  }

  /// Number of stored bytes that are not unpacked yet.
  private func left(of progress: borrowing Progress) -> Int {
    progress.input.count + member.storedSize - progress.read
  }

  private func refill(_ progress: inout Progress) throws(CheckpointError) {
    let start = member.dataOffset + progress.read
    let count = min(Self.inputSize, member.storedSize - progress.read)
    progress.input = try file.bytes(start..<start + count)[...]
    progress.read += count
  }

  /// Checks that the stream ends here, that it fills the member, and the CRC-32.
  private func finish(_ progress: inout Progress) throws(CheckpointError) {
    while true {
      if progress.unpacker.isAtEnd {
        // Others may follow that hold nothing.
        guard member.method.allowsStreams, left(of: progress) > 0 else { break }
        try progress.unpacker.restart()
      }
      if progress.input.isEmpty { try refill(&progress) }
      let input = progress.input
      var (taken, made) = (0, 0)
      // The end of a stream may need more input after its last byte of output. One byte of room
      // shows a stream that holds more than it should.
      _ = try [UInt8](count: 1) { target throws(CheckpointError) in
        (taken, made) = try progress.unpacker.unpack(input.rawBytes, into: &target)
      }
      progress.input = progress.input.dropFirst(taken)
      if made > 0 {
        throw CheckpointError(
          .malformed, "\(title) holds more than the expected \(member.size) bytes")
      }
      if taken == 0, !progress.unpacker.isAtEnd, progress.read == member.storedSize {
        throw CheckpointError(
          .malformed, "\(title) is truncated after \(member.storedSize) bytes")
      }
    }
    let rest = left(of: progress)
    guard rest == 0 else {
      throw CheckpointError(.malformed, "\(rest) bytes follow the end of \(title)")
    }
    if isChecked, progress.crc32 != member.crc32 {
      throw ZipArchive.wrongSum(progress.crc32, of: member)
    }
  }
}
