internal import CKernels

/// BLAKE3 as a tree over chunks of 1 MiB.
///
/// Each chunk is a complete subtree of BLAKE3's own tree, so that it has one *chaining value*, which
/// depends on its bytes and its number alone: any thread can compute it, and a chunk can be verified
/// without the others. Merged in order, the values give the hash of all bytes, which is what `b3sum`
/// prints for them.
///
/// Source: O'Connor, Aumasson, Neves, Wilcox-O'Hearn, "BLAKE3: one function, fast everywhere" (2020),
/// section 2.1.
package enum TreeDigest {
  /// Bytes of a chunk; the last one may be shorter.
  package static let chunkSize = 1 << 20
  /// Bytes of a chaining value, and of a digest.
  package static let valueSize = 32
  /// The specification's chunks, of 1 KiB, in one of ours.
  private static let leavesPerChunk: UInt64 = 1024

  /// Number of chunks of this many bytes, one for none.
  package static func chunkCount(_ byteCount: Int) -> Int {
    max(byteCount / chunkSize + (byteCount % chunkSize == 0 ? 0 : 1), 1)
  }

  /// Appends the chaining values of whole chunks, the first of which has this number; only the last
  /// of all may be shorter than ``chunkSize``.
  package static func append(valuesOf bytes: RawSpan, firstChunk: Int, to values: inout [UInt8]) {
    var (start, chunk) = (0, firstChunk)
    while start < bytes.byteCount {
      let end = min(start + chunkSize, bytes.byteCount)
      values += value(of: bytes.extracting(start..<end), chunk: chunk)
      (start, chunk) = (end, chunk + 1)
    }
  }

  /// The chaining value of one chunk.
  package static func value(of bytes: RawSpan, chunk: Int) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: valueSize) { target, count in
      unsafe bytes.withUnsafeBytes { source in
        unsafe ckpt_blake3_chunk(
          start(of: source), source.count, UInt64(chunk) * leavesPerChunk, target.baseAddress, nil)
      }
      count = valueSize
    }
  }

  /// The digest of bytes that are all in one chunk.
  package static func digest(of bytes: RawSpan) -> Digest {
    precondition(bytes.byteCount <= chunkSize, "one chunk holds at most \(chunkSize) bytes")
    return Digest(
      bytes: unsafe [UInt8](unsafeUninitializedCapacity: valueSize) { target, count in
        unsafe bytes.withUnsafeBytes { source in
          unsafe ckpt_blake3_chunk(start(of: source), source.count, 0, nil, target.baseAddress)
        }
        count = valueSize
      })
  }

  /// The digest of bytes of more than one chunk, from the chaining values of all chunks, in order.
  package static func digest(merging values: [UInt8]) -> Digest {
    precondition(values.count >= 2 * valueSize, "one chunk has a digest of its own")
    return Digest(bytes: merged(values, isRoot: true))
  }

  /// The value of neighboring subtrees.
  fileprivate static func merged(_ values: [UInt8], isRoot: Bool) -> [UInt8] {
    var list = values
    return unsafe [UInt8](unsafeUninitializedCapacity: valueSize) { target, count in
      unsafe list.withUnsafeMutableBufferPointer { list in
        // Neither pointer is null: neither buffer is empty.
        guard let first = list.baseAddress, let target = target.baseAddress else { return }
        unsafe ckpt_blake3_merge(first, list.count / valueSize, isRoot, target)
      }
      count = valueSize
    }
  }

  /// Where bytes begin; `nil` where there are none, which the kernel then does not read.
  private static func start(of bytes: UnsafeRawBufferPointer) -> UnsafePointer<UInt8>? {
    unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
  }
}

/// A tree digest in progress, of bytes that come in pieces of any size.
struct TreeHash: Sendable {
  /// Bytes of the chunk that is not complete.
  private var pending: [UInt8] = []
  /// Complete chunks so far.
  private var chunks = 0
  /// Chaining values of the subtrees that wait for their right neighbor, the largest first.
  private var stack: [[UInt8]] = []
  /// The digest of the first chunk, in case it is the only one.
  private var single: Digest?

  mutating func update(_ bytes: RawSpan) {
    var start = 0
    if !pending.isEmpty {
      start = min(TreeDigest.chunkSize - pending.count, bytes.byteCount)
      append(bytes.extracting(..<start))
      if pending.count < TreeDigest.chunkSize { return }
      // The chunk is taken out and its memory put back, since adding it changes everything else.
      var chunk: [UInt8] = []
      swap(&chunk, &pending)
      unsafe addChunk(chunk.span.bytes)
      chunk.removeAll(keepingCapacity: true)
      swap(&chunk, &pending)
    }
    while bytes.byteCount - start >= TreeDigest.chunkSize {
      addChunk(bytes.extracting(start..<start + TreeDigest.chunkSize))
      start += TreeDigest.chunkSize
    }
    append(bytes.extracting(start...))
  }

  private mutating func append(_ bytes: RawSpan) {
    if bytes.byteCount > 0 { unsafe bytes.withUnsafeBytes { unsafe pending += $0 } }
  }

  private mutating func addChunk(_ bytes: RawSpan) {
    if chunks == 0 { single = TreeDigest.digest(of: bytes) }
    push(bytes)
    chunks += 1
  }

  /// Adds a chunk's value.
  ///
  /// More bytes follow what is on the stack, so that no parent made here is the root.
  private mutating func push(_ bytes: RawSpan) {
    // Two subtrees of equal size are one: as many times as the number of chunks is even.
    for _ in 0..<chunks.trailingZeroBitCount where chunks > 0 { fold(isRoot: false) }
    stack.append(TreeDigest.value(of: bytes, chunk: chunks))
  }

  private mutating func fold(isRoot: Bool) {
    let right = stack.removeLast()
    stack.append(TreeDigest.merged(stack.removeLast() + right, isRoot: isRoot))
  }

  mutating func finalize() -> Digest {
    if chunks == 0 { return unsafe TreeDigest.digest(of: pending.span.bytes) }
    if chunks == 1, pending.isEmpty, let single { return single }
    let rest = pending
    if !rest.isEmpty { unsafe push(rest.span.bytes) }
    while stack.count > 1 { fold(isRoot: stack.count == 2) }
    return Digest(bytes: stack[0])
  }
}
