import ByteIO
import Synchronization
import TensorCore
import TestSupport
import Testing

/// Files that take their names together.
@Suite struct FileSetTests {
  let folder: TemporaryFolder
  private var place: Place { Place.locate(folder.file("x")).place }

  init() throws { folder = try TemporaryFolder() }

  private func set(_ content: UInt8, replacing: Bool) throws -> FileSet {
    let set = try #require(FileSet(in: place, replacing: replacing))
    for name in ["a.bin", "b.bin"] {
      let sink = try set.sink(name)
      try sink.append([content].rawBytes)
      try sink.commit()
    }
    return set
  }

  /// An index: the names of its files, one per line.
  private func index(_ names: [String: String]) -> [UInt8] {
    Array(["a.bin", "b.bin"].map { (names[$0] ?? $0) + "\n" }.joined().utf8)
  }

  private func commit(_ content: UInt8, replacing: Bool = true) throws -> [String] {
    try set(content, replacing: replacing).commit(index: "index") { index($0) }
  }

  /// What a reader finds by the index.
  private func read() throws -> [[UInt8]] {
    let names = String(decoding: try folder.bytes(of: "index"), as: UTF8.self)
    return try names.split(separator: "\n").map { try folder.bytes(of: String($0)) }
  }

  @Test func `nothing has a name until all is written, and then each has its own`() throws {
    let set = try set(1, replacing: false)
    #expect(try folder.names().isEmpty)
    #expect(try set.commit(index: "index") { index($0) } == [])
    #expect(try folder.names() == ["a.bin", "b.bin", "index"])
    #expect(try read() == [[1], [1]])
  }

  @Test func `before it is complete the index gives other names`() throws {
    _ = try commit(1)
    let seen = Mutex<[[String: String]]>([])
    _ = try set(2, replacing: true).commit(index: "index") { names in
      seen.withLock { $0.append(names) }
      return index(names)
    }
    let names = seen.withLock { $0 }
    #expect(names.count == 2 && names[1].isEmpty)
    #expect(names[0].keys.sorted() == ["a.bin", "b.bin"])
    #expect(names[0].values.allSatisfy { $0.hasSuffix(".bin") && $0.contains(".ckpt-") })
    #expect(try read() == [[2], [2]])
    #expect(try folder.names() == ["a.bin", "b.bin", "index"])
  }

  @Test func `an error before the index leaves the old files and nothing else`() throws {
    _ = try commit(1)
    let failure = CheckpointError(.system, "no")
    let set = try set(2, replacing: true)
    let error = #expect(throws: CheckpointError.self) {
      _ = try set.commit(index: "index") { _ throws(CheckpointError) in throw failure }
    }
    #expect(error == failure)
    #expect(try read() == [[1], [1]])
    #expect(try folder.names() == ["a.bin", "b.bin", "index"])
  }

  @Test func `an error after the index has its names is told, and the set stays complete`() throws {
    _ = try commit(1)
    let set = try set(2, replacing: true)
    let error = #expect(throws: CheckpointError.self) {
      _ = try set.commit(index: "index") { names throws(CheckpointError) in
        if names.isEmpty { throw CheckpointError(.system, "no") }
        return index(names)
      }
    }
    #expect(
      error?.message.hasPrefix("no; the new checkpoint is complete, in files that the index names")
        == true)
    #expect(try read() == [[2], [2]])
  }

  @Test func `files that only the old index names are removed`() throws {
    _ = try commit(1)
    for name in ["c.bin", "d.bin"] { try folder.write([9], to: name) }
    let notes = try set(2, replacing: true).commit(index: "index") {
      index($0)
    } obsolete: {
      ["c.bin"]
    }
    #expect(notes == [])
    #expect(try folder.names() == ["a.bin", "b.bin", "d.bin", "index"])
  }

  @Test func `what came meanwhile is kept`() throws {
    let set = try set(2, replacing: false)
    try folder.write([7], to: "index")
    let error = #expect(throws: CheckpointError.self) {
      _ = try set.commit(index: "index") { index($0) }
    }
    #expect(error?.message == "exists; pass --force to replace it")
    #expect(try folder.names() == ["index"])
  }

  @Test func `a main file is replaced last, and stays if it is not one of the set`() throws {
    _ = try commit(1)
    try folder.write([5], to: "main")
    try set(2, replacing: true).commit(main: "main")
    #expect(try folder.names() == ["a.bin", "b.bin", "index", "main"])
    #expect(try folder.bytes(of: "main") == [5])
    #expect(try read() == [[2], [2]])
    try set(3, replacing: true).commit(main: "a.bin")
    #expect(try read() == [[3], [3]])
    #expect(try folder.names() == ["a.bin", "b.bin", "index", "main"])
  }

  @Test func `of sets that are written at once one is there, whole`() async throws {
    for round in 0..<20 {
      let sets = try (0..<4).map { try set(UInt8($0), replacing: true) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for set in sets {
          group.addTask { _ = try set.commit(index: "index") { index($0) } }
        }
        try await group.waitForAll()
      }
      let found = try read()
      #expect(found[0] == found[1], "round \(round)")
      #expect(try folder.names() == ["a.bin", "b.bin", "index"])
    }
  }
}

/// A folder that takes its name when it is complete.
@Suite struct NewFolderTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `it has its name when it is complete`() throws {
    let new = try #require(try NewFolder(folder.file("a/")))
    let sink = try new.place.create("x", replacing: false)
    try sink.append([1].rawBytes)
    try sink.commit()
    #expect(try !folder.names().contains("a"))
    #expect(new.finalPath(of: sink.name) == folder.file("a/x"))
    try new.commit()
    #expect(try folder.names() == ["a"])
    #expect(try folder.bytes(of: "a/x") == [1])
    #expect(try NewFolder(folder.file("a")) == nil)
  }

  @Test func `a folder that is dropped is gone with all that is in it`() throws {
    do {
      let new = try #require(try NewFolder(folder.file("a")))
      try new.place.createFolder("b")
      let sink = try new.place.create("b/x", replacing: false)
      try sink.commit()
    }
    #expect(try folder.names().isEmpty)
  }
}
