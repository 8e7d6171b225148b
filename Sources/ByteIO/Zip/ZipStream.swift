import ParallelWork
import TensorCore

/// A member packed by another method than deflate, which is unpacked as a whole.
///
/// Source: PKWARE APPNOTE 6.3.10, sections 4.4.5 and 5.8 (LZMA).
struct ZipStream {
  private let member: ZipMember
  private let file: ByteSource
  private let isChecked: Bool

  init(_ member: ZipMember, in file: ByteSource, isChecked: Bool) {
    self.member = member
    self.file = file
    self.isChecked = isChecked
  }

  /// The names of the methods that are not read.
  private static let names: [UInt16: String] = [
    1: "Shrink", 2: "Reduce", 3: "Reduce", 4: "Reduce", 5: "Reduce", 6: "Implode", 9: "Deflate64",
    10: "DCL Implode", 16: "CMPSC", 18: "TERSE", 19: "LZ77", 94: "MP3", 96: "JPEG", 97: "WavPack",
    98: "PPMd", 99: "AES encryption",
  ]

  /// The content in a temporary file without a name.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when the stream is damaged, has another size, or its CRC-32
  ///   does not match; `unsupported` for other methods, and when it unpacks to more than the budget.
  func unpacked() throws(CheckpointError) -> ByteSource {
    let limit = Budget.current.limit(of: .unpackedFiles, size: member.storedSize)
    guard member.size <= limit else {
      throw CheckpointError(
        .unsupported,
        "unpacks to more than \(limit) bytes from \(member.storedSize); pass --allow-large to unpack it"
      )
    }
    switch member.method {
    case .bzip2:
      var unpacker = try BZip2Unpacker()
      return try unpack(&unpacker, from: 0)
    case .zstd:
      var unpacker = try ZstandardUnpacker()
      return try unpack(&unpacker, from: 0)
    case .xz:
      var unpacker = try XZUnpacker()
      return try unpack(&unpacker, from: 0)
    case .lzma: return try unpackLZMA()
    default:
      let number = member.method.rawValue
      let name = Self.names[number].map { "\($0) (method \(number))" } ?? "method \(number)"
      throw CheckpointError(
        .unsupported, "is packed by \(name), which is not read; pack the archive again with deflate"
      )
    }
  }

  /// Unpacks a stream of LZMA, whose properties come after a version and their own size.
  private func unpackLZMA() throws(CheckpointError) -> ByteSource {
    let head = try file.bytes(member.dataOffset..<member.dataOffset + min(9, member.storedSize))
    guard head.count == 9, head.littleEndian(UInt16.self, at: 2) == 5 else {
      throw CheckpointError(.malformed, "expected 5 bytes of LZMA properties, found others")
    }
    // The older format of a file, which has the size after the properties: all ones where the stream
    // has a mark at its end.
    var header = Array(head[4...])
    let hasEnd = member.flags & 2 != 0
    header.appendLittleEndian(hasEnd ? UInt64.max : UInt64(member.size))
    var unpacker = try XZUnpacker(.alone)
    try unpacker.begin(header)
    return try unpack(&unpacker, from: 9)
  }

  private func unpack<Unpacker: StreamUnpacker & ~Copyable>(
    _ unpacker: inout Unpacker, from start: Int
  ) throws(CheckpointError) -> ByteSource {
    let output = try ByteSink.temporary(for: file.name)
    var input = ChunkBuffer()
    var made = ChunkBuffer()
    var sum: UInt32 = 0
    var position = start
    // One more step than there is input: a small end may stand for many bytes.
    while !unpacker.isAtEnd {
      let count = min(input.capacity, member.storedSize - position)
      try input.fill(count) { target throws(CheckpointError) in
        try file.read(at: member.dataOffset + position, into: &target)
      }
      var done = 0
      repeat {
        var target = made.mutableBytes(made.capacity)
        let step = try unpacker.unpack(input.bytes(count).extracting(done..<count), into: &target)
        done += step.taken
        guard step.made <= member.size - output.position else {
          throw CheckpointError(
            .malformed, "unpacks to more than the expected \(member.size) bytes")
        }
        guard step.taken > 0 || step.made > 0 || unpacker.isAtEnd else {
          throw CheckpointError(
            .malformed, "the stream is truncated after \(member.storedSize) bytes")
        }
        let bytes = made.bytes(step.made)
        sum = Checksum.crc32(bytes, after: sum)
        try output.append(bytes)
      } while done < count && !unpacker.isAtEnd
      position += done
    }
    guard output.position == member.size, position == member.storedSize else {
      throw CheckpointError(
        .malformed,
        "expected \(member.size) bytes from \(member.storedSize), but the stream ends after "
          + "\(output.position) from \(position)")
    }
    if isChecked, sum != member.crc32 { throw ZipArchive.wrongSum(sum, of: member) }
    return try output.readBack()
  }
}
