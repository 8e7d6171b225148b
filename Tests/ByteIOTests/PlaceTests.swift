import ByteIO
import TensorCore
import TestSupport
import Testing

@Suite struct PlaceTests {
  @Test func `a path is a place and a name`() {
    let cases = [
      ("a", "", "a"), ("a/b", "a/", "b"), ("/a", "/", "a"), ("a/", "a/", ""), ("", "", ""),
      ("../a/./b.pt", "../a/./", "b.pt"), ("http:/a", "http:/", "a"),
      ("https://host/a/b.pt", "https://host/a/", "b.pt"),
      ("http://host/a?token=b/c", "http://host/", "a?token=b/c"),
      ("http://host/a/b#c/d", "http://host/a/", "b#c/d"),
    ]
    for (path, prefix, name) in cases {
      let (place, found) = Place.locate(path)
      #expect(place.path(of: "") == prefix, "\(path)")
      #expect(found == name, "\(path)")
    }
  }

  @Test func `a name in a file is looked for beside the file, unless it is absolute`() {
    let place = Place.locate("runs/recipe.txt").place
    for (text, path) in [
      ("model.txt", "runs/model.txt"), ("../m/model.txt", "runs/../m/model.txt"),
      ("/m/model.txt", "/m/model.txt"), ("https://host/model.txt", "https://host/model.txt"),
    ] {
      let (found, name) = place.locate(text)
      #expect(found.path(of: name) == path)
    }
  }

  @Test func `a folder is listed in the order of bytes, and is a place`() throws {
    let folder = try TemporaryFolder()
    for name in ["b", "a", "é", "Z"] { try folder.write([1], to: name) }
    let (place, name) = Place.locate(folder.path)
    #expect(try place.list(name) == ["Z", "a", "b", "é"])
    #expect(try place.folder(name).open("b").bytes(0..<1) == [1])
    let error = #expect(throws: CheckpointError.self) { try place.open(name) }
    #expect(error?.description == "\(folder.path): expected a regular file, found a directory")
  }

  @Test func `files in memory are opened, listed, and counted`() throws {
    let memory = MemoryFiles(["a": [1, 2], "runs/b": [3], "runs/c/d": []])
    let place = memory.place
    #expect(try place.list() == ["a", "runs"])
    #expect(try place.list("runs") == ["b", "c"])
    #expect(try place.folder("runs").open("b").bytes(0..<1) == [3])
    #expect(try place.folder("runs/").folder("c").open("d").size == 0)
    #expect(memory.openCount(of: "runs/b") == 1 && memory.openCount(of: "a") == 0)
    let error = #expect(throws: CheckpointError.self) { try place.folder("runs").open("a") }
    #expect(error?.description == "memory:runs/a: No such file or directory")
    let folder = #expect(throws: CheckpointError.self) { try place.open("runs") }
    #expect(folder?.description == "memory:runs: expected a regular file, found a directory")
  }

  @Test func `a part of a source is a source`() throws {
    let source = ByteSource(noise(1000, seed: 1), name: "a")
    let part = try source.part(100..<200).part(10..<30)
    #expect(part.size == 20)
    #expect(try part.bytes(0..<20) == source.bytes(110..<130))
    #expect(throws: CheckpointError.self) { try part.bytes(0..<21) }
    #expect(throws: CheckpointError.self) { try source.part(999..<1001) }
    #expect(throws: CheckpointError.self) { try source.part(-1..<2) }
  }

  @Test func `what was put aside is read by range and leaves no name`() throws {
    let bytes = noise(3_000_000, seed: 2)
    let copy = try ByteSink.temporary(for: "standard input")
    try copy.append(Array(bytes[..<5]).rawBytes)
    try copy.append(Array(bytes[5...]).rawBytes)
    let source = try copy.readBack()
    #expect(source.size == bytes.count && source.name == "standard input")
    #expect(try source.bytes(1_000_000..<1_000_100) == Array(bytes[1_000_000..<1_000_100]))
  }

  @Test func `a file's identity changes with the file`() throws {
    let folder = try TemporaryFolder()
    func tag(_ name: String) throws -> String? {
      try Place.open(path: folder.file(name)).entityTag
    }
    try folder.write([1], to: "a")
    try folder.write([1], to: "b")
    let first = try tag("a")
    #expect(try first == tag("a") && first != tag("b"))
    try folder.write([1, 2], to: "a")
    #expect(try first != tag("a"))
  }

  @Test func `what was found out about a file is found out once`() throws {
    let memory = MemoryFiles(["a": [1]])
    let probe = try FileProbe("a", in: memory.place)
    var count = 0
    for _ in 0..<3 {
      let found = probe.finding { _ in
        count += 1
        return "found"
      }
      #expect(found == "found")
    }
    #expect(count == 1)
    #expect(throws: CheckpointError.self) { try probe.archive }
  }
}
