import CheckpointKit
import TestSupport
import Testing

/// Every command works on every format, and the answers do not depend on it.
@Suite struct EveryFormatTests {
  /// Names of the formats that can be written without an existing file to fill.
  static let formats = CheckpointFormat.all.filter {
    $0.write != nil && !$0.capabilities.needsTemplate && !$0.capabilities.holdsOneTensor
  }
  .map(\.name)

  @Test(arguments: formats)
  func `what the commands say does not depend on the format`(_ name: String) throws {
    let format = try CheckpointFormat.writable(named: name)
    let place = try Workplace()
    try place.makeArticle("a.h5", "--seed", "5")
    let file = "b" + format.extensions[0]
    let made = try place.ckpt("init", "model.txt", "--seed", "5", "-o", file, "--quiet")
    #expect(made.status == 0 && made.errors.isEmpty, "\(made.errors)")

    func same(_ words: String...) throws {
      let expected = try CommandRun(
        [CommandRun.executable] + words.map { $0.replacing("FILE", with: "a.h5") },
        in: place.folder.path)
      let found = try CommandRun(
        [CommandRun.executable] + words.map { $0.replacing("FILE", with: file) },
        in: place.folder.path)
      #expect(found.status == expected.status, "\(words) \(found.errors)")
      func comparable(_ text: String) -> String {
        let text = text.replacing("a.h5", with: file).replacing("hdf5", with: format.name)
        // What could be verified depends on the format.
        guard words[0] == "check", let start = text.firstIndex(of: "(") else { return text }
        return String(text[..<start])
      }
      #expect(comparable(found.output) == comparable(expected.output), "\(words)")
    }
    try same("ls", "FILE")
    try same("ls", "FILE", "--match", "**.bias", "--json")
    try same("stat", "FILE", "--depth", "1")
    // With a recipe, the spread is compared with the expected one.
    if !format.capabilities.values.isEmpty { try same("stat", "FILE") }
    try same("show", "FILE", "layer2.0.weight[1, 0:3]")
    try same("hash", "FILE", "--manifest")
    try same("hash", "FILE")
    try same("check", "FILE")
    try same("verify", "FILE", "--model", "model.txt", "--seed", "5")
    try same("verify", "FILE", "--model", "model.txt", "--seed", "6", "--json")
    try same("diff", "FILE", "a.h5")
    try same("diff", "a.h5", "FILE")
    if format.capabilities.keepsModules { try same("tree", "FILE", "--params") }
    if !format.capabilities.values.isEmpty { try same("verify", "FILE") }

    for source in ["a.h5", file] {
      let ending = source == file ? format.extensions[0] : ".h5"
      let run = try place.ckpt(
        "reinit", source, "--match", "layer1.*", "--model", "model.txt", "--seed", "9", "-o",
        "drawn-\(source.prefix(1))" + ending, "--quiet")
      #expect(run.status == 0, "\(run.errors)")
    }
    let drawn = "drawn-b" + format.extensions[0]
    #expect(try place.fingerprint("drawn-a.h5") == place.fingerprint(drawn))
    let names = try place.ckpt("diff", file, drawn, "--name-only")
    #expect(names.status == 1 && names.output == "layer1.weight\nlayer1.bias\n")
  }
}
