import CheckpointKit
import TestSupport
import Testing

/// Names of files are bytes: what is not UTF-8 is kept in every command, and escaped in messages.
@Suite struct PathBytesTests {
  /// `\xff` and the first byte of a longer character, as paths have them.
  private static let odd =
    String(pathBytes: [0xff] as [UInt8]) + "x" + String(pathBytes: [0xc3] as [UInt8])

  @Test(
    arguments: [
      [], [0x61], Array("é/日本".utf8), [0xff], [0x80, 0x2f, 0xc3], [0xed, 0xa0, 0x80],
      [0xc0, 0xaf], [0xf4, 0x90, 0x80, 0x80],
      [0xef, 0xb7, 0x9f, 0xef, 0xb7, 0xaf, 0xef, 0xb7, 0x90],
      [0xff, 0xef, 0xb7, 0x9f, 0xfe],
    ] as [[UInt8]])
  func `each path has one text, and the text its bytes`(bytes: [UInt8]) {
    let text = String(pathBytes: bytes)
    #expect(text.pathBytes == bytes)
    #expect(text.systemPath.map { UInt8(bitPattern: $0) } == bytes + [0])
    #expect(String(pathBytes: text.pathBytes).utf8.elementsEqual(text.utf8))
    #expect(
      text.isTextPath == (String(validating: bytes, as: UTF8.self) != nil && !bytes.contains(0xb7)))
  }

  @Test func `all pairs of bytes come back`() {
    for first in UInt8.min...UInt8.max {
      for second in UInt8.min...UInt8.max {
        #expect(String(pathBytes: [first, second]).pathBytes == [first, second])
      }
    }
  }

  @Test func `texts that no path gives stay as they are, and none hides a slash`() {
    for scalars in [[0xfdd2, 0xfdef], [0xfdd0, 0xfde0], [0xfddf], [0xfdef, 0xfddf]] as [[UInt32]] {
      let text = String(String.UnicodeScalarView(scalars.compactMap(Unicode.Scalar.init)))
      #expect(text.pathBytes == Array(text.utf8))
    }
    #expect(Self.odd.shownPath == "\\xffx\\xc3")
    #expect("a\u{7}\(Self.odd)".escapingControls == "a\\u{7}\\xffx\\xc3")
  }

  @Test func `every command takes, lists, and writes files whose names are not UTF-8`() throws {
    let place = try Workplace()
    let (folder, name) = ("d\(Self.odd)", Self.odd)
    _ = try place.shell("mkdir \(CommandRun.quoted(folder))")
    func run(_ arguments: String..., status: Int = 0) throws -> CommandRun {
      let run = try CommandRun([CommandRun.executable] + arguments, in: place.folder.path)
      #expect(run.status == status, "\(arguments): \(run.errors)")
      return run
    }
    for ending in ["safetensors", "npz", "h5", "pt", "ckz", "gguf"] {
      let file = "\(folder)/\(name).\(ending)"
      #expect(
        try run("init", "model.txt", "-o", file).errors.contains(
          "wrote d\\xffx\\xc3/\\xffx\\xc3.\(ending): "))
      _ = try run("ls", file)
      #expect(try run("check", file).output.hasPrefix("d\\xffx\\xc3/\\xffx\\xc3.\(ending): ok"))
      _ = try run("reinit", file, "--match", "Linear", "--seed", "1", "--in-place")
      _ = try run("diff", file, file)
      _ = try run("convert", file, "\(name).out.\(ending)")
      #expect(
        try run("init", "model.txt", "-o", file, status: 2).errors
          == "ckpt: d\\xffx\\xc3/\\xffx\\xc3.\(ending): exists; pass --force to replace it\n")
    }
    // Bytes on the disk, and not something that looks like them.
    let listed = try place.shell("ls -b d*")
    #expect(
      listed.lines.map { $0.suffix(24) }.contains { $0.hasSuffix("\\377x\\303.ckz") },
      "\(listed.output)")
    #expect(
      try run("ls", "no\(name).npz", status: 2).errors
        == "ckpt: no\\xffx\\xc3.npz: No such file or directory\n")
    _ = try run("unheard\(name)", status: 64)

    let file = "\(folder)/\(name).npz"
    let sums = try run("hash", file).output
    #expect(sums.hasPrefix("\\") && sums.hasSuffix("  d\\xffx\\xc3/\\xffx\\xc3.npz\n"), "\(sums)")
    #expect(try place.shell("ckpt hash d*/*.npz | ckpt hash --check -").status == 0)
    let report = try run("hash", "--json", file).output
    #expect(try JSON(report)[0]?["file"] == .text("d\\xffx\\xc3/\\xffx\\xc3.npz"))

    // Shards are found beside their index; an index cannot name files that are not UTF-8.
    _ = try run("convert", file, "\(folder)/m.safetensors", "--shard-size", "300B")
    _ = try run("check", "\(folder)/m.safetensors.index.json")
    #expect(
      try run("convert", file, "\(name).safetensors", "--shard-size", "300B", status: 2).errors
        .hasSuffix(
          "\\xffx\\xc3.safetensors: an index in JSON cannot name files whose names are not UTF-8; "
            + "use another name\n"))
    #expect(try place.shell("ls | grep -c 0000").output == "0\n")
    // Side files, and links to such names.
    _ = try place.shell("cp model.txt \(CommandRun.quoted("m\(name).txt"))")
    _ = try run("tree", "m\(name).txt")
    _ = try place.shell("ln -s \(CommandRun.quoted("\(name).out.npz")) link.npz")
    _ = try run("reinit", "link.npz", "--match", "Linear", "--seed", "2", "--in-place")
    #expect(try place.shell("test -L link.npz").status == 0)
    _ = try place.shell("mkdir t; TMPDIR=t ckpt convert link.npz - --to hdf5 > o.h5")
    _ = try run("check", "o.h5")
  }

  @Test func `names with control characters are checked again`() throws {
    let place = try Workplace()
    try place.makeArticle("a\nb\\c.npz")
    let sums = try place.ckpt("hash", "a\nb\\c.npz").output
    #expect(sums.hasPrefix("\\") && sums.hasSuffix("  a\\nb\\\\c.npz\n"), "\(sums)")
    try place.folder.write(Array(sums.utf8), to: "SUMS")
    #expect(try place.ckpt("hash", "--check", "SUMS").output == "a\\nb\\c.npz: OK\n")
    try place.folder.write(Array(sums.replacing("\\n", with: "\\q").utf8), to: "SUMS")
    #expect(try place.ckpt("hash", "--check", "SUMS").status == 2)
  }
}
