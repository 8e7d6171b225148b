import ByteIO
import CheckpointFormats
import FoundationEssentials
import TensorCore
import TestSupport
import Testing

@Suite struct GGUFTests {
  static let goldens = Result { try Fixtures.cases("gguf/manifest.json", as: Golden.self) }
  let folder: TemporaryFolder
  let format = CheckpointFormat.gguf

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: try goldens.get())
  func `what gguf-py wrote is read, bit for bit and in order`(golden: Golden) throws {
    let path = Fixtures.path("gguf/" + golden.file)
    #expect(CheckpointFormat.recognized(try FileProbe(path: path))?.name == "gguf")
    let checkpoint = try format.open(path)
    #expect(try Golden.tensors(of: checkpoint) == golden.tensors)
    #expect(try Self.spelled(checkpoint) == golden.metadata)
    #expect(checkpoint.notes == golden.notes)
  }

  /// The values as the goldens spell them: numbers in decimal, other bits and bytes in hexadecimal,
  /// arrays as JSON.
  private static func spelled(_ opened: Opened) throws -> [String: String] {
    var kinds: [String: String] = [:]
    if let text = opened.metadata["ckpt.gguf"] {
      for pair in try JSONDecoder().decode([[String]].self, from: Data(text.utf8)) {
        kinds[pair[0]] = pair[1]
      }
    }
    func isHexadecimal(_ value: Value) -> Bool {
      switch value {
      case .bytes: true
      case .list(let elements): elements.contains(where: isHexadecimal)
      default: false
      }
    }
    var spelled: [String: String] = [:]
    for named in opened.checkpoint.values where named.name != "ckpt.gguf" {
      let isSingle = kinds[named.name]?.contains("f32") == true
      let hex = isHexadecimal(named.value)
      if hex { kinds[named.name] = kinds[named.name] == "string" ? "hex" : "[hex]" }
      spelled[named.name] = text(named.value, isSingle: isSingle, isHexadecimal: hex)
    }
    if let list = opened.metadata["ckpt.gguf"] {
      let pairs = try JSONDecoder().decode([[String]].self, from: Data(list.utf8))
      let texts = pairs.map { #"["\#($0[0])","\#(kinds[$0[0]] ?? "")"]"# }
      spelled["ckpt.gguf"] = "[" + texts.joined(separator: ",") + "]"
    }
    return spelled
  }

  private static func text(
    _ value: Value, isSingle: Bool, isHexadecimal: Bool, isElement: Bool = false
  ) -> String {
    switch value {
    case .real(let number) where !number.isFinite:
      let bits =
        isSingle
        ? String(Float(number).bitPattern, radix: 16) : String(number.bitPattern, radix: 16)
      return isElement ? "\"0x\(bits)\"" : "0x" + bits
    case .real(let number): return isSingle ? "\(Float(number))" : "\(number)"
    case .text(let text):
      let content = isHexadecimal ? Array(text.utf8).hexDigits() : text
      return isElement ? "\"" + content.replacing("\"", with: "\\\"") + "\"" : content
    case .bytes(let bytes): return isElement ? "\"\(bytes.hexDigits())\"" : bytes.hexDigits()
    case .list(let elements):
      let texts = elements.map {
        text($0, isSingle: isSingle, isHexadecimal: isHexadecimal, isElement: true)
      }
      return "[" + texts.joined(separator: ",") + "]"
    case .opaque("u64", let members):
      return members.first.map { text($0.value, isSingle: false, isHexadecimal: false) } ?? ""
    default: return value.shortText(limit: 80)
    }
  }

  @Test(arguments: ["types", "values", "none"], [nil, "ckz"])
  func `what gguf-py wrote is written again byte for byte, be it through another format`(
    _ name: String, _ other: String?
  ) async throws {
    var read = try format.open(Fixtures.path("gguf/\(name).gguf"))
    if let other {
      let format = try CheckpointFormat.writable(named: other)
      try await format.writeFile(read.checkpoint, folder.file("other"), WriteOptions())
      read = try format.open(folder.file("other"))
    }
    // Without the fingerprint, which gguf-py does not know.
    #expect(
      try await format.pipedBytes(of: read.checkpoint) == Fixtures.bytes("gguf/\(name).gguf"))
  }

  @Test func `parts are written as one file with the same metadata`() async throws {
    let read = try format.open(Fixtures.path("gguf/parts"))
    try await format.writeFile(read.checkpoint, folder.file("a.gguf"), WriteOptions())
    let again = try format.open(folder.file("a.gguf"))
    #expect(try Golden.tensors(of: again) == Golden.tensors(of: read))
    #expect(again.metadata == read.metadata)
  }

  @Test func `a part without the others is refused, or read alone if it is not named as one`()
    throws
  {
    let part = try Fixtures.bytes("gguf/parts/net-00002-of-00003.gguf")
    let path = try folder.write(part, to: "net-00002-of-00003.gguf")
    let error = #expect(throws: CheckpointError.self) { try format.open(path) }
    #expect(
      error?.description
        == folder.file("net-00001-of-00003.gguf") + ": No such file or directory")
    let alone = try format.open(folder.write(part, to: "alone.gguf"))
    #expect(alone.entries.map(\.name) == ["blk.2.weight", "blk.3.weight"])
    #expect(
      alone.notes == ["is part 2 of 3, but is not named like one; the other parts are not read"])
    for number in [1, 3] { try folder.write(part, to: "net-0000\(number)-of-00003.gguf") }
    #expect(throws: CheckpointError.self) { try format.open(path) }
  }

  @Test func `a value that does not fit its kind is refused before anything is written`()
    async throws
  {
    var checkpoint = try format.open(Fixtures.path("gguf/values.gguf")).checkpoint
    checkpoint.metadata["a.u8"] = "256"
    let error = await #expect(throws: CheckpointError.self) {
      try await format.writeFile(checkpoint, folder.file("a.gguf"), WriteOptions())
    }
    #expect(error?.message == "metadata 'a.u8' is '256', but 'ckpt.gguf' gives its kind as u8")
    #expect(try folder.names().isEmpty)
  }

  @Test func `rows that are not whole blocks are refused`() async throws {
    let entry = try Checkpoint.Entry(noise: "t", .q8_0, [4, 8])
    let error = await #expect(throws: CheckpointError.self) {
      try await format.writeFile(Checkpoint(entries: [entry]), folder.file("a"), WriteOptions())
    }
    #expect(
      error?.description == "tensor 't': rows have 8 elements, but gguf stores Q8_0 in blocks of 32"
    )
  }
}
