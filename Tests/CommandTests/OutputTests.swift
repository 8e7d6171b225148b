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
    // All of the tensors' bytes and more, at the file's end.
    let part =
      ["safetensors", "gguf"].contains(format)
      ? "tail -c 7568000 piped > p; tail -c 7568000 file > f; cmp p f" : "cmp piped file"
    let run = try place.shell(
      """
      set -e; mkdir tmp; export TMPDIR=$PWD/tmp; ckpt init net.txt -o net.h5 \(rules); \
      ckpt convert net.h5 - --to \(format) \(one) | cat > piped; \
      ckpt convert net.h5 file --to \(format) \(one); \(part); ckpt check piped > check; ls -A tmp
      """)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.isEmpty)
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
