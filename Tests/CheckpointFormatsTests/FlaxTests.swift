import ByteIO
import CheckpointFormats
import TensorCore
import TestSupport
import Testing

/// Files of Flax: what is not a tensor, and what is refused.
@Suite struct FlaxTests {
  private func open(_ bytes: [UInt8]) throws -> Opened {
    let place = MemoryFiles(["a.msgpack": bytes]).place
    return try CheckpointFormat.flax.open(FileProbe("a.msgpack", in: place), OpenOptions())
  }

  @Test func `what is not an array is a value`() throws {
    let opened = try CheckpointFormat.flax.open(Fixtures.path("flax/state.msgpack"))
    let complex = Value.opaque("complex", [.init("real", .real(1)), .init("imag", .real(2))])
    #expect(
      opened.checkpoint.values == [
        .init("step", .integer(3)), .init("lr", .real(1e-3)), .init("np_lr", .real(0.5)),
        .init("np_step", .integer(7)), .init("flag", .bool(true)), .init("nothing", .null),
        .init("name", .text("run é")), .init("z", complex),
        .init("big", .opaque("int", [.init("digits", .text("18446744073709551615"))])),
        .init("raw", .bytes([0, 255])), .init("list", .list([.integer(1), .tensor, .text("a")])),
      ])
  }

  /// A map with one member, `k`.
  private func map(_ value: [UInt8]) -> [UInt8] { [0x81, 0xa1, 0x6b] + value }

  @Test func `an array of a type that is not read is left out by name`() throws {
    let array: [UInt8] = [0xc7, 11, 1, 0x93, 0x91, 1, 0xa4] + Array("str8".utf8) + [0xc4, 0]
    // Shape [1], type str8, no bytes.
    let opened = try open(map([0xc7, 10, 1] + array[3...]))
    #expect(opened.entries.isEmpty)
    #expect(opened.notes == ["'k' is an array of type 'str8', which is not read; left out"])
    #expect(opened.checkpoint.values.first?.value.isUnread == true)
  }

  @Test(
    arguments: [
      ([0xc1], "at byte 3: expected a MessagePack item here, found byte c1"),
      (
        [0xdf, 0xff, 0xff, 0xff, 0xff], "at byte 3: expected at most 0 items here, found 4294967295"
      ),
      ([0xc6, 0xff, 0xff, 0xff, 0xff], "at byte 8: expected 4294967295 more bytes here, found 0"),
      (
        [0xc7, 10, 1, 0x93, 0x91, 9, 0xa4, 0x69, 0x6e, 0x74, 0x38, 0xc4, 0],
        "tensor 'k' at byte 3: expected 9 bytes for shape [9] of I8, found 0"
      ),
      (
        [0xc0, 0xc0], "at byte 4: expected the end of the file after the dictionary, found 1 bytes"
      ),
    ] as [([UInt8], String)])
  func `a damaged file is refused where the damage is`(_ value: [UInt8], _ message: String) throws {
    let error = #expect(throws: CheckpointError.self) { try open(map(value)) }
    #expect(error?.description.hasSuffix(message) == true, "\(error?.description ?? "")")
  }

  @Test func `deep nesting is refused`() throws {
    let deep = (0..<100).reduce(into: [UInt8]()) { bytes, _ in bytes += [0x81, 0xa1, 0x6b] }
    let error = #expect(throws: CheckpointError.self) { try open(deep + [0xc0]) }
    #expect(error?.message == "dictionaries are nested deeper than 64 levels")
  }

  @Test func `two tensors of one dotted name are refused`() throws {
    let array: [UInt8] = [
      0xc7, 13, 1, 0x93, 0x91, 1, 0xa5, 0x75, 0x69, 0x6e, 0x74, 0x38, 0xc4, 1, 7, 0,
    ]
    let one = Array(array[..<15])
    var bytes: [UInt8] = [0x82, 0xa1, 0x61, 0x81, 0xa1, 0x62]
    bytes += [0xc7, 12] + one[2...]
    bytes += [0xa3, 0x61, 0x2e, 0x62, 0xc7, 12] + one[2...]
    let error = #expect(throws: CheckpointError.self) { try open(bytes) }
    #expect(error?.message == "two tensors have this name" && error?.tensor == "a.b")
  }

  @Test func `long names of many values are refused`() throws {
    let name = [UInt8](repeating: 0x78, count: 60_000)
    var members: [UInt8] = [0xde, 3, 0xe8]
    for index in 0..<1000 { members += [0xcd, UInt8(index >> 8), UInt8(index & 255), 0xc0] }
    let error = #expect(throws: CheckpointError.self) {
      try open([0x81, 0xda, 0xea, 0x60] + name + members)
    }
    #expect(error?.code == .unsupported && error?.message.hasPrefix("names need more than") == true)
  }
}
