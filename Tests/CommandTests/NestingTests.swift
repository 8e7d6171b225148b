import TestSupport
import Testing

/// Whatever nests, nested 100,000 levels deep: read, or refused in one line, but never a crash.
///
/// Datatypes of HDF5 are in `HostileSizeTests`: a message has room for 8,100 of them.
@Suite struct NestingTests {
  private static let depth = 100_000

  /// A file and what reads it; `FILE` stands for its name in each line.
  struct Case: CustomTestStringConvertible {
    let testDescription: String
    let file: String
    let bytes: [UInt8]
    let lines: [(line: String, status: Int)]
  }

  private static func nested(_ start: String, _ middle: String = "", _ end: String = "") -> String {
    String(repeating: start, count: depth) + middle + String(repeating: end, count: depth)
  }

  private static func littleEndian(_ number: some FixedWidthInteger) -> [UInt8] {
    (0..<number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
  }

  private static func safetensors(_ header: String, _ data: [UInt8] = []) -> [UInt8] {
    littleEndian(UInt64(header.utf8.count)) + header.utf8 + data
  }

  /// A pickle: opcodes as text, of which all are ASCII.
  private static func pickle(_ name: String, _ code: String) -> Case {
    Case(
      testDescription: "pickle of \(name)", file: "a.pkl", bytes: [0x80, 2] + Array(code.utf8),
      lines: [("scan FILE", 0), ("ls FILE", 2)])
  }

  static let pickles = [
    pickle("tuples", nested("(", "", "t") + "."),
    pickle("lists", nested("]", "", "a").dropLast() + "."),
    pickle("dictionaries", "}" + nested("K\u{1}}", "", "s") + "."),
    pickle("calls", "cmine\nmake\n" + nested(")R") + "."),
    pickle("states", nested("cmine\nmake\n)R", "", "b").dropLast() + "."),
  ]

  private static func json(_ name: String, _ file: String, _ bytes: [UInt8]) -> Case {
    Case(
      testDescription: "JSON of \(name)", file: file, bytes: bytes,
      lines: [("ls FILE", 2), ("check FILE", 2)])
  }

  static let texts = [
    json("safetensors", "a.safetensors", safetensors(nested(#"{"a":"#, "1", "}"))),
    json("safetensors metadata", "a.safetensors", safetensors(#"{"__metadata__":"# + nested("["))),
    json("an index of shards", "a.safetensors.index.json", Array(nested(#"{"weight_map":"#).utf8)),
    json("keras", "a.weights.json", Array(nested(#"{"metadata":"#).utf8)),
  ]

  static let models =
    [
      ("lists", nested("[", "", "]")),
      ("a description", #"{"ckpt-model":1,"modules":"# + nested("[", "", "]") + "}"),
      ("parentheses", "Net(\n  (a): Linear(" + nested("(", "", ")") + ")\n)\n"),
      ("classes", "Net(\n  (a): " + nested("Linear(", "", ")") + "\n)\n"),
      ("lines", nested("N(\n(a): ", "ReLU()\n", ")\n")),
      (
        "modules",
        (0..<2000).map { String(repeating: "  ", count: $0) + ($0 == 0 ? "" : "(a): ") + "N(\n" }
          .joined()
      ),
    ].map { name, text in
      Case(
        testDescription: "model of \(name)", file: "m.txt", bytes: Array(text.utf8),
        lines: [("tree FILE", 2), ("init FILE -o o.ckz", 2), ("verify a.ckz --model FILE", 2)])
    }

  static let sideFiles =
    [
      ("an option", "layer1: bias=" + nested("(", "", ")")),
      ("a name", nested("a.", "b") + " = layer1.bias"), ("a class", "class " + nested("(")),
    ].map { name, text in
      Case(
        testDescription: "side file of \(name)", file: "e.txt", bytes: Array(text.utf8),
        lines: [("tree model.txt --extra FILE", 2)])
    }

  static let others = [
    Case(
      testDescription: "recipe", file: "a.recipe",
      bytes: Array(("model: model.txt\nLinear: weight=" + nested("orthogonal(")).utf8),
      lines: [("init --recipe FILE -o o.ckz", 2)]),
    Case(
      testDescription: "array of NumPy", file: "a.npy",
      bytes: [0x93] + Array("NUMPY".utf8) + [2, 0] + littleEndian(UInt32(2 * depth))
        + Array(nested("(", "", ")").utf8), lines: [("ls FILE", 2)]),
    Case(
      testDescription: "array of GGUF", file: "a.gguf",
      bytes: Array("GGUF".utf8) + littleEndian(UInt32(3)) + littleEndian(UInt64(0))
        + littleEndian(UInt64(1)) + littleEndian(UInt64(1)) + [0x6b] + littleEndian(UInt32(9))
        + [[UInt8]](repeating: littleEndian(UInt32(9)) + littleEndian(UInt64(1)), count: depth)
        .joined(), lines: [("ls FILE", 2), ("check FILE", 2)]),
    // A state dict says which modules there are: here 100,000, of names of 100 KB on average.
    Case(
      testDescription: "name of modules", file: "a.safetensors",
      bytes: safetensors(
        #"{""# + nested("a.", "w") + #"":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
        [0, 0, 0, 0]),
      lines: [
        ("ls FILE", 0), ("tree FILE", 2), ("convert FILE o.pt", 2), ("convert FILE o.npz", 2),
        ("convert FILE o.ckz", 2), ("convert FILE o.h5", 0),
      ]),
  ]

  @Test(arguments: pickles + texts + models + sideFiles + others)
  func `100,000 levels are read or refused in one line`(file: Case) throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz")
    try place.folder.write(file.bytes, to: file.file)
    for (line, status) in file.lines {
      let words = line.split(separator: " ").map { $0 == "FILE" ? file.file : String($0) }
      let run = try CommandRun([CommandRun.executable] + words, in: place.folder.path)
      let start = "\(line): \(run.errors.prefix(300))"
      #expect(run.status == status, "\(start)")
      #expect(run.errors.utf8.count < 3000, "\(start)")
      #expect(run.errors.split(separator: "\n").count <= 1, "\(start)")
    }
  }

  /// An argument has at most 128 KiB.
  @Test(arguments: [
    ("(", "a", ")"), ("!", "a", ""), ("[", "a", "]"), ("{", "a", "}"), ("a.", "a", ""),
  ])
  func `selectors, rules, slices, and patterns nest without a crash`(
    start: String, middle: String, end: String
  ) throws {
    let count = 60_000
    let text =
      String(repeating: start, count: count) + middle + String(repeating: end, count: count)
    let place = try Workplace()
    try place.makeArticle("a.ckz")
    for (arguments, statuses) in [
      (["ls", "a.ckz", "--match", text], [2, 64]),
      (["init", "model.txt", "-o", "b.ckz", "--rule", "\(text): weight=1"], [2, 64]),
      (["init", "model.txt", "-o", "b.ckz", "--rule", "Linear: weight=\(text)"], [64]),
      (["show", "a.ckz", "layer1.weight\(text)"], [2]),
      (["convert", "a.ckz", "b.ckz", "--dry-run", "--rename", "s/\(text)/x/"], [2, 64]),
    ] {
      let run = try CommandRun([CommandRun.executable] + arguments, in: place.folder.path)
      let name = "\(arguments[0]) \(arguments[2].prefix(20)): \(run.errors.prefix(300))"
      #expect(statuses.contains(run.status), "\(name)")
      #expect(run.errors.utf8.count < 3000, "\(name)")
    }
  }
}
