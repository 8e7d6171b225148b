import ByteIO
import CheckpointFormats
import TensorCore
import TestSupport
import Testing

@Suite struct NumPyTests {
  static let goldens = Result { try Fixtures.cases("numpy/manifest.json", as: Golden.self) }
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func opened(_ path: String) throws -> Opened {
    let format = try #require(CheckpointFormat.recognized(try FileProbe(path: path)))
    #expect(path.hasSuffix("." + format.name))
    return try format.open(path)
  }

  @Test(arguments: try goldens.get(), [1000, 999])
  func `what NumPy wrote is read, bit for bit and in order`(golden: Golden, chunk: Int) throws {
    let checkpoint = try opened(Fixtures.path("numpy/" + golden.file))
    #expect(try Golden.tensors(of: checkpoint, chunk: chunk) == golden.tensors)
    #expect(checkpoint.notes == golden.notes)
    #expect(checkpoint.metadata.isEmpty)
  }

  @Test(arguments: ["types.npz", "shapes.npz"])
  func `arrays are written as NumPy writes them, byte for byte`(_ file: String) async throws {
    let read = try opened(Fixtures.path("numpy/" + file))
    try await CheckpointFormat.npz.writeFile(read.checkpoint, folder.file("a.npz"), WriteOptions())
    let theirs = try ZipArchive(Place.open(path: Fixtures.path("numpy/" + file)))
    let ours = try ZipArchive(Place.open(path: folder.file("a.npz")))
    #expect(ours.members.map(\.name) == theirs.members.map(\.name))
    for (mine, other) in zip(ours.members, theirs.members) {
      let bytes = try theirs.bytes(other, limit: 10_000)
      // What NumPy kept in columns is written in rows.
      if bytes.prefix(80).contains(UInt8(ascii: "T")) { continue }
      #expect(try ours.bytes(mine, limit: 10_000) == bytes, "\(other.name)")
    }
  }

  @Test func `a lone array is written as NumPy writes it, byte for byte`() async throws {
    for file in ["lone.npy", "columns.npy"] {
      let read = try opened(Fixtures.path("numpy/" + file))
      try await CheckpointFormat.npy.writeFile(
        read.checkpoint, folder.file("a.npy"), WriteOptions())
      #expect(try folder.bytes(of: "a.npy") == Fixtures.bytes("numpy/lone.npy"))
      try folder.remove("a.npy")
    }
    let two = try ["a", "b"].map { try Checkpoint.Entry(noise: $0, .int8, [2]) }
    let error = await #expect(throws: CheckpointError.self) {
      try await CheckpointFormat.npy.writeFile(
        Checkpoint(entries: two), folder.file("a.npy"), WriteOptions())
    }
    #expect(
      error?.message
        == "expected 1 tensor for .npy, found 2; write .npz, or select one with --match")
  }

  @Test(arguments: [
    ("text", "expected numeric or Boolean elements such as '<f4', found type '<U2'"),
    ("bytes", "expected numeric or Boolean elements such as '<f4', found type '|S1'"),
    ("date", "expected numeric or Boolean elements such as '<f4', found type '<M8[D]'"),
    ("fields", "expected numeric or Boolean elements, found a structured type"),
    ("long", "expected numeric or Boolean elements such as '<f4', found type '<f16'"),
    ("float8", "expected numeric or Boolean elements such as '<f4', found type '<V1'"),
  ])
  func `elements of unknown types are refused by name`(
    _ name: String, _ message: String
  ) throws {
    let path = Fixtures.path("numpy/refused-\(name).npy")
    let error = #expect(throws: CheckpointError.self) { try CheckpointFormat.npy.open(path) }
    #expect(error?.message == message)
    #expect(error?.path == path && error?.offset != nil)
  }

  @Test func `an array of objects without tensors is not a checkpoint`() throws {
    let path = Fixtures.path("numpy/refused-object.npy")
    let error = #expect(throws: CheckpointError.self) { try CheckpointFormat.npy.open(path) }
    #expect(error?.message == "is an array of objects that contains no tensor")
    #expect(error?.path == path)
  }

  // MARK: - Headers

  private static func array(_ text: String, version: [UInt8] = [1, 0], data: Int = 24) -> [UInt8] {
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + version
    bytes.appendLittleEndian(UInt16(text.utf8.count))
    return bytes + text.utf8 + [UInt8](repeating: 1, count: data)
  }

  private static func header(
    descr: String = "'<f4'", order: String = "False", shape: String = "(2, 3)"
  ) -> String {
    "{'descr': \(descr), 'fortran_order': \(order), 'shape': \(shape), }\n"
  }

  private func refusal(_ bytes: [UInt8]) throws -> String {
    let path = try folder.write(bytes, to: "a.npy")
    let error = #expect(throws: CheckpointError.self) { try CheckpointFormat.npy.open(path) }
    let text = error?.description ?? "accepted"
    #expect(text.utf8.count <= 300 + folder.path.utf8.count)
    return text.replacing(path + ": ", with: "")
  }

  @Test func `the sound header is read`() throws {
    let path = try folder.write(Self.array(Self.header()), to: "a.npy")
    #expect(try CheckpointFormat.npy.open(path).entries[0].info.shape == [2, 3])
  }

  static let headers: [(String, String)] = [
    (header(shape: "(-1,)"), "at byte 61: expected a size from 0 to 2^63 - 1, found '-1,), }\n'"),
    (
      header(shape: "(9223372036854775808,)"),
      "at byte 61: expected a size from 0 to 2^63 - 1, found '9223372036854775'"
    ),
    (header(shape: "(4294967296, 4294967296)"), "at byte 10: overflow: shape [4294967296, 42949"),
    (header(shape: "(1.5,)"), "at byte 62: expected ',', found '.5,), }\n'"),
    (
      header(shape: "(True,)"),
      "at byte 61: expected a size from 0 to 2^63 - 1, found 'True,), }\n'"
    ),
    (header(shape: "(6)"), "at byte 62: expected ',', found '), }\n'"),
    (header(shape: "(06,)"), "at byte 61: expected a size from 0 to 2^63 - 1, found '06,), }\n'"),
    (header(shape: "[2, 3]"), "at byte 60: expected a tuple of sizes, found '[2, 3], }\n'"),
    (
      header(shape: "(f(2),)"),
      "at byte 61: expected a size from 0 to 2^63 - 1, found 'f(2),), }\n'"
    ),
    (
      header(shape: "(i for i in x)"),
      "at byte 61: expected a size from 0 to 2^63 - 1, found 'i for i in x), }'"
    ),
    (
      header(shape: String(repeating: "(", count: 50_000)),
      "at byte 61: expected a size from 0 to 2^63 - 1, found '(((((((((((((((('"
    ),
    (
      header(shape: "(\(String(repeating: "1,", count: 65)))"),
      "at byte 190: expected at most 64 dimensions, found ',), }\n'"
    ),
    (
      header(shape: "(7,)"),
      "at byte 68: expected 28 bytes for shape [7] of F32, found 24 after the header"
    ),
    (
      header(shape: "(5,)"),
      "at byte 68: expected 20 bytes for shape [5] of F32, found 24 after the header"
    ),
    (header(descr: "float"), "at byte 20: expected a quoted string, found 'float, 'fortran_'"),
    (header(descr: "'<f4"), "at byte 27: expected ',' or '}', found 'fortran_order': '"),
    (
      header(descr: "'\\x3cf4'"),
      "at byte 21: expected an ASCII string without escapes, found '\\x3cf4', 'fortra'"
    ),
    (
      header(descr: "'é'"),
      "at byte 21: expected an ASCII string without escapes, found 'é', 'fortran_or'"
    ),
    (
      header(descr: "'|f4'"),
      "at byte 10: expected numeric or Boolean elements such as '<f4', found type '|f4'"
    ),
    (
      header(descr: "''"),
      "at byte 10: expected numeric or Boolean elements such as '<f4', found type ''"
    ),
    (header(order: "0"), "at byte 44: expected True or False, found '0, 'shape': (2, '"),
    (
      "{'descr': '<f4', 'shape': (6,)}",
      "at byte 41: expected the keys descr, fortran_order, and shape, found the end"
    ),
    (
      "{'descr': '<f4', 'descr': '<f4'}",
      "at byte 27: expected the keys descr, fortran_order, and shape, once each, found ''descr': '<f4'}'"
    ),
    (
      "{'more': 1}",
      "at byte 11: expected the keys descr, fortran_order, and shape, once each, found ''more': 1}'"
    ),
    (header() + "x", "at byte 70: expected the end of the header, found 'x'"),
    ("", "at byte 10: expected a dictionary, found the end"),
    ("f()", "at byte 10: expected a dictionary, found 'f()'"),
    ("{", "at byte 11: expected a quoted string, found the end"),
  ]

  @Test(arguments: headers)
  func `a header that is not a plain dictionary is refused with its offset`(
    _ text: String, _ expected: String
  ) throws {
    let refusal = try refusal(Self.array(text))
      .replacing("\\n", with: "\n").replacing("\\\\", with: "\\")
    #expect(refusal.hasPrefix(expected), "\(refusal)")
  }

  @Test(arguments: [[0, 0], [4, 0], [255, 255], [1, 1]] as [[UInt8]])
  func `other versions are refused`(_ version: [UInt8]) throws {
    #expect(
      try refusal(Self.array(Self.header(), version: version))
        == "at byte 6: expected format version 1.0 to 3.0, found \(version[0]).\(version[1])")
  }

  @Test func `lengths that cannot be are refused`() throws {
    var bytes = Self.array(Self.header())
    bytes.replaceSubrange(8..<10, with: [0, 0])
    #expect(try refusal(bytes) == "at byte 10: expected a dictionary, found the end")
    bytes.replaceSubrange(8..<10, with: [0xff, 0xff])
    #expect(
      try refusal(bytes) == "at byte 94: expected a header of 65545 bytes, but the file has 94")
    bytes.replaceSubrange(6..<12, with: [2, 0, 0xff, 0xff, 0xff, 0xff])
    #expect(
      try refusal(bytes) == "at byte 8: expected a header of at most 65536 bytes, found 4294967295")
    #expect(
      try refusal(Array(bytes.prefix(11))).hasPrefix("at byte 11: expected a header of 12 bytes"))
  }

  @Test(arguments: ["lone.npy", "compressed.npz", "big-endian.npz"])
  func `a file cut at any byte is refused`(_ file: String) throws {
    let whole = try Fixtures.bytes("numpy/" + file)
    let format = try CheckpointFormat.writable(named: String(file.suffix(3)))
    for length in stride(from: 0, to: whole.count, by: whole.count > 1000 ? 13 : 1) {
      let path = try folder.write(Array(whole[..<length]), to: "cut")
      #expect(throws: CheckpointError.self) { try format.open(path) }
    }
  }

  @Test(arguments: ["types.npz", "compressed.npz"])
  func `a flipped bit in an archive is found by reading it`(_ file: String) async throws {
    let good = try Fixtures.bytes("numpy/" + file)
    let format = CheckpointFormat.npz
    let expected = try format.open(Fixtures.path("numpy/" + file)).entries.map(\.name)
    for bit in stride(from: 0, to: 8 * good.count, by: 101) {
      var bytes = good
      bytes[bit / 8] ^= 1 << (bit % 8)
      let path = try folder.write(bytes, to: "flipped.npz")
      guard await damage(try FileProbe(path: path), format) == nil else { continue }
      // Dates, permissions and versions of the archive are nobody's.
      let read = try format.open(path)
      #expect(read.entries.map(\.name) == expected && read.notes.isEmpty, "bit \(bit)")
    }
  }
}
