import CKernels

/// Writes a zlib stream (RFC 1950): blocks are added up to the last one, then the Adler-32.
///
/// It writes to memory owned by the caller and checks before each write that there is room.
@safe
struct DeflateWriter {
  private let start: UnsafeMutablePointer<UInt8>
  private let capacity: Int
  private var bits: ckpt_bits

  /// Number of bytes after the last one that the kernels may overwrite.
  static let margin = 8

  /// Begins a stream; `memory` must outlive the writer.
  @unsafe
  init(_ memory: UnsafeMutableRawBufferPointer) {
    guard let base = memory.baseAddress else { preconditionFailure("no memory to write to") }
    unsafe start = base.assumingMemoryBound(to: UInt8.self)
    capacity = memory.count
    unsafe bits = ckpt_bits(next: start, bits: 0, used: 0)
    // CMF 0x78: deflate with a window of 32 KiB. FLG 0x01: fastest level, and 0x7801 is a multiple of
    // 31 (RFC 1950, section 2.2).
    append(0x0178, bits: 16)
  }

  /// Number of whole bytes written so far.
  var count: Int { unsafe bits.next - start }

  private func reserve(_ bytes: Int) {
    precondition(bytes + Self.margin <= capacity - count, "the stream does not fit in its memory")
  }

  /// Adds up to 32 bits, least significant bit first (RFC 1951, section 3.1.1).
  mutating func append(_ value: UInt64, bits count: Int) {
    reserve(8)
    unsafe bits.bits |= value << bits.used
    unsafe bits.used += UInt64(count)
    while unsafe bits.used >= 8 {
      unsafe bits.next.pointee = UInt8(truncatingIfNeeded: bits.bits)
      unsafe bits.next += 1
      unsafe bits.bits >>= 8
      unsafe bits.used -= 8
    }
  }

  /// Adds a code word in the form of ``HuffmanCode/words``.
  mutating func append(word: UInt32) { append(UInt64(word & 0xffff), bits: Int(word >> 16)) }

  /// Pads the current byte with zero bits.
  private mutating func align() {
    // `append` leaves fewer than 8 bits pending, so that a rest of 8 means aligned already.
    let rest = unsafe 8 - bits.used
    if rest < 8 { append(0, bits: Int(rest)) }
  }

  /// Adds stored blocks of at most 65,535 bytes each (RFC 1951, section 3.2.4).
  mutating func appendStored(_ bytes: RawSpan, isLast: Bool) {
    var offset = 0
    repeat {
      let part = min(bytes.byteCount - offset, 65_535)
      reserve(part + 16)
      // BFINAL and BTYPE 00, then LEN and its complement at a byte boundary.
      append(isLast && offset + part == bytes.byteCount ? 1 : 0, bits: 3)
      align()
      append(UInt64(part), bits: 16)
      append(UInt64(part ^ 0xffff), bits: 16)
      unsafe bytes.withUnsafeBytes { source in
        if let from = source.baseAddress {
          unsafe UnsafeMutableRawPointer(bits.next).copyMemory(
            from: from + offset, byteCount: part)
        }
      }
      unsafe bits.next += part
      offset += part
    } while offset < bytes.byteCount
  }

  /// Adds a block, a stored one if there is no code; `pairs` as for ``appendLiterals(_:_:isLast:using:)``.
  mutating func append(
    _ bytes: RawSpan, _ code: BlockCode?, isLast: Bool, using pairs: UnsafeMutablePointer<UInt32>
  ) {
    guard let code else { return appendStored(bytes, isLast: isLast) }
    if code.hasRuns {
      appendRuns(bytes, code, isLast: isLast)
    } else {
      unsafe appendLiterals(bytes, code, isLast: isLast, using: pairs)
    }
  }

  /// Adds a dynamic Huffman block with one code word per byte and no matches; `pairs` is scratch
  /// memory for 65,536 entries.
  mutating func appendLiterals(
    _ bytes: RawSpan, _ code: BlockCode, isLast: Bool, using pairs: UnsafeMutablePointer<UInt32>
  ) {
    reserve(code.bitCount / 8 + 16)
    code.header.write(to: &self, isLast: isLast)
    let words = code.code.words
    unsafe bytes.withUnsafeBytes { source in
      unsafe ckpt_literals_write(
        &bits, source.baseAddress?.assumingMemoryBound(to: UInt8.self), source.count, words, pairs)
    }
    append(word: words[256])
  }

  /// Adds a dynamic Huffman block with literals, and with matches of distance 1 for runs.
  mutating func appendRuns(_ bytes: RawSpan, _ code: BlockCode, isLast: Bool) {
    reserve(code.bitCount / 8 + 16)
    code.header.write(to: &self, isLast: isLast)
    let words = code.code.words
    unsafe bytes.withUnsafeBytes { source in
      unsafe ckpt_runs_write(
        &bits, source.baseAddress?.assumingMemoryBound(to: UInt8.self), source.count, words)
    }
    append(word: words[256])
  }

  /// Ends the stream with the Adler-32 of its content, most significant byte first.
  mutating func finish(adler32: UInt32) {
    align()
    for shift in [24, 16, 8, 0] { append(UInt64(adler32 >> UInt32(shift) & 0xff), bits: 8) }
  }
}
