import ByteIO
import TensorCore

/// The superblock, the first structure of an HDF5 file: widths of numbers, and where the root is.
///
/// Source: HDF5 File Format Specification 3.0, section II.A "Disk Format: Level 0A".
package struct HDF5Superblock: Sendable {
  /// Bytes of an address and of a length, each 2, 4 or 8.
  struct Widths: Sendable {
    let address: Int
    let length: Int
  }

  let widths: Widths
  /// Offset of the superblock in the file; all addresses are relative to it.
  let base: Int
  /// Address of the root group's object header.
  let root: UInt64
  /// Address of the superblock extension (II.C): an object header with messages about the whole
  /// file, which versions 0 and 1 do not have.
  let extensionAddress: UInt64?

  /// The format signature, the first eight bytes of every superblock.
  package static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]

  /// Offsets at which a superblock may begin: 0, or 512 and its doublings, after a user block.
  package static func offsets(within size: Int) -> [Int] {
    var offsets = [0]
    var offset = 512
    while offset < size {
      offsets.append(offset)
      offset *= 2
    }
    return offsets
  }

  /// Finds and reads the superblock of a file.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when there is none, it is damaged, the file is
  ///   shorter than it states, or a writer still has the file open.
  init(_ input: ByteSource) throws(CheckpointError) {
    for offset in Self.offsets(within: input.size) {
      let head = try input.bytes(offset..<min(offset + 128, input.size))
      if head.starts(with: Self.signature) {
        try self.init(head, at: offset, fileSize: input.size)
        return
      }
    }
    throw CheckpointError(.malformed, "no HDF5 signature found")
  }

  private init(_ head: [UInt8], at offset: Int, fileSize: Int) throws(CheckpointError) {
    let unknown = CheckpointError(
      .malformed, "superblock is truncated or has an unknown version", offset: offset)
    guard head.count > 14, head[8] <= 3 else { throw unknown }
    let version = head[8]
    let isOld = version < 2
    widths = Widths(
      address: Int(head[isOld ? 13 : 9]), length: Int(head[isOld ? 14 : 10]))
    guard [2, 4, 8].contains(widths.address), [2, 4, 8].contains(widths.length) else {
      throw unknown
    }
    base = offset
    var cursor = HDF5Cursor(head, 0, count: head.count, start: offset, widths)
    let end: UInt64
    do {
      // Versions 0 and 1 have 24 and 28 bytes of versions, widths, and B-tree ranks before the
      // addresses, versions 2 and 3 only the signature and 4 bytes.
      try cursor.skip(isOld ? (version == 0 ? 24 : 28) : 12)
      _ = try cursor.address()  // base address
      let second = try cursor.address()
      extensionAddress = isOld ? nil : second  // versions 0 and 1: address of the free space
      end = try cursor.definedAddress()
      if isOld {
        _ = try cursor.address()  // driver information block
        try cursor.skip(widths.length)  // root symbol table entry (III.C): link name offset
      }
      root = try cursor.definedAddress()
    } catch {
      throw unknown
    }
    // What a truncated file still holds can be rescued.
    guard end <= fileSize || Rescue.current != nil else {
      throw CheckpointError(
        .malformed, "file is truncated: expected \(end) bytes, found \(fileSize)",
        offset: offset)
    }
    if !isOld { try cursor.verify() }
    // File consistency flags: bit 0 is set while a writer has the file open, bit 2 for SWMR.
    if version == 3, head[11] & 5 != 0 {
      throw CheckpointError(
        .malformed, "was not closed properly by the program that wrote it", offset: offset + 11)
    }
  }
}
