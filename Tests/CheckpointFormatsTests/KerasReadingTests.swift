import ByteIO
import CheckpointFormats
import FoundationEssentials
import ParallelWork
import TensorCore
import TestSupport
import Testing

/// Files that Keras made, against the lists that `Tools/fixtures/make.py keras` made of its weights.
@Suite struct KerasReadingTests {
  struct Case: Decodable, CustomStringConvertible {
    let file: String
    let key: String?
    let tensors: [GoldenTensor]
    let notes: [String]
    let metadata: [String]
    let layers: [String: String]
    var description: String { key.map { "\(file) \($0)" } ?? file }
  }

  @Test(arguments: try Fixtures.cases("keras/files.json", as: Case.self))
  func `what Keras wrote is read, bit for bit, in its order and spelling`(fixture: Case) throws {
    let path = Fixtures.path("keras/" + fixture.file)
    #expect(CheckpointFormat.recognized(try FileProbe(path: path))?.name == "keras")
    let checkpoint = try CheckpointFormat.keras.open(path, OpenOptions(key: fixture.key))
    #expect(try checkpoint.entries.map { try GoldenTensor($0, chunk: 64) } == fixture.tensors)
    #expect(checkpoint.entries.allSatisfy { $0.alias == nil })
    if fixture.key != nil { return }
    #expect(checkpoint.notes == fixture.notes)
    let keys = checkpoint.metadata.keys.filter { $0 != Checkpoint.kerasLayersKey }
    #expect(keys.sorted() == fixture.metadata)
    let names = try #require(checkpoint.metadata[Checkpoint.kerasLayersKey])
    #expect(
      try JSONDecoder().decode([String: String].self, from: Data(names.utf8)) == fixture.layers)
  }

  @Test func `a changed bit in an archive's weights is found by reading any of them`() throws {
    let folder = try TemporaryFolder()
    let good = try Fixtures.bytes("keras/net.keras")
    let archive = try ZipArchive(Place.open(path: Fixtures.path("keras/net.keras")))
    let member = try #require(archive.member(named: "model.weights.h5"))
    for place in stride(from: 0, to: member.size, by: 509) {
      var bytes = good
      bytes[member.dataOffset + place] ^= 1 << UInt8(place % 8)
      let path = try folder.write(bytes, to: "a.keras")
      let error = #expect(throws: CheckpointError.self, "\(place)") {
        let checkpoint = try CheckpointFormat.keras.open(path, OpenOptions())
        let entry = try #require(checkpoint.entries.last { $0.info.byteCount > 0 })
        _ = try entry.allBytes()
      }
      #expect(error?.path == path)
    }
  }

  @Test func `the model's description is shown as text`() throws {
    let archive = try CheckpointFormat.keras.open(
      Fixtures.path("keras/net.keras"), OpenOptions())
    let config = try #require(archive.metadata["config.json"])
    #expect(config.contains("\"class_name\": \"Conv2D\""))
    let whole = try CheckpointFormat.keras.open(Fixtures.path("keras/whole.h5"), OpenOptions())
    #expect(whole.metadata["model_config"]?.hasPrefix("{\"class_name\": \"Functional\"") == true)
  }

  @Test(arguments: [
    (
      "absent-weight",
      "weight_names of /dense lists 'dense/bias:0', but there is no dataset of numbers /dense/dense/bias:0"
    ),
    (
      "way-up",
      "weight_names of /dense lists '../dense/dense/kernel:0', but there is no dataset of numbers /dense/../dense/dense/kernel:0"
    ),
    ("numbers", "attribute 'weight_names' of /dense is not a list of strings"),
    ("one-text", "attribute 'weight_names' of /dense is not a list of strings"),
    ("twice", "tensor 'dense/dense/kernel:0': is listed twice"),
    ("absent-layer", "layer_names lists 'other', but there is no group /other"),
  ])
  func `lists that do not fit the file are refused`(file: String, message: String) throws {
    let path = Fixtures.path("keras/refused-\(file).h5")
    let error = #expect(throws: CheckpointError.self) {
      try CheckpointFormat.keras.open(path, OpenOptions())
    }
    #expect(error?.description == "\(path): \(message)")
  }

  @Test(arguments: [
    ("net.weights.h5", "unknown part 'trainer': expected one of model, optimizer"),
    ("weights.h5", "holds only one checkpoint; remove --key"),
  ])
  func `an unknown part is refused, the known ones are named`(file: String, message: String) throws
  {
    let error = #expect(throws: CheckpointError.self) {
      try CheckpointFormat.keras.open(
        Fixtures.path("keras/" + file), OpenOptions(key: "trainer"))
    }
    #expect(error?.message == message)
  }

  @Test(arguments: ["nested", "flat", "types", "chunked", "written", "names", "deep"])
  func `plain HDF5 is none of Keras's`(file: String) throws {
    let candidate = try FileProbe(path: Fixtures.path("hdf5/\(file).h5"))
    #expect(CheckpointFormat.recognized(candidate)?.name == "hdf5")
  }

  @Test(arguments: ["net.weights.h5", "whole.h5", "net.keras", "sharded.weights.json"])
  func `all parts have the values that each part has`(file: String) throws {
    let probe = try FileProbe(path: Fixtures.path("keras/" + file))
    var options = OpenOptions()
    options.readsAllParts = true
    let whole = try CheckpointFormat.keras.open(probe, options)
    let parts = whole.parts.map(\.key)
    try #require(parts.count == 2)
    var count = 0
    for part in parts {
      let one = try CheckpointFormat.keras.open(probe, OpenOptions(key: part)).checkpoint
      for entry in one.entries {
        let name = TensorName("\(part).\(entry.name)")
        let same = try #require(whole.checkpoint.entries.first { $0.name == name })
        #expect(try same.hasBytes(of: entry), "\(name)")
        #expect(same.alias?.text == entry.alias.map { "\(part).\($0)" }, "\(name)")
        count += 1
      }
    }
    #expect(count == whole.checkpoint.entries.count)
  }

  @Test(arguments: ["net.weights.h5", "whole.h5", "net.keras", "sharded.weights.json"])
  func `a file cut at any length is refused`(file: String) throws {
    let bytes = try Fixtures.bytes("keras/" + file)
    let folder = try TemporaryFolder()
    if file.hasSuffix(".json") {
      for index in 0..<4 {
        let name = "sharded_0000\(index).weights.h5"
        try folder.write(try Fixtures.bytes("keras/" + name), to: name)
      }
    }
    // The last byte of the text is a bracket, that of an archive its end record's.
    let step = file.hasSuffix(".json") ? 1 : 97
    for length in stride(from: 0, to: bytes.count, by: step) {
      let path = try folder.write(Array(bytes[..<length]), to: file)
      #expect(throws: CheckpointError.self, "\(length) bytes") {
        try CheckpointFormat.keras.open(path, OpenOptions())
      }
    }
  }

  @Test(arguments: [
    (
      "../a.weights.h5",
      "expected the name of a file beside the map, found '../a.weights.h5'"
    ),
    (
      "/etc/a.weights.h5",
      "expected the name of a file beside the map, found '/etc/a.weights.h5'"
    ),
    ("absent.weights.h5", "No such file or directory"),
    (
      "sharded_00001.weights.h5",
      "weight_map places '/layers/none/vars' in 'sharded_00001.weights.h5', which has no such weights"
    ),
  ])
  func `a map of weights leads only to files beside it, that have what it says`(
    name: String, message: String
  ) throws {
    let folder = try TemporaryFolder()
    let file = "sharded_00001.weights.h5"
    try folder.write(try Fixtures.bytes("keras/" + file), to: file)
    let text = #"{"weight_map": {"/layers/none/vars": ["\#(name)"]}}"#
    let path = try folder.write(Array(text.utf8), to: "x.weights.json")
    #expect(CheckpointFormat.recognized(try FileProbe(path: path))?.name == "keras")
    let error = #expect(throws: CheckpointError.self) {
      try CheckpointFormat.keras.open(path, OpenOptions())
    }
    #expect(error?.message.contains(message) == true, "\(String(describing: error))")
  }
}
