import CKernels

/// A zlib stream in the making: blocks are added until the last one, then the Adler-32.
///
/// It writes into memory that belongs to others and checks before each part that there is room.
@safe
struct DeflateWriter {
  private let start: UnsafeMutablePointer<UInt8>
  private let capacity: Int
  private var bits: ckpt_bits

  /// Bytes that the kernels may touch behind the last one.
  static let margin = 8

  /// Begins a stream; `memory` must outlive the writer.
  @unsafe
  init(_ memory: UnsafeMutableRawBufferPointer) {
    guard let base = memory.baseAddress else { preconditionFailure("no memory to write to") }
    unsafe start = base.assumingMemoryBound(to: UInt8.self)
    capacity = memory.count
    unsafe bits = ckpt_bits(place: start, bits: 0, used: 0)
    // Deflate with a window of 32 KiB, fastest method; the first two bytes are a multiple of 31.
    append(0x0178, bits: 16)
  }

  /// Bytes written so far, but for bits of one that is not full.
  var count: Int { unsafe bits.place - start }

  private func reserve(_ bytes: Int) {
    precondition(bytes + Self.margin <= capacity - count, "a stream longer than its memory")
  }

  /// Adds up to 32 bits, the lowest first.
  mutating func append(_ value: UInt64, bits count: Int) {
    reserve(8)
    unsafe bits.bits |= value << bits.used
    unsafe bits.used += UInt64(count)
    while unsafe bits.used >= 8 {
      unsafe bits.place.pointee = UInt8(truncatingIfNeeded: bits.bits)
      unsafe bits.place += 1
      unsafe bits.bits >>= 8
      unsafe bits.used -= 8
    }
  }

  /// Adds a code's word, as ``HuffmanCode/words`` has it.
  mutating func append(word: UInt32) { append(UInt64(word & 0xffff), bits: Int(word >> 16)) }

  /// Fills the byte that is begun.
  private mutating func align() {
    let rest = unsafe 8 - bits.used
    if rest < 8 { append(0, bits: Int(rest)) }
  }

  /// Adds blocks of bytes as they are.
  mutating func appendStored(_ bytes: RawSpan, isLast: Bool) {
    var offset = 0
    repeat {
      let part = min(bytes.byteCount - offset, 65_535)
      reserve(part + 16)
      append(isLast && offset + part == bytes.byteCount ? 1 : 0, bits: 3)
      align()
      append(UInt64(part), bits: 16)
      append(UInt64(part ^ 0xffff), bits: 16)
      unsafe bytes.withUnsafeBytes { source in
        if let from = source.baseAddress {
          unsafe UnsafeMutableRawPointer(bits.place).copyMemory(
            from: from + offset, byteCount: part)
        }
      }
      unsafe bits.place += part
      offset += part
    } while offset < bytes.byteCount
  }

  /// Adds a block of one code word a byte.
  mutating func appendLiterals(
    _ bytes: RawSpan, _ code: HuffmanCode, _ header: BlockHeader, bitCount: Int, isLast: Bool,
    using pairs: UnsafeMutablePointer<UInt32>
  ) {
    reserve(bitCount / 8 + 16)
    header.write(to: &self, isLast: isLast)
    let words = code.words
    unsafe bytes.withUnsafeBytes { source in
      unsafe ckpt_literals_write(
        &bits, source.baseAddress?.assumingMemoryBound(to: UInt8.self), source.count, words, pairs)
    }
    append(word: words[256])
  }

  /// Adds a block of code words for bytes and for runs.
  mutating func appendRuns(
    _ bytes: RawSpan, _ code: HuffmanCode, _ header: BlockHeader, bitCount: Int, isLast: Bool
  ) {
    reserve(bitCount / 8 + 16)
    header.write(to: &self, isLast: isLast)
    let words = code.words
    unsafe bytes.withUnsafeBytes { source in
      unsafe ckpt_runs_write(
        &bits, source.baseAddress?.assumingMemoryBound(to: UInt8.self), source.count, words)
    }
    append(word: words[256])
  }

  /// Ends the stream with the Adler-32 of all that it holds.
  mutating func finish(adler32: UInt32) {
    align()
    for shift in [24, 16, 8, 0] { append(UInt64(adler32 >> UInt32(shift) & 0xff), bits: 8) }
  }
}
