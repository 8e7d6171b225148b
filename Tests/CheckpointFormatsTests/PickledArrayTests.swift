import ByteIO
import CheckpointFormats
import TensorCore
import TestSupport
import Testing

/// NumPy's arrays in pickles, in arrays of objects, and in archives of every age.
struct PickledArrayTests {
  static let goldens = Result { try Fixtures.cases("pickles/manifest.json", as: Golden.self) }

  private func opened(_ path: String) throws -> Opened {
    let probe = try FileProbe(path: path)
    return try #require(CheckpointFormat.recognized(probe)).open(probe, OpenOptions())
  }

  @Test(arguments: try goldens.get())
  func `every array is read as Python reads it`(_ golden: Golden) throws {
    let opened = try opened(Fixtures.path("pickles/" + golden.file))
    #expect(try Golden.tensors(of: opened) == golden.tensors)
    #expect(opened.notes == golden.notes)
  }

  @Test func `one array under two names is tied`() throws {
    let entries = try opened(Fixtures.path("pickles/protocol4.pkl")).entries
    #expect(entries.first { $0.name == "again" }?.alias == "tied")
  }

  @Test func `what is not an array of numbers is a value or left out`() throws {
    let checkpoint = try opened(Fixtures.path("pickles/odd.pkl")).checkpoint
    #expect(checkpoint.value(at: "names") == .list([.text("a"), .text("bc")]))
    #expect(checkpoint.value(at: "records")?.isUnread == true)
    #expect(checkpoint.value(at: "objects") == .list([.tensor, .text("x")]))
    #expect(checkpoint.value(at: "number") == .real(2.5))
    #expect(checkpoint.value(at: "rng")?.kind == .opaque)
    #expect(checkpoint.leftOut["masked"] == "is a masked array, which is not supported")
    let members = try opened(Fixtures.path("pickles/members.npz")).checkpoint
    #expect(members.value(at: "model.epoch") == .integer(3))
    #expect(members.leftOut.keys.map(\.text) == ["records"])
  }

  @Test func `a part of one loose tensor keeps its name`() throws {
    let probe = try FileProbe(path: Fixtures.path("pickles/best.pt"))
    let part = try CheckpointFormat.pytorch.open(probe, OpenOptions(key: "best_acc1"))
    #expect(part.entries.map(\.name) == ["best_acc1"])
  }

  @Test func `what PaddlePaddle wrote in slices is joined`() throws {
    let path = Fixtures.path("pickles/sliced.pdparams")
    let opened = try opened(path)
    #expect(opened.entries.map(\.name) == ["bias", "weight"])
    let weight = try #require(opened.entries.last)
    #expect(weight.info == (try TensorInfo(dtype: .float32, shape: [7, 9])))
    let expected = (0..<63).flatMap { number in
      (0..<4).map { UInt8(truncatingIfNeeded: Float(number).bitPattern >> UInt32(8 * $0)) }
    }
    #expect(try weight.allBytes() == expected)
    #expect(try weight.allBytes(step: 7) == expected)
    let error = #expect(throws: CheckpointError.self) {
      _ = try CheckpointFormat.pytorch.fill?(
        Fill(template: FileProbe(path: path), tensors: ["weight": weight]))
    }
    #expect(error?.message.hasPrefix("is not one tensor of the file") == true)
  }
}
