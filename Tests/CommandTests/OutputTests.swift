import CheckpointKit
import TestSupport
import Testing

/// How commands put their output in place: atomically, past any leftover files, and into
/// a pipe with the same bytes.
@Suite struct OutputTests {
  /// Formats that can be written without a template.
  static let formats = CheckpointFormat.all.filter {
    $0.write != nil && !$0.capabilities.needsTemplate
  }.map(\.name)

  private static let executable = CommandRun.quoted(CommandRun.executable)

  private static func place() throws -> Workplace {
    let place = try Workplace()
    try place.makeArticle("a.h5", "--seed", "5")
    return place
  }

  @Test(arguments: formats)
  func `a pipe gets the bytes of a file, but for a fingerprint before the tensors`(_ format: String)
    throws
  {
    let place = try Self.place()
    // Large tensors, copies of them, and copies but for the last byte.
    let text = """
      Net(
        (a): Linear(in_features=700, out_features=900)
        (b): Linear(in_features=700, out_features=900)
        (c): Linear(in_features=900, out_features=700)
        (d): Linear(in_features=2, out_features=3)
      )
      """
    try place.folder.write(Array(text.utf8), to: "net.txt")
    let rules = "--rule 'a: weight=ones' --rule 'b: weight=ones' --rule 'c: weight=ones'"
    let one = format == "npy" ? "--match a.weight --quiet" : "--quiet"
    let hasFingerprint = ["safetensors", "gguf"].contains(format)
    let part = hasFingerprint ? "true" : "cmp piped file"
    let run = try place.shell(
      """
      set -e; mkdir tmp; export TMPDIR=$PWD/tmp; ckpt init net.txt -o net.h5 \(rules); \
      ckpt convert net.h5 - --to \(format) \(one) | cat > piped; \
      ckpt convert net.h5 file --to \(format) \(one); \(part); ckpt check piped > check; ls -A tmp
      """)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.isEmpty)
    if hasFingerprint {
      let file = try Self.withoutFingerprint(place.folder.bytes(of: "file"), format)
      #expect(try Self.isEqual(file, place.folder.bytes(of: "piped")))
    }
  }

  /// A file without its fingerprint: an item of GGUF's metadata, a member of safetensors' header.
  private static func withoutFingerprint(_ file: [UInt8], _ format: String) throws -> [UInt8] {
    let key = Array("ckpt.fingerprint".utf8)
    let start = try #require(file.firstRange(of: key)?.lowerBound)
    var bytes = file
    if format == "gguf" {
      // The key's length, the key, its kind, the value's length, and `blake3:` with 64 digits.
      bytes.removeSubrange(start - 8..<start + key.count + 4 + 8 + 71)
      bytes[16] -= 1
    } else {
      // The key in quotes, a colon, the text in quotes, and a comma.
      bytes.removeSubrange(start - 1..<start + key.count + 1 + 1 + 73 + 1)
      bytes.replaceSubrange(..<8, with: repeatElement(0, count: 8))
    }
    return bytes
  }

  /// Whether two files differ only in the blanks or zeros between header and tensors, and in the
  /// header's length before it.
  private static func isEqual(_ file: [UInt8], _ piped: [UInt8]) -> Bool {
    // Of the tensors, which come last; GGUF pads each to 32 bytes.
    let size = file.first == UInt8(ascii: "G") ? 7_570_112 : 7_570_036
    func head(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
      let head = bytes[..<(bytes.count - size)]
      return head[(head.first == UInt8(ascii: "G") ? 0 : 8)...].dropLast(while: {
        $0 == 0 || $0 == UInt8(ascii: " ")
      })
    }
    return file.suffix(size) == piped.suffix(size) && head(file) == head(piped)
  }

  @Test(arguments: ["ckz", "safetensors", "gguf", "npz", "npy", "pytorch"])
  func `what can stream needs no temporary file`(_ format: String) throws {
    let place = try Self.place()
    let one = format == "npy" ? "--match layer1.bias" : ""
    let run = try place.shell(
      "TMPDIR=$PWD/nowhere ckpt convert a.h5 - --to \(format) \(one) --quiet | cat > b")
    #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
    #expect(try place.ckpt("check", "b").status == 0)
    let staged = try place.shell("TMPDIR=$PWD/nowhere ckpt convert a.h5 - --to hdf5 > c")
    #expect(staged.status == 2)
    #expect(staged.errors == "ckpt: standard output: create: No such file or directory\n")
  }

  @Test func `leftover files are never in the way`() throws {
    let place = try Self.place()
    let run = try place.shell(
      """
      for i in 1 2 3; do echo left > .b.ckz.ckpt-tmp-$$-$i; done; \
      for i in $(seq 0 300); do echo left > .b.ckz.ckpt-tmp-$i; done; \
      exec \(Self.executable) convert a.h5 b.ckz --quiet
      """)
    #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
    #expect(try place.ckpt("diff", "a.h5", "b.ckz").status == 0)
    #expect(try place.shell("cat .b.ckz.ckpt-tmp-* | sort -u").output == "left\n")
    #expect(try place.folder.names().count { $0.contains("ckpt-tmp") } == 304)
  }

  @Test(arguments: ["ckz", "hdf5", "safetensors"])
  func `a link that was planted among temporary files is not followed`(_ format: String) throws {
    let place = try Self.place()
    try place.folder.write(Array("victim".utf8), to: "victim")
    let run = try place.shell(
      """
      mkdir tmp; export TMPDIR=$PWD/tmp
      for name in output input member; do for i in 1 2 3; do
        ln -s $PWD/victim tmp/.ckpt-$name.ckpt-tmp-$$-$i; ln -s $PWD/victim .o.ckpt-tmp-$$-$i
      done; done 2> /dev/null
      exec \(Self.executable) convert - - --to \(format) --quiet < a.h5 > o
      """)
    #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
    #expect(try place.folder.bytes(of: "victim") == Array("victim".utf8))
    #expect(try place.ckpt("diff", "a.h5", "o").status == 0)
  }
}

extension ArraySlice<UInt8> {
  fileprivate func dropLast(while isDropped: (UInt8) -> Bool) -> Self {
    self[..<((lastIndex { !isDropped($0) } ?? startIndex - 1) + 1)]
  }
}
