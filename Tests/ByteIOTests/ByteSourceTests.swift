import ByteIO
import Glibc
import TensorCore
import TestSupport
import Testing

@Suite struct ByteSourceTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func refusal(_ path: String) -> CheckpointError? {
    #expect(throws: CheckpointError.self) { try Place.open(path: path) }
  }

  @Test func `any range of a file is read`() throws {
    let bytes = noise(10_000, seed: 1)
    let file = try Place.open(path: folder.write(bytes, to: "a"))
    #expect(file.size == 10_000)
    for range in [0..<10_000, 0..<0, 10_000..<10_000, 1..<2, 4095..<8193, 9999..<10_000] {
      #expect(try file.bytes(range) == Array(bytes[range]))
    }
    #expect(try file.head(8) == Array(bytes[..<8]))
    #expect(try file.head(20_000) == bytes)
  }

  @Test func `a range outside the file is refused with its offset`() throws {
    let file = try Place.open(path: folder.write([1, 2, 3], to: "a"))
    for range in [0..<4, 3..<4, 4..<4, 2..<Int.max, Int.max - 1..<Int.max] {
      let error = #expect(throws: CheckpointError.self) { try file.bytes(range) }
      #expect(error?.code == .malformed)
      #expect(error?.offset == range.lowerBound)
    }
    let error = #expect(throws: CheckpointError.self) { try file.bytes(2..<9) }
    #expect(
      error?.description
        == "\(folder.file("a")): at byte 2: expected 7 bytes here, but the file has 3")
  }

  @Test func `a file that shrank while it was open is an error, not a signal`() throws {
    let path = try folder.write(noise(100_000, seed: 1), to: "a")
    let file = try Place.open(path: path)
    #expect(unsafe truncate(path, 70_000) == 0)
    let error = #expect(throws: CheckpointError.self) { try file.bytes(0..<100_000) }
    #expect(error?.code == .system)
    #expect(error?.offset == 70_000)
  }

  @Test func `a missing file is reported in the system's words`() throws {
    let path = folder.file("none")
    #expect(refusal(path)?.description == "\(path): No such file or directory")
    let link = folder.file("link")
    #expect(unsafe symlink("link", link) == 0)
    #expect(refusal(link)?.description == "\(link): Too many levels of symbolic links")
    let below = try folder.write([], to: "a") + "/b"
    #expect(refusal(below)?.message == "Not a directory")
  }

  @Test func `a directory, a pipe, a socket and a device are refused at once`() throws {
    let pipe = folder.file("pipe")
    #expect(unsafe mkfifo(pipe, 0o600) == 0)
    // Without O_NONBLOCK, opening the pipe would wait for a writer.
    #expect(refusal(pipe)?.message == "expected a regular file, found a pipe")
    #expect(refusal(folder.path)?.message == "expected a regular file, found a directory")
    #expect(refusal("/dev/zero")?.message == "expected a regular file, found a device")
  }

  @Test func `an empty file has no bytes`() throws {
    let file = try Place.open(path: folder.write([], to: "a"))
    #expect(file.size == 0)
    #expect(try file.head(16) == [])
  }
}
