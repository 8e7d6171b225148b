import TestSupport
import Testing
import TorchRandom

@Suite struct GeneratorTests {
  struct Stream: Decodable, CustomStringConvertible {
    let id: String
    let seed: String
    let words: [Int: [String]]
    var description: String { id }

    init(from decoder: any Decoder) throws {
      struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
      }
      let values = try decoder.container(keyedBy: Key.self)
      id = try values.decode(String.self, forKey: Key(stringValue: "id"))
      seed = try values.decode(String.self, forKey: Key(stringValue: "seed"))
      var words: [Int: [String]] = [:]
      for key in values.allKeys where key.stringValue.hasPrefix("u32_from_") {
        let position = try #require(Int(key.stringValue.dropFirst("u32_from_".count)))
        words[position] = try values.decode([String].self, forKey: key)
      }
      self.words = words
    }
  }

  @Test(arguments: try Fixtures.cases("goldens/rng.json", as: Stream.self))
  func `words equal torch's at every position`(stream: Stream) throws {
    let bits = try #require(
      Int64(stream.seed).map { UInt64(bitPattern: $0) } ?? UInt64(stream.seed), "\(stream.seed)")
    #expect(!stream.words.isEmpty)
    for (position, expected) in stream.words {
      var generator = Generator(seed: bits)
      generator.skip(words: position)
      for word in expected {
        #expect(generator.nextUInt32() == UInt32(word, radix: 16), "after \(position) words")
      }
    }
  }
}
