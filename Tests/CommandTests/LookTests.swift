import TestSupport
import Testing

/// `ls`, `stat` and `show`.
@Suite struct LookTests {
  @Test(arguments: [("a.h5", "hdf5"), ("a.ckz", "ckz")])
  func `ls prints one line per tensor, and totals`(file: String, format: String) throws {
    let place = try Workplace()
    try place.makeArticle(file)
    let run = try place.ckpt("ls", file)
    #expect(run.status == 0 && run.errors.isEmpty)
    #expect(
      run.output == """
        layer1.weight    F32  [4, 2]  32
        layer1.bias      F32  [4]     16
        layer2.0.weight  F32  [2, 4]  32
        layer2.0.bias    F32  [2]      8
        layer2.2.weight  F32  [2, 2]  16
        layer2.2.bias    F32  [2]      8
        6 tensors, 28 elements, 112 bytes, \(format)

        """)
  }

  @Test func `columns are aligned as a terminal shows wide and combined characters`() throws {
    let place = try Workplace()
    let names = ["重み", "가", "ab", "e\u{301}", "\u{1f600}x"]
    let tensors = names.enumerated().map {
      "\"\($1)\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[\($0),\($0 + 1)]}"
    }
    var header = Array("{\(tensors.joined(separator: ","))}".utf8)
    header += [UInt8](repeating: 0x20, count: 256 - header.count % 256)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
    try place.folder.write(length + header + [1, 2, 3, 4, 5], to: "a.safetensors")
    #expect(
      try place.ckpt("ls", "a.safetensors").output == """
        重み  U8  [1]  1
        가    U8  [1]  1
        ab    U8  [1]  1
        e\u{301}     U8  [1]  1
        \u{1f600}x   U8  [1]  1
        5 tensors, 5 elements, 5 bytes, safetensors

        """)
  }

  @Test func `ls lists tensors that are matched and not excluded`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    func names(_ options: String...) throws -> [Substring] {
      try CommandRun([CommandRun.executable, "ls", "a.h5"] + options, in: place.folder.path)
        .lines.dropLast().map { $0.prefix { $0 != " " } }
    }
    #expect(try names("--match", "layer1.*") == ["layer1.weight", "layer1.bias"])
    #expect(try names("--match", "Linear & **.bias").count == 3)
    #expect(try names("--match", "layer1", "--match", "layer2.2.bias").count == 3)
    #expect(
      try names("--match", "**", "--exclude", "/layer2/") == ["layer1.weight", "layer1.bias"])
  }

  @Test func `ls as JSON`() throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz", "--dtype", "bfloat16")
    let json = try JSON(try place.ckpt("ls", "a.ckz", "--json").output)
    #expect(json.keys == ["bytes", "elements", "file", "format", "tensors", "valueCount"])
    #expect(json["bytes"] == .number(56))
    #expect(json["file"] == .text("a.ckz"))
    #expect(json["tensors"]?.count == 6)
    #expect(json["tensors"]?[0]?.keys == ["bytes", "dtype", "name", "shape"])
    #expect(json["tensors"]?[0]?["dtype"] == .text("BF16"))
  }

  @Test func `a format is recognized by content, whatever the name, also on standard input`() throws
  {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    let expected = try place.ckpt("ls", "a.h5").output
    try place.folder.write(try place.folder.bytes(of: "a.h5"), to: "a.ckz")
    #expect(try place.ckpt("ls", "a.ckz").output == expected)
    #expect(try place.shell("cat a.h5 | ckpt ls -").output == expected)
  }

  @Test func `classes come from a model, or are inferred with a note`() throws {
    let place = try Workplace()
    let file = Fixtures.path("hdf5/nested.h5")
    let inferred = try place.ckpt("ls", file, "--match", "Linear")
    #expect(inferred.status == 0)
    #expect(inferred.errors.hasPrefix("ckpt: \(file): has no module tree; inferred "))
    #expect(try place.ckpt("ls", file, "--match", "Linear", "--quiet").errors.isEmpty)
    #expect(try place.ckpt("ls", file, "--match", "**.weight").errors.isEmpty)
    try place.makeArticle("a.h5")
    try place.folder.write(Array("Net(\n  (layer1): ReLU()\n)".utf8), to: "other.txt")
    let given = try place.ckpt("ls", "a.h5", "--match", "ReLU", "--model", "other.txt")
    #expect(given.lines.dropLast().allSatisfy { $0.hasPrefix("layer1.") })
    #expect(given.lines.count == 3)
  }

  @Test func `stat prints one line per tensor under a heading`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5", "--rule", "Linear: weight=3, bias=0")
    let run = try place.ckpt("stat", "a.h5", "--match", "layer1")
    #expect(run.errors.isEmpty)
    #expect(
      run.output == """
        name           min  max  mean  std   norm  5%  median  95%  zeros
        layer1.weight    3    3     3    0  8.485   3       3    3      0  █         constant
        layer1.bias      0    0     0    0      0   0       0    0      4  █         all zero

        """)
  }

  @Test func `stat as JSON`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    let json = try JSON(try place.ckpt("stat", "a.h5", "--json").output)
    #expect(json.keys == ["file", "tensors"])
    #expect(
      json["tensors"]?[0]?.keys == [
        "dtype", "expectedMean", "expectedStandardDeviation", "name", "shape", "statistics",
      ])
    // Uniform within 1/√2, for two inputs.
    let spread = try #require(json["tensors"]?[0]?["expectedStandardDeviation"])
    guard case .number(let deviation) = spread else {
      Issue.record("\(spread)")
      return
    }
    #expect(abs(deviation - (0.5 / 3).squareRoot()) < 1e-15)
    let statistics = try #require(json["tensors"]?[0]?["statistics"])
    #expect(statistics["zeros"] == .number(0))
    #expect(statistics["maximum"] == .number(Double(Float(0.5606575))))
    #expect(statistics["histogram"]?.count == 16)
  }

  @Test func `show prints values that read back as the same bits`() throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    #expect(
      try place.ckpt("show", "a.h5", "layer1.weight").output == """
        layer1.weight F32 [4, 2]
        [[-0.005293981, 0.3793229],
         [-0.58198076, -0.5203875],
         [-0.27234524, 0.18961589],
         [-0.014010034, 0.5606575]]

        """)
  }

  @Test(arguments: [
    ("layer1.weight[1]", "[2]", "[-0.58198076, -0.5203875]"),
    ("layer1.weight[-1, 1]", "[]", "0.5606575"),
    ("layer1.weight[::2, :1]", "[2, 1]", "[[-0.005293981],\n [-0.27234524]]"),
    ("layer1.weight[1:1]", "[0, 2]", "[]"),
  ])
  func `show takes slices as NumPy writes them`(
    slice: String, shape: String, values: String
  ) throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz")
    #expect(
      try place.ckpt("show", "a.ckz", slice).output == "layer1.weight F32 \(shape)\n\(values)\n")
  }

  @Test func `show as JSON`() throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz", "--rule", "Linear: weight=1, bias=-0.5")
    let json = try JSON(try place.ckpt("show", "a.ckz", "layer1.weight[0:2]", "--json").output)
    #expect(json.keys == ["dtype", "name", "shape", "values"])
    #expect(json["values"] == .list(Array(repeating: .list([.number(1), .number(1)]), count: 2)))
    let scalar = try JSON(try place.ckpt("show", "a.ckz", "layer1.bias[0]", "--json").output)
    #expect(scalar["values"] == .number(-0.5))
  }

  @Test func `a long tensor is shortened unless all is asked for`() throws {
    let place = try Workplace()
    try place.folder.write(
      Array("Linear(in_features=2000, out_features=1, bias=True)".utf8), to: "net.txt")
    #expect(
      try place.ckpt("init", "net.txt", "-o", "a.ckz", "--rule", "Linear: weight=1").status == 0)
    #expect(
      try place.ckpt("show", "a.ckz", "weight").lines.last
        == "[[1.0, 1.0, 1.0, ..., 1.0, 1.0, 1.0]]")
    #expect(
      try place.ckpt("show", "a.ckz", "weight", "--full").lines.last?.split(separator: ",").count
        == 2000)
  }

  @Test func `modules are sorted by their own figures`() throws {
    let place = try Workplace()
    try place.makeArticle(
      "a.h5", "--rule", "layer1: weight=1, bias=1", "--rule", "layer2: weight=2, bias=0")
    func modules(_ order: String) throws -> [String] {
      try place.ckpt("stat", "a.h5", "--depth", "1", "--sort", order).lines.dropFirst()
        .map { String($0.prefix { $0 != " " }) }
    }
    // layer1 has 12 ones; layer2 has 12 twos and 4 zeros.
    #expect(try modules("norm") == ["layer2", "layer1"])
    #expect(try modules("zeros") == ["layer2", "layer1"])
    #expect(try modules("min") == ["layer1", "layer2"])
    #expect(try modules("name") == ["layer1", "layer2"])
    #expect(try place.ckpt("stat", "a.h5", "--depth", "1", "--sort", "mean").status == 64)
    #expect(try place.ckpt("stat", "a.h5", "--depth", "1", "--json").status == 64)
  }

  @Test func `options that name the same file twice, or nothing, are wrong usage`() throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz")
    try place.makeArticle("b.ckz", "--seed", "1")
    #expect(try place.ckpt("diff", "a.ckz", "b.ckz", "--fail-on", "").status == 64)
    #expect(try place.ckpt("diff", "a.ckz", "b.ckz", "--fail-on", "nan,").status == 64)
    let twice = try place.ckpt(
      "diff", "a.ckz", "b.ckz", "--patch", "c", "--write-map", "c", "--force")
    #expect(twice.status == 64 && twice.errors.contains("expected two files"))
  }

}
