import ByteIO
import Glibc
import Synchronization
import TensorCore
import TestSupport
import Testing

/// Sinks of all kinds; those that are files with a file without a name, and with a random one.
@Suite struct ByteSinkTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `bytes are appended and the position is known`() throws {
    let received = Mutex<[UInt8]?>(nil)
    let sink = ByteSink.memory(name: "a") { bytes in received.withLock { $0 = bytes } }
    try sink.append([1, 2, 3].rawBytes)
    try sink.append([UInt8]().rawBytes)
    try sink.pad(toMultipleOf: 8)
    try sink.pad(toMultipleOf: 8)
    #expect(sink.position == 8)
    try sink.append([4].rawBytes)
    try sink.write([9, 9].rawBytes, at: 11)
    try sink.write([7].rawBytes, at: 0)
    #expect(sink.position == 9)
    #expect(received.withLock { $0 } == nil)
    try sink.commit()
    #expect(received.withLock { $0 } == [7, 2, 3, 0, 0, 0, 0, 0, 4, 0, 0, 9, 9])
  }

  @Test func `a file can be written at any place, from any task, and read back`() async throws {
    let sink = try ByteSink.local(folder.file("a"), replacing: false)
    #expect(sink.abilities.writesAnywhere)
    let bytes = noise(3_000_000, seed: 1)
    await withThrowingTaskGroup(of: Void.self) { group in
      for start in stride(from: 0, to: bytes.count, by: 250_000) {
        group.addTask {
          try sink.write(Array(bytes[start..<start + 250_000]).rawBytes, at: start)
        }
      }
    }
    let made = try sink.readBack()
    #expect(try made.bytes(0..<made.size) == bytes)
    #expect(try folder.names().isEmpty)
    try sink.commit()
    #expect(try folder.bytes(of: "a") == bytes)
  }

  @Test func `a temporary file has no name and goes with its sink`() throws {
    let sink = try ByteSink.temporary(for: "x")
    try sink.append([1, 2].rawBytes)
    let path = try #require(sink.abilities.descriptorPath)
    var status = stat()
    #expect(unsafe stat(path, &status) == 0)
    #expect(status.st_nlink == 0 && status.st_mode & 0o077 == 0)
    #expect(try sink.readBack().bytes(0..<2) == [1, 2])
  }

  @Test func `what a library writes to a file reaches a sink that cannot be opened`() async throws {
    let received = Mutex<[UInt8]>([])
    let bytes = noise(2_500_000, seed: 2)
    let sink = ByteSink.memory(name: "a") { made in received.withLock { $0 = made } }
    try await sink.staging { file in
      #expect(file.abilities.descriptorPath != nil && file.name == "a")
      try file.write(bytes.rawBytes, at: 0)
    }
    try sink.commit()
    #expect(received.withLock { $0 } == bytes)
  }
}

/// Files that take their names as a whole.
@Suite(.serialized) struct LocalSinkTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(
    _ path: String, replacing: Bool = true, isUnnamed: Bool = true, _ bytes: [UInt8] = [7, 8, 9]
  ) throws(CheckpointError) {
    let sink = try ByteSink.local(path, replacing: replacing, isUnnamed: isUnnamed)
    try sink.append(bytes.rawBytes)
    try sink.commit()
  }

  private func refusal(_ path: String, replacing: Bool = true) -> CheckpointError? {
    #expect(throws: CheckpointError.self) {
      let (place, name) = Place.locate(path)
      _ = try place.create(name, replacing: replacing)
    }
  }

  private func mode(_ name: String) -> mode_t {
    var status = stat()
    unsafe stat(folder.file(name), &status)
    return status.st_mode & 0o7777
  }

  @Test(arguments: [true, false])
  func `a new file is there, with the permissions of new files`(_ isUnnamed: Bool) throws {
    try write(folder.file("a"), replacing: false, isUnnamed: isUnnamed)
    #expect(try folder.bytes(of: "a") == [7, 8, 9])
    #expect(try folder.names() == ["a"])
    try folder.write([], to: "plain")
    #expect(mode("a") & 0o666 == mode("plain") & 0o666)
    try write(folder.file("b"), replacing: true, isUnnamed: isUnnamed)
    #expect(try folder.names() == ["a", "b", "plain"])
  }

  @Test(arguments: [true, false])
  func `an existing file is replaced only if that was asked for`(_ isUnnamed: Bool) throws {
    let path = try folder.write([1], to: "a")
    let error = refusal(path, replacing: false)
    #expect(error?.description == "\(path): exists; pass --force to replace it")
    #expect(try folder.bytes(of: "a") == [1])
    try write(path, isUnnamed: isUnnamed)
    #expect(try folder.bytes(of: "a") == [7, 8, 9])
    #expect(try folder.names() == ["a"])
  }

  @Test(arguments: [true, false])
  func `a file that came meanwhile is kept`(_ isUnnamed: Bool) throws {
    let path = folder.file("a")
    let error = #expect(throws: CheckpointError.self) {
      let sink = try ByteSink.local(path, replacing: false, isUnnamed: isUnnamed)
      try folder.write([1], to: "a")
      try sink.commit()
    }
    #expect(error?.description == "\(path): exists; pass --force to replace it")
    #expect(try folder.bytes(of: "a") == [1])
    #expect(try folder.names() == ["a"])
  }

  @Test(arguments: [true, false])
  func `a sink that is dropped leaves the old file and nothing else`(_ isUnnamed: Bool) throws {
    let path = try folder.write([1], to: "a")
    for name in [path, folder.file("b")] {
      let sink = try ByteSink.local(name, replacing: true, isUnnamed: isUnnamed)
      try sink.append([2, 3].rawBytes)
    }
    #expect(try folder.bytes(of: "a") == [1])
    #expect(try folder.names() == ["a"])
  }

  @Test(arguments: [mode_t(0o640), 0o600, 0o755, 0o444])
  func `permissions of the old file are kept`(_ permissions: mode_t) throws {
    let path = try folder.write([1], to: "a")
    #expect(unsafe chmod(path, permissions) == 0)
    try write(path)
    #expect(mode("a") == permissions)
    #expect(try folder.bytes(of: "a") == [7, 8, 9])
  }

  @Test func `a symbolic link stays and what it leads to is replaced`() throws {
    try folder.write([1], to: "real")
    #expect(unsafe symlink("real", folder.file("middle")) == 0)
    #expect(unsafe symlink(folder.file("middle"), folder.file("link")) == 0)
    try write(folder.file("link"))
    #expect(try folder.bytes(of: "real") == [7, 8, 9])
    var status = stat()
    unsafe lstat(folder.file("link"), &status)
    #expect(status.st_mode & S_IFMT == S_IFLNK)
    #expect(try folder.names() == ["link", "middle", "real"])
  }

  @Test func `a link to nothing makes what it leads to, a loop is refused`() throws {
    #expect(unsafe symlink("new", folder.file("link")) == 0)
    try write(folder.file("link"), replacing: false)
    #expect(try folder.bytes(of: "new") == [7, 8, 9])
    #expect(unsafe symlink("loop", folder.file("loop")) == 0)
    #expect(refusal(folder.file("loop"))?.message == "Too many levels of symbolic links")
  }

  @Test func `what is not a regular file is refused before any work`() throws {
    let pipe = folder.file("pipe")
    #expect(unsafe mkfifo(pipe, 0o600) == 0)
    let words = "expected a regular file to replace, found"
    #expect(refusal(pipe)?.message == "\(words) a pipe")
    #expect(refusal(folder.path)?.message == "\(words) a directory")
    #expect(refusal("/dev/null")?.message == "\(words) a device")
    #expect(refusal(folder.path + "/")?.message == "expected a file, found the name of a directory")
  }

  @Test func `a missing directory is named`() throws {
    let path = folder.file("none/a")
    #expect(
      refusal(path)?.description == "\(path): directory '\(folder.file("none"))' does not exist")
    #expect(refusal("/none/a")?.description == "/none/a: directory '/none' does not exist")
  }

  @Test func `a random name says what it is and fits a directory entry`() throws {
    let name = String(repeating: "é", count: 127) + "x"  // 255 bytes
    var seen: Set<String> = []
    for _ in 0..<3 {
      let sink = try ByteSink.local(folder.file(name), replacing: true, isUnnamed: false)
      let temporary = try #require(folder.names().first { $0 != name })
      #expect(temporary.hasPrefix(".éé") && temporary.contains(".ckpt-tmp-"))
      #expect(temporary.utf8.count <= 255)
      seen.insert(temporary)
      try sink.append([1].rawBytes)
      try sink.commit()
      #expect(try folder.names() == [name])
    }
    #expect(seen.count == 3)
    try write(folder.file(name))
    #expect(try folder.names() == [name])
  }

  private static let setAttribute =
    "python3 -c 'import os,sys; os.setxattr(sys.argv[1], \"user.note\", b\"kept\")' "
  private static let hasAttributes: Bool = {
    guard let folder = try? TemporaryFolder(), let path = try? folder.write([], to: "a") else {
      return false
    }
    return (try? CommandRun(shell: setAttribute + CommandRun.quoted(path)).status) == 0
  }()

  @Test(.enabled(if: hasAttributes, "no python3, or a file system without extended attributes"))
  func `extended attributes are kept`() throws {
    let path = try folder.write([1], to: "a")
    #expect(try CommandRun(shell: Self.setAttribute + CommandRun.quoted(path)).status == 0)
    try write(path)
    let get = "python3 -c 'import os,sys; print(os.getxattr(sys.argv[1], \"user.note\"))' "
    #expect(try CommandRun(shell: get + CommandRun.quoted(path)).output == "b'kept'\n")
  }

  @Test func `a full disk leaves the old file`() async throws {
    let path = try folder.write([1], to: "a")
    await #expect(processExitsWith: .success) { [path = path as String] in
      signal(SIGXFSZ, SIG_IGN)
      for limit in [0, 1, 4096, 100_000] {
        var size = rlimit(rlim_cur: rlim_t(limit), rlim_max: .max)
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &size)
        let error = #expect(throws: CheckpointError.self) {
          let sink = try ByteSink.local(path, replacing: true)
          for _ in 0..<200 { try sink.append([UInt8](repeating: 2, count: 1000).rawBytes) }
          try sink.commit()
        }
        #expect(error?.message == "write: File too large")
        #expect(error?.offset == limit && error?.systemNumber == EFBIG)
      }
    }
    #expect(try folder.bytes(of: "a") == [1])
    #expect(try folder.names() == ["a"])
  }

  @Test func `a signal's thread can remove what is in the making`() async throws {
    let path = try folder.write([1], to: "a")
    await #expect(processExitsWith: .success) { [path = path as String] in
      let named = try ByteSink.local(path, replacing: true, isUnnamed: false)
      let unnamed = try ByteSink.local(path, replacing: true)
      ByteSink.removeUnfinished()
      #expect(throws: CheckpointError.self) { try named.commit() }
      #expect(throws: CheckpointError.self) { try unnamed.commit() }
    }
    #expect(try folder.bytes(of: "a") == [1])
    #expect(try folder.names() == ["a"])
  }
}
