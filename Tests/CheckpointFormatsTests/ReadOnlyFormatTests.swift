import ByteIO
import CheckpointFormats
import TensorCore
import TestSupport
import Testing

/// What every format that is only read must hold, with files that the programs themselves wrote.
@Suite struct ReadOnlyFormatTests {
  private struct Manifest: Decodable { let cases: [Golden] }

  /// A file and what its own program reads of it.
  struct Case: Sendable, CustomTestStringConvertible {
    let format: CheckpointFormat
    let folder: String
    let golden: Golden
    var path: String { Fixtures.path(folder + "/" + golden.file) }
    var testDescription: String { "\(folder)/\(golden.file)" }
  }

  static let formats: [(CheckpointFormat, String)] = [
    (.flax, "flax"), (.onnx, "onnx"), (.tensorflow, "tensorflow"), (.exportedProgram, "exported"),
    (.deepspeed, "deepspeed"), (.diffusers, "diffusers"), (.consolidated, "consolidated"),
  ]

  static let cases: [Case] = formats.flatMap { format, folder in
    let manifest = try? Fixtures.json(folder + "/manifest.json", as: Manifest.self)
    return (manifest?.cases ?? []).map { Case(format: format, folder: folder, golden: $0) }
  }

  @Test func `every format has files`() {
    #expect(Set(Self.cases.map(\.folder)) == Set(Self.formats.map(\.1)))
  }

  @Test(arguments: cases)
  func `every tensor is what its own program reads`(_ file: Case) throws {
    let opened = try file.format.open(file.path)
    #expect(try Golden.tensors(of: opened) == file.golden.tensors)
    #expect(try Golden.tensors(of: opened, chunk: 7) == file.golden.tensors)
    #expect(opened.metadata == file.golden.metadata)
    #expect(opened.notes == file.golden.notes)
  }

  @Test(arguments: cases)
  func `a file is recognized by its own format only`(_ file: Case) throws {
    let probe = try FileProbe(path: file.path)
    #expect(CheckpointFormat.all.filter { $0.recognizes(probe) }.map(\.name) == [file.format.name])
  }

  @Test(arguments: cases.filter { !$0.golden.file.contains("/") })
  func `a file cut at any byte is refused, unless all tensors are left`(_ file: Case) async throws {
    let probe = try FileProbe(path: file.path)
    guard probe.members == nil else { return }
    let whole = try probe.source.bytes(0..<probe.size)
    let folder = try TemporaryFolder()
    for name in try probe.place.list() where name != file.golden.file {
      let other = try FileProbe(name, in: probe.place)
      if other.members == nil, !name.hasSuffix(".json") {
        try folder.write(other.source.bytes(0..<other.size), to: name)
      }
    }
    for length in 0..<whole.count {
      try folder.write(Array(whole[..<length]), to: file.golden.file)
      let cut = try FileProbe(path: folder.file(file.golden.file))
      do {
        let opened = try file.format.open(cut, OpenOptions())
        #expect(try Golden.tensors(of: opened) == file.golden.tensors, "\(length)")
      } catch {
        #expect(error is CheckpointError, "\(length) of \(whole.count) bytes")
      }
    }
  }

  @Test(arguments: formats.map(\.0))
  func `what is not such a file is not taken for one`(_ format: CheckpointFormat) throws {
    let folder = try TemporaryFolder()
    for other in [
      [], Array("plain text".utf8), Array("{\"layers\": []}".utf8), [0x81], [0x08, 0x08],
    ] {
      let path = try folder.write(other, to: "other")
      #expect(!format.recognizes(try FileProbe(path: path)))
    }
    #expect(!format.recognizes(try FileProbe(path: folder.path)))
    #expect(throws: CheckpointError.self) { try CheckpointFormat.writable(named: format.name) }
  }
}
