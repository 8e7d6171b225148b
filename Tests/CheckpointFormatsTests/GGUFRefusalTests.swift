import ByteIO
import CheckpointFormats
import TensorCore
import TestSupport
import Testing

/// Headers that say what cannot be; rules as in llama.cpp's `gguf.cpp`.
@Suite struct GGUFRefusalTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A file in the making, as bytes.
  struct File: Sendable {
    var version: UInt32 = 3
    var tensorCount: UInt64 = 1
    var valueCount: UInt64 = 1
    var values: [UInt8] = text("k") + number(UInt32(4)) + number(UInt32(7))
    var tensors: [UInt8] = tensor()
    var data = [UInt8](repeating: 1, count: 32)

    var bytes: [UInt8] {
      var bytes =
        Array("GGUF".utf8) + number(version) + number(tensorCount) + number(valueCount) + values
        + tensors
      bytes += [UInt8](repeating: 0, count: (32 - bytes.count % 32) % 32)
      return bytes + data
    }

    init(_ change: (inout File) -> Void = { _ in }) { change(&self) }
  }

  static func number<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(number)
    return bytes
  }

  static func text(_ text: String, count: UInt64? = nil) -> [UInt8] {
    number(count ?? UInt64(text.utf8.count)) + text.utf8
  }

  static func tensor(
    _ name: String = "w", rank: UInt32? = nil, sizes: [UInt64] = [2, 3], type: UInt32 = 0,
    offset: UInt64 = 0
  ) -> [UInt8] {
    text(name) + number(rank ?? UInt32(sizes.count)) + sizes.flatMap { number($0) } + number(type)
      + number(offset)
  }

  /// A metadata value `k`: its type's number and its bytes.
  static func value(_ type: UInt32, _ bytes: [UInt8], key: String = "k") -> [UInt8] {
    text(key) + number(type) + bytes
  }

  /// Quadratic work would take hours.
  @Test func `many tensors without elements are put in their order`() throws {
    let count = 200_000
    let empty = (0..<count).map { "[\"e\($0)\",\"F32\",[0],\($0 < count / 2 ? $0 : $0 + 1)]" }
    let list = "[" + empty.joined(separator: ",") + "]"
    let file = File {
      $0.values = Self.value(8, Self.text(list), key: "ckpt.shapes")
    }
    let path = try folder.write(file.bytes, to: "a.gguf")
    let opened = try CheckpointFormat.gguf.open(path)
    #expect(opened.notes.isEmpty)
    let names = opened.entries.map(\.name.text)
    let wanted =
      (0..<count / 2).map { "e\($0)" } + ["w"] + (count / 2..<count).map { "e\($0)" }
    #expect(names == wanted)
  }

  private func refusal(_ bytes: [UInt8]) throws -> String {
    let path = try folder.write(bytes, to: "a.gguf")
    let error = #expect(throws: CheckpointError.self) { try CheckpointFormat.gguf.open(path) }
    let text = error?.description ?? "accepted"
    #expect(text.utf8.count <= 300 + folder.path.utf8.count)
    return text.replacing(path + ": ", with: "")
  }

  @Test func `the sound file is read`() throws {
    let read = try CheckpointFormat.gguf.open(folder.write(File().bytes, to: "a.gguf"))
    #expect(read.entries.map(\.info.shape.sizes) == [[3, 2]])
    #expect(read.checkpoint.value(at: "k") == .integer(7))
  }

  @Test func `a file cut after any byte but in the last padding is refused`() throws {
    let bytes = File().bytes
    // 24 bytes of numbers, and eight to make them 32.
    for count in 0..<bytes.count - 8 { _ = try refusal(Array(bytes[..<count])) }
    for count in bytes.count - 8...bytes.count {
      let path = try folder.write(Array(bytes[..<count]), to: "a.gguf")
      let entries = try CheckpointFormat.gguf.open(path).entries
      #expect(try entries.map { try $0.allBytes() } == [Array(bytes.suffix(32).prefix(24))])
    }
    #expect(
      try refusal(bytes + [0])
        == "at byte 128: expected the end of the file after the last tensor, found 1 more byte")
  }

  static let cases: [(File, String)] = [
    (File { $0.version = 0 }, "at byte 4: expected version 2 or 3, found 0"),
    (File { $0.version = 1 }, "at byte 4: expected version 2 or 3, found 1"),
    (File { $0.version = 4 }, "at byte 4: expected version 2 or 3, found 4"),
    (
      File { $0.version = 1 << 24 }, "at byte 4: expected version 2 or 3, found 16777216"
    ),
    (
      File { $0.valueCount = .max },
      "at byte 16: expected at most 7 metadata values here, found 18446744073709551615"
    ),
    (
      File { $0.valueCount = 1 << 63 },
      "at byte 16: expected at most 7 metadata values here, found 9223372036854775808"
    ),
    (File { $0.valueCount = 8 }, "at byte 16: expected at most 7 metadata values here, found 8"),
    (
      File { $0.tensorCount = .max },
      "at byte 8: expected at most 3 tensors here, found 18446744073709551615"
    ),
    (
      File { $0.tensorCount = 1 << 63 },
      "at byte 8: expected at most 3 tensors here, found 9223372036854775808"
    ),
    (File { $0.tensorCount = 4 }, "at byte 8: expected at most 3 tensors here, found 4"),
    (
      File { $0.values = text("k", count: .max) },
      "at byte 24: expected at most"
    ),
    (
      File { $0.values = value(8, text("", count: 1 << 63)) },
      "at byte 37: metadata 'k': expected at most"
    ),
    (
      File { $0.values = value(8, text("", count: 200)) },
      "at byte 37: metadata 'k': expected at most"
    ),
    (File { $0.values = text("") + number(UInt32(0)) + [1] }, "at byte 24: a key is empty"),
    (File { $0.values = number(UInt64(1)) + [0xff] }, "at byte 24: a key is not UTF-8"),
    (
      File { $0.values = value(9, number(UInt32(4)) + number(UInt64(1) << 62)) },
      "at byte 41: metadata 'k': expected at most"
    ),
    (
      File { $0.values = value(9, number(UInt32(9)) + number(UInt64(1))) },
      "at byte 37: metadata 'k': arrays of arrays are not supported"
    ),
    (
      File { $0.values = value(9, number(UInt32(13)) + number(UInt64(1))) },
      "at byte 37: metadata 'k': expected a metadata value of type 0 to 12, found 13"
    ),
    (
      File { $0.values = value(13, []) },
      "at byte 33: metadata 'k': expected a metadata value of type 0 to 12, found 13"
    ),
    (
      File { $0.values = value(7, [2]) },
      "at byte 37: metadata 'k': expected a truth value of 0 or 1, found 2"
    ),
    (
      File {
        $0.values = value(0, [1]) + value(0, [1])
        $0.valueCount = 2
      }, "at byte 38: duplicate key 'k'"
    ),
    (
      File {
        $0.tensors = tensor() + tensor()
        $0.tensorCount = 2
      }, "tensor 'w' at byte 82: two tensors have this name"
    ),
    (
      File { $0.tensors = tensor(rank: 0, sizes: []) },
      "tensor 'w' at byte 41: expected 1 to 4 dimensions, found 0"
    ),
    (
      File { $0.tensors = tensor(sizes: [1, 1, 1, 1, 6]) },
      "tensor 'w' at byte 41: expected 1 to 4 dimensions, found 5"
    ),
    (
      File { $0.tensors = tensor(rank: .max, sizes: []) },
      "tensor 'w' at byte 41: expected 1 to 4 dimensions, found 4294967295"
    ),
    (
      File { $0.tensors = tensor(sizes: [0]) },
      "tensor 'w' at byte 41: expected a dimension of 1 to 2^63 - 1, found 0"
    ),
    (
      File { $0.tensors = tensor(sizes: [1 << 63]) },
      "tensor 'w' at byte 41: expected a dimension of 1 to 2^63 - 1, found 9223372036854775808"
    ),
    (
      File { $0.tensors = tensor(sizes: [1 << 32, 1 << 32]) },
      "tensor 'w' at byte 41: overflow: shape [4294967296, 4294967296] of F32"
    ),
    (
      File { $0.tensors = tensor(sizes: [1 << 61, 2]) },
      "tensor 'w' at byte 41: overflow: shape [2, 2305843"
    ),
    (
      File { $0.tensors = tensor(sizes: [1 << 59]) },
      "tensor 'w' at byte 128: the file has 128 bytes, but its tensors end at byte 2305843009213694048"
    ),
    (
      File { $0.tensors = tensor(sizes: [33], type: 8) },
      "tensor 'w' at byte 41: rows have 33 elements, but Q8_0 stores them in blocks of 32"
    ),
    (
      File { $0.tensors = tensor(sizes: [(1 << 63) - 32], type: 8) },
      "tensor 'w' at byte 41: overflow: shape [9223372036854775776] of Q8_0"
    ),
    (
      File { $0.tensors = tensor(offset: 1) },
      "tensor 'w' at byte 41: expected offset 0, found 1: tensors must follow each other"
    ),
    (
      File { $0.tensors = tensor(offset: 32) }, "tensor 'w' at byte 41: expected offset 0, found 32"
    ),
    (
      File { $0.tensors = tensor(offset: .max - 31) },
      "tensor 'w' at byte 41: expected offset 0, found 18446744073709551584"
    ),
    (
      File {
        $0.tensors = tensor() + tensor("v")
        $0.tensorCount = 2
      },
      "tensor 'v' at byte 82: expected offset 32, found 0: tensors must follow each other, aligned to 32"
    ),
    (
      File { $0.data = [1, 2, 3] },
      "tensor 'w' at byte 99: the file has 99 bytes, but its tensors end"
    ),
  ]

  @Test(arguments: cases.indices)
  func `an impossible header is refused with its offset`(_ index: Int) throws {
    let (file, expected) = Self.cases[index]
    let refusal = try refusal(file.bytes)
    #expect(refusal.hasPrefix(expected), "\(refusal)")
  }

  @Test(arguments: [UInt32(4), 5, 31, 32, 33, 36, 37, 38, 42, .max])
  func `a type that ggml does not have is refused by number`(_ number: UInt32) throws {
    let file = File { $0.tensors = Self.tensor(type: number) }
    #expect(
      try refusal(file.bytes)
        == "tensor 'w' at byte 41: ggml has no element type \(number)")
  }

  @Test(arguments: [
    (UInt32(4), UInt64(0)), (4, 7), (4, 1 << 31), (4, 1 << 17), (5, 32), (10, 32), (8, 32), (6, 32),
  ])
  func `an alignment that is not a power of two as u32 is refused`(
    _ type: UInt32, _ number: UInt64
  ) throws {
    let bytes =
      switch type {
      case 10: Self.number(number)
      case 8: Self.text("32")
      default: Self.number(UInt32(number))
      }
    let file = File { $0.values = Self.value(type, bytes, key: "general.alignment") }
    #expect(try refusal(file.bytes).contains("expected a power of two up to 65536 as u32, found"))
  }

  @Test func `an alignment of 1 leaves no gap`() throws {
    let values = Self.value(4, Self.number(UInt32(1)), key: "general.alignment")
    let file =
      Array("GGUF".utf8) + Self.number(UInt32(3)) + Self.number(UInt64(1)) + Self.number(UInt64(1))
      + values + Self.tensor(sizes: [3], type: 24) + [7, 8, 9]
    let read = try CheckpointFormat.gguf.open(folder.write(file, to: "a.gguf"))
    #expect(try read.entries[0].allBytes() == [7, 8, 9])
  }

  @Test func `every flipped bit gives an answer`() throws {
    let good = File().bytes
    var accepted = 0
    for bit in 0..<8 * (good.count - 32) {
      var bytes = good
      bytes[bit / 8] ^= 1 << (bit % 8)
      do {
        let path = try folder.write(bytes, to: "a.gguf")
        for entry in try CheckpointFormat.gguf.open(path).entries { _ = try entry.allBytes() }
        accepted += 1
      } catch is CheckpointError {}
    }
    // The key, the value, the name, types and sizes that give the same room, and padding remain.
    #expect(accepted > 0 && accepted < 400)
  }
}
