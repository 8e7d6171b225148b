import ByteIO
import TensorCore
import TestSupport
import Testing

@Suite struct ZipWritingTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ members: [(TensorName, [UInt8])], to name: String) throws -> String {
    let path = folder.file(name)
    let file = try ByteSink.local(path, replacing: false)
    var writer = ZipWriter(file)
    for (name, bytes) in members {
      try writer.begin(name, size: bytes.count)
      for start in stride(from: 0, to: bytes.count, by: 1000) {
        try writer.append(bytes[start..<min(start + 1000, bytes.count)].rawBytes)
      }
      try writer.end()
    }
    try writer.finish()
    try file.commit()
    return path
  }

  @Test func `what is written is read back, aligned and deterministic`() throws {
    var members: [(TensorName, [UInt8])] = (0..<70).map {
      (TensorName("data/" + String(repeating: "n", count: $0)), noise($0 * 37, seed: UInt64($0)))
    }
    members.append(("ü", [1]))
    let archive = try ZipArchive(Place.open(path: write(members, to: "a.zip")))
    #expect(archive.members.map(\.name) == members.map(\.0))
    #expect(archive.members.allSatisfy { $0.dataOffset % 64 == 0 })
    for (member, original) in zip(archive.members, members) {
      #expect(try archive.bytes(member, limit: 1 << 20) == original.1)
    }
    _ = try write(members, to: "b.zip")
    #expect(try folder.bytes(of: "a.zip") == folder.bytes(of: "b.zip"))
  }

  @Test func `unzip finds no errors`() throws {
    let path = try write([("a", noise(100, seed: 1)), ("b/c", []), ("ü", [1])], to: "a.zip")
    let run = try CommandRun(["python3", "-m", "zipfile", "-t", path], in: "/tmp")
    #expect(run.status == 0 && run.output.contains("Done testing"), "\(run)")
  }

  @Test func `more than 65,535 members are written`() throws {
    let count = 70_000
    let path = folder.file("a.zip")
    let file = try ByteSink.local(path, replacing: false)
    var writer = ZipWriter(file, alignment: 1)
    for index in 0..<count { try writer.add(TensorName("\(index)"), []) }
    try writer.finish()
    try file.commit()
    let archive = try ZipArchive(Place.open(path: path))
    #expect(archive.members.count == count && archive.member(named: "69999") != nil)
  }

  @Test func `a name that a zip archive cannot hold is refused`() throws {
    let file = try ByteSink.local(folder.file("a.zip"), replacing: false)
    var writer = ZipWriter(file)
    try writer.add("a", [])
    for name: TensorName in ["", "a", TensorName(String(repeating: "n", count: 65_536))] {
      // The expectation's closure cannot capture the writer.
      do {
        try writer.add(name, [])
        Issue.record("\(name.text.utf8.count) bytes were taken")
      } catch { #expect(error.code == .unsupported) }
    }
  }

  @Test func `checksums of pieces combine to that of the whole`() {
    let bytes = noise(5000, seed: 4)
    for place in [0, 1, 64, 2500, 4999, 5000] {
      let (left, right) = (Array(bytes[..<place]), Array(bytes[place...]))
      let first = Checksum.crc32(left.rawBytes)
      let joined = Checksum.crc32(
        first, followedBy: Checksum.crc32(right.rawBytes), ofCount: right.count)
      let continued = Checksum.crc32(right.rawBytes, after: first)
      let whole = Checksum.crc32(bytes.rawBytes)
      #expect(joined == whole && continued == whole, "\(place)")
    }
  }
}
