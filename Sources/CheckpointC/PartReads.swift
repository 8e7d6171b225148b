import CCkpt
import ParallelWork
import TensorCore

/// Memory of the caller into which bytes of a tensor are read.
@safe
struct PartRead: @unchecked Sendable {  // each has memory of its own
  let tensor: Int
  let range: Range<Int>
  private let target: UnsafeMutableRawPointer

  /// Takes a part of a tensor.
  ///
  /// - Throws: `CheckpointError` `missing` for a tensor that there is not, or bytes outside of it.
  init(_ part: ckpt_part, of entries: [Checkpoint.Entry]) throws(CheckpointError) {
    guard let tensor = unsafe Int(exactly: part.tensor), tensor < entries.count else {
      throw unsafe CheckpointError(
        .missing,
        "tensor index \(part.tensor) is out of range: the file has \(entries.count) tensors")
    }
    let entry = entries[tensor]
    let end = unsafe part.offset.addingReportingOverflow(part.size)
    guard !end.overflow, end.partialValue <= UInt64(entry.info.byteCount) else {
      throw unsafe CheckpointError(
        .missing,
        "expected a range within its \(entry.info.byteCount) bytes, found \(part.size) bytes at "
          + "\(part.offset)", tensor: entry.name.text)
    }
    unsafe self.init(tensor, Int(part.offset)..<Int(end.partialValue), part.target)
  }

  private init(_ tensor: Int, _ range: Range<Int>, _ target: UnsafeMutableRawPointer) {
    self.tensor = tensor
    self.range = range
    unsafe self.target = target
  }

  /// The part of it that begins where it does and ends before `end`.
  func prefix(upTo end: Int) -> PartRead {
    unsafe PartRead(tensor, range.lowerBound..<end, target)
  }

  /// What is left of it from `start` on.
  func suffix(from start: Int) -> PartRead {
    unsafe PartRead(
      tensor, start..<range.upperBound, target + (start - range.lowerBound))
  }

  /// Reads the bytes.
  func read(from entries: [Checkpoint.Entry]) throws {
    let memory = unsafe UnsafeMutableRawBufferPointer(start: target, count: range.count)
    var bytes = unsafe memory.mutableBytes
    try entries[tensor].read(range, into: &bytes)
  }
}

/// Cuts parts into units of work: pieces of a large one where the source's chunks end, and small ones
/// together.
struct PartUnits: Sequence, IteratorProtocol, Sendable {
  private static let size = 1 << 20
  private static let maxGathered = 256

  private let entries: [Checkpoint.Entry]
  private let parts: [PartRead]
  private var position = 0
  /// What is left of a large part.
  private var rest: PartRead?

  init(_ parts: [PartRead], of entries: [Checkpoint.Entry]) {
    self.parts = parts
    self.entries = entries
  }

  mutating func next() -> [PartRead]? {
    if let part = rest ?? nextLarge() { return [cut(part)] }
    guard position < parts.count else { return nil }
    var unit: [PartRead] = []
    var room = Self.size
    while position < parts.count, unit.count < Self.maxGathered, parts[position].range.count <= room
    {
      unit.append(parts[position])
      room -= parts[position].range.count
      position += 1
    }
    return unit
  }

  private mutating func nextLarge() -> PartRead? {
    guard position < parts.count, parts[position].range.count > Self.size else { return nil }
    position += 1
    return parts[position - 1]
  }

  /// The next piece of a large part.
  private mutating func cut(_ part: PartRead) -> PartRead {
    let chunk = Swift.max(entries[part.tensor].preferredReadSize, 1)
    let size = (Self.size + chunk - 1) / chunk * chunk
    let end = Swift.min((part.range.lowerBound / size + 1) * size, part.range.upperBound)
    rest = end < part.range.upperBound ? part.suffix(from: end) : nil
    return part.prefix(upTo: end)
  }
}
