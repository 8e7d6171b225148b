import ByteIO
import Glibc
import TensorCore
import TestSupport
import Testing

/// Libraries that are loaded when they are needed.
@Suite struct SystemLibraryTests {
  @Test func `a library that is not installed is named, with its package`() {
    let error = #expect(throws: CheckpointError.self) {
      try unsafe SystemLibrary.load(
        ["libnone.so.7", "libneither.so.7"], package: "libnone7"
      ) { _ in nil }
    }
    #expect(
      error?.message
        == "needs libnone.so.7 or libneither.so.7, which is not installed; Debian's package is libnone7"
    )
    #expect(error?.code == .unsupported)
  }

  @Test func `one that is there and cannot be loaded is reported in the loader's words`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Array("text".utf8), to: "libodd.so")
    let error = #expect(throws: CheckpointError.self) {
      try unsafe SystemLibrary.load([path, "libc.so.6"], package: "libodd") { _ in nil }
    }
    #expect(
      error?.message.hasPrefix("needs \(path), which cannot be loaded: \(path): ") == true,
      "\(error?.message ?? "")")
  }

  @Test func `the first library that is installed is loaded`() throws {
    var isFound = false
    try unsafe SystemLibrary.load(["libnone.so.7", "libc.so.6"], package: "libc6") { _ in
      isFound = true
      return nil
    }
    #expect(isFound)
  }

  @Test func `a function that a library lacks is named`() {
    let error = #expect(throws: CheckpointError.self) {
      try unsafe SystemLibrary.load(["libc.so.6"], package: "libc6") { _ in
        unsafe UnsafePointer(strdup("none"))
      }
    }
    #expect(
      error?.message
        == "needs the function none, which the installed libc.so.6 does not have; upgrade libc6")
  }
}
