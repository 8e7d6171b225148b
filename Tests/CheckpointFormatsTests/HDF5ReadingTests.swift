import ByteIO
import CheckpointFormats
import ParallelWork
import TensorCore
import TestSupport
import Testing

/// Files that h5py wrote, compared with the manifest that `Tools/fixtures/make.py` wrote.
@Suite struct HDF5ReadingTests {
  struct Case: Decodable, CustomStringConvertible {
    let file: String
    let tensors: [GoldenTensor]
    let notes: [String]
    let aliases: [String: String]
    let metadata: [String: String]
    /// Values that are not text, on one line each.
    let values: [String: String]
    var description: String { file }
  }

  @Test(arguments: try Fixtures.cases("hdf5/manifest.json", as: Case.self))
  func `what h5py wrote is read, bit for bit and in order`(
    fixture: Case
  ) throws {
    let checkpoint = try CheckpointFormat.hdf5.open(Fixtures.path("hdf5/" + fixture.file))
    #expect(try checkpoint.entries.map { try GoldenTensor($0) } == fixture.tensors)
    #expect(checkpoint.notes == fixture.notes)
    #expect(checkpoint.metadata == fixture.metadata)
    let others = checkpoint.checkpoint.values.filter { $0.value.kind != .text }
    #expect(
      Dictionary(uniqueKeysWithValues: others.map { ($0.name, $0.value.shortText(limit: 80)) })
        == fixture.values)
    let aliases = checkpoint.entries.compactMap { entry in
      entry.alias.map { (entry.name.text, $0.text) }
    }
    #expect(Dictionary(uniqueKeysWithValues: aliases) == fixture.aliases)
    #expect(checkpoint.modules.isEmpty)
  }

  @Test(arguments: try Fixtures.cases("hdf5/manifest.json", as: Case.self))
  func `ranges of every length give the same bytes`(fixture: Case) throws {
    let checkpoint = try CheckpointFormat.hdf5.open(Fixtures.path("hdf5/" + fixture.file))
    for (entry, expected) in zip(checkpoint.entries, fixture.tensors) {
      for chunk in [7, 64, 1000] {
        #expect(try entry.digest(chunk: chunk).description == expected.sha256, "\(entry.name)")
      }
    }
  }

  @Test func `HDF5 is recognized by its signature, also after a user block`() throws {
    let folder = try TemporaryFolder()
    for file in ["nested", "latest", "user-block"] {
      let candidate = try FileProbe(path: Fixtures.path("hdf5/\(file).h5"))
      #expect(CheckpointFormat.hdf5.recognizes(candidate))
    }
    for other in [[], Array("\u{89}HDF".utf8), [UInt8](repeating: 0, count: 4096)] {
      let path = try folder.write(other, to: "other")
      #expect(!CheckpointFormat.hdf5.recognizes(try FileProbe(path: path)))
    }
  }

  @Test(arguments: [
    ("refused-no-tensor", "contains no numeric dataset; /text holds text; left out"),
    (
      "refused-too-deep",
      "groups are nested deeper than 128, at /"
        + [String](repeating: "g", count: 128).joined(separator: "/")
    ),
  ])
  func `a file that cannot be read in full is refused by name`(
    file: String, message: String
  ) throws {
    let path = Fixtures.path("hdf5/\(file).h5")
    let error = #expect(throws: CheckpointError.self) { try CheckpointFormat.hdf5.open(path) }
    #expect(error?.description == "\(path): \(message)")
  }

  @Test(arguments: [
    (
      "refused-virtual",
      "is a virtual dataset: its bytes are in other files, which are not opened"
    ),
    (
      "filters/unknown",
      "filter 307 (bzip2) is not supported; write the file again with gzip or without a filter"
    ),
    (
      "refused-external-storage",
      "its bytes are in other files (external storage), which are not opened"
    ),
  ])
  func `a tensor whose bytes cannot be read is left out, with the reason`(
    file: String, message: String
  ) throws {
    let opened = try CheckpointFormat.hdf5.open(Fixtures.path("hdf5/\(file).h5"))
    #expect(opened.entries.allSatisfy { $0.name != "a" })
    #expect(opened.checkpoint.leftOut == ["a": message])
    #expect(opened.notes == ["'a' is left out: \(message)"])
    #expect(opened.checkpoint.value(at: "a")?.isUnread == true)
  }

  @Test(arguments: ["nested", "latest", "gzip-shuffle-fletcher32", "user-block"])
  func `a file cut at any length is refused`(file: String) throws {
    let bytes = try Fixtures.bytes("hdf5/\(file).h5")
    let folder = try TemporaryFolder()
    for length in 0..<bytes.count {
      let path = try folder.write(Array(bytes[..<length]), to: "cut.h5")
      #expect(throws: CheckpointError.self, "\(length) bytes") {
        try CheckpointFormat.hdf5.open(path)
      }
    }
  }

  @Test func `a path that is not a file is refused with the system's reason`() throws {
    for (path, reason) in [
      ("/nonexistent/a.h5", "No such file or directory"), ("/tmp", "expected a regular file"),
    ] {
      let error = #expect(throws: CheckpointError.self) { try CheckpointFormat.hdf5.open(path) }
      #expect(error?.code == .system)
      #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
    }
  }
}

extension Checkpoint.Entry {
  /// SHA-256 of the bytes, read in ranges of `chunk` bytes.
  func digest(chunk: Int) throws -> Digest {
    var buffer = ChunkBuffer(capacity: chunk)
    var builder = DigestBuilder(.sha256)
    try forEachChunk(using: &buffer) { _, bytes in builder.update(bytes) }
    return builder.finalize()
  }
}
