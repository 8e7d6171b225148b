import TestSupport
import Testing

/// Damaged files that our own reader accepts and that make libhdf5 1.10.8 crash while it writes a copy.
@Suite struct LibraryCrashTests {
  @Test(arguments: ["message", "free-space", "filter"])
  func `a file on which libhdf5 crashes ends with a line, and nothing is written`(
    name: String
  ) throws {
    let place = try Workplace()
    let file = name + ".h5"
    let bytes = try Fixtures.bytes("hdf5/crashing/" + file)
    try place.folder.write(bytes, to: file)
    for arguments in [
      ["convert", file, "copy.h5", "--like", file, "--quiet"],
      ["convert", file, file, "--like", file, "--force", "--quiet"],
    ] {
      let run = try CommandRun([CommandRun.executable] + arguments, in: place.folder.path)
      // Another version of the library may refuse the file itself.
      #expect(run.status == 2, "\(run.errors)")
      // A damaged heap is also reported by the C library.
      let last = run.errors.split(separator: "\n").last ?? ""
      #expect(last.hasPrefix("ckpt: \(file): ") || last.hasPrefix("ckpt: copy.h5: "), "\(last)")
      #expect(try place.folder.names() == [file, "model.txt"].sorted())
      #expect(try place.folder.bytes(of: file) == bytes)
    }
  }

  @Test func `a file that claims more chunks than it could hold is not filled`() throws {
    let place = try Workplace()
    try place.folder.write(try Fixtures.bytes("hdf5/limits/many-chunks.h5"), to: "a.h5")
    let run = try place.ckpt("convert", "a.h5", "b.h5", "--like", "a.h5")
    #expect(run.status == 2)
    #expect(
      run.errors
        == "ckpt: a.h5: tensor 'w': more than 1049976 chunks would be written into a file of 1400 bytes; pass --allow-large to write them\n"
    )
    #expect(try place.folder.names() == ["a.h5", "model.txt"])
  }
}
