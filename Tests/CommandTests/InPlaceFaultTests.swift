import TestSupport
import Testing

/// What `reinit --in-place` leaves when it cannot finish: the old file or the new one, and nothing
/// beside it.
@Suite struct InPlaceFaultTests {
  static let endings = ["h5", "ckz", "safetensors", "pt", "npz", "gguf"]
  private let place: Workplace

  init() throws {
    place = try Workplace()
    let text = """
      Sequential(
        (0): Linear(in_features=1000, out_features=700, bias=True)
        (1): Linear(in_features=70, out_features=7, bias=True)
      )
      """
    try place.folder.write(Array(text.utf8), to: "net.txt")
  }

  private func make(_ ending: String) throws {
    let made = try place.ckpt("init", "net.txt", "-o", "old.\(ending)")
    try #require(made.status == 0, "\(made.errors)")
    _ = try place.shell("cp old.\(ending) a.\(ending)")
  }

  @Test(arguments: endings)
  func `a write that fails leaves the old file`(ending: String) throws {
    try make(ending)
    let names = try place.folder.names()
    // Half of the file, in blocks of 512 bytes.
    let run = try place.shell(
      "ulimit -f 2800; ckpt reinit a.\(ending) --match 1 --seed 9 --in-place --quiet")
    #expect(run.status == 2)
    #expect(run.errors.contains("a.\(ending): at byte "))
    #expect(try place.shell("cmp a.\(ending) old.\(ending)").status == 0)
    #expect(try place.folder.names() == names)
  }

  @Test(arguments: endings)
  func `a process that is killed leaves the old or the new file`(ending: String) throws {
    try make(ending)
    let reinit = "reinit a.\(ending) --match 1 --seed 9 --in-place --quiet"
    _ = try place.shell("ckpt \(reinit) && mv a.\(ending) new.\(ending)")
    let names = try place.folder.names() + ["a.\(ending)"]
    let command = CommandRun.quoted(CommandRun.executable)
    for delay in ["0.005", "0.01", "0.02", "0.03", "0.04", "0.05", "0.07", "0.09", "0.15"] {
      let run = try place.shell(
        """
        cp old.\(ending) a.\(ending)
        timeout -s KILL \(delay) \(command) \(reinit) > log 2>&1
        rm log
        cmp -s a.\(ending) old.\(ending) || cmp -s a.\(ending) new.\(ending)
        """)
      #expect(run.status == 0, "killed after \(delay) s")
      #expect(try place.folder.names() == names.sorted(), "killed after \(delay) s")
    }
  }
}
