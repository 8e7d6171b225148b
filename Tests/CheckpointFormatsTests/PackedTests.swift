import ByteIO
import CheckpointFormats
import FoundationEssentials
import TensorCore
import TestSupport
import Testing

/// Compressed files and archives around a checkpoint.
@Suite struct PackedTests {
  private let format = CheckpointFormat.packed
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func tensors(_ path: String, _ options: OpenOptions = OpenOptions()) throws
    -> [GoldenTensor]
  {
    let probe = try FileProbe(path: path)
    let found = try #require(CheckpointFormat.recognized(probe))
    return try Golden.tensors(of: found.open(probe, options))
  }

  static let files = [
    "shapes.safetensors.gz", "shapes.two.gz", "shapes.safetensors.xz", "shapes.two.xz",
    "shapes.safetensors.bz2", "shapes.two.bz2", "shapes.safetensors.lzma", "shapes.safetensors.z",
    "shapes.safetensors.zst", "shapes.two.zst", "shapes.tar", "shapes.pax.tar", "shapes.stored.zip",
    "shapes.deflated.zip",
  ]

  @Test(arguments: files)
  func `what is packed is read as it would be by itself`(_ name: String) async throws {
    let path = Fixtures.path("packed/" + name)
    let probe = try FileProbe(path: path)
    #expect(CheckpointFormat.all.filter { $0.recognizes(probe) }.map(\.name) == ["packed"])
    #expect(try tensors(path) == tensors(Fixtures.path("safetensors/shapes.safetensors")))
    #expect(try await format.verify?(probe, 2).isEmpty == true)
  }

  @Test func `a folder of shards in an archive is one checkpoint`() throws {
    #expect(
      try tensors(Fixtures.path("packed/sharded.tar.gz"))
        == tensors(Fixtures.path("safetensors/sharded")))
  }

  @Test func `of several checkpoints the key chooses one`() throws {
    let path = Fixtures.path("packed/two.tar")
    let error = #expect(throws: CheckpointError.self) { try format.open(path) }
    #expect(
      error?.message
        == "holds 2 checkpoints: a, b/views.pt; choose one with --key")
    #expect(
      try tensors(path, OpenOptions(key: "b/views.pt"))
        == tensors(Fixtures.path("pytorch/views.pt")))
    #expect(throws: CheckpointError.self) { try format.open(path, OpenOptions(key: "c")) }
  }

  @Test func `a member of an unknown method is named when it is read`() throws {
    var bytes = try Fixtures.bytes("packed/shapes.deflated.zip")
    // The method in the local header and in the directory.
    for (mark, offset) in [([0x50, 0x4b, 3, 4], 8), ([0x50, 0x4b, 1, 2], 10)] as [([UInt8], Int)] {
      for start in bytes.indices where bytes[start...].starts(with: mark) {
        bytes[start + offset] = 9
      }
    }
    let path = try folder.write(bytes, to: "a.zip")
    let error = #expect(throws: CheckpointError.self) {
      let probe = try FileProbe(path: path)
      _ = try #require(CheckpointFormat.recognized(probe)).open(probe, OpenOptions())
    }
    #expect(error?.message.contains("is packed by Deflate64 (method 9), which is not read") == true)
  }

  @Test func `a member that lies outside of the archive is named`() throws {
    var bytes = try Fixtures.bytes("packed/two.tar")
    let old = Array("b/views.pt".utf8)
    let new = Array("../view.pt".utf8)
    let at = try #require(
      stride(from: 0, to: bytes.count, by: 512).first { bytes[$0...].starts(with: old) })
    bytes.replaceSubrange(at..<at + new.count, with: new)
    // The header's sum counts its own eight bytes as blanks.
    bytes.replaceSubrange(at + 148..<at + 156, with: [UInt8](repeating: 32, count: 8))
    let sum = String(bytes[at..<at + 512].reduce(0) { $0 + Int($1) }, radix: 8)
    let digits = String(repeating: "0", count: 6 - sum.count) + sum
    bytes.replaceSubrange(at + 148..<at + 155, with: Array(digits.utf8) + [0])
    let path = try folder.write(bytes, to: "outside.tar")
    let opened = try format.open(FileProbe(path: path), OpenOptions())
    #expect(opened.notes == ["'../view.pt' lies outside of the archive and is left out"])
  }

  @Test(arguments: files)
  func `a file cut at any byte is refused`(_ name: String) async throws {
    let whole = try Fixtures.bytes("packed/" + name)
    let all = try tensors(Fixtures.path("packed/" + name))
    // Archives of tar have blocks of zeros at the end, of which one will do.
    for length in stride(from: 0, to: whole.count, by: whole.count > 2000 ? 97 : 3) {
      let probe = try FileProbe("a", in: MemoryFiles(["a": Array(whole[..<length])]).place)
      guard let opened = try? format.open(probe, OpenOptions()) else { continue }
      // Two files one after the other: the first may be whole.
      let isEnd = whole[length...].allSatisfy { $0 == 0 }
      #expect(try isEnd && Golden.tensors(of: opened) == all, "\(length) of \(whole.count)")
    }
  }

  @Test(arguments: [".gz", ".xz", ".bz2", ".lzma", ".z", ".zst"])
  func `a damaged stream is refused`(_ ending: String) throws {
    let name = "shapes.safetensors" + ending
    let whole = try Fixtures.bytes("packed/" + name)
    let good = try tensors(Fixtures.path("packed/" + name))
    // lzma's older format has no checksum.
    if ending == ".lzma" { return }
    for place in whole.indices {
      var bytes = whole
      bytes[place] ^= 1
      let probe = try FileProbe("a", in: MemoryFiles(["a": bytes]).place)
      // Some bits are neither content nor covered by a checksum, such as the time in gzip's header.
      if let opened = try? format.open(probe, OpenOptions()) {
        #expect(try Golden.tensors(of: opened) == good, "\(place)")
      }
    }
  }

  @Test(arguments: [".gz", ".xz", ".bz2", ".lzma", ".z", ".zst"])
  func `unpacking stops at a limit`(_ ending: String) throws {
    let bytes = try Fixtures.bytes("packed/shapes.safetensors" + ending)
    let kind = try #require(CompressedFile(head: bytes))
    let source = ByteSource(bytes, name: "a")
    let size = try Fixtures.bytes("safetensors/shapes.safetensors").count
    #expect(try kind.unpacked(source, limit: size).size == size)
    let error = #expect(throws: CheckpointError.self) { try kind.unpacked(source, limit: size - 1) }
    #expect(
      error?.message
        == "unpacks to more than \(size - 1) bytes from \(bytes.count); pass --allow-large to unpack it"
    )
  }

  @Test func `what holds no checkpoint is named`() throws {
    let archive = try Fixtures.bytes("packed/shapes.tar")
    let lone = try folder.write(
      Array(archive[..<1024]) + [UInt8](repeating: 0, count: 1024), to: "a")
    let error = #expect(throws: CheckpointError.self) { try format.open(lone) }
    #expect(
      error?.message == "the tar archive does not hold a checkpoint; it holds README.md")
  }
}
