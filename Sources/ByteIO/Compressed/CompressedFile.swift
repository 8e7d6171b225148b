import ParallelWork
package import TensorCore

/// The kinds of compressed file that hold one other file.
package enum CompressedFile: String, Sendable, CaseIterable {
  case gzip
  case xz
  case lzma
  case bzip2
  case zstd
  case zlib

  /// The first bytes of a file of this kind; those of zlib also begin texts.
  private var magic: [UInt8] {
    switch self {
    case .gzip: [0x1f, 0x8b, 0x08]
    case .xz: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]
    case .lzma: [0x5d, 0x00, 0x00]
    case .bzip2: [0x42, 0x5a, 0x68]
    case .zstd: [0x28, 0xb5, 0x2f, 0xfd]
    case .zlib: [0x78]
    }
  }

  /// The kind of a file with these first bytes; `nil` if it is none of them.
  package init?(head: [UInt8]) {
    guard let kind = Self.allCases.first(where: { head.starts(with: $0.magic) }) else { return nil }
    let rest = head.dropFirst(4)
    switch kind {
    case .gzip, .xz, .zstd: break
    case .bzip2:
      // Three letters and a digit begin many texts; the mark of a block, or of the end, follows.
      let marks: [[UInt8]] = [
        [0x31, 0x41, 0x59, 0x26, 0x53, 0x59], [0x17, 0x72, 0x45, 0x38, 0x50, 0x90],
      ]
      guard marks.contains(where: { rest.starts(with: $0) }) else { return nil }
    case .lzma, .zlib:
      guard kind != .zlib || [0x01, 0x5e, 0x9c, 0xda].contains(head.dropFirst().first),
        kind.opens(head)
      else { return nil }
    }
    self = kind
  }

  /// Whether a stream ends with a checksum, which is compared when it is unpacked.
  package var hasSum: Bool { self != .lzma && self != .zstd }

  /// Whether the first bytes of a file unpack to something.
  private func opens(_ head: [UInt8]) -> Bool {
    var made = ChunkBuffer(capacity: 1 << 12)
    var target = made.mutableBytes(made.capacity)
    switch self {
    case .zlib:
      guard var unpacker = try? Inflater(.zlib) else { return false }
      return ((try? unpacker.unpack(head.rawBytes, into: &target))?.made ?? 0) > 0
    default:
      guard var unpacker = try? XZUnpacker() else { return false }
      return ((try? unpacker.unpack(head.rawBytes, into: &target))?.made ?? 0) > 0
    }
  }

  /// Unpacks a file to a temporary file without a name, of at most `limit` bytes.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when it is damaged or truncated; `unsupported` when it
  ///   unpacks to more; `system` when the disk of temporary files is full.
  package func unpacked(
    _ source: ByteSource, limit: Int
  ) throws(CheckpointError) -> ByteSource {
    try CheckpointError.placing(path: source.name) { () throws(CheckpointError) in
      switch self {
      case .gzip, .zlib:
        var unpacker = try Inflater(self == .gzip ? .gzip : .zlib)
        return try unpack(source, with: &unpacker, limit)
      case .xz, .lzma:
        var unpacker = try XZUnpacker()
        return try unpack(source, with: &unpacker, limit)
      case .bzip2:
        var unpacker = try BZip2Unpacker()
        return try unpack(source, with: &unpacker, limit)
      case .zstd:
        var unpacker = try ZstandardUnpacker()
        return try unpack(source, with: &unpacker, limit)
      }
    }
  }

  private func unpack<Unpacker: StreamUnpacker & ~Copyable>(
    _ source: ByteSource, with unpacker: inout Unpacker, _ limit: Int
  ) throws(CheckpointError) -> ByteSource {
    let output = try ByteSink.temporary(for: source.name)
    var input = ChunkBuffer()
    var made = ChunkBuffer()
    var offset = 0
    while offset < source.size {
      let count = min(input.capacity, source.size - offset)
      try input.fill(count) { target throws(CheckpointError) in
        try source.read(at: offset, into: &target)
      }
      var done = 0
      while done < count {
        if unpacker.isAtEnd {
          // Zeros may fill up the last block of a tape, or align the streams of an xz file.
          let rest = input.bytes(count)
          while done < count, rest.littleEndian(UInt8.self, at: done) == 0 { done += 1 }
          if done == count { break }
          try unpacker.restart()
        }
        let step = try step(
          &unpacker, input.bytes(count).extracting(done..<count), &made, at: offset + done)
        guard step.taken > 0 || step.made > 0 || unpacker.isAtEnd else {
          throw damaged("the stream is damaged", at: offset + done)
        }
        done += step.taken
        try append(made.bytes(step.made), to: output, source, limit)
      }
      offset += count
    }
    // What is left inside: a small end may stand for many bytes.
    while !unpacker.isAtEnd {
      let count = try step(&unpacker, RawSpan(), &made, at: source.size).made
      guard count > 0 || unpacker.isAtEnd else {
        throw damaged("the stream is truncated", at: source.size)
      }
      try append(made.bytes(count), to: output, source, limit)
    }
    return try output.readBack()
  }

  private func step<Unpacker: StreamUnpacker & ~Copyable>(
    _ unpacker: inout Unpacker, _ input: RawSpan, _ made: inout ChunkBuffer, at offset: Int
  ) throws(CheckpointError) -> (taken: Int, made: Int) {
    var target = made.mutableBytes(made.capacity)
    do throws(CheckpointError) {
      return try unpacker.unpack(input, into: &target)
    } catch {
      throw CheckpointError(error.code, "\(rawValue): \(error.message)", offset: offset)
    }
  }

  private func damaged(_ what: String, at offset: Int) -> CheckpointError {
    CheckpointError(.malformed, "\(rawValue): \(what)", offset: offset)
  }

  private func append(
    _ bytes: RawSpan, to output: ByteSink, _ source: ByteSource, _ limit: Int
  ) throws(CheckpointError) {
    guard bytes.byteCount <= limit - output.position else {
      throw CheckpointError(
        .unsupported,
        "unpacks to more than \(limit) bytes from \(source.size); pass --allow-large to unpack it")
    }
    try output.append(bytes)
  }
}
