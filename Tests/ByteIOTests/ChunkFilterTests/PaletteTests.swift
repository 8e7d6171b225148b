import ByteIO
import TestSupport
import Testing

@Suite struct PaletteTests {
  /// The content by definition; `nil` for more than 256 distinct words.
  private func reference(_ words: [UInt64], width: Int) -> (known: Int, content: [UInt8])? {
    let table = Set(words).sorted()
    if table.isEmpty || table.count > 256 { return nil }
    let bits = [1, 2, 4, 8].first { table.count <= 1 << $0 }
    let ranks = Dictionary(uniqueKeysWithValues: zip(table, 0...))
    let differences = table.indices.map { table[$0] - ($0 == 0 ? 0 : table[$0 - 1]) }
    let planes = (0..<width).flatMap { byte in
      differences.map { UInt8(truncatingIfNeeded: $0 >> UInt64(8 * byte)) }
    }
    let indices = packed(words.compactMap { ranks[$0] }, width: bits ?? 8)
    return (table.count, [UInt8(table.count - 1)] + planes + indices)
  }

  private func encoded(_ words: [UInt64], width: Int) -> (known: Int, content: [UInt8])? {
    let bytes = words.bytes(width: width)
    var content = [UInt8](repeating: 0xaa, count: 1 + 256 * width + words.count)
    guard
      let sizes = content.fillBytes({ Palette.encode(bytes.rawBytes, width: width, into: &$0) })
    else { return nil }
    return (sizes.known, Array(content[..<sizes.all]))
  }

  private func decoded(_ content: [UInt8], _ count: Int, width: Int) -> [UInt8]? {
    var words = [UInt8](repeating: 0xaa, count: count * width)
    return words.fillBytes({ Palette.decode(content.rawBytes, width: width, into: &$0) })
      ? words : nil
  }

  private func check(_ words: [UInt64], width: Int) {
    let expected = reference(words, width: width)
    let encoded = encoded(words, width: width)
    #expect(encoded?.known == expected?.known && encoded?.content == expected?.content)
    guard let content = encoded?.content else { return }
    #expect(Palette.size(first: content[0], width: width, words: words.count) == content.count)
    #expect(decoded(content, words.count, width: width) == words.bytes(width: width))
  }

  @Test(arguments: FilterWords.all)
  func `content is as defined, and words come back`(_ sample: FilterWords) {
    for count in filterCounts { check(sample.words(count), width: sample.width) }
  }

  @Test(arguments: [1, 2, 4, 8], [1, 2, 3, 4, 5, 15, 16, 17, 255, 256, 257])
  func `every number of distinct words has its size of index`(width: Int, distinct: Int) {
    if width == 1 && distinct > 256 { return }
    for count in [distinct, distinct + 1, 4 * distinct + 3, 3001] where count >= distinct {
      let words = (0..<UInt64(count)).map {
        cut(($0 % UInt64(distinct)) &* 0x9e37_79b9_7f4a_7c15 | 1, width: width)
      }
      check(words, width: width)
    }
  }

  @Test func `a whole chunk comes back`() {
    check(noise(1 << 18, seed: 1).map { UInt64($0) }, width: 4)
  }

  @Test func `invalid content is refused`() {
    let words = [5, 5, 7, 9, 7] as [UInt64]
    let content: [UInt8] = [2, 5, 2, 2, 0, 0, 0, 0b1001_0000, 0b01]
    #expect(encoded(words, width: 2)?.content == content)
    #expect(decoded(content, 5, width: 2) == words.bytes(width: 2))
    var invalid: [[UInt8]] = [
      [], Array(content.dropLast()), content + [0],
      [2, 5, 0, 4, 0, 0, 0, 0b1001_0000, 0b01],  // equal words
      [2, 7, 0xfe, 4, 0, 0xff, 0, 0b1001_0000, 0b01],  // descending words
      [2, 5, 2, 2, 0, 0, 0, 0b1101_0000, 0b01],  // an index of 3
      [2, 5, 2, 2, 0, 0, 0, 0b1001_0000, 0b11],  // the same in the last byte
      [2, 5, 2, 2, 0, 0, 0, 0b1001_0000, 0b101],  // a bit after the last index
      [1] + content.dropFirst(), [3] + content.dropFirst(), [255] + content.dropFirst(),
    ]
    invalid.append([0, 5, 0, 0b1])  // one word and an index of 1
    for content in invalid { #expect(decoded(content, 5, width: 2) == nil, "\(content)") }
  }

  @Test(arguments: [1, 2, 4, 8])
  func `damaged content never traps`(width: Int) {
    var random = SplitMix(seed: 6)
    for _ in 0..<2000 {
      let count = random.below(40)
      let first = UInt8(truncatingIfNeeded: random.next() >> 20 % 20)
      var content = noise(
        Palette.size(first: first, width: width, words: count), seed: random.next())
      content[0] = first
      if random.below(3) == 0 {
        content = content.dropLast(random.below(3)) + [0].prefix(random.below(2))
      }
      _ = decoded(content, count, width: width)
    }
  }
}
