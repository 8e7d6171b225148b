import ByteIO
import FoundationEssentials
import TensorCore
import TestSupport
import Testing

@testable import CheckpointFormats

/// TensorFlow's checkpoints: folders, texts, checksums, and what is refused.
@Suite struct TensorFlowTests {
  private let format = CheckpointFormat.tensorflow

  /// The files of a folder of fixtures in memory.
  private static func files(_ folder: String) throws -> [String: [UInt8]] {
    let root = Fixtures.path("tensorflow/" + folder)
    var files: [String: [UInt8]] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: root) {
      guard let bytes = FileManager.default.contents(atPath: root + "/" + name) else { continue }
      files[name] = Array(bytes)
    }
    return files
  }

  @Test func `tensors of strings are values`() throws {
    let opened = try format.open(Fixtures.path("tensorflow/types.index"))
    #expect(
      opened.checkpoint.values == [
        .init("_CHECKPOINTABLE_OBJECT_GRAPH", .unread("the graph of Python objects")),
        .init("model.table", .list([.list([.text("a")]), .list([.text("b")])])),
        .init("model.words", .list([.text("one"), .text("zwei é"), .text("")])),
      ])
  }

  @Test(arguments: ["types.index", "graph", "saved"])
  func `a flipped bit in any tensor is found by its checksum`(_ name: String) async throws {
    let probe = try FileProbe(path: Fixtures.path("tensorflow/" + name))
    let verify = try #require(format.verify)
    #expect(try await verify(probe, 2).isEmpty)
    #expect(try format.open(probe, OpenOptions()).coverage == .everything)
    let files = try Self.files("")
    let root = name == "types.index" ? "" : name + "/"
    for (file, bytes) in files where file.hasPrefix(root) && file.contains(".data-") {
      for place in stride(from: 0, to: bytes.count, by: 7) {
        var changed = files
        changed[file]?[place] ^= 4
        let probe = try FileProbe(name, in: MemoryFiles(changed).place)
        let errors: [CheckpointError]
        do {
          _ = try format.open(probe, OpenOptions())
          errors = try await verify(probe, 2)
        } catch let error as CheckpointError {
          errors = [error]
        }
        // Only the folder's or the file's own elements are compared.
        if name == "types.index", !file.hasPrefix("types") { continue }
        #expect(errors.count == 1, "\(file) \(place)")
      }
    }
  }

  @Test func `a flipped bit in the index is found by the checksum of its block`() throws {
    let files = try Self.files("graph")
    let index = try #require(files["model.ckpt-10.index"])
    for place in 0..<index.count - 48 {
      var changed = files
      changed["model.ckpt-10.index"]?[place] ^= 1
      let probe = try FileProbe("model.ckpt-10.index", in: MemoryFiles(changed).place)
      #expect(throws: CheckpointError.self, "\(place)") { try format.open(probe, OpenOptions()) }
    }
  }

  @Test func `of several checkpoints in a folder the latest is read`() throws {
    var files = try Self.files("graph")
    for name in files.keys where name.hasPrefix("model.ckpt-10") {
      files[name.replacing("-10.", with: "-5.")] = files[name]
    }
    let named = Dictionary(uniqueKeysWithValues: files.map { ("run/" + $0, $1) })
    let opened = try format.open(FileProbe("run", in: MemoryFiles(named).place), OpenOptions())
    #expect(opened.entries.count == 5)
    #expect(
      opened.notes == [
        "reading 'model.ckpt-10.index', which 'checkpoint' calls the latest; the folder also holds 1 other"
      ])
    var unnamed = named
    unnamed["run/checkpoint"] = nil
    let error = #expect(throws: CheckpointError.self) {
      try format.open(FileProbe("run", in: MemoryFiles(unnamed).place), OpenOptions())
    }
    #expect(
      error?.message
        == "is a folder of 2 TensorFlow checkpoints; name one of them: model.ckpt-10.index, model.ckpt-5.index"
    )
  }

  @Test func `missing elements are named`() throws {
    var files = try Self.files("graph")
    files["model.ckpt-10.data-00001-of-00002"] = nil
    let probe = try FileProbe("model.ckpt-10.index", in: MemoryFiles(files).place)
    let error = #expect(throws: CheckpointError.self) { try format.open(probe, OpenOptions()) }
    #expect(error?.path == "memory:model.ckpt-10.data-00001-of-00002")
  }

  @Test func `names are dotted, unescaped, and stay apart`() {
    let keys = [
      "a/b/.ATTRIBUTES/VARIABLE_VALUE", "a/.OPTIMIZER_SLOT/opt/m/.ATTRIBUTES/VARIABLE_VALUE",
      "x.Sy..z/.ATTRIBUTES/VARIABLE_VALUE", "layer/.ATTRIBUTES/OBJECT_CONFIG_JSON", "a/b", "bert/k",
    ]
    #expect(
      TensorFlowNames.names(of: keys) == [
        keys[0], "a.OPTIMIZER_SLOT.opt.m", "x/y.z", "layer.OBJECT_CONFIG_JSON", "a/b", "bert.k",
      ])
  }

  @Test func `an index of nothing is called damaged`() throws {
    let bytes: [UInt8] =
      [0, 0, 6, 8, 1, 0x1a, 2, 8, 1] + [UInt8](repeating: 0, count: 40) + SortedTable.magic
    let probe = try FileProbe("m.index", in: MemoryFiles(["m.index": bytes]).place)
    #expect(format.recognizes(probe))
    let error = #expect(throws: CheckpointError.self) { try format.open(probe, OpenOptions()) }
    #expect(error?.message.hasPrefix("the index of the TensorFlow checkpoint is damaged: ") == true)
  }

  @Test func `Snappy blocks are unpacked`() throws {
    // Packed by cramjam.
    let text = Array("abcabcabcabcabcabc, and 0123456789 0123456789".utf8)
    let packed: [UInt8] = [
      45, 8, 97, 98, 99, 58, 3, 0, 104, 44, 32, 97, 110, 100, 32, 48, 49, 50, 51, 52, 53, 54, 55,
      56, 57, 32, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57,
    ]
    #expect(try Snappy.unpacked(packed, limit: 1000) == text)
    for length in 0..<packed.count {
      #expect(throws: CheckpointError.self) {
        try Snappy.unpacked(Array(packed[..<length]), limit: 1000)
      }
    }
    #expect(throws: CheckpointError.self) { try Snappy.unpacked(packed, limit: 10) }
    #expect(throws: CheckpointError.self) { try Snappy.unpacked([4, 1, 0], limit: 10) }
  }

  @Test func `a table of far more values than bytes is refused`() throws {
    // One entry of 8 MB, in a Snappy block of copies.
    let size = 1 << 23
    func varint(_ number: Int) -> [UInt8] {
      number < 128 ? [UInt8(number)] : [UInt8(number & 127 | 128)] + varint(number >> 7)
    }
    let start = [0, 1] + varint(size) + [0x61]
    let end: [UInt8] = [0, 0, 0, 0, 1, 0, 0, 0]
    var block = varint(start.count + size + end.count) + [UInt8(start.count) << 2] + start + [0]
    for _ in 0..<size / 64 - 1 { block += [63 << 2 | 2, 1, 0] }
    block += [62 << 2 | 2, 1, 0, 7 << 2] + end
    var file: [UInt8] = []
    func append(_ content: [UInt8], _ kind: UInt8) -> [UInt8] {
      let handle = varint(file.count) + varint(content.count)
      file += content + [kind]
      file.appendLittleEndian(MaskedChecksum(of: (content + [kind]).rawBytes).value)
      return handle
    }
    let handle = append(block, 1)
    var footer = append(end, 0)
    footer += append([0, 1, UInt8(handle.count), 0x7a] + handle + end, 0)
    file += footer + [UInt8](repeating: 0, count: 40 - footer.count) + SortedTable.magic
    var table = SortedTable(ByteSource(file, name: "m.index"))
    let error = #expect(throws: CheckpointError.self) { try table.read() }
    #expect(error?.message.hasPrefix("keys and values need more than ") == true)
    let entries = try Budget.$current.withValue(.unlimited) {
      var table = SortedTable(ByteSource(file, name: "m.index"))
      return try table.read()
    }
    #expect(entries.map(\.value.count) == [size])
  }
}
