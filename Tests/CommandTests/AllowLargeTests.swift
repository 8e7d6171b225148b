import TestSupport
import Testing

/// `--allow-large` lifts the budget in every command that has it.
@Suite struct AllowLargeTests {
  /// Runs a line that is refused without `--allow-large` and not with it.
  private func check(
    _ line: String, in place: Workplace, says reason: String, then status: Int = 0
  ) throws {
    let words = line.split(separator: " ").map(String.init)
    let refused = try CommandRun([CommandRun.executable] + words, in: place.folder.path)
    #expect(refused.status == 2, "\(line)")
    #expect(refused.errors.contains(reason), "\(line): \(refused.errors)")
    #expect(refused.errors.contains("; pass --allow-large to read it"), "\(line)")
    let run = try CommandRun(
      [CommandRun.executable] + words + ["--allow-large"], in: place.folder.path)
    #expect(run.status == status, "\(line): \(run.errors)")
  }

  /// A file of 35 KB in which 600 attributes' texts are one of 4,000 bytes.
  @Test(arguments: [
    ("ls a.h5", 0), ("stat a.h5", 0), ("show a.h5 layer.weight", 0), ("hash a.h5", 0),
    ("check a.h5", 0), ("diff a.h5 a.h5", 0), ("convert a.h5 b.ckz", 0), ("tree a.h5", 0),
    ("reinit a.h5 --match layer --rule Linear:weight=1 --model m.txt -o b.ckz", 0),
    ("verify a.h5 --model m.txt", 1), ("find-seed a.h5 --model m.txt --range 0..1", 1),
  ])
  func `a checkpoint is read when asked for`(line: String, status: Int) throws {
    let place = try Workplace()
    try place.folder.write(try Fixtures.bytes("hdf5/limits/shared-text.h5"), to: "a.h5")
    let layer = "(layer): Linear(in_features=3, out_features=2, bias=False)"
    try place.folder.write(Array("Net(\n  \(layer)\n)\n".utf8), to: "m.txt")
    try check(
      line, in: place, says: "attributes hold far more text than the file has bytes", then: status)
  }

  @Test func `a side file of many statements is read when asked for`() throws {
    let place = try Workplace()
    let layer = "Linear(in_features=1, out_features=1, bias=False)"
    let model = "Net(\n  (l): ModuleList(\n    (0-1999): 2000 x \(layer)\n  )\n)\n"
    try place.folder.write(Array(model.utf8), to: "m.txt")
    let lines = (0..<2001).map { "l.\($0 / 2).\($0 % 2 == 0 ? "x" : "y"): [1] = zeros\n" }
    try place.folder.write(Array(lines.joined().utf8), to: "e.txt")
    for line in ["tree m.txt --extra e.txt", "init m.txt --extra e.txt -o b.ckz"] {
      try check(
        line, in: place, says: "expected at most 2000 statements for a model of 2000 tensors")
    }
  }

  @Test func `a pickle of many values is scanned when asked for`() throws {
    let place = try Workplace()
    let calls = String(repeating: ")R", count: 1_800_000)
    try place.folder.write(Array("cmine\nmake\n\(calls).".utf8), to: "a.pkl")
    try check(
      "scan a.pkl", in: place, says: "the values of the pickle take more than 50331648 bytes")
  }
}
