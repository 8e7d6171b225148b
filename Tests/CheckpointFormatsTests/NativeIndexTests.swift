import ByteIO
import CheckpointFormats
import TensorCore
import TestSupport
import Testing

/// Indexes that are rightly signed but say what cannot be.
@Suite struct NativeIndexTests {
  let folder: TemporaryFolder
  let sample: NativeSample

  init() throws {
    folder = try TemporaryFolder()
    sample = NativeSample(folder: folder)
  }

  @Test func `an index that is left as it was is accepted`() async throws {
    let file = try await sample.small()
    let same = try sample.replacingIndex(of: file, by: sample.index(file))
    #expect(same == file)
  }

  @Test func `records of any kind are skipped, and checked when the file is`() async throws {
    let file = try await sample.small()
    let start = SignedIndex.start(in: file)
    let record = Array("whatever repairs damage".utf8)
    let sum = Checksum.crc32(record.rawBytes)
    func made(_ records: String, _ bytes: [UInt8]) throws -> [UInt8] {
      let text = try sample.index(file).replacing(
        ",\"tensors\":", with: ",\"records\":[\(records)],\"tensors\":")
      return try SignedIndex.replace(
        in: file[..<start] + bytes, by: Array(text.utf8), before: start + bytes.count)
    }
    let right = "[\"parity\",\(record.count),\(sum)]"
    #expect(try await sample.damage(made(right, record)) == nil)
    var other = record
    other[3] ^= 1
    let error = try await sample.damage(made(right, other))
    #expect(error?.message.hasPrefix("record 'parity': expected CRC-32 \(sum)") == true)
    for wrong in [
      "[\"parity\",24,\(sum)]", "[\"parity\",22,\(sum)]", "[\"parity\",23]", "",
      "[\"parity\",9223372036854775807,\(sum)],[\"parity\",9223372036854775807,\(sum)]",
    ] {
      #expect(try await sample.damage(made(wrong, record))?.code == .malformed, "\(wrong)")
    }
  }

  static let edits: [(String, String)] = [
    ("\"shape\":[2,3]", "\"shape\":[3,3]"),
    ("\"shape\":[2,3]", "\"shape\":[2,3,262144]"),
    ("\"shape\":[2,3]", "\"shape\":[]"),
    ("\"shape\":[2,3]", "\"shape\":[2,03]"),
    ("\"shape\":[2,3]", "\"shape\":[2,3.0]"),
    ("\"shape\":[2,3]", "\"shape\":[2,-3]"),
    ("\"shape\":[2,3]", "\"shape\":[2, 3]"),
    ("\"shape\":[2,3]", "\"shape\":[2,3,]"),
    ("\"shape\":[2,3]", "\"shape\":[9223372036854775808]"),
    ("\"shape\":[2,3]", "\"shape\":[4611686018427387904,3]"),
    ("\"shape\":[2,3]", "\"shape\":[9223372036854775807]"),
    ("\"shape\":[0,4]", "\"shape\":[1,4]"),
    (
      "\"shape\":[2,3]",
      "\"shape\":[\(Array(repeating: "1", count: 63).joined(separator: ",")),2,3]"
    ),
    ("\"dtype\":\"F32\"", "\"dtype\":\"F33\""),
    ("\"dtype\":\"F32\"", "\"dtype\":\"f32\""),
    ("\"dtype\":\"F32\"", "\"dtype\":\"F64\""),
    ("\"dtype\":\"F32\"", "\"dtype\":\"F16\""),
    ("rotated-planes-4", "rotated-planes-16"),
    ("rotated-planes-4", "rotated-planes-1"),
    ("rotated-planes-4", "rotated-planes-8"),
    ("rotated-planes-4", "planes-4"),
    ("rotated-planes-4", "raw"),
    ("rotated-planes-4", ""),
    ("\"offset\":16", "\"offset\":15"),
    ("\"offset\":16", "\"offset\":17"),
    ("\"offset\":16", "\"offset\":9223372036854775807"),
    ("\"offset\":0", "\"offset\":16"),
    ("\"name\":\"empty\"", "\"name\":\"weight\""),
    ("\"name\":\"empty\"", "\"name\":\"w\\u0065ight\""),
    ("\"name\":\"empty\"", "\"name\":\"\\u000a\""),
    ("\"name\":\"empty\"", "\"name\":\"\\ud800\""),
    ("\"name\":\"empty\"", "\"name\":\"\\/\""),
    ("\"name\":\"empty\"", "\"name\":\"tab\there\""),
    ("\"name\":\"empty\"", "\"nam\":\"empty\""),
    ("\"name\":\"empty\"", "\"name\":null"),
    ("\"name\":\"empty\"", "\"name\":\"\(String(repeating: "x", count: 65_537))\""),
    ("\"alias\":\"weight\"", "\"alias\":\"tied\""),
    ("\"alias\":\"weight\"", "\"alias\":\"none\""),
    ("\"chunks\":[],", "\"chunks\":[[1,2]],"),
    ("\"chunks\":[],", "\"chunks\":[],\"cvs\":\"\","),
    ("\"chunks\":[],", "\"chunks\":[],\"cvs\":\"00\","),
    ("\"metadata\":{\"k\":\"v\"}", "\"metadata\":{\"k\":\"v\",\"k\":\"w\"}"),
    ("\"metadata\":{\"k\":\"v\"}", "\"metadata\":{\"z\":\"v\",\"k\":\"w\"}"),
    ("\"metadata\":{\"k\":\"v\"}", "\"metadata\":{\"e\u{301}\":\"v\",\"\u{e9}\":\"w\"}"),
    ("\"metadata\":{\"k\":\"v\"}", "\"metadata\":{\"k\":1}"),
    ("\"metadata\":{\"k\":\"v\"}", "\"metadata\":{\"k\":\"v\"},\"more\":{}"),
    ("[\"\",\"Net\",\"\"]", "[\"\",\"Net\"]"),
    ("\"tensors\":[", "\"tensors\":[[[[[["),
    ("]}", "]}]}"),
    ("]}", "]} "),
  ]

  @Test(arguments: edits)
  func `an index that says what cannot be is refused`(_ old: String, _ new: String) async throws {
    let file = try await sample.small()
    let text = try sample.index(file)
    let found = try #require(text.ranges(of: old).last)
    let edited = text.replacingCharacters(in: found, by: new)
    let error = try await sample.damage(try sample.replacingIndex(of: file, by: edited))
    #expect(error != nil)
    #expect((error?.description.utf8.count ?? 0) < 400, "\(String(describing: error))")
  }

  @Test func `sizes of chunks that are one off are refused`() async throws {
    let file = try await sample.small()
    let text = try sample.index(file)
    let size = try #require(text.firstMatch(of: /"chunks":\[\[([0-9]+),/)).1
    let number = try #require(Int(size))
    for wrong in [number - 1, number + 1, 0, 1 << 40, Int.max] {
      let edited = text.replacing(
        "\"chunks\":[[\(number),", with: "\"chunks\":[[\(wrong),", maxReplacements: 1)
      let mutant = try sample.replacingIndex(of: file, by: edited)
      #expect(try await sample.damage(mutant) != nil, "\(wrong)")
    }
  }

  @Test(arguments: [0, 8, 16], [-1, 1, Int.max, Int.min])
  func `numbers of the footer that are off are refused`(_ place: Int, _ change: Int) async throws {
    var file = try await sample.small()
    let start = file.count - 64 + place
    let number = file.littleEndian(UInt64.self, at: start) &+ UInt64(bitPattern: Int64(change))
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(number)
    file.replaceSubrange(start..<start + 8, with: bytes)
    #expect(try await sample.damage(file) != nil)
  }

  @Test func `invalid UTF-8 is refused`() async throws {
    let file = try await sample.small()
    var text = Array(try sample.index(file).utf8)
    let place = try #require(text.indices.first { text[$0...].starts(with: "empty".utf8) })
    text[place] = 0xc0
    let start = Int(Array(file.suffix(64)).littleEndian(UInt64.self, at: 0))
    let stream = try Zlib.deflate(text.rawBytes, level: 6)
    let mutant = file[..<start] + sample.tail(index: stream, size: text.count, at: start)
    let error = try await sample.damage(Array(mutant))
    #expect(error?.message.contains("not valid UTF-8") == true)
  }
}

extension String {
  fileprivate func replacingCharacters(in range: Range<Index>, by text: String) -> String {
    self[..<range.lowerBound] + text + self[range.upperBound...]
  }
}
