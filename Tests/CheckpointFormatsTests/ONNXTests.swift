import ByteIO
import CheckpointFormats
import FoundationEssentials
import TensorCore
import TestSupport
import Testing

/// ONNX models: values, data in other files, and what is refused.
@Suite struct ONNXTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `versions, properties, and texts are values`() throws {
    let opened = try CheckpointFormat.onnx.open(Fixtures.path("onnx/graphs.onnx"))
    func value(_ name: String) -> Value? {
      opened.checkpoint.values.first { $0.name == name }?.value
    }
    #expect(
      value("opset_import")
        == .dictionary([.init("ai.onnx", .integer(21)), .init("ai.onnx.ml", .integer(3))]))
    #expect(
      value("metadata_props")
        == .dictionary([.init("author", .text("nobody")), .init("classes", .text("cat, dog"))]))
    #expect(
      value("words")
        == .list([.list([.text("a"), .text("b")]), .list([.text("é"), .text("d")])]))
    #expect(value("sparse.size") == .list([.integer(2), .integer(4)]))
    #expect(value("ir_version") == .integer(14))
  }

  /// A copy of the model with external data, its location replaced by a name of the same length.
  private func model(location: String) throws -> String {
    var bytes = try Fixtures.bytes("onnx/external.onnx")
    let old = Array("external.data".utf8)
    #expect(location.utf8.count == old.count)
    for start in bytes.indices where bytes[start...].starts(with: old) {
      bytes.replaceSubrange(start..<start + old.count, with: Array(location.utf8))
    }
    return try folder.write(bytes, to: "a.onnx")
  }

  @Test(arguments: ["/external.dat", "../xternal.da", "a/../rnal.dat", "external//ata"])
  func `data outside the model's folder is refused`(_ location: String) throws {
    let path = try model(location: location)
    let error = #expect(throws: CheckpointError.self) { try CheckpointFormat.onnx.open(path) }
    #expect(
      error?.message
        == "names the file '\(location)'; expected a relative name in the same folder")
    #expect(error?.tensor == "first")
  }

  @Test func `a link out of the folder is refused, a link inside is followed`() throws {
    let path = try model(location: "external.data")
    let data = folder.file("external.data")
    let outside = try TemporaryFolder()
    let bytes = try Fixtures.bytes("onnx/external.data")
    try outside.write(bytes, to: "data")
    try FileManager.default.createSymbolicLink(
      atPath: data, withDestinationPath: outside.file("data"))
    let error = #expect(throws: CheckpointError.self) { try CheckpointFormat.onnx.open(path) }
    #expect(
      error?.message.hasPrefix("is a link to ") == true
        && error?.message.contains("/data', outside of the model's folder") == true)
    try folder.remove("external.data")
    try folder.write(bytes, to: "data")
    try FileManager.default.createSymbolicLink(atPath: data, withDestinationPath: "data")
    #expect(try CheckpointFormat.onnx.open(path).entries.count == 3)
  }

  @Test func `data that cannot be read leave the other tensors`() throws {
    // A model of one tensor in another file, and one of its own.
    func tensor(_ name: String, _ rest: [UInt8]) -> [UInt8] {
      let body = [0x08, 2, 0x10, 1, 0x42, UInt8(name.utf8.count)] + Array(name.utf8) + rest
      return [0x2a, UInt8(body.count)] + body
    }
    let pair: [UInt8] = [0x0a, 8] + Array("location".utf8) + [0x12, 5] + Array("../ab".utf8)
    let external = tensor("bad", [0x6a, UInt8(pair.count)] + pair + [0x70, 1])
    let own = tensor("good", [0x4a, 8, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40])
    let short = tensor("short", [0x4a, 4, 0, 0, 0x80, 0x3f])
    let graph = external + own + short
    let path = try folder.write([0x08, 8, 0x3a, UInt8(graph.count)] + graph, to: "a.onnx")
    let opened = try CheckpointFormat.onnx.open(path)
    #expect(opened.entries.map(\.name) == ["good"])
    #expect(Set(opened.checkpoint.leftOut.keys.map(\.text)) == ["bad", "short"])
    #expect(opened.checkpoint.leftOut["bad"]?.contains("names the file '../ab'") == true)
    #expect(opened.notes.count == 2)
  }

  @Test func `missing and short data are named`() throws {
    let path = try model(location: "external.data")
    let error = #expect(throws: CheckpointError.self) { try CheckpointFormat.onnx.open(path) }
    #expect(error?.path == folder.file("external.data") && error?.tensor == "first")
    try folder.write([UInt8](repeating: 0, count: 59), to: "external.data")
    let short = #expect(throws: CheckpointError.self) { try CheckpointFormat.onnx.open(path) }
    #expect(
      short?.message
        == "expected 60 bytes of external data, found 59 at byte 0 of 'external.data'")
  }

  @Test func `a model that is cut is called one`() throws {
    let head: [UInt8] =
      [0x08, 0x08, 0x12, 0x07] + Array("pytorch".utf8) + [0x3a, 0x10, 0x0a, 0x04]
    let path = try folder.write(head + Array("node".utf8), to: "net.bin")
    #expect(CheckpointFormat.onnx.recognizes(try FileProbe(path: path)))
    let error = #expect(throws: CheckpointError.self) { try CheckpointFormat.onnx.open(path) }
    #expect(error?.message.hasPrefix("the ONNX model is damaged or cut: ") == true)
  }

  /// A field of bytes.
  private static func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
    var (size, digits) = (content.count, [UInt8]())
    while size > 127 {
      digits.append(UInt8(size & 127 | 128))
      size >>= 7
    }
    return [number << 3 | 2] + digits + [UInt8(size)] + content
  }

  /// A tensor of no float32 elements.
  private static func empty(_ name: String) -> [UInt8] {
    [0x08, 0, 0x10, 1] + field(8, Array(name.utf8))
  }

  /// A node with one attribute, which has a field.
  private static func node(
    _ name: String, _ kind: String, output: String = "", _ attribute: String, _ content: [UInt8]
  ) -> [UInt8] {
    field(2, Array(output.utf8)) + field(3, Array(name.utf8)) + field(4, Array(kind.utf8))
      + field(5, field(1, Array(attribute.utf8)) + content)
  }

  private func open(graph: [UInt8], functions: [[UInt8]] = []) throws -> Opened {
    let bytes =
      [0x08, 0x08] + Self.field(7, graph)
      + functions.flatMap { [0xca, 0x01] + Self.field(0, $0).dropFirst() }
    return try CheckpointFormat.onnx.open(try folder.write(bytes, to: "made.onnx"))
  }

  @Test func `nodes and functions of one name keep their tensors apart`() throws {
    let inner = Self.field(6, Self.field(5, Self.empty("w")))
    let node = Self.field(1, Self.node("if", "If", "then", inner))
    let constant = Self.node("", "Constant", output: "c", "value", Self.field(5, Self.empty("")))
    let function = Self.field(1, Array("f".utf8)) + Self.field(7, constant)
    let opened = try open(graph: node + node, functions: [function, function])
    #expect(opened.entries.map(\.name) == ["if.then.w", "if.then_1.w", "f.c", "f_1.c"])
  }

  @Test func `constants that are not read are counted`() throws {
    let tensor = Self.field(5, Self.empty(""))
    let opened = try open(
      graph: Self.field(
        1, Self.node("n", "Constant", output: "c", "value_float", [0x15, 0, 0, 0, 0]))
        + Self.field(1, Self.node("fill", "ConstantOfShape", "value", tensor))
        + Self.field(1, Self.node("conv", "Conv", "group", [0x18, 1])))
    #expect(opened.entries.isEmpty)
    #expect(
      opened.notes == ["skipped 2 constants in attributes of nodes (first: 'n.value_float')"])
  }

  @Test func `long names of many tensors are refused`() throws {
    let tensors = (0..<1000).flatMap { Self.field(5, Self.empty("\($0)")) }
    let name = String(repeating: "x", count: 60_000)
    let node = Self.node(name, "If", "then", Self.field(6, tensors))
    let error = #expect(throws: CheckpointError.self) {
      try open(graph: Self.field(1, node))
    }
    #expect(error?.code == .unsupported && error?.message.hasPrefix("names need more than") == true)
  }
}
