import ByteIO
import CheckpointFormats
import FoundationEssentials
import HDF5
import HDF5Oracle
import TensorCore
import TestSupport
import Testing

/// The table that our reader builds, compared with the one that libhdf5 builds.
@Suite struct HDF5TableTests {
  /// Every HDF5 file among the fixtures, by its path below `Fixtures`.
  static let files =
    (try? ["hdf5", "hdf5/ways", "keras"].flatMap { folder in
      try FileManager.default.contentsOfDirectory(atPath: Fixtures.path(folder)).sorted()
        .filter { $0.hasSuffix(".h5") }.map { "\(folder)/\($0)" }
    }) ?? []

  /// What both report of a dataset: libhdf5 does not tell where the bytes that it converts or fills
  /// are.
  struct Seen: Equatable, CustomStringConvertible {
    let path: [String]
    let address: UInt64
    let info: TensorInfo
    let filters: [HDF5Table.Filter]
    let attributes: [HDF5Attribute]
    let place: String

    init(_ dataset: HDF5Table.Dataset, comparedWith other: HDF5Table.Dataset) {
      path = dataset.path
      address = dataset.address
      info = dataset.info
      filters = dataset.filters
      attributes = HDF5TableTests.unworded(dataset.attributes)
      switch (dataset.storage, other.storage) {
      case (.plain(let offset), .plain): place = "at \(offset)"
      case (.chunks(let one), _): place = "library \(one.shape)"
      case (.unwritten, .library(let chunk)), (.library(let chunk), _): place = "library \(chunk)"
      case (.refused(let reason), _): place = reason
      default: place = "library \([Int](repeating: 1, count: dataset.info.shape.count))"
      }
    }

    var description: String {
      "\(path) \(address) \(info) \(filters) \(attributes) \(place)"
    }
  }

  private static func table(
    _ make: () throws -> HDF5Table
  ) throws -> Result<HDF5Table, CheckpointError> {
    do {
      return .success(try make())
    } catch let error as CheckpointError {
      return .failure(error)
    }
  }

  /// Attributes without the words for those that are not read.
  fileprivate static func unworded(_ attributes: [HDF5Attribute]) -> [HDF5Attribute] {
    attributes.map { attribute in
      guard case .other = attribute.value else { return attribute }
      return HDF5Attribute(attribute.name, .other(""), shape: attribute.shape)
    }
  }

  @Test(arguments: files)
  func `our table equals the library's`(file: String) throws {
    let path = Fixtures.path(file)
    let ours = try Self.table { try HDF5File(Place.open(path: path)).table }
    let theirs = try Self.table {
      try LibraryWalk.table(path: path, fileSize: Fixtures.bytes(file).count)
    }
    switch (ours, theirs) {
    case (.success(let ours), .success(let theirs)):
      #expect(ours.groups.map(\.path) == theirs.groups.map(\.path))
      #expect(
        ours.groups.map { Self.unworded($0.attributes) } == theirs.groups.map(\.attributes))
      // The library's walk reads no strings and no empty dataspaces.
      let read = ours.others.filter {
        $0.packed != nil || Self.unworded([$0.content])[0].value != .other("")
      }
      let unread = theirs.notes.filter { note in
        !read.contains { note.hasPrefix("/" + $0.path.joined(separator: "/") + " h") }
      }
      #expect(ours.notes == unread)
      try #require(ours.datasets.count == theirs.datasets.count)
      for (one, other) in zip(ours.datasets, theirs.datasets) {
        #expect(Seen(one, comparedWith: other) == Seen(other, comparedWith: one))
      }
    case (.failure(let ours), .failure(let theirs)):
      #expect(ours.code == theirs.code)
      #expect(ours.message == theirs.message)
    case (.success, .failure(let error)):
      // libhdf5 1.10 cannot read everything that HDF5 2 writes.
      #expect(error.code == .unsupported || error.message.contains("version"), "\(error)")
    case (.failure(let error), .success): Issue.record("\(error)")
    }
  }
}

/// Values in every structure of HDF5, compared with what h5py reads.
@Suite struct HDF5WaysTests {
  struct Case: Decodable, CustomStringConvertible {
    let file: String
    let tensors: [GoldenTensor]
    var description: String { file }
  }

  @Test(arguments: try Fixtures.cases("hdf5/ways/manifest.json", as: Case.self))
  func `tensors are what h5py reads, whatever structure they are in`(fixture: Case) throws {
    let checkpoint = try CheckpointFormat.hdf5.open(Fixtures.path("hdf5/ways/" + fixture.file))
    for expected in fixture.tensors {
      guard let entry = checkpoint.entries.first(where: { $0.name.text == expected.name }) else {
        Issue.record("\(expected.name) is missing")
        continue
      }
      #expect(entry.info.dtype.rawValue == expected.dtype, "\(expected.name)")
      #expect(entry.info.shape == expected.shape, "\(expected.name)")
      for chunk in [13, 4096] {
        let digest = try? entry.digest(chunk: chunk).description
        #expect(digest == expected.sha256, "\(expected.name)")
      }
    }
  }
}
