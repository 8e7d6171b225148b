import ByteIO
import ParallelWork
import TensorCore

/// The metadata of an open file, read by address through a few cached windows, so that ten thousand
/// small structures do not take ten thousand system calls.
///
/// Addresses are relative to the superblock. The cost of a file is bounded: no structure is larger
/// than ``blockLimit``, and all reads together are charged to the budget, so that structures which
/// refer to each other in a cycle come to an end.
final class HDF5Metadata {
  let superblock: HDF5Superblock
  private let input: ByteSource

  /// Size of a window in bytes; a power of two.
  private static let windowSize = 1 << 14
  /// Size in bytes of the largest structure that is read, which the file must have.
  static let blockLimit = 1 << 28

  private let windows = BlockCache(capacity: 64 * windowSize)
  /// The bytes of the windows used last, which cursors share; structures lie close together.
  private var recent: [(first: Int, bytes: [UInt8])] = []
  /// Bytes that are read, 64 more for each structure.
  private var structures: Budget.Account
  /// Bytes of text in attributes.
  private var texts: Budget.Account
  /// Objects that links lead to.
  private var objects: Budget.Account
  /// Byte ranges of the objects in each global heap collection read so far, by address and index.
  var collections: [UInt64: [Int: Range<Int>]] = [:]
  /// The heaps of shared messages, by message kind; `nil` until they are first needed.
  var sharedHeaps: [Int: HDF5FractalHeap]?

  init(_ input: ByteSource, _ superblock: HDF5Superblock) {
    self.input = input
    self.superblock = superblock
    // A multiple of the size, because each object that uses a shared message or heap reads it again.
    // The constants let a small file have many links, and cap the work for a huge one.
    structures = Budget.current.account(of: .structures, size: input.size)
    texts = Budget.current.account(of: .attributeText, size: input.size)
    objects = Budget.current.account(of: .objects, size: input.size)
  }

  /// Size of the file in bytes.
  var fileSize: Int { input.size }

  /// The offset in the file of an address.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when it is outside the file.
  func offset(of address: UInt64) throws(CheckpointError) -> Int {
    guard let offset = Int(exactly: address), offset <= input.size - superblock.base else {
      throw CheckpointError(
        .malformed, "address \(address) is outside the file of \(input.size) bytes")
    }
    return superblock.base + offset
  }

  /// A cursor over the `count` bytes at an address.
  func cursor(at address: UInt64, count: Int) throws(CheckpointError) -> HDF5Cursor {
    try cursor(atOffset: try offset(of: address), count: count)
  }

  /// A cursor over at most `count` bytes at an address, fewer at the end of the file.
  func cursor(at address: UInt64, upTo count: Int) throws(CheckpointError) -> HDF5Cursor {
    let offset = try offset(of: address)
    return try cursor(atOffset: offset, count: min(count, input.size - offset))
  }

  /// A cursor over the `count` bytes at an offset in the file.
  ///
  /// - Throws: ``CheckpointError`` `malformed` beyond the end of the file, or when the file makes the
  ///   reader go in circles; `unsupported` for more than ``blockLimit`` bytes.
  func cursor(atOffset offset: Int, count: Int) throws(CheckpointError) -> HDF5Cursor {
    guard count >= 0, offset <= input.size, count <= input.size - offset else {
      throw CheckpointError(
        .malformed, "expected \(count) bytes here, but the file has \(input.size)", offset: offset)
    }
    guard count <= Self.blockLimit else {
      throw CheckpointError(
        .unsupported, "expected a structure of at most \(Self.blockLimit) bytes, found \(count)",
        offset: offset)
    }
    try charge(count)
    let first = offset / Self.windowSize * Self.windowSize
    guard offset + count <= first + Self.windowSize else {
      // A structure that does not lie inside one window is read on its own.
      return HDF5Cursor(
        try input.bytes(offset..<offset + count), 0, count: count, start: offset, superblock.widths)
    }
    return HDF5Cursor(
      try window(first), offset - first, count: count, start: first, superblock.widths)
  }

  /// The bytes of a window.
  private func window(_ first: Int) throws(CheckpointError) -> [UInt8] {
    for window in recent where window.first == first { return window.bytes }
    let size = min(Self.windowSize, input.size - first)
    let bytes = try [UInt8](count: size) { target throws(CheckpointError) in
      try windows.copy(0..<size, of: .init(offset: first), size: size, into: &target) {
        window throws(CheckpointError) in try input.read(at: first, into: &window)
      }
    }
    if recent.count == 4 { recent.removeFirst() }
    recent.append((first, bytes))
    return bytes
  }

  private func charge(_ count: Int) throws(CheckpointError) {
    // A structure costs something even if it is empty.
    guard structures.charge(count + 64) else {
      throw CheckpointError(
        .malformed,
        "structures refer to the same bytes too many times; they may be cyclic")
    }
  }

  /// Whether this many bytes more of text may be read.
  func allows(texts count: Int) -> Bool { texts.charge(count) }

  /// Charges the bytes of an attribute's text, which may be shared by many attributes.
  func charge(texts count: Int) throws(CheckpointError) {
    guard texts.charge(count) else {
      throw CheckpointError(
        .malformed,
        "attributes hold far more text than the file has bytes; pass --allow-large to read it")
    }
  }

  /// Charges an object that a link leads to, which may be one of many paths to it.
  func chargeObject() throws(CheckpointError) {
    guard objects.charge(1) else { throw tooManyObjects }
  }

  /// Refuses a group of more links than the whole file may have.
  func check(linkCount: Int) throws(CheckpointError) {
    guard linkCount <= objects.limit else { throw tooManyObjects }
  }

  private var tooManyObjects: CheckpointError {
    CheckpointError(
      .unsupported, "file of \(fileSize) bytes has more than \(objects.limit) objects")
  }
}
