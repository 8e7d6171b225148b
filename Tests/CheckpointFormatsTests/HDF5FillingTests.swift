import ByteIO
import CheckpointFormats
import HDF5
import HDF5Oracle
import TensorCore
import TestSupport
import Testing

/// New elements for single datasets of files that h5py wrote: libhdf5 finds everything else as it was.
@Suite struct HDF5FillingTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Files with every layout, in old and new structures.
  static let files = ["old", "v110", "user-block", "ordered"]
  static let timed = ["timed-old", "timed-v108", "timed-v110"]

  private func path(_ file: String) -> String { Fixtures.path("hdf5/filling/\(file).h5") }

  /// Fills a copy and writes it to `name` in the folder.
  private func fill(
    _ file: String, _ tensors: [Checkpoint.Entry], metadata: [String: String] = [:],
    threads: Int = 2, to name: String = "out.h5"
  ) async throws -> String {
    let names = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0) })
    let files = try await CheckpointFormat.hdf5.filled(
      try FileProbe(path: file), with: names, metadata: metadata, threads: threads)
    return try folder.write(try #require(files.values.first), to: name)
  }

  /// Other elements of the same type, of few bits.
  private func new(_ entry: Checkpoint.Entry) throws -> Checkpoint.Entry {
    let width = entry.info.dtype.element.wordWidth
    let bytes = (0..<entry.info.byteCount).map { offset in
      offset % width == 0 ? UInt8(truncatingIfNeeded: offset / width % 100 + 1) : 0
    }
    let isBoolean = entry.info.dtype == .bool
    return try Checkpoint.Entry(
      memory: entry.name, entry.info.dtype, entry.info.shape.sizes,
      isBoolean ? bytes.map { 1 - $0 & 1 } : bytes)
  }

  /// The keys of facts that differ.
  private func changes(_ before: String, _ after: String) throws -> Set<String> {
    let (old, new) = (
      try LibraryContent(path: before).facts, try LibraryContent(path: after).facts
    )
    return Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }
  }

  @Test(arguments: files)
  func `one dataset gets new elements, and every other object stays`(file: String) async throws {
    let before = try CheckpointFormat.hdf5.open(path(file))
    for (index, entry) in before.entries.enumerated() where entry.info.byteCount > 0 {
      let out = try await fill(path(file), [try new(entry)])
      let after = try CheckpointFormat.hdf5.open(out)
      #expect(after.metadata == before.metadata && after.notes == before.notes)
      #expect(after.entries.map(\.alias) == before.entries.map(\.alias))
      for (number, other) in after.entries.enumerated() {
        let original = before.entries[index].alias ?? entry.name
        let isFilled = other.name == original || other.alias == original
        let wanted = isFilled ? try new(entry) : before.entries[number]
        #expect(try other.allBytes() == wanted.allBytes(), "\(entry.name): \(other.name)")
      }
      let first = before.entries[index].alias ?? entry.name
      // A soft link is a name for us, and a link for the library.
      let tied = after.entries.filter {
        ($0.name == first || $0.alias == first) && $0.name.text != "soft"
      }
      let wanted = Set(tied.map { "/" + $0.name.text.replacing(".", with: "/") + " = " })
      let changed = try changes(path(file), out)
      #expect(changed == wanted, "\(entry.name)")
    }
  }

  @Test(arguments: files)
  func `elements in one run of bytes change, and no other byte`(file: String) async throws {
    let whole = try Fixtures.bytes("hdf5/filling/\(file).h5")
    let table = try HDF5File(Place.open(path: path(file))).table
    let opened = try CheckpointFormat.hdf5.open(path(file))
    var count = 0
    for dataset in table.datasets {
      guard case .plain(let start) = dataset.storage, dataset.layout == .contiguous,
        dataset.info.byteCount > 0,
        let entry = opened.entries.first(where: {
          $0.name.text == dataset.path.joined(separator: ".")
        })
      else { continue }
      count += 1
      _ = try await fill(path(file), [try new(entry)])
      let out = try folder.bytes(of: "out.h5")
      let end = start + dataset.info.byteCount
      #expect(out.count == whole.count)
      #expect(out[..<start] == whole[..<start] && out[end...] == whole[end...], "\(entry.name)")
      #expect(out[start..<end] != whole[start..<end], "\(entry.name)")
    }
    #expect(count >= 7)
  }

  @Test(arguments: files + ["many-attributes"])
  func `recorded texts become attributes of the root, and nothing else changes`(
    file: String
  ) async throws {
    let texts = ["recipe": "{\"é\": 1}", "provenance": String(repeating: "x", count: 100_000)]
    let out = try await fill(path(file), [], metadata: texts)
    let isReplaced = file != "many-attributes"
    #expect(try changes(path(file), out) == ["@recipe", "@provenance"])
    #expect(try LibraryContent(path: path(file)).facts["@recipe"] != nil || !isReplaced)
    let metadata = try CheckpointFormat.hdf5.open(out).metadata
    #expect(metadata["recipe"] == texts["recipe"] && metadata["provenance"] == texts["provenance"])
    // Once more, the same texts change nothing.
    _ = try await fill(out, [], metadata: texts, to: "again.h5")
    #expect(try folder.bytes(of: "again.h5") == folder.bytes(of: "out.h5"))
  }

  @Test(arguments: files + timed)
  func `two fills are alike, and times stay`(file: String) async throws {
    let entries = try CheckpointFormat.hdf5.open(path(file)).entries
      .filter { $0.alias == nil && $0.info.byteCount > 0 }.map { try new($0) }
    let texts = ["provenance": "[]"]
    let out = try await fill(path(file), entries, metadata: texts, threads: 1)
    for threads in [1, 4] {
      _ = try await fill(path(file), entries, metadata: texts, threads: threads, to: "again.h5")
      #expect(try folder.bytes(of: "again.h5") == folder.bytes(of: "out.h5"))
    }
    let changed = try changes(path(file), out)
    #expect(changed.allSatisfy { $0.hasSuffix(" = ") || $0 == "@provenance" }, "\(changed)")
    #expect(changed.count > entries.count && changed.contains("@provenance"))
    // To a file, without a copy in between.
    var request = Fill(
      template: try FileProbe(path: path(file)),
      tensors: Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0) }))
    request.metadata = texts
    let sink = try ByteSink.local(folder.file("direct.h5"), replacing: false)
    let fill = try #require(CheckpointFormat.hdf5.fill)
    for part in try fill(request).files { try await part.write(sink) }
    try sink.commit()
    #expect(try folder.bytes(of: "direct.h5") == folder.bytes(of: "out.h5"))
  }

  @Test func `a filter that loses values or cannot be applied is refused by name`() async throws {
    let entries = try CheckpointFormat.hdf5.open(path("lossy")).entries
    for (name, filter) in [
      ("lzf", "32000 (lzf) cannot be applied by libhdf5"),
      ("rounded", "6 (scale-offset) cannot be applied without loss"),
    ] {
      let entry = try #require(entries.first { $0.name.text == name })
      let error = await #expect(throws: CheckpointError.self) {
        _ = try await fill(path("lossy"), [try new(entry)])
      }
      #expect(
        error?.description
          == "\(path("lossy")): tensor '\(name)': filter \(filter); "
          + "write another format with -o")
    }
    let out = try await fill(path("lossy"), [try new(entries[0])], metadata: ["recipe": "{}"])
    #expect(try changes(path("lossy"), out) == ["/a = ", "@recipe"])
  }

  @Test(arguments: files)
  func `integers that do not fit the stored type are refused`(file: String) async throws {
    let entry = try #require(
      try CheckpointFormat.hdf5.open(path(file)).entries.first { $0.name.text == "narrow" })
    let large = try Checkpoint.Entry(
      memory: "narrow", .int16, [12], [UInt8](repeating: 0x7f, count: 24))
    #expect(entry.info == large.info)
    let error = await #expect(throws: CheckpointError.self) {
      _ = try await fill(path(file), [large])
    }
    #expect(error?.tensor == "narrow")
  }

  @Test func `our own file keeps its tree and order, and grows no further`() async throws {
    var checkpoint = try HDF5OracleTests.checkpoint(blockCount: 3)
    checkpoint.metadata["provenance"] = "[]"
    for compression in [WriteOptions.Compression.none, .planes, .gzip(level: 6)] {
      try await CheckpointFormat.hdf5.writeFile(
        checkpoint, folder.file("own.h5"), HDF5WritingTests.options(compression, threads: 2))
      let before = try CheckpointFormat.hdf5.open(folder.file("own.h5"))
      let last = try #require(before.entries.first { $0.name == "z.last" })
      var path = folder.file("own.h5")
      var sizes: [Int] = []
      for round in 0..<4 {
        path = try await fill(
          path,
          [try Checkpoint.Entry(noise: "z.last", .float32, [3, 1000], seed: UInt64(round + 7))],
          metadata: ["recipe": "{\"round\": \(round)}", "provenance": "[\(round)]"])
        sizes.append(try folder.bytes(of: "out.h5").count)
      }
      let after = try CheckpointFormat.hdf5.open(path)
      #expect(last.info.byteCount > 8192)
      #expect(after.entries.map(\.name) == before.entries.map(\.name))
      #expect(after.entries.map(\.alias) == before.entries.map(\.alias))
      #expect(after.modules == before.modules)
      #expect(after.metadata["recipe"] == "{\"round\": 3}" && after.metadata["provenance"] == "[3]")
      let changed = try changes(folder.file("own.h5"), path)
      #expect(changed == ["/z/last = ", "@recipe", "@provenance"])
      #expect(sizes[3] <= sizes[0] + 3 * 4096, "\(sizes)")
    }
  }

  /// Files with a layout of HDF5 2 or a filter that loses values.
  private static let refused = [
    "hdf5/new-layout.h5", "hdf5/scale-offset.h5", "hdf5/ways/layouts-latest.h5",
    "hdf5/ways/user-block-latest.h5",
  ]

  @Test(arguments: HDF5TableTests.files)
  func `every file that is read can be filled with its own tensors, or says why not`(
    file: String
  ) async throws {
    let path = Fixtures.path(file)
    guard let entries = try? CheckpointFormat.hdf5.open(path).entries else {
      #expect(file.hasPrefix("hdf5/refused-"))
      return
    }
    let own = entries.filter { $0.alias == nil && (try? $0.allBytes()) != nil }
    do {
      let out = try await fill(path, own, metadata: ["provenance": "[]"])
      #expect(!Self.refused.contains(file))
      let after = try CheckpointFormat.hdf5.open(out).entries
      #expect(after.map(\.name) == entries.map(\.name))
      for (old, now) in zip(entries, after) {
        guard let bytes = try? old.allBytes() else { continue }
        #expect(try now.allBytes() == bytes, "\(old.name)")
      }
    } catch let error as CheckpointError {
      #expect(error.code == .unsupported && error.path != nil, "\(error)")
      #expect(Self.refused.contains(file), "\(error)")
    }
  }
}
