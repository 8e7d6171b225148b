import TensorCore
import TestSupport
import Testing

/// Digests against BLAKE3's published values, and against a plain reading of its paper.
@Suite struct TreeDigestTests {
  /// Byte i is i mod 251, as in the published test vectors, some of which these are; the longer ones were
  /// made by the package `blake3` 1.0 of PyPI.
  static let vectors: [(count: Int, digest: String)] = [
    (0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
    (1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"),
    (1023, "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11"),
    (1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"),
    (1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"),
    (2048, "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a"),
    (2049, "5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030"),
    (1_048_576, "74cb441fd087764ca9c3694da742ebe30cbeb3060a17009ca81825c7a8d10343"),
    (1_048_577, "2f053cd7472cf0cd2f9adaf45c1180255b91b9a865404a63671a0ee5f792ed33"),
    (3_145_733, "a7bb55bed0c04f58879d1fc1cafb27e14e931f4411fe63baf5b2d5a60357bffb"),
  ]

  private static func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8($0 % 251) } }

  private static func digest(_ bytes: [UInt8], cutAt cuts: [Int] = []) -> Digest {
    var builder = DigestBuilder()
    var start = 0
    for end in cuts + [bytes.count] {
      unsafe builder.update(bytes.span.bytes.extracting(start..<end))
      start = end
    }
    return builder.finalize()
  }

  @Test(arguments: vectors.indices)
  func `the published values are found`(index: Int) {
    let (count, digest) = Self.vectors[index]
    #expect(Self.digest(Self.bytes(count)).description == digest)
  }

  @Test func `chaining values of chunks are found, and merge into the digest`() {
    let bytes = Self.bytes(3_145_733)
    let expected = [
      "8a576541118ebf5fad8d683c09b63402288a71616ecc72514abf780822136023",
      "e01e387e729abf35ba39644daebfa3a124ab9fee5a6445295e0309cc4fda53a7",
      "bdcf82608b11c686cb5a2618dc95a16978b73622e9a943dd26af5bdbf7f4b41b",
      "be3f7d7b45ffd4cd8e307260b00f5f0fb2e7a34e57c8ceb634b3862cf101a9c4",
    ]
    var values: [UInt8] = []
    unsafe TreeDigest.append(valuesOf: bytes.span.bytes, firstChunk: 0, to: &values)
    #expect(values.hexDigits() == expected.joined())
    #expect(TreeDigest.digest(merging: values).description == Self.vectors[9].digest)
    // Any chunk on its own.
    let third = bytes[2 << 20..<3 << 20]
    #expect(
      unsafe TreeDigest.value(of: Array(third).span.bytes, chunk: 2).hexDigits() == expected[2])
  }

  @Test func `every length and every cut gives the digest of the paper`() {
    var random = SplitMix(seed: 41)
    let edges = [0, 1, 15, 16, 17, 31, 32, 33, 64].flatMap {
      [$0 * 1024 - 1, $0 * 1024, $0 * 1024 + 1]
    }
    let near = [1, 2, 3, 4, 5].flatMap { [($0 << 20) - 1, $0 << 20, ($0 << 20) + 1] }
    let lengths = edges.filter { $0 >= 0 } + near + (0..<40).map { _ in random.below(200_000) }
    for length in lengths {
      var bytes: [UInt8] = []
      bytes.reserveCapacity(length)
      while bytes.count < length { bytes.append(UInt8(random.below(256))) }
      let whole = Self.digest(bytes)
      // The plain reading takes a second for each MiB in a debug build.
      if length < 200_000 { #expect(whole == PlainBLAKE3.digest(bytes), "\(length) bytes") }
      for _ in 0..<3 {
        let cuts = (0..<random.below(5)).map { _ in random.below(length + 1) }.sorted()
        #expect(Self.digest(bytes, cutAt: cuts) == whole, "\(length) bytes cut at \(cuts)")
      }
    }
  }
}

/// BLAKE3 as its paper describes it, one block after another.
///
/// Source: O'Connor, Aumasson, Neves, Wilcox-O'Hearn, "BLAKE3: one function, fast everywhere" (2020),
/// sections 2.1 to 2.4.
enum PlainBLAKE3 {
  private static let initial: [UInt32] = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab,
    0x5be0_cd19,
  ]
  private static let order = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]
  private static let quarters = [
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
  ]

  static func digest(_ bytes: [UInt8]) -> Digest? {
    let words = node(bytes[...], firstLeaf: 0, root: 8)
    let digest = words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    }
    return Digest(hexadecimal: digest.hexDigits())
  }

  /// The value of the subtree of these bytes.
  private static func node(_ bytes: ArraySlice<UInt8>, firstLeaf: Int, root: UInt32) -> [UInt32] {
    if bytes.count <= 1024 { return leaf(bytes, number: firstLeaf, root: root) }
    var left = 1024
    while 2 * left < bytes.count { left *= 2 }
    let children =
      node(bytes.prefix(left), firstLeaf: firstLeaf, root: 0)
      + node(bytes.dropFirst(left), firstLeaf: firstLeaf + left / 1024, root: 0)
    return compressed(initial, children, counter: 0, count: 64, flags: 4 | root)
  }

  private static func leaf(_ bytes: ArraySlice<UInt8>, number: Int, root: UInt32) -> [UInt32] {
    var (value, rest, isFirst) = (initial, bytes, true)
    repeat {
      let block = rest.prefix(64)
      rest = rest.dropFirst(64)
      let padded = Array(block) + [UInt8](repeating: 0, count: 64 - block.count)
      let words = stride(from: 0, to: 64, by: 4).map { start in
        (0..<4).reduce(UInt32(0)) { $0 | UInt32(padded[start + $1]) << UInt32(8 * $1) }
      }
      let flags = (isFirst ? 1 : 0) | (rest.isEmpty ? 2 | root : 0)
      value = compressed(
        value, words, counter: UInt64(number), count: UInt32(block.count), flags: flags)
      isFirst = false
    } while !rest.isEmpty
    return value
  }

  private static func compressed(
    _ value: [UInt32], _ block: [UInt32], counter: UInt64, count: UInt32, flags: UInt32
  ) -> [UInt32] {
    var v = value + initial[..<4]
    v += [
      UInt32(truncatingIfNeeded: counter), UInt32(truncatingIfNeeded: counter >> 32), count, flags,
    ]
    var message = block
    func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 { word >> count | word << (32 - count) }
    for _ in 0..<7 {
      for (index, (a, b, c, d)) in quarters.enumerated() {
        for (word, first, second): (UInt32, UInt32, UInt32) in [
          (message[2 * index], 16, 12), (message[2 * index + 1], 8, 7),
        ] {
          v[a] = v[a] &+ v[b] &+ word
          v[d] = rotated(v[d] ^ v[a], first)
          v[c] = v[c] &+ v[d]
          v[b] = rotated(v[b] ^ v[c], second)
        }
      }
      message = order.map { message[$0] }
    }
    return (0..<8).map { v[$0] ^ v[8 + $0] }
  }
}
