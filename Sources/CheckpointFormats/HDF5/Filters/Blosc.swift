import ByteIO
import TensorCore

/// The filter blosc: each chunk is one buffer of c-blosc 1, whose blocks are unpacked one by one by
/// the system's libblosc.
///
/// Sources: `blosc.h` 1.21, its `README_CHUNK_FORMAT.rst`, and `blosc_d` in `blosc.c`.
@safe
final class BloscStage: FilterStage {
  private typealias Decompress =
    @convention(c) (UnsafeRawPointer?, UnsafeMutableRawPointer?, Int, Int32) -> Int32

  /// Bytes of the header: flags at 2, the unpacked size at 4, the size of a block at 8, and the packed
  /// size at 12.
  private static let headerSize = 16
  /// The flag of a buffer that is stored as it is.
  private static let isStored: UInt8 = 2

  private let source: ByteSource
  private let header: [UInt8]
  private let size: Int
  private let blockSize: Int
  /// Where each block begins; they may be in any order.
  private let starts: [Int]
  private let sortedStarts: [Int]
  private let decompress: Decompress
  private var next = 0
  private var block: [UInt8] = []
  private var (position, end) = (0, 0)

  /// Unpacks a chunk of at most `limit` bytes.
  ///
  /// - Throws: ``CheckpointError``: `malformed`, or `unsupported` without the library.
  static func stage(
    _ source: ByteSource, limit: Int
  ) throws(CheckpointError) -> any FilterStage {
    guard source.size >= headerSize else { throw damaged }
    let header = try source.bytes(0..<headerSize)
    let size = Int(header.littleEndian(UInt32.self, at: 4))
    guard Int(header.littleEndian(UInt32.self, at: 12)) == source.size, size <= limit else {
      throw damaged
    }
    if header[2] & isStored != 0 {
      guard source.size == headerSize + size else { throw damaged }
      return SourceStage(try source.part(headerSize..<source.size))
    }
    return try BloscStage(source, header, size: size)
  }

  private init(_ source: ByteSource, _ header: [UInt8], size: Int) throws(CheckpointError) {
    (self.source, self.header, self.size) = (source, header, size)
    blockSize = Int(header.littleEndian(UInt32.self, at: 8))
    guard size == 0 || (1...size).contains(blockSize) else { throw Self.damaged }
    let count = size == 0 ? 0 : (size - 1) / blockSize + 1
    let first = Self.headerSize + 4 * count
    guard first <= source.size else { throw Self.damaged }
    let table = try source.bytes(Self.headerSize..<first)
    starts = (0..<count).map { Int(table.littleEndian(UInt32.self, at: 4 * $0)) }
    sortedStarts = starts.sorted()
    guard sortedStarts.first ?? first >= first, sortedStarts.last ?? 0 < source.size else {
      throw Self.damaged
    }
    unsafe decompress = try unsafe SystemLibrary.function(
      "blosc_decompress_ctx", of: "libblosc.so.1", package: "libblosc1", as: Decompress.self)
  }

  func read(into target: inout MutableRawSpan) throws(CheckpointError) -> Int {
    if position == end {
      if next == starts.count { return 0 }
      try unpack(next)
      next += 1
    }
    let count = min(target.byteCount, end - position)
    var part = target._mutatingExtracting(..<count)
    part.copyBytes(from: block[position..<position + count].rawBytes)
    position += count
    return count
  }

  /// Unpacks a block as a buffer of its own.
  private func unpack(_ index: Int) throws(CheckpointError) {
    let start = starts[index]
    let next = sortedStarts[sortedStarts.partitioningIndex { $0 > start }...].first ?? source.size
    // What cannot be packed is stored, after a size for each of at most 255 parts.
    let stop = min(next, start + blockSize + 4 * 255)
    let count = min(blockSize, size - index * blockSize)
    var buffer = header
    for (offset, number) in [(4, count), (12, Self.headerSize + 4 + stop - start)] {
      buffer.replaceSubrange(offset..<offset + 4, with: Self.bytes(number))
    }
    buffer += Self.bytes(Self.headerSize + 4)
    buffer += try source.bytes(start..<stop)
    if block.isEmpty { block = [UInt8](repeating: 0, count: blockSize) }
    let decompress = unsafe decompress
    let made = unsafe block.withUnsafeMutableBytes { target in
      unsafe buffer.withUnsafeBytes { source in
        unsafe decompress(source.baseAddress, target.baseAddress, target.count, 1)
      }
    }
    guard Int(made) == count else { throw Self.damaged }
    (position, end) = (0, count)
  }

  private static func bytes(_ number: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(UInt32(truncatingIfNeeded: number))
    return bytes
  }

  private static var damaged: CheckpointError {
    CheckpointError(.malformed, "blosc: the buffer is damaged")
  }
}
