import CKernels
import ParallelWork
import TensorCore

/// A content packed by asymmetric numeral systems, which take as many bits as bytes are worth, where
/// Huffman codes round to whole ones: 0.03 bits of 2.6 for exponents.
///
/// A stream consists of blocks: four bytes with four times the number of bytes that it holds, plus its
/// kind, and then the bytes as they are, or the one byte that they all are, or the frequencies, 64 states,
/// and words of two bytes.
enum RangedStream {
  /// How a block holds its bytes.
  fileprivate enum Kind: Int {
    case stored, coded, filled
  }

  /// Size in bytes of the states of a block.
  static let statesSize = 4 * Int(CKPT_ANS_STATES)

  // MARK: - Writing

  /// How a block is packed.
  struct Block {
    let range: Range<Int>
    fileprivate let kind: Kind
    fileprivate var frequencies: SymbolFrequencies?
    /// The frequencies as the block has them.
    fileprivate var description: [UInt8] = []
    /// Its size in bits, in the last place an estimate.
    let bitCount: Int

    /// Chooses for bytes that were planned.
    init(_ block: borrowing PlannedBlock) {
      range = block.range
      let stored = 32 + 8 * block.range.count
      guard block.kind != .stored, !block.range.isEmpty else {
        (kind, bitCount) = (.stored, stored)
        return
      }
      guard let frequencies = SymbolFrequencies(counts: block.counts) else {
        (kind, bitCount) = (.filled, 40)
        return
      }
      let description = frequencies.description
      let coded =
        32 + 8 * (description.count + RangedStream.statesSize)
        + frequencies.bits(block.counts)
      guard coded < stored else {
        (kind, bitCount) = (.stored, stored)
        return
      }
      (kind, bitCount) = (.coded, coded)
      (self.frequencies, self.description) = (frequencies, description)
    }
  }

  /// Writes blocks of a content, which follow each other, and returns the size of the stream; `scratch`
  /// needs room for ``scratchSize(_:)``.
  static func write(
    _ blocks: [Block], of content: RawSpan, into target: inout MutableRawSpan,
    scratch: inout MutableRawSpan
  ) -> Int {
    var offset = 0
    for block in blocks {
      let bytes = content.extracting(block.range)
      append(head(bytes.byteCount, block.kind), to: &target, at: &offset)
      switch (block.kind, block.frequencies) {
      case (.coded, let frequencies?):
        append(block.description, to: &target, at: &offset)
        let size = encode(bytes, frequencies, into: &scratch)
        var part = target._mutatingExtracting(offset..<offset + size)
        part.copyBytes(from: scratch.bytes.extracting(..<size))
        offset += size
      case (.filled, _): append([bytes.byte(at: 0)], to: &target, at: &offset)
      default:
        var part = target._mutatingExtracting(offset..<offset + bytes.byteCount)
        part.copyBytes(from: bytes)
        offset += bytes.byteCount
      }
    }
    return offset
  }

  /// The memory that coding some bytes may need: no byte takes more than one word, and the kernel may
  /// overwrite 32 bytes before the words.
  static func scratchSize(_ count: Int) -> Int { statesSize + 32 + 2 * count }

  private static func head(_ count: Int, _ kind: Kind) -> [UInt8] {
    var head: [UInt8] = []
    head.appendLittleEndian(UInt32(count << 2 | kind.rawValue))
    return head
  }

  private static func append(
    _ bytes: [UInt8], to target: inout MutableRawSpan, at offset: inout Int
  ) {
    var part = target._mutatingExtracting(offset..<offset + bytes.count)
    part.copyBytes(from: bytes.rawBytes)
    offset += bytes.count
  }

  private static func encode(
    _ bytes: RawSpan, _ frequencies: SymbolFrequencies, into target: inout MutableRawSpan
  ) -> Int {
    precondition(target.byteCount >= scratchSize(bytes.byteCount), "too little memory")
    let parts = frequencies.parts
    return unsafe bytes.withUnsafeBytes { source in
      unsafe target.withUnsafeMutableBytes { sink in
        unsafe parts.span.withUnsafeBufferPointer { parts in
          guard let bytes = unsafe source.baseAddress?.assumingMemoryBound(to: UInt8.self),
            let target = unsafe sink.baseAddress?.assumingMemoryBound(to: UInt8.self)
          else { return 0 }
          return unsafe ckpt_ans_encode(
            parts.baseAddress, bytes, source.count, target, scratchSize(source.count))
        }
      }
    }
  }

  // MARK: - Reading

  /// Unpacks a stream that holds at most as many bytes as `target`, and returns how many.
  ///
  /// - Throws: ``CheckpointError`` `malformed` unless the stream is complete and valid.
  static func unpack(
    _ stream: RawSpan, into target: inout MutableRawSpan
  ) throws(CheckpointError) -> Int {
    var (offset, made) = (0, 0)
    let slots = ANSSlots.pool.acquire()
    defer { ANSSlots.pool.release(slots) }
    while offset < stream.byteCount {
      guard stream.byteCount - offset >= 4 else { throw damaged(at: offset) }
      let head = Int(stream.extracting(offset...).littleEndian(UInt32.self, at: 0))
      let count = head >> 2
      let start = offset + 4
      let rest = stream.extracting(start...)
      guard let kind = Kind(rawValue: head & 3), count <= target.byteCount - made else {
        throw damaged(at: offset)
      }
      var part = target._mutatingExtracting(made..<made + count)
      let taken: Int
      switch kind {
      case .stored:
        guard count <= rest.byteCount else { throw damaged(at: offset) }
        part.copyBytes(from: rest.extracting(..<count))
        taken = count
      case .filled:
        guard rest.byteCount > 0 else { throw damaged(at: offset) }
        unsafe part.withUnsafeMutableBytes {
          unsafe _ = $0.initializeMemory(as: UInt8.self, repeating: rest.byte(at: 0))
        }
        taken = 1
      case .coded:
        guard let size = slots.value.decode(rest, into: &part) else { throw damaged(at: offset) }
        taken = size
      }
      offset = start + taken
      made += count
    }
    return made
  }

  private static func damaged(at offset: Int) -> CheckpointError {
    CheckpointError(.malformed, "the ans stream is damaged: block at its byte \(offset)")
  }
}

/// Memory for the table of a block's symbols.
@safe
private struct ANSSlots: ~Copyable {
  private let memory = UnsafeMutableRawPointer.allocate(
    byteCount: ckpt_ans_memory(), alignment: 64)

  /// Idle tables.
  static let pool = Pool(capacity: 16) { ANSSlots() }

  deinit { unsafe memory.deallocate() }

  /// Decodes a block, and returns how many bytes it takes; `nil` if it is not valid.
  func decode(_ block: RawSpan, into target: inout MutableRawSpan) -> Int? {
    var parts: [256 of UInt16] = .init(repeating: 0)
    guard let start = SymbolFrequencies.read(block, into: &parts) else { return nil }
    let coded = block.extracting(start...)
    let size = unsafe coded.withUnsafeBytes { source in
      unsafe target.withUnsafeMutableBytes { sink in
        unsafe parts.span.withUnsafeBufferPointer { parts -> Int in
          guard let stream = unsafe source.baseAddress?.assumingMemoryBound(to: UInt8.self),
            let target = unsafe sink.baseAddress?.assumingMemoryBound(to: UInt8.self)
          else { return 0 }
          return unsafe ckpt_ans_decode(
            memory, parts.baseAddress, stream, source.count, target, sink.count)
        }
      }
    }
    return size > 0 ? start + size : nil
  }
}
