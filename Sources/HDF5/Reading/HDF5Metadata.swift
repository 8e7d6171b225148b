import ByteIO
import TensorCore

/// The metadata of an open file, read by address through a few windows, so that ten thousand small
/// structures are not ten thousand system calls.
///
/// Addresses count from the superblock. What a file can cost is bounded: no structure is larger than
/// ``blockLimit``, and all that is read together is not much more than the file's own bytes, so that
/// structures which lead to each other in a circle come to an end.
final class HDF5Metadata {
  let superblock: HDF5Superblock
  private let input: InputFile

  /// Bytes of a window; a power of two.
  private static let windowSize = 1 << 14
  /// Windows that are kept.
  private static let windowCount = 64
  /// Largest structure that is taken into memory at once.
  private static let blockLimit = 1 << 28

  private var windows = [[UInt8]](repeating: [], count: windowCount)
  /// Number of the window in each place of `windows`; -1 for none.
  private var numbers = [Int](repeating: -1, count: windowCount)
  /// Bytes that may still be read.
  private var budget: Int
  /// Bytes of variable length that attributes may still take.
  private var textBudget: Int
  /// Where the objects of each collection of the global heap are.
  var collections: [UInt64: [Int: Range<Int>]] = [:]
  /// The heaps of shared messages, by type; `nil` before they are first wanted.
  var sharedHeaps: [Int: HDF5FractalHeap]?

  init(_ input: InputFile, _ superblock: HDF5Superblock) {
    self.input = input
    self.superblock = superblock
    budget = 16 * min(input.size, 1 << 28) + 1 << 24
    textBudget = 4 * min(input.size, 1 << 28) + 1 << 20
  }

  /// Bytes in the file.
  var fileSize: Int { input.size }

  /// The place in the file of an address.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when it lies outside.
  func offset(of address: UInt64) throws(CheckpointError) -> Int {
    guard let place = Int(exactly: address), place <= input.size - superblock.base else {
      throw CheckpointError(
        .malformed, "address \(address) lies outside the file of \(input.size) bytes")
    }
    return superblock.base + place
  }

  /// The `count` bytes at an address.
  func cursor(at address: UInt64, count: Int) throws(CheckpointError) -> HDF5Cursor {
    try cursor(atOffset: try offset(of: address), count: count)
  }

  /// The bytes at an address, `count` of them or those that are left of the file.
  func cursor(at address: UInt64, upTo count: Int) throws(CheckpointError) -> HDF5Cursor {
    let offset = try offset(of: address)
    return try cursor(atOffset: offset, count: min(count, input.size - offset))
  }

  /// The `count` bytes at a place in the file.
  func cursor(atOffset offset: Int, count: Int) throws(CheckpointError) -> HDF5Cursor {
    guard count >= 0, offset <= input.size, count <= input.size - offset else {
      throw CheckpointError(
        .malformed, "\(count) bytes are required here, the file has \(input.size)", offset: offset)
    }
    guard count <= Self.blockLimit else {
      throw CheckpointError(
        .unsupported, "a structure of \(count) bytes; \(Self.blockLimit) are read", offset: offset)
    }
    try charge(count)
    let number = offset / Self.windowSize
    let first = number * Self.windowSize
    guard offset + count <= first + Self.windowSize else {
      return HDF5Cursor(
        try input.bytes(offset..<offset + count), 0, count: count, start: offset,
        superblock.widths)
    }
    let place = number % Self.windowCount
    if numbers[place] != number {
      windows[place] = try input.bytes(first..<min(first + Self.windowSize, input.size))
      numbers[place] = number
    }
    return HDF5Cursor(
      windows[place], offset - first, count: count, start: first, superblock.widths)
  }

  private func charge(_ count: Int) throws(CheckpointError) {
    // A structure costs something even if it is empty.
    budget -= count + 64
    guard budget >= 0 else {
      throw CheckpointError(
        .malformed, "its structures lead to the same bytes over and over again")
    }
  }

  /// Counts bytes of texts that attributes take.
  func charge(texts count: Int) throws(CheckpointError) {
    textBudget -= count
    guard textBudget >= 0 else {
      throw CheckpointError(.malformed, "its attributes have more bytes than the file")
    }
  }
}
