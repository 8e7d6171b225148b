import ByteIO
import Glibc
import TensorCore
import TestSupport
import Testing

@Suite struct AtomicFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private struct Interruption: Error {}

  private func replace(
    _ path: String, overwrite: Bool = true, with bytes: [UInt8] = [7, 8, 9]
  ) async throws {
    try await AtomicFile.replace(path, overwrite: overwrite) { temporary in
      let file = try OutputFile(creating: temporary)
      try file.append(bytes.rawBytes)
      try file.close()
    }
  }

  private func refusal(_ path: String, overwrite: Bool = true) async -> CheckpointError? {
    await #expect(throws: CheckpointError.self) {
      try await AtomicFile.replace(path, overwrite: overwrite) { _ in
        Issue.record("work began")
      }
    }
  }

  private func mode(_ name: String) -> mode_t {
    var status = stat()
    unsafe stat(folder.file(name), &status)
    return status.st_mode & 0o7777
  }

  @Test func `a new file has the default permissions`() async throws {
    try await replace(folder.file("a"), overwrite: false)
    #expect(try folder.bytes(of: "a") == [7, 8, 9])
    #expect(try folder.names() == ["a"])
    try folder.write([], to: "plain")
    #expect(mode("a") & 0o666 == mode("plain") & 0o666)
  }

  @Test func `an existing file is replaced only on request`() async throws {
    let path = try folder.write([1], to: "a")
    let error = await refusal(path, overwrite: false)
    #expect(error?.description == "\(path): exists; pass --force to replace it")
    #expect(throws: CheckpointError.self) { try AtomicFile.check(path, overwrite: false) }
    try AtomicFile.check(path, overwrite: true)
    #expect(try folder.bytes(of: "a") == [1])
    try await replace(path)
    #expect(try folder.bytes(of: "a") == [7, 8, 9])
    #expect(try folder.names() == ["a"])
  }

  @Test func `a file created meanwhile is kept`() async throws {
    let path = folder.file("a")
    let error = await #expect(throws: CheckpointError.self) {
      try await AtomicFile.replace(path, overwrite: false) { temporary in
        try OutputFile(creating: temporary).close()
        try folder.write([1], to: "a")
      }
    }
    #expect(error?.message == "exists; pass --force to replace it")
    #expect(try folder.bytes(of: "a") == [1])
    #expect(try folder.names() == ["a"])
  }

  @Test(arguments: [mode_t(0o640), 0o600, 0o755, 0o444])
  func `permissions of the old file are kept`(_ permissions: mode_t) async throws {
    let path = try folder.write([1], to: "a")
    #expect(unsafe chmod(path, permissions) == 0)
    try await replace(path)
    #expect(mode("a") == permissions)
    #expect(try folder.bytes(of: "a") == [7, 8, 9])
  }

  @Test func `a symbolic link stays and its target is replaced`() async throws {
    try folder.write([1], to: "real")
    #expect(unsafe symlink("real", folder.file("middle")) == 0)
    #expect(unsafe symlink(folder.file("middle"), folder.file("link")) == 0)
    try await replace(folder.file("link"))
    #expect(try folder.bytes(of: "real") == [7, 8, 9])
    var status = stat()
    unsafe lstat(folder.file("link"), &status)
    #expect(status.st_mode & S_IFMT == S_IFLNK)
    #expect(try folder.names() == ["link", "middle", "real"])
  }

  @Test func `a dangling link creates its target, a loop is refused`() async throws {
    #expect(unsafe symlink("new", folder.file("link")) == 0)
    try await replace(folder.file("link"), overwrite: false)
    #expect(try folder.bytes(of: "new") == [7, 8, 9])
    #expect(unsafe symlink("loop", folder.file("loop")) == 0)
    #expect(await refusal(folder.file("loop"))?.message == "Too many levels of symbolic links")
  }

  @Test func `an error of the body leaves the old file and nothing else`() async throws {
    let path = try folder.write([1], to: "a")
    await #expect(throws: Interruption.self) {
      try await AtomicFile.replace(path, overwrite: true) { temporary in
        let file = try OutputFile(creating: temporary)
        try file.append([2, 3].rawBytes)
        throw Interruption()
      }
    }
    #expect(try folder.bytes(of: "a") == [1])
    #expect(try folder.names() == ["a"])
  }

  @Test func `a body that creates no file is an error`() async throws {
    let path = try folder.write([1], to: "a")
    await #expect(throws: CheckpointError.self) {
      try await AtomicFile.replace(path, overwrite: true) { _ in }
    }
    #expect(try folder.bytes(of: "a") == [1])
  }

  @Test func `a target that is not a regular file is refused before any work`() async throws {
    let pipe = folder.file("pipe")
    #expect(unsafe mkfifo(pipe, 0o600) == 0)
    let words = "expected a regular file to replace, found"
    #expect(await refusal(pipe)?.message == "\(words) a pipe")
    #expect(await refusal(folder.path)?.message == "\(words) a directory")
    #expect(await refusal("/dev/null")?.message == "\(words) a device")
    #expect(
      await refusal(folder.path + "/")?.message == "expected a file, found the name of a directory")
    #expect(
      await refusal(folder.file("none/a"))?.message.hasSuffix("No such file or directory") == true)
  }

  @Test func `a temporary's name tells what it is and is not too long`() async throws {
    let name = String(repeating: "é", count: 127) + "x"  // 255 bytes
    let temporary = try await AtomicFile.replace(folder.file(name), overwrite: false) { path in
      try OutputFile(creating: path).close()
      return path
    }
    let last = try #require(temporary.split(separator: "/").last)
    #expect(last.hasPrefix(".éé") && last.contains(".ckpt-tmp-\(getpid())-"))
    #expect(last.utf8.count <= 255)
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
  func `extended attributes are kept`() async throws {
    let path = try folder.write([1], to: "a")
    #expect(try CommandRun(shell: Self.setAttribute + CommandRun.quoted(path)).status == 0)
    try await replace(path)
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
        let error = await #expect(throws: CheckpointError.self) {
          try await AtomicFile.replace(path, overwrite: true) { temporary in
            let file = try OutputFile(creating: temporary)
            for _ in 0..<200 { try file.append([UInt8](repeating: 2, count: 1000).rawBytes) }
            try file.close()
          }
        }
        #expect(error?.message == "write: File too large")
        #expect(error?.offset == limit)
      }
    }
    #expect(try folder.bytes(of: "a") == [1])
    #expect(try folder.names() == ["a"])
  }

  @Test func `a signal's thread can remove temporary files`() async throws {
    let path = try folder.write([1], to: "a")
    await #expect(processExitsWith: .success) { [path = path as String] in
      await #expect(throws: CheckpointError.self) {
        try await AtomicFile.replace(path, overwrite: true) { temporary in
          try OutputFile(creating: temporary).close()
          AtomicFile.removeTemporaries()
          #expect(unsafe access(temporary, F_OK) == -1)
        }
      }
    }
    #expect(try folder.bytes(of: "a") == [1])
    #expect(try folder.names() == ["a"])
  }
}
