import ParallelWork
import Synchronization
import TensorCore

/// Takes the new contents of members as one stream of bytes, one content after the other, and hands
/// over each as it is stored in the archive.
final class ZipContents: Sendable {
  /// Gets what happens in order.
  struct Receiver: Sendable {
    /// A content begins.
    var begin: @Sendable (_ index: Int) throws(CheckpointError) -> Void
    /// Some of its bytes as they are stored.
    var append: @Sendable (_ bytes: RawSpan) throws(CheckpointError) -> Void
    /// It has ended.
    var end: @Sendable (_ index: Int, _ numbers: ZipNumbers) throws(CheckpointError) -> Void
  }

  private let replacements: [ZipReplacement]
  private let receiver: Receiver
  private let state = Mutex(State())

  private struct State: ~Copyable {
    /// The content in progress, or the next one.
    var index = 0
    /// Number of its bytes so far; `nil` before it begins.
    var count: Int?
    var numbers = ZipNumbers(crc32: 0, size: 0, storedSize: 0)
    var deflater: Deflater?
  }

  /// Levels of deflate by bits 1 and 2 of a member's flags (APPNOTE 4.4.4).
  private static let levels: [Int32] = [6, 9, 3, 1]

  init(_ replacements: [ZipReplacement], to receiver: Receiver) {
    self.replacements = replacements
    self.receiver = receiver
  }

  /// Where the contents go.
  func sink(name: String) -> ByteSink {
    ByteSink(name: name) { bytes, _ throws(CheckpointError) in
      try self.append(bytes)
    } commit: {
    }
  }

  /// Ends the last content.
  func finish() throws(CheckpointError) {
    try state.withLock { state throws(CheckpointError) in
      while state.index < replacements.count { try take(RawSpan(), &state) }
    }
  }

  private func append(_ bytes: RawSpan) throws(CheckpointError) {
    try state.withLock { state throws(CheckpointError) in
      var done = 0
      while done < bytes.byteCount {
        precondition(state.index < replacements.count, "more bytes than the members' sizes")
        let room = replacements[state.index].size - (state.count ?? 0)
        let count = min(bytes.byteCount - done, room)
        try take(bytes.extracting(done..<done + count), &state)
        done += count
      }
    }
  }

  /// Adds bytes to a content, which begins with the first and ends with the last of them.
  private func take(_ bytes: RawSpan, _ state: inout State) throws(CheckpointError) {
    let replacement = replacements[state.index]
    let start = state.count ?? 0
    if state.count == nil {
      try receiver.begin(state.index)
      state.numbers = ZipNumbers(
        crc32: replacement.isSummed ? 0 : replacement.member.crc32, size: replacement.size,
        storedSize: 0)
      if replacement.member.method == .deflated {
        let level = Self.levels[Int(replacement.member.flags >> 1) & 3]
        state.deflater = try Deflater(level: level)
      }
    }
    if replacement.isSummed {
      state.numbers.crc32 = Checksum.crc32(bytes, after: state.numbers.crc32)
    }
    var stored = 0
    let put = { [receiver] (bytes: RawSpan) throws(CheckpointError) in
      stored += bytes.byteCount
      try receiver.append(bytes)
    }
    let isLast = start + bytes.byteCount == replacement.size
    if state.deflater == nil {
      try put(bytes)
    } else {
      try state.deflater?.pack(bytes, put)
      if isLast { try state.deflater?.finish(put) }
    }
    state.numbers.storedSize += stored
    state.count = start + bytes.byteCount
    guard isLast else {
      precondition(bytes.byteCount > 0, "fewer bytes than the members' sizes")
      return
    }
    try receiver.end(state.index, state.numbers)
    state.deflater = nil
    state.count = nil
    state.index += 1
  }
}
