import ByteIO
import CKernelVariants
import CKernels
import TestSupport
import Testing

/// The kernels of one instruction set.
@safe
struct ByteKernels: CustomTestStringConvertible, Sendable {
  typealias Split =
    @convention(c) (
      UnsafeRawPointer?, UnsafePointer<UnsafeMutablePointer<UInt8>?>?, Int, Int, Int32
    ) -> Void
  typealias Merge =
    @convention(c) (
      UnsafePointer<UnsafePointer<UInt8>?>?, UnsafeMutableRawPointer?, Int, Int, Int32
    ) -> Void
  typealias Write =
    @convention(c) (
      UnsafeMutablePointer<ckpt_bits>?, UnsafePointer<UInt8>?, Int, UnsafePointer<UInt32>?,
      UnsafeMutablePointer<UInt32>?
    ) -> Void
  typealias Inflate =
    @convention(c) (
      UnsafeMutableRawPointer?, UnsafePointer<ckpt_deflated>?, UInt32, Int32,
      UnsafeMutablePointer<Int>?
    ) -> UInt32

  typealias Neighbors = @convention(c) (UnsafePointer<UInt8>?, Int) -> Int

  let testDescription: String
  let neighbors: Neighbors
  let split: Split
  let merge: Merge
  let write: Write
  let inflate: Inflate

  /// The sets that this machine can run.
  static let all: [ByteKernels] = {
    var all = unsafe [
      ByteKernels(
        testDescription: "plain", neighbors: variant_plain_equal_neighbors,
        split: variant_plain_planes_split,
        merge: variant_plain_planes_merge, write: variant_plain_literals_write,
        inflate: variant_plain_inflate)
    ]
    if variant_is_supported(Int32(VARIANT_V3)) {
      unsafe all.append(
        ByteKernels(
          testDescription: "x86-64-v3", neighbors: variant_v3_equal_neighbors,
          split: variant_v3_planes_split,
          merge: variant_v3_planes_merge, write: variant_v3_literals_write,
          inflate: variant_v3_inflate))
    }
    if variant_is_supported(Int32(VARIANT_V4)) {
      unsafe all.append(
        ByteKernels(
          testDescription: "x86-64-v4", neighbors: variant_v4_equal_neighbors,
          split: variant_v4_planes_split,
          merge: variant_v4_planes_merge, write: variant_v4_literals_write,
          inflate: variant_v4_inflate))
    }
    return all
  }()

  /// Divides bytes into planes.
  func planes(_ bytes: [UInt8], _ words: Words) -> [UInt8] {
    var planes = [UInt8](repeating: 0, count: bytes.count + 1)
    let count = bytes.count / words.width
    unsafe planes.withUnsafeMutableBufferPointer { planes in
      let places = unsafe (0..<words.width).map {
        unsafe planes.baseAddress?.advanced(by: $0 * count)
      }
      unsafe split(bytes, places, count, words.width, words.rotated ? 1 : 0)
    }
    return Array(planes.dropLast())
  }

  /// Joins planes.
  func words(_ planes: [UInt8], _ words: Words) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: planes.count)
    let count = bytes.count / words.width
    unsafe planes.withUnsafeBufferPointer { planes in
      let places = unsafe (0..<words.width).map {
        unsafe planes.baseAddress?.advanced(by: $0 * count)
      }
      unsafe merge(places, &bytes, count, words.width, words.rotated ? 1 : 0)
    }
    return bytes
  }

  /// The code words of bytes as a string of bits, after `before` zero bits.
  func coded(_ bytes: [UInt8], _ words: [UInt32], before: Int) -> [Bool] {
    var target = [UInt8](repeating: 0, count: 2 * bytes.count + 16)
    var pairs = [UInt32](repeating: 0xffff_ffff, count: 1 << 16)
    var (whole, last) = (0, [Bool]())
    unsafe target.withUnsafeMutableBufferPointer { target in
      guard let start = target.baseAddress else { return }
      var bits = unsafe ckpt_bits(next: start, bits: 0, used: UInt64(before))
      unsafe write(&bits, bytes, bytes.count, words, &pairs)
      unsafe whole = bits.next - start
      last = unsafe (0..<bits.used).map { unsafe bits.bits >> $0 & 1 == 1 }
    }
    return target[..<whole].flatMap { byte in (0..<8).map { byte >> UInt8($0) & 1 == 1 } } + last
  }

  /// Unpacks one or two raw deflate streams; `nil` for each that is refused.
  func inflated(
    _ streams: [(bytes: [UInt8], count: Int)], plainOnly: Bool = false
  ) -> [[UInt8]?] {
    // Copies of the exact size, so that a sanitizer detects any byte beyond it.
    let sources = unsafe streams.map { stream in
      let source = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: stream.bytes.count)
      _ = unsafe source.initialize(from: stream.bytes)
      return unsafe source
    }
    let targets = unsafe streams.map {
      let target = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: $0.count)
      unsafe target.initialize(repeating: 0x55)
      return unsafe target
    }
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: ckpt_inflate_memory(), alignment: 64)
    defer {
      for index in streams.indices {
        unsafe sources[index].deallocate()
        unsafe targets[index].deallocate()
      }
      unsafe memory.deallocate()
    }
    let deflated = unsafe streams.indices.map { index in
      unsafe ckpt_deflated(
        stream: sources[index].baseAddress, size: sources[index].count,
        target: targets[index].baseAddress, count: targets[index].count)
    }
    let answer = unsafe inflate(
      memory, deflated, UInt32(streams.count), plainOnly ? 1 : 0, nil)
    return streams.indices.map { answer >> UInt32($0) & 1 == 1 ? unsafe Array(targets[$0]) : nil }
  }
}

@Suite struct ByteKernelTests {
  @Test(arguments: ByteKernels.all)
  func `equal neighbors are counted`(_ kernels: ByteKernels) {
    for count in [0, 1, 2, 15, 16, 17, 63, 64, 65, 4095, 4096, 4097, 4098, 20_000] {
      for alphabet in [1, 2, 200] as [UInt8] {
        let bytes = noise(count, seed: UInt64(count)).map { $0 % alphabet }
        let expected = zip(bytes, bytes.dropFirst()).count { $0 == $1 }
        #expect(unsafe kernels.neighbors(bytes, bytes.count) == expected, "\(count) bytes")
      }
    }
  }

  @Test(arguments: ByteKernels.all, Words.all.dropFirst())
  func `every clone splits words as the simple definition does`(
    _ kernels: ByteKernels, _ words: Words
  ) {
    for count in [0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 127, 128, 129, 255, 257, 1000] {
      let bytes = noise(count * words.width, seed: UInt64(count))
      let planes = reference(bytes, width: words.width, rotated: words.rotated)
      #expect(kernels.planes(bytes, words) == planes, "\(count)")
      #expect(kernels.words(planes, words) == bytes, "\(count)")
    }
  }

  @Test(arguments: ByteKernels.all, [0, 1, 5, 7])
  func `every clone writes each byte's code word`(_ kernels: ByteKernels, _ before: Int) {
    for count in [0, 1, 7, 8, 9, 4095, 4096, 4097, 4103, 20_000] {
      let bytes = noise(count, seed: 3).map { byte in UInt8((byte & 0x7f).trailingZeroBitCount) }
      var counts = [UInt32](repeating: 0, count: 257)
      for byte in bytes + [255, 254, 253] { counts[Int(byte)] += 1 }
      let words = HuffmanCode(counts: counts, limit: 11).words
      let expected: [Bool] = bytes.flatMap { byte -> [Bool] in
        let word = words[Int(byte)]
        return (0..<word >> 16).map { word >> $0 & 1 == 1 }
      }
      let bits = kernels.coded(bytes, words, before: before)
      #expect(bits == Array(repeating: false, count: before) + expected, "\(count)")
    }
  }
}
