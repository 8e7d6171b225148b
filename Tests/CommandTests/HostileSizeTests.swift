import TestSupport
import Testing

/// Sizes, counts, and values for which arithmetic would overflow end in one line and a status.
@Suite struct HostileSizeTests {
  /// A safetensors file of one tensor.
  private static func safetensors(_ dtype: String, _ shape: [Int], _ data: [UInt8]) -> [UInt8] {
    let header = """
      {"w":{"dtype":"\(dtype)","shape":\(shape),"data_offsets":[0,\(data.count)]}}
      """
    return littleEndian(UInt64(header.utf8.count)) + header.utf8 + data
  }

  private static func littleEndian(_ number: some FixedWidthInteger) -> [UInt8] {
    (0..<number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
  }

  private static func values(_ numbers: [Double]) -> [UInt8] {
    numbers.flatMap { littleEndian($0.bitPattern) }
  }

  @Test func `float64 values of opposite signs are 2^63 units and more apart`() throws {
    let place = try Workplace()
    for (name, sign) in [("a", 1.0), ("b", -1.0)] {
      let numbers = [2 * sign, 1e308 * sign, .infinity * sign, 0 * sign]
      try place.folder.write(
        Self.safetensors("F64", [4], Self.values(numbers)), to: name + ".safetensors")
    }
    let run = try place.ckpt("diff", "a.safetensors", "b.safetensors", "--json")
    #expect(run.status == 1)
    let difference = try JSON(run.output)["changes"]?[0]?["difference"]
    #expect(difference?["maxULP"] == .number(Double(2 * (0x7ff0 << 48 as UInt64))))
  }

  @Test func `drawn float64 values of opposite signs are compared as well`() throws {
    let place = try Workplace()
    let rule = "Linear: weight="
    try place.makeArticle("a.ckz", "--dtype", "float64", "--rule", rule + "-1e308")
    let run = try place.ckpt(
      "verify", "a.ckz", "--model", "model.txt", "--dtype", "float64", "--rule", rule + "1e308",
      "--json")
    #expect(run.status == 1, "\(run.errors)")
    // Twice the bits of 1e308 is more than 2^63 units in the last place, which says nothing.
    #expect(run.output.contains("8 of 8, max abs inf"), "\(run.output)")
    #expect(!run.output.contains("ULP"))
  }

  @Test func `four digits are printed as C's %.4g prints them, whatever rounding carries`() throws {
    let place = try Workplace()
    let cases: [(Double, String)] = [
      (9.99996e10, "1e11"), (9.99996e-5, "0.0001"), (-9.99996e-7, "-1e-6"), (9.9994e10, "9.999e10"),
      (999_999.7, "1e6"), (-999_999.7, "-1e6"), (999_996, "999996"), (0.99996, "1"),
      (.leastNonzeroMagnitude, "4.941e-324"), (2.2250738585072014e-308, "2.225e-308"),
      (1.7e308, "1.7e308"),
    ]
    for (number, text) in cases {
      try place.folder.write(
        Self.safetensors("F64", [1], Self.values([number])), to: "a.safetensors")
      let run = try place.ckpt("stat", "a.safetensors")
      let fields = run.lines.dropFirst().first?.split(separator: " ") ?? []
      #expect(fields.dropFirst(1).first.map(String.init) == text, "\(number)")
    }
  }

  @Test func `a step past the end of a dimension takes one element`() throws {
    let place = try Workplace()
    try place.folder.write(
      Self.safetensors("F64", [2, 2], Self.values([1, 2, 3, 4])), to: "a.safetensors")
    for slice in [
      "w[0:1:9223372036854775807]", "w[:, 0:2:9223372036854775807]", "w[::4611686018427387904]",
    ] {
      #expect(try place.ckpt("show", "a.safetensors", slice).status == 0, "\(slice)")
    }
  }

  @Test(arguments: ["0", "-1", "1025", "4611686018427387904", "9223372036854775807"])
  func `a number of threads outside 1 to 1024 is wrong usage`(threads: String) throws {
    let place = try Workplace()
    try place.makeArticle("a.h5")
    for command in ["hash", "stat", "check"] {
      let run = try place.ckpt(command, "a.h5", "--threads=\(threads)")
      #expect(run.status == 64)
      #expect(
        run.errors
          == "ckpt: --threads: expected 1 to 1024, found \(threads) (see 'ckpt \(command) --help')\n"
      )
    }
  }

  @Test func `a layer of no elements whose other sizes overflow is refused`() throws {
    let place = try Workplace()
    let layer = "Conv1d(1099511627776, 1099511627776, kernel_size=(0,), stride=(1,))"
    try place.folder.write(Array("Net(\n  (c): \(layer)\n)\n".utf8), to: "m.txt")
    for arguments in [["tree", "m.txt"], ["init", "m.txt", "-o", "o.h5"]] {
      let run = try CommandRun([CommandRun.executable] + arguments, in: place.folder.path)
      #expect(run.status == 2)
      #expect(
        run.errors
          == "ckpt: m.txt: line 2, column 15: weight of shape [1099511627776, 1099511627776, 0] is too large\n"
      )
    }
  }

  @Test func `a model whose layers add up to 2^62 bytes is refused`() throws {
    let place = try Workplace()
    let run = "(0-31): 32 x Linear(in_features=134217728, out_features=1073741824, bias=False)"
    try place.folder.write(
      Array("Net(\n  (l): ModuleList(\n    \(run)\n  )\n)\n".utf8), to: "n.txt")
    let tree = try place.ckpt("tree", "n.txt")
    #expect(tree.status == 2)
    #expect(tree.errors == "ckpt: n.txt: its parameters have 2^62 elements or more\n")
    let made = try place.ckpt("init", "n.txt", "-o", "n.h5")
    #expect(made.status == 2)
    #expect(
      made.errors
        == "ckpt: n.txt: tensor 'l.7.weight': total size reaches 2^62 bytes at this tensor\n")
    #expect(try !place.folder.names().contains("n.h5"))
  }

  @Test func `a described tensor of no elements whose other sizes overflow is refused`() throws {
    let place = try Workplace()
    let parameter = #"{"name":"w","shape":[4611686018427387904,4,0],"rule":"zeros"}"#
    let module = #"{"path":"","class":"Net","parameters":[\#(parameter)]}"#
    let draw = #"{"fill":"w","elements":[0,0],"rule":"zeros"}"#
    let text = #"{"ckpt-model":1,"modules":[\#(module)],"draws":[\#(draw)]}"#
    try place.folder.write(Array(text.utf8), to: "m.json")
    let run = try place.ckpt("init", "m.json", "-o", "y.h5")
    #expect(run.status == 2 && run.errors.hasPrefix("ckpt: m.json: "))
    #expect(run.errors.contains("overflow: shape [4611686018427387904, 4, 0]"), "\(run.errors)")
  }

  @Test func `datatypes nested without end are refused`() throws {
    // Superblock 0, the root's header with one link, and a dataset whose type is 8,100 enums.
    func message(_ kind: UInt16, _ body: [UInt8]) -> [UInt8] {
      let body = body + [UInt8](repeating: 0, count: (8 - body.count % 8) % 8)
      return Self.littleEndian(kind) + Self.littleEndian(UInt16(body.count)) + [0, 0, 0, 0] + body
    }
    func header(_ messages: [[UInt8]]) -> [UInt8] {
      let body = Array(messages.joined())
      var header: [UInt8] = [1, 0] + Self.littleEndian(UInt16(messages.count))
      header += Self.littleEndian(UInt32(1)) + Self.littleEndian(UInt32(body.count)) + [0, 0, 0, 0]
      return header + body
    }
    let nowhere = [UInt8](repeating: 0xff, count: 8)
    func root(_ dataset: Int) -> [UInt8] {
      let link = [1, 0, 1] + Array("w".utf8) + Self.littleEndian(UInt64(dataset))
      return header([message(2, [0, 0] + nowhere + nowhere), message(6, link)])
    }
    let enums = [[UInt8]](repeating: [0x38, 0, 0, 0, 1, 0, 0, 0], count: 8100).joined()
    let dataset = header([
      message(1, [1, 0, 0, 0, 0, 0, 0, 0]), message(3, Array(enums)),
      message(8, [3, 1] + nowhere + [UInt8](repeating: 0, count: 8)),
    ])
    let start = 96
    let end = start + root(0).count
    var file: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0, 0, 8, 8, 0]
    file += Self.littleEndian(UInt16(4)) + Self.littleEndian(UInt16(16)) + [0, 0, 0, 0]
    for address in [0, .max, UInt64(end + dataset.count), .max, 0, UInt64(start)] {
      file += Self.littleEndian(address)
    }
    file += [UInt8](repeating: 0, count: start - file.count)
    file += root(end) + dataset
    let place = try Workplace()
    try place.folder.write(file, to: "x.h5")
    let run = try place.ckpt("ls", "x.h5")
    #expect(run.status == 2)
    #expect(
      run.errors
        == "ckpt: x.h5: tensor '/w' at byte 336: datatypes are nested more than 16 deep\n")
  }
}
