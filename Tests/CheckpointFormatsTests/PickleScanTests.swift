import CheckpointFormats
import TensorCore
import TestSupport
import Testing

@Suite struct PickleScanTests {
  private typealias P = PickleSample
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func scan(_ name: String) throws -> PickleScan {
    try PickleScan(Fixtures.path("pytorch/" + name))
  }

  @Test func `an unrecognized name is listed with its tensors`() throws {
    let scan = try scan("custom.pt")
    #expect(scan.pickles == ["custom/data.pkl"])
    let unknown = scan.findings.filter { !$0.isRecognized }
    #expect(unknown.map(\.fullName) == ["__main__.Custom"])
    #expect(unknown[0].tensors == ["custom.inside"])
    let bytes = try Fixtures.bytes("pytorch/custom.pt")
    let place = try #require(unknown[0].fileOffset)
    #expect(bytes[place...].starts(with: "c__main__\nCustom\n".utf8))
    #expect(scan.findings.filter(\.isRecognized).flatMap(\.tensors) == [])
  }

  @Test func `a whole module depends on its classes`() throws {
    let scan = try scan("module.pt")
    let root = try #require(scan.findings.first { $0.fullName == "__main__.Net" })
    #expect(!root.isRecognized && root.tensors.count == 14)
    let norm = try #require(scan.findings.first { $0.name == "BatchNorm1d" })
    #expect(!norm.isRecognized && norm.tensors.count == 5)
    #expect(norm.tensors.filter { !$0.text.hasPrefix("first.norm") } == [])
  }

  @Test(arguments: [
    ("protocol2.pt", 1), ("protocol5.pt", 1), ("legacy.pt", 5), ("old.tar.pt", 7),
    ("deflated.pt", 1), ("script.pt", 2), ("distributed", 11),
  ])
  func `files of every kind are scanned`(name: String, pickles: Int) throws {
    let scan = try scan(name)
    #expect(scan.pickles.count == pickles, "\(scan.pickles)")
    #expect(!scan.findings.isEmpty)
    if name != "script.pt" {
      #expect(scan.findings.filter { !$0.isRecognized }.map(\.fullName) == [])
    }
  }

  @Test func `a pickle alone and what follows it are scanned`() throws {
    let call = Array("cos\nsystem\n(S'true'\ntR.".utf8)
    let path = try folder.write(call + call + [1, 2, 3], to: "a.pkl")
    let scan = try PickleScan(path)
    #expect(scan.findings.map(\.fullName) == ["os.system", "os.system"])
    #expect(scan.findings.map(\.fileOffset) == [0, call.count])
    #expect(scan.notes == ["3 bytes after pickle 2 are not a pickle"])
  }

  @Test func `a name is recognized only in its exact spelling`() throws {
    let names = [
      ("torch._utils", "_rebuild_tensor_v2", true), ("torch", "_utils._rebuild_tensor_v2", false),
      ("torch._Utils", "_rebuild_tensor_v2", false), ("torch", "FloatStorage", true),
      ("torch.jit", "load", false), ("builtins", "eval", false), ("torch", "float33", false),
    ]
    for (module, name, isRecognized) in names {
      let pickle: [UInt8] =
        [0x80, 4] + P.text(module) + P.text(name) + [0x93, 0x30] + P.emptyDictionary + P.stop
      let scan = try PickleScan(folder.write(pickle, to: "a.pkl"))
      #expect(scan.findings.map(\.isRecognized) == [isRecognized], "\(module) \(name)")
    }
  }

  @Test func `what hides in other members is found`() throws {
    let hidden = P.proto + P.global("os", "system") + P.stop
    let path = try P.archive(
      P.dictionary(("w", P.tensor())),
      more: [("x/extra/notes.txt", hidden), ("x/more.pkl", hidden)],
      in: folder)
    let unknown = try PickleScan(path).findings.filter { !$0.isRecognized }
    #expect(unknown.map(\.pickle) == ["x/extra/notes.txt", "x/more.pkl"])
  }

  @Test func `a file that is not a pickle is an error`() throws {
    #expect(throws: CheckpointError.self) { try PickleScan(folder.write([], to: "none")) }
    #expect(throws: CheckpointError.self) {
      try PickleScan(folder.write(Array("plain text".utf8), to: "text"))
    }
    #expect(throws: CheckpointError.self) { try PickleScan(folder.path) }
  }
}
