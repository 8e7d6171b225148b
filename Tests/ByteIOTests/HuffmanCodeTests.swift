import ByteIO
import TestSupport
import Testing

@Suite struct HuffmanCodeTests {
  /// The cost of an unlimited Huffman code: the sum of the weights of all inner nodes.
  private func cheapest(_ counts: [UInt32]) -> Int {
    var heap = counts.filter { $0 > 0 }.map(Int.init).sorted()
    var cost = 0
    while heap.count > 1 {
      let sum = heap[0] + heap[1]
      heap.removeFirst(2)
      heap.insert(sum, at: heap.firstIndex { $0 >= sum } ?? heap.count)
      cost += sum
    }
    return cost
  }

  /// The cheapest lengths up to a limit, by exhaustive search.
  private func cheapest(_ counts: [UInt32], limit: Int) -> Int? {
    func search(_ index: Int, _ left: Int) -> Int? {
      if index == counts.count { return left == 0 ? 0 : nil }
      return (1...limit).compactMap { length in
        let part = 1 << (limit - length)
        return part > left
          ? nil : search(index + 1, left - part).map { $0 + length * Int(counts[index]) }
      }.min()
    }
    return search(0, 1 << limit)
  }

  @Test(arguments: 0..<40)
  func `codes are complete, within the limit, and optimal`(_ seed: UInt64) {
    let draws = noise(300, seed: seed)
    let number = 2 + Int(draws[256])
    let counts = (0..<number).map { UInt32(draws[$0]) >> UInt32(draws[$0] % 8) }
    let used = counts.count { $0 > 0 }
    let code = HuffmanCode(counts: counts, limit: 15)
    #expect(code.lengths.reduce(0) { $0 + ($1 > 0 ? 1 << (15 - $1) : 0) } == 1 << 15)
    #expect(zip(counts, code.lengths).allSatisfy { $0 == 0 || $1 > 0 })
    if used > 1 { #expect(code.bits(counts) == cheapest(counts)) }
    let tight = HuffmanCode(counts: counts, limit: 8)
    #expect(tight.lengths.allSatisfy { $0 <= 8 })
    #expect(tight.lengths.reduce(0) { $0 + ($1 > 0 ? 1 << (8 - $1) : 0) } == 1 << 8)
  }

  @Test(arguments: [3, 4, 5])
  func `a limit costs no more than necessary`(_ limit: Int) {
    for seed in 0..<20 {
      let draws = noise(12, seed: UInt64(seed))
      let counts = (0..<6).map { UInt32(1) << UInt32(draws[$0] % 12) + UInt32(draws[6 + $0] % 3) }
      let code = HuffmanCode(counts: counts, limit: limit)
      #expect(code.bits(counts) == cheapest(counts, limit: limit), "\(counts)")
    }
  }

  @Test func `the code words of the RFC's example`() {
    // RFC 1951, section 3.2.2: lengths 3 3 3 3 3 2 4 4.
    let code = HuffmanCode(counts: [5, 5, 5, 5, 5, 9, 2, 2], limit: 15)
    #expect(code.lengths == [3, 3, 3, 3, 3, 2, 4, 4])
    let reversed: [UInt32] = [0b010, 0b110, 0b001, 0b101, 0b011, 0b00, 0b0111, 0b1111]
    #expect(code.words == zip(reversed, code.lengths).map { $0 | UInt32($1) << 16 })
  }

  @Test func `a single symbol gets a second one`() {
    #expect(HuffmanCode(counts: [0, 0, 7], limit: 7).lengths == [1, 0, 1])
    #expect(HuffmanCode(counts: [7, 0, 0], limit: 7).lengths == [1, 1, 0])
  }
}
