import ByteIO
import CheckpointFormats
import TensorCore
import TestSupport
import Testing

/// Headers that say what cannot be; rules as in the reference reader, `safetensors/src/tensor.rs`.
@Suite struct SafetensorsRefusalTests {
  let folder: TemporaryFolder
  let format = CheckpointFormat.safetensors
  static let good = #"{"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}"#
  /// Float32 numbers 1 to 6.
  static let data: [UInt8] = (1...6).flatMap { number in
    (0..<4).map { UInt8(truncatingIfNeeded: Float(number).bitPattern >> (8 * $0)) }
  }

  init() throws { folder = try TemporaryFolder() }

  static func file(_ header: [UInt8], _ data: [UInt8] = data, length: UInt64? = nil) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(length ?? UInt64(header.count))
    return bytes + header + data
  }

  private func open(_ bytes: [UInt8]) throws -> Opened {
    try format.open(folder.write(bytes, to: "a.safetensors"))
  }

  private func refusal(_ bytes: [UInt8]) throws -> String {
    let error = #expect(throws: CheckpointError.self) { try open(bytes) }
    let text = error?.description ?? "accepted"
    #expect(text.utf8.count <= 300 + folder.path.utf8.count)
    return text.replacing(folder.file("a.safetensors") + ": ", with: "")
  }

  @Test func `the sound file is read`() throws {
    #expect(try open(Self.file(Array(Self.good.utf8))).entries[0].allBytes() == Self.data)
  }

  @Test(arguments: 0..<8)
  func `a file of less than 8 bytes is refused`(_ count: Int) throws {
    #expect(
      try refusal(Array([57, 0, 0, 0, 0, 0, 0, 0].prefix(count)))
        == "at byte 0: expected at least 8 bytes for the header length, found \(count)")
  }

  @Test(arguments: [
    (
      UInt64.max,
      "at byte 0: expected a header of at most 100000000 bytes, found 18446744073709551615"
    ),
    (1 << 63, "at byte 0: expected a header of at most 100000000 bytes, found 9223372036854775808"),
    (100_000_001, "at byte 0: expected a header of at most 100000000 bytes, found 100000001"),
    (82, "at byte 0: header length is 82, but only 81 bytes follow it"),
    (0, "at byte 8: expected an object, found the end"),
    (56, "at byte 64: expected ',' or '}', found the end"),
  ])
  func `an impossible length is refused`(_ length: UInt64, _ expected: String) throws {
    #expect(try refusal(Self.file(Array(Self.good.utf8), length: length)) == expected)
  }

  /// Headers before 24 bytes of data, and the refusal's beginning.
  static let headers: [(String, String)] = [
    (
      #"{"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"w":{}}"#,
      "at byte 65: duplicate key 'w'"
    ),
    (
      #"{"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"\u0077":{}}"#,
      "at byte 65: duplicate key 'w'"
    ),
    (
      #"{"a":{"dtype":"U8","shape":[24],"data_offsets":[0,24]},"#
        + #""b":{"dtype":"U8","shape":[24],"data_offsets":[16,40]}}"#,
      "tensor 'b' at byte 63: data_offsets [16, 40] overlap those of 'a', which end at 24"
    ),
    (
      #"{"a":{"dtype":"U8","shape":[24],"data_offsets":[0,24]},"#
        + #""b":{"dtype":"U8","shape":[24],"data_offsets":[0,24]}}"#,
      "tensor 'b' at byte 63: data_offsets [0, 24] overlap those of 'a', which end at 24"
    ),
    (
      #"{"a":{"dtype":"U8","shape":[11],"data_offsets":[0,11]},"#
        + #""b":{"dtype":"U8","shape":[12],"data_offsets":[12,24]}}"#,
      "tensor 'b' at byte 63: data_offsets begin at 12, bytes 11 to 12 belong to no tensor"
    ),
    (
      #"{"a":{"dtype":"U8","shape":[23],"data_offsets":[1,24]}}"#,
      "tensor 'a' at byte 9: data_offsets begin at 1, bytes 0 to 1 belong to no tensor"
    ),
    (
      #"{"a":{"dtype":"U8","shape":[23],"data_offsets":[0,23]}}"#,
      "at byte 86: expected the end of the file after the last tensor, found 1 more byte"
    ),
    (
      #"{"a":{"dtype":"U8","shape":[25],"data_offsets":[0,25]}}"#,
      "tensor 'a' at byte 87: data_offsets end at 25, but the file has 24 bytes of data"
    ),
    (
      #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[12,12]},"#
        + #""b":{"dtype":"U8","shape":[24],"data_offsets":[0,24]}}"#,
      "tensor 'a' at byte 9: data_offsets [12, 12] overlap those of 'b', which end at 24"
    ),
    (
      #"{"w":{"dtype":"F32","shape":[4294967296,4294967296,1],"data_offsets":[0,0]}}"#,
      "tensor 'w' at byte 9: overflow: shape [4294967296, 4294967296, 1] of F32"
    ),
    (
      #"{"w":{"dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}}"#,
      "tensor 'w' at byte 9: overflow: shape [4294967296, 4294967296, 0] of F32"
    ),
    (
      #"{"w":{"dtype":"F64","shape":[2305843009213693952,8],"data_offsets":[0,0]}}"#,
      "tensor 'w' at byte 9: overflow: shape [2305843009213693952, 8] of F64"
    ),
    (
      #"{"w":{"dtype":"F32","shape":[-1]}}"#,
      "tensor 'w' at byte 37: expected an integer from 0 to 2^63 - 1, found -1"
    ),
    (
      #"{"w":{"dtype":"F32","shape":[2.0]}}"#,
      "tensor 'w' at byte 37: expected an integer from 0 to 2^63 - 1, found 2.0"
    ),
    (
      #"{"w":{"dtype":"F32","shape":["2"]}}"#,
      #"tensor 'w' at byte 37: expected an integer from 0 to 2^63 - 1, found '"2"]}}'"#
    ),
    (
      #"{"w":{"dtype":"F32","shape":[1e3]}}"#,
      "tensor 'w' at byte 37: expected an integer from 0 to 2^63 - 1, found 1e3"
    ),
    (
      #"{"w":{"dtype":"F32","shape":[18446744073709551616]}}"#,
      "tensor 'w' at byte 37: expected an integer from 0 to 2^63 - 1, found 18446744073709551616"
    ),
    (
      #"{"w":{"dtype":"F32","shape":[3,3],"data_offsets":[0,24]}}"#,
      "tensor 'w' at byte 9: expected 36 bytes for shape [3, 3] of F32, found 24 in data_offsets [0, 24]"
    ),
    (
      #"{"w":{"dtype":"F32","shape":[6],"data_offsets":[24,0]}}"#,
      "tensor 'w' at byte 9: expected data_offsets [begin, end] with begin ≤ end, found [24, 0]"
    ),
    (
      #"{"w":{"dtype":"F32","shape":[6],"data_offsets":[0,24,24]}}"#,
      "tensor 'w' at byte 9: expected data_offsets [begin, end] with begin ≤ end, found [0, 24, 24]"
    ),
    (
      #"{"w":{"dtype":"f32"}}"#,
      "tensor 'w' at byte 9: expected a safetensors dtype such as F32 or BF16, found 'f32'"
    ),
    (
      #"{"w":{"dtype":"F33"}}"#,
      "tensor 'w' at byte 9: expected a safetensors dtype such as F32 or BF16, found 'F33'"
    ),
    (
      #"{"w":{"dtype":"C128"}}"#,
      "tensor 'w' at byte 9: expected a safetensors dtype such as F32 or BF16, found 'C128'"
    ),
    (
      #"{"w":{"dtype":"Q8_0"}}"#,
      "tensor 'w' at byte 9: expected a safetensors dtype such as F32 or BF16, found 'Q8_0'"
    ),
    (
      #"{"w":{"dtype":""}}"#,
      "tensor 'w' at byte 9: expected a safetensors dtype such as F32 or BF16, found ''"
    ),
    (#"{"w":{"dtype":"F32","dtype":"F32"}}"#, "tensor 'w' at byte 28: duplicate key 'dtype'"),
    (
      #"{"w":{"dtype":"F32","shape":[6]}}"#,
      "tensor 'w' at byte 9: expected dtype, shape, and data_offsets, found no data_offsets"
    ),
    (
      #"{"w":["F32",[6],[0,24]]}"#,
      "tensor 'w' at byte 13: expected an object, found '[\"F32\",[6],[0,24'"
    ),
    (
      #"{"w":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}"#,
      "tensor 'w' at byte 9: shape [3] has 3 elements, but F4 stores blocks of 2"
    ),
    (
      #"{"w":{"dtype":"F6_E2M3","shape":[2],"data_offsets":[0,2]}}"#,
      "tensor 'w' at byte 9: shape [2] has 2 elements, but F6_E2M3 stores blocks of 4"
    ),
    (#"{"__metadata__":{"a":null}}"#, "at byte 29: expected a string, found 'null}}'"),
    (#"{"__metadata__":{"a":1}}"#, "at byte 29: expected a string, found '1}}'"),
    (#"{"__metadata__":{"a":{}}}"#, "at byte 29: expected a string, found '{}}}'"),
    (#"{"__metadata__":"text"}"#, #"at byte 24: expected an object, found '"text"}'"#),
    (#"{"__metadata__":{},"__metadata__":{}}"#, "at byte 27: duplicate key '__metadata__'"),
    (#"["w"]"#, "at byte 8: expected an object, found '[\"w\"]'"),
    (#"{} x"#, "at byte 11: expected the end of the text, found 'x'"),
  ]

  @Test(arguments: headers)
  func `an impossible header is refused with its offset`(
    _ header: String, _ expected: String
  ) throws {
    let refusal = try refusal(Self.file(Array(header.utf8)))
    #expect(refusal.hasPrefix(expected), "\(refusal)")
  }

  @Test func `invalid UTF-8 is refused`() throws {
    let parts = Self.good.split(separator: "w", maxSplits: 1).map { Array($0.utf8) }
    #expect(
      try refusal(Self.file(parts[0] + [0xc0, 0x80] + parts[1]))
        == "at byte 9: the string is not valid UTF-8")
    #expect(
      try refusal(Self.file(Array(Self.good.utf8) + [0])).hasPrefix(
        "at byte 65: expected the end of the text, found '"))
  }

  @Test(arguments: [65, 1_000_000])
  func `deep nesting is refused`(_ depth: Int) throws {
    let text =
      String(repeating: #"{"a":"#, count: depth) + "1" + String(repeating: "}", count: depth)
    #expect(try refusal(Self.file(Array(text.utf8))).hasPrefix("tensor 'a' at byte "))
  }

  @Test func `empty tensors may stand at the beginning, between others and at the end`() throws {
    let header =
      #"{"end":{"dtype":"F32","shape":[0],"data_offsets":[24,24]},"#
      + #""b":{"dtype":"F32","shape":[3],"data_offsets":[12,24]},"#
      + #""middle":{"dtype":"I64","shape":[2,0],"data_offsets":[12,12]},"#
      + #""a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},"#
      + #""begin":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#
    let entries = try open(Self.file(Array(header.utf8))).entries
    #expect(entries.map(\.name) == ["end", "b", "middle", "a", "begin"])
    #expect(try entries[1].allBytes() == Array(Self.data[12...]))
  }

  @Test func `names of two spellings are two tensors, and no name steers a terminal`() throws {
    let header =
      "{\"e\u{301}\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]},"
      + "\"\u{e9}\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[12,24]}}"
    #expect(try open(Self.file(Array(header.utf8))).entries.map(\.name) == ["e\u{301}", "\u{e9}"])
    let hostile = #"{"\u001b[2J\r\n\u202e":{"dtype":"F33"}}"#
    #expect(
      try refusal(Self.file(Array(hostile.utf8))).hasPrefix(#"tensor '\u{1b}[2J\r\n\u{202e}'"#))
  }

  @Test func `every flipped bit of a header gives an answer`() throws {
    let good = Self.file(Array(Self.good.utf8))
    var accepted = 0
    for bit in 0..<8 * (good.count - Self.data.count) {
      var bytes = good
      bytes[bit / 8] ^= 1 << (bit % 8)
      do {
        for entry in try open(bytes).entries { _ = try entry.allBytes() }
        accepted += 1
      } catch is CheckpointError {}
    }
    // Other names, types of the same size and shapes of the same product remain.
    #expect(accepted > 0 && accepted < 40)
  }

  @Test func `a header of very many tensors is read`() throws {
    var header: [UInt8] = Array("{".utf8)
    for index in 0..<20_000 {
      header += (index == 0 ? "" : ",").utf8
      header +=
        "\"layer.\(index).weight\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}".utf8
    }
    let bytes = Self.file(header + [UInt8(ascii: "}")], [])
    #expect(try open(bytes).entries.count == 20_000)
  }
}
