import TestSupport
import Testing

private let hide = ["unshare", "-m", "/bin/sh", "-c"]
private let canHide =
  (try? CommandRun(hide + ["mount -t tmpfs none /proc"], in: "/tmp").status) == 0

/// The command where `/proc` is not mounted, as in a bare chroot.
@Suite(.enabled(if: canHide, "unshare -m is not allowed"))
struct WithoutProcTests {
  @Test func `the message tells why, and nothing passes for success`() throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz")
    for line in ["check a.ckz", "convert a.ckz b.npz", "--version", ""] {
      let command = CommandRun.quoted(CommandRun.executable)
      let run = try CommandRun(
        hide + ["mount -t tmpfs none /proc; exec \(command) \(line)"], in: place.folder.path)
      #expect(run.status == 2 && run.output.isEmpty, "\(line): \(run.output)")
      #expect(run.errors.hasPrefix("ckpt: /proc is not mounted here"), "\(line): \(run.errors)")
    }
    #expect(try place.folder.names().allSatisfy { !$0.contains("npz") })
  }
}
