/// How often each byte occurs in some bytes.
package struct ByteHistogram {
  private var counts: [256 of UInt32] = .init(repeating: 0)
  private let total: Int

  /// Counts bytes.
  package init(_ bytes: RawSpan) {
    total = bytes.byteCount
    FixedLogarithm.fill(&counts, with: bytes)
  }

  /// Number of those bytes whose value is in a set.
  package func count(_ contains: (_ value: Int) -> Bool) -> Int {
    var number = 0
    for value in counts.indices where contains(value) { number += Int(counts[value]) }
    return number
  }

  /// Size in bits of an ideal code, and number of different bytes.
  package var entropy: (bits: Int, used: Int) {
    FixedLogarithm.entropy(of: counts, total: total)
  }
}
