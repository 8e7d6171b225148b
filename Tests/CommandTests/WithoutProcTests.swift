import TestSupport
import Testing

private let hide = ["unshare", "-m", "/bin/sh", "-c"]
private let canHide =
  (try? CommandRun(hide + ["mount -t tmpfs none /proc"], in: "/tmp").status) == 0

/// The command where `/proc` is not mounted, as in a bare chroot.
@Suite(.enabled(if: canHide, "unshare -m is not allowed"))
struct WithoutProcTests {
  /// Runs a line of the shell in which `/proc` is empty.
  private static func shell(_ place: Workplace, _ line: String) throws -> CommandRun {
    let command = CommandRun.quoted(CommandRun.executable)
    return try CommandRun(
      hide + ["mount -t tmpfs none /proc; set -e; ckpt() { \(command) \"$@\"; }; \(line)"],
      in: place.folder.path)
  }

  @Test func `arguments arrive, and a wrong one is refused`() throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz")
    let run = try Self.shell(place, "ls /proc; ckpt check a.ckz")
    #expect(run.status == 0 && run.output.hasPrefix("a.ckz: ok"), "\(run.output)\(run.errors)")
    #expect(try Self.shell(place, "ckpt check missing.ckz").status == 2)
    #expect(try Self.shell(place, "ckpt check --wrong a.ckz").status == 64)
  }

  @Test(arguments: ["safetensors", "pt", "npz", "npy", "h5", "gguf", "ckz"])
  func `every format is written and read`(ending: String) throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz", "--seed", "3")
    let one = ending == "npy" ? " --match layer1.weight" : ""
    _ = try place.shell("ckpt convert a.ckz expected.\(ending)\(one) -q")
    let run = try Self.shell(
      place,
      "ckpt convert a.ckz new.\(ending)\(one) -q; ckpt diff new.\(ending) expected.\(ending) -q")
    #expect(run.status == 0, "\(run.errors)")
    let names = try place.folder.names()
    #expect(names.contains("new.\(ending)") && names.allSatisfy { !$0.hasPrefix(".") })
  }

  @Test func `files are changed in place, and packs grow`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5", "--seed", "3")
    let run = try Self.shell(
      place,
      """
      ckpt reinit a.h5 --match layer1 --seed 4 --in-place -q; ckpt convert a.h5 b.pt -q
      ckpt pack a.h5 -o run.ckz -q; ckpt pack b.pt -o run.ckz -q; ckpt check run.ckz
      """)
    #expect(run.status == 0 && run.output.hasPrefix("run.ckz: ok"), "\(run.output)\(run.errors)")
    #expect(try place.folder.names().allSatisfy { !$0.hasPrefix(".") })
  }
}
