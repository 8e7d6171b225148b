import CZlib
package import TensorCore

extension Zlib {
  /// How a part of a stream is packed.
  enum Packing {
    /// As it is.
    case stored
    /// Huffman codes of single bytes.
    case literals
    /// Matches of distance one only, and Huffman codes.
    case runs
    /// Matches and Huffman codes, as gzip does.
    case general(level: Int)

    fileprivate var level: Int32 {
      switch self {
      case .stored: 0
      case .literals, .runs: 6
      case .general(let level): Int32(level)
      }
    }

    fileprivate var strategy: Int32 {
      switch self {
      case .stored, .general: Z_DEFAULT_STRATEGY
      case .literals: Z_HUFFMAN_ONLY
      case .runs: Z_RLE
      }
    }
  }

  /// Packs bytes as one stream; `level` is zlib's, 0 to 9.
  package static func deflate(_ bytes: RawSpan, level: Int) throws(CheckpointError) -> [UInt8] {
    try deflate(bytes, parts: [(bytes.byteCount, .general(level: level))])
  }

  /// Packs consecutive parts of `bytes`, each in its own way, as one stream.
  ///
  /// The counts must add up to the bytes there are, at most 1 GiB.
  static func deflate(
    _ bytes: RawSpan, parts: [(count: Int, packing: Packing)]
  ) throws(CheckpointError) -> [UInt8] {
    precondition(bytes.byteCount <= 1 << 30 && parts.reduce(0) { $0 + $1.count } == bytes.byteCount)
    // The library keeps the address, so the state must not move.
    let state = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe state.initialize(to: z_stream())
    defer { unsafe state.deallocate() }
    let first = parts.first?.packing ?? .stored
    try check(
      unsafe deflateInit2_(
        state, first.level, Z_DEFLATED, MAX_WBITS, MAX_MEM_LEVEL, first.strategy, ZLIB_VERSION,
        Int32(MemoryLayout<z_stream>.size)))
    defer { unsafe deflateEnd(state) }
    // The bound holds for one way of packing; a change of way costs a few bytes more.
    let capacity = Int(unsafe deflateBound(state, UInt(bytes.byteCount))) + 64 * (parts.count + 1)
    var output = [UInt8](repeating: 0, count: capacity)
    var status = Z_OK
    unsafe output.withUnsafeMutableBufferPointer { sink in
      unsafe bytes.withUnsafeBytes { source in
        unsafe state.pointee.next_out = sink.baseAddress
        unsafe state.pointee.avail_out = UInt32(sink.count)
        var place = unsafe source.baseAddress?.assumingMemoryBound(to: UInt8.self)
        for part in parts where part.count > 0 && status == Z_OK {
          status = unsafe deflateParams(state, part.packing.level, part.packing.strategy)
          guard status == Z_OK else { break }
          unsafe state.pointee.next_in = UnsafeMutablePointer(mutating: place)
          unsafe state.pointee.avail_in = UInt32(part.count)
          status = unsafe CZlib.deflate(state, Z_NO_FLUSH)
          unsafe place = place?.advanced(by: part.count)
        }
        if status == Z_OK { status = unsafe CZlib.deflate(state, Z_FINISH) }
      }
    }
    try check(status, wanted: Z_STREAM_END)
    output.removeLast(Int(unsafe state.pointee.avail_out))
    return output
  }

  private static func check(
    _ status: Int32, wanted: Int32 = Z_OK
  ) throws(CheckpointError) {
    if status != wanted {
      throw CheckpointError(.unreadable, "zlib answers \(status) where \(wanted) is required")
    }
  }
}
