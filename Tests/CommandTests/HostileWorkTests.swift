import TestSupport
import Testing

/// What would take endless work or memory is refused in one line before it begins.
@Suite struct HostileWorkTests {
  private static func octal(_ size: Int) -> String {
    (size < 0 ? "-" : "0")
      + String(repeating: "0", count: 10 - String(abs(size), radix: 8).count)
      + String(abs(size), radix: 8)
  }

  private static func tar(_ name: String, size: Int, kind: String) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at place: Int) {
      for (index, byte) in text.utf8.enumerated() { header[place + index] = byte }
    }
    put(name, at: 0)
    put(octal(size), at: 124)
    put("        ", at: 148)
    put(kind, at: 156)
    put("ustar", at: 257)
    let sum = header.reduce(0) { $0 + Int($1) }
    put(String(String(sum + 0o1000000, radix: 8).dropFirst()), at: 148)
    header[154] = 0
    return header
  }

  @Test func `a tar member of a negative size is refused at its header`() throws {
    let place = try Workplace()
    try place.folder.write(Self.tar("pickle", size: -1, kind: "0"), to: "a.pt")
    let run = try place.ckpt("ls", "a.pt")
    #expect(run.status == 2 && run.errors.hasPrefix("ckpt: a.pt: at byte 0: "), "\(run.errors)")
    try place.folder.write(
      Self.tar("sys_info", size: 0, kind: "0") + Self.tar("x", size: -1024, kind: "5"), to: "b.pt")
    let back = try place.ckpt("ls", "b.pt")
    #expect(
      back.status == 2 && back.errors.hasPrefix("ckpt: b.pt: at byte 512: "), "\(back.errors)")
  }

  @Test(arguments: ["|", "&", "|!"])
  func `a selector of more words than a person writes is refused`(operator: String) throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    let words = [String](repeating: "l*", count: 20_000).joined(separator: `operator`)
    let run = try place.ckpt("ls", "a.h5", "--match", words)
    #expect(run.status == 64)
    #expect(run.errors.contains("at most 1000 words") && run.errors.utf8.count < 500)
  }

  @Test(arguments: ["a=1, b=1e30", "a=-1e30, b=-1", "a=1, b=1e9", "mean=1e308"])
  func `a normal cut where hardly any draw is accepted is refused`(arguments: String) throws {
    let place = try Workplace()
    let run = try place.ckpt(
      "init", "model.txt", "-o", "o.ckz", "--rule", "Linear: weight=trunc_normal(\(arguments))")
    #expect(run.status == 2)
    #expect(run.errors.contains("tensor 'layer1.weight': trunc_normal from "), "\(run.errors)")
  }

  /// One candidate in forty, and a density that is lost in rounding: PyTorch draws both.
  @Test(arguments: ["a=40, b=41", "mean=1e9, std=1e-3"])
  func `a normal cut far from its mean is drawn where PyTorch can`(arguments: String) throws {
    let place = try Workplace()
    let run = try place.ckpt(
      "init", "model.txt", "-o", "o.ckz", "--rule", "Linear: weight=trunc_normal(\(arguments))")
    #expect(run.status == 0, "\(run.errors)")
  }

  @Test func `values that the file cannot hold are read only when asked for`() throws {
    let place = try Workplace()
    try place.folder.write(try Fixtures.bytes("pytorch/expanded.pt"), to: "a.pt")
    #expect(try place.ckpt("ls", "a.pt").status == 0)
    for command in ["hash", "stat", "check"] {
      let run = try place.ckpt(command, "a.pt")
      #expect(run.status == 2)
      #expect(run.errors.contains("claims 4503599627370496 bytes of values in "), "\(run.errors)")
      #expect(run.errors.hasSuffix("; pass --allow-large to read it\n"))
    }
    #expect(try place.ckpt("diff", "a.pt", "a.pt").status == 2)
    #expect(try place.ckpt("convert", "a.pt", "b.ckz", "--dry-run").status == 0)
    #expect(try place.ckpt("show", "a.pt", "w[0:2]").status == 0)
    #expect(try place.ckpt("ls", "a.pt", "--allow-large").status == 0)
  }

  @Test func `a matrix that needs more memory than there is must be asked for`() throws {
    let place = try Workplace()
    let layer = "Linear(in_features=1048576, out_features=1048576, bias=False)"
    try place.folder.write(Array("Net(\n  (l): \(layer)\n)\n".utf8), to: "m.txt")
    let run = try place.ckpt("init", "m.txt", "-o", "o.h5", "--rule", "Linear: weight=orthogonal")
    #expect(run.status == 2)
    #expect(
      run.errors.contains("orthogonal of 1099511627776 elements needs more than 2 GiB of memory"),
      "\(run.errors)")
  }

  @Test func `a text that stands for millions of tensors is refused`() throws {
    let place = try Workplace()
    let layers = "(0-99): 100 x LSTM(1, 1, num_layers=10000, bidirectional=True)"
    try place.folder.write(
      Array("Net(\n  (l): ModuleList(\n    \(layers)\n  )\n)\n".utf8), to: "m.txt")
    let run = try place.ckpt("tree", "m.txt")
    #expect(run.status == 2)
    #expect(run.errors.contains("found more than 200000 modules and tensors"), "\(run.errors)")
  }

  @Test func `a class line of parentheses is refused`() throws {
    let place = try Workplace()
    let line = "class " + String(repeating: "(", count: 20_000)
    try place.folder.write(Array(line.utf8), to: "e.txt")
    let run = try place.ckpt("tree", "model.txt", "--extra", "e.txt")
    #expect(run.status == 2 && run.errors.hasPrefix("ckpt: e.txt: line 1: "), "\(run.errors)")
  }

  @Test func `an error that quotes pages of input shows their two ends`() throws {
    let place = try Workplace()
    let rule = "Linear: weight=" + String(repeating: "orthogonal(", count: 10_000)
    let run = try place.ckpt("init", "model.txt", "-o", "o.ckz", "--rule", rule)
    #expect(run.status == 64 && run.errors.utf8.count < 3000)
    #expect(run.errors.hasPrefix("ckpt: rule 'Linear: weight=orthogonal(orthogonal("))
    #expect(run.errors.hasSuffix("(see 'ckpt init --help')\n"), "\(run.errors.suffix(200))")
  }

  @Test(arguments: [["ls"], ["stat"], ["convert", "--dry-run", "--to", "ckz"]])
  func `one long name does not make every row long`(command: [String]) throws {
    let place = try Workplace()
    let long = String(repeating: "n", count: 50_000)
    let entries = ([long] + (0..<2000).map { "x\($0)" }).enumerated().map { index, name in
      "\"\(name)\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[\(index),\(index + 1)]}"
    }
    let header = Array("{\(entries.joined(separator: ","))}".utf8)
    let size = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
    try place.folder.write(
      size + header + [UInt8](repeating: 0, count: entries.count), to: "a.safetensors")
    let output = command[0] == "convert" ? ["o.ckz"] : []
    let run = try CommandRun(
      [CommandRun.executable] + command + ["a.safetensors"] + output, in: place.folder.path)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains(long) && run.output.utf8.count < 1_000_000)
  }

  /// An .npy file that holds float32 zeros.
  private static func zeros(_ shape: [Int], count: Int) -> [UInt8] {
    let sizes = shape.map { "\($0), " }.joined()
    var text = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(sizes)), }"
    text += String(repeating: " ", count: 63 - (10 + text.utf8.count) % 64) + "\n"
    return [0x93] + Array("NUMPY".utf8)
      + [1, 0, UInt8(truncatingIfNeeded: text.utf8.count), UInt8(text.utf8.count >> 8)]
      + Array(text.utf8) + [UInt8](repeating: 0, count: 4 * count)
  }

  @Test func `a tensor of many dimensions is shortened like any other`() throws {
    let place = try Workplace()
    try place.folder.write(
      Self.zeros([Int](repeating: 2, count: 18), count: 1 << 18), to: "a.npy")
    let run = try place.ckpt("show", "a.npy", "arr_0")
    #expect(run.status == 0 && run.output.utf8.count < 200_000, "\(run.errors)")
    #expect(run.output.hasSuffix("...]\n"))
    try place.folder.write(Self.zeros([1 << 20, 1 << 4, 0], count: 0), to: "b.npy")
    let rows = try place.ckpt("show", "b.npy", "arr_0")
    #expect(rows.status == 0 && rows.output.utf8.count < 1000, "\(rows.errors)")
    for option in ["--json", "--full"] {
      let all = try place.ckpt("show", "b.npy", "arr_0", option)
      #expect(all.status == 2 && all.errors.contains("--allow-large"), "\(all.errors)")
    }
  }
}
