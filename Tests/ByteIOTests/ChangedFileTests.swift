import ByteIO
import Glibc
import ParallelWork
import TensorCore
import TestSupport
import Testing

/// Files that others change while they are read.
@Suite struct ChangedFileTests {
  let folder: TemporaryFolder
  private let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = try folder.write(noise(10_000, seed: 1), to: "a")
  }

  private func error(_ change: () throws -> Void) throws -> CheckpointError? {
    let source = try Place.open(path: path)
    #expect(try source.bytes(0..<10).count == 10)
    try change()
    let error = #expect(throws: CheckpointError.self) { _ = try source.bytes(0..<10) }
    #expect(error?.code == .system && error?.path == path)
    #expect(throws: CheckpointError.self) { try source.confirmUnchanged() }
    return error
  }

  /// Writes from byte `offset` on, into the same file.
  private func write(_ bytes: [UInt8], at offset: Int) {
    let file = unsafe open(path, O_WRONLY)
    #expect(unsafe pwrite(file, bytes, bytes.count, offset) == bytes.count)
    close(file)
  }

  @Test func `a write in place is noticed`() throws {
    let found = try error { write([1, 2, 3], at: 5000) }
    #expect(found?.message == "the file changed while it was read; run the command again")
  }

  @Test func `a write is noticed after which the old time was set again`() throws {
    var status = stat()
    unsafe stat(path, &status)
    let found = try error {
      write([1, 2, 3], at: 5000)
      unsafe utimensat(AT_FDCWD, path, [status.st_atim, status.st_mtim], 0)
    }
    let message = "the file or its attributes changed while it was read; run the command again"
    #expect(found?.message == message)
  }

  @Test func `a file that grows or gets shorter is noticed`() throws {
    let message = "the file changed while it was read; run the command again"
    let longer = try error { write([1], at: 10_000) }
    #expect(longer?.message == message)
    let shorter = try error { unsafe truncate(path, 9_000) }
    #expect(shorter?.message == message)
  }

  @Test func `bytes that are read ahead are those of the file, until it changes`() throws {
    let whole = noise(1_000_000, seed: 3)
    try folder.write(whole, to: "a")
    let source = try Place.open(path: path)
    let pieces = stride(from: 0, to: whole.count, by: 100).map { $0..<$0 + 100 }
    try ReadAhead.during(pieces.count) { () throws in
      for piece in pieces[..<5000] { #expect(try source.bytes(piece) == Array(whole[piece])) }
      write([1, 2, 3], at: 900_000)
      // What was read ahead may still be given; nothing that is read now may.
      var error: (any Error)?
      for piece in pieces[5000...] where error == nil {
        do {
          let bytes = try source.bytes(piece)
          #expect(bytes == Array(whole[piece]))
        } catch let found {
          error = found
        }
      }
      #expect((error as? CheckpointError)?.code == .system)
    }
  }

  @Test(arguments: ["replace", "remove", "rename", "link", "permissions"])
  func `an open file keeps its content, whatever becomes of its name`(_ change: String) throws {
    let source = try Place.open(path: path)
    let other = folder.file("b")
    switch change {
    case "replace":
      try folder.write(noise(10_000, seed: 2), to: "b")
      #expect(unsafe rename(other, path) == 0)
    case "remove": #expect(unsafe unlink(path) == 0)
    case "rename": #expect(unsafe rename(path, other) == 0)
    case "link": #expect(unsafe link(path, other) == 0)
    default: #expect(unsafe chmod(path, 0o600) == 0)
    }
    #expect(try source.bytes(0..<10_000) == noise(10_000, seed: 1))
    // Files that belong to it may be others by now.
    let isThere = ["link", "permissions"].contains(change)
    let message = "the file was replaced or removed while it was read; run the command again"
    var found: String?
    do { try source.confirmCurrent() } catch { found = error.message }
    #expect(found == (isThere ? nil : message))
  }

  @Test func `a read that failed is not forgotten`() throws {
    let source = try Place.open(path: path)
    #expect(unsafe truncate(path, 100) == 0)
    #expect(throws: CheckpointError.self) { _ = try source.bytes(5000..<5010) }
    // Bytes that are still there belong to another version of the file.
    #expect(throws: CheckpointError.self) { _ = try source.bytes(0..<10) }
  }

  @Test func `what verifies all that it reads may read a file that grows`() throws {
    let source = try Place.open(path: path).unguarded
    write([1], at: 10_000)
    #expect(try source.bytes(0..<10) == Array(noise(10_000, seed: 1)[..<10]))
  }

  @Test func `a copy of a file that changed is refused`() throws {
    let source = try Place.open(path: path)
    write([1], at: 10_000)
    let sink = try ByteSink.local(folder.file("b"), replacing: false)
    #expect(throws: CheckpointError.self) { try sink.append(0..<source.size, of: source) }
  }

  @Test func `a file is recognized by any path that leads to it`() throws {
    #expect(unsafe symlink("a", folder.file("link")) == 0)
    #expect(unsafe link(path, folder.file("hard")) == 0)
    let source = try Place.open(path: path)
    for name in ["a", "./a", "link", "hard"] {
      #expect(source.isFile(folder.file(name)) && ByteSource.isBeingRead(folder.file(name)))
      #expect(!ByteSource.isBeingRead(folder.file(name), besides: path))
    }
    try folder.write([1], to: "other")
    #expect(!source.isFile(folder.file("other")) && !source.isFile(folder.file("none")))
    #expect(!ByteSource.isBeingRead(folder.file("other")))
  }
}
