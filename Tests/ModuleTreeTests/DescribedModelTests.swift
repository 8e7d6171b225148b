import ModuleTree
import ParallelWork
import TensorCore
import TestSupport
import Testing

@Suite struct DescribedModelTests {
  /// Models that `Tools/describe.py` described, each with torch's digests on seed 7.
  @Test(arguments: ["gpt2", "swin", "transformer"])
  func `a live model's description draws the model`(name: String) throws {
    let json = String(decoding: try Fixtures.bytes("models/\(name).json"), as: UTF8.self)
    let tree = try Module(json: json)
    let sums = try tree.initialized(seed: 7).entries.map { "\(try $0.digest(.sha256))  \($0.name)" }
    let wanted = String(decoding: try Fixtures.bytes("models/\(name).sums"), as: UTF8.self)
    #expect(sums.joined(separator: "\n") + "\n" == wanted)
    let again = try Module(json: tree.json())
    #expect(
      try again.initialized(seed: 7).entries.map { "\(try $0.digest(.sha256))  \($0.name)" } == sums
    )
  }

  static func model(_ modules: String, _ draws: String = "") -> String {
    "{\"ckpt-model\": 1,\n\"modules\": [\(modules)]"
      + (draws.isEmpty ? "" : ",\n\"draws\": [\(draws)]")
      + "}"
  }

  static let root =
    #"{"path": "", "class": "Net", "parameters": [{"name": "w", "shape": [4, 2], "rule": "0"}]}"#

  static let refusals: [(text: String, message: String)] = [
    ("{", "line 1, column 2: expected a key in double quotes, found the end"),
    ("{} x", "line 1, column 4: expected the end of the text, found 'x'"),
    (
      #"{"a": 1, "a": 2}"#, "line 1, column 10: duplicate key 'a'"
    ),
    (
      #"{"a": 1}"#,
      "line 1, column 7: unknown key 'a': expected one of about, ckpt-model, draws, modules"
    ),
    (#"{"ckpt-model": 2}"#, "expected version 1 of the model description, found version 2"),
    (
      #"{"ckpt-model": 01}"#,
      "line 1, column 16: expected a number without leading zeros, found '01}'"
    ),
    (
      #"{"ckpt-model": "\ud800"}"#,
      "line 1, column 23: expected two halves of a surrogate pair, found '\"}'"
    ),
    (
      String(repeating: "[", count: 100_000),
      "line 1, column 17: nested deeper than 16 levels"
    ),
    (model(""), "line 2, column 12: expected the root with path '', found no modules"),
    (
      model(#"{"path": "a", "class": "Net"}"#),
      "line 2, column 22: expected the root with path '', found 'a' first"
    ),
    (
      model(root + #", {"path": "a.b", "class": "Net"}"#),
      "line 2, column 113: expected its parent 'a' before it, found 'a.b'"
    ),
    (
      model(root + #", {"path": "a", "is": ""}"#),
      "line 2, column 124: expected the path of an earlier module, found ''"
    ),
    (
      model(#"{"path": "", "class": "Net", "parameters": [{"name": "w", "shape": [-1]}]}"#),
      "line 2, column 81: expected an integer from 0 to 2^63 - 1, found -1"
    ),
    (
      model(#"{"path": "", "class": "Net", "parameters": [{"name": "w.x", "shape": [1]}]}"#),
      "line 2, column 66: expected a new name without dots, found 'w.x'"
    ),
    (
      model(#"{"path": "", "class": "Linear", "arguments": "in_features=x, out_features=1"}"#),
      "line 2, column 58: expected a whole number from 0 to 2^40, found in_features x"
    ),
    (
      model(#"{"path": "", "class": "Linear", "arguments": "in_features=x"}"#),
      "line 2, column 58: expected what torch.nn's Linear prints, or the parameters, found "
        + "'in_features=x'"
    ),
    (
      model(root, #"{"fill": "v", "rule": "0"}"#),
      "line 3, column 20: expected the name of a tensor of the model, found 'v'"
    ),
    (
      model(root, #"{"fill": "w", "rule": "nomal"}"#),
      "line 3, column 33: rule 'nomal', column 1: unknown initializer 'nomal'; did you mean normal?"
    ),
    (
      model(root, #"{"fill": "w", "rule": "normal", "elements": [3, 9]}"#),
      "line 3, column 55: expected two numbers, at most 8, found elements [3, 9]"
    ),
    (
      model(root, #"{"advance": 3, "rule": "normal"}"#),
      "line 3, column 34: 'rule' does not belong to this kind of draw"
    ),
    (
      model(root, #"{"scratch": "w", "shape": [2]}"#),
      "line 3, column 23: expected a new name, found 'w'"
    ),
    (
      model(root, #"{"scratch": "s", "shape": [2]}, {"set": "w", "from": "s"}"#),
      "line 3, column 51: expected elements within shapes [4, 2] and [2], found others"
    ),
    (
      model(
        root,
        #"{"set": "w", "from": "w", "sizes": [3], "target": [0, 4611686018427387904], "source": [0, 1]}"#
      ),
      "line 3, column 19: expected elements within shapes [4, 2] and [4, 2], found others"
    ),
    (
      model(root, #"{"set": "w", "from": "w", "apply": "* 2; twice"}"#),
      "line 3, column 46: unknown operation ' twice': expected a dtype, clamp LOW HIGH, one of neg, abs, "
        + "sqrt, reciprocal, square, sign, floor, ceil, round, rsqrt, erfinv, exp, exp2, expm1, log, log2, log10, "
        + "log1p, sin, cos, tan, sinh, cosh, tanh, sigmoid, erf, or one of * / + - rsub rdiv pow < <= > >= "
        + "== != and a number"
    ),
    (
      model(root, #"{"set": "w", "from": "w", "indices": "AAAA"}"#),
      "line 3, column 48: indices: expected 8 indices of 4 bytes, found 3 bytes"
    ),
    (
      model(root, #"{"restore": "a"}"#),
      "line 3, column 23: expected a name that was saved, found 'a'"
    ),
    (
      model(root, #"{"combine": "w", "with": "w", "by": "?", "to": "w"}"#),
      "line 3, column 47: expected one of +, -, *, /, minimum, maximum, keep, found '?'"
    ),
    (
      model(root, #"{"rule": "normal"}"#),
      "line 3, column 11: expected fill, change, cast, discard, advance, copy, norms, normalize, powers, "
        + "scratch, set, combine, seed, save, or restore, found none"
    ),
  ]

  @Test(arguments: refusals)
  func `other text is refused with its position`(text: String, message: String) {
    let thrown = #expect(throws: CheckpointError.self) { try Module(json: text) }
    #expect(thrown?.message == message)
  }

  @Test func `modules that share others cannot multiply without end`() {
    var lines = [Self.root, #"{"path": "m0", "class": "Net"}"#]
    for level in 1...40 {
      lines.append(#"{"path": "m\#(level)", "class": "Net"}"#)
      for side in ["a", "b"] {
        lines.append(#"{"path": "m\#(level).\#(side)", "is": "m\#(level - 1)"}"#)
      }
    }
    let thrown = #expect(throws: CheckpointError.self) {
      try Module(json: Self.model(lines.joined(separator: ",")))
    }
    #expect(thrown?.message.contains("at most 200000 modules") == true)
  }

  @Test func `every prefix of a description is refused`() throws {
    let text = Array(Self.model(Self.root, #"{"fill": "w", "rule": "normal"}"#).utf8)
    for end in 1..<text.count {
      #expect(throws: CheckpointError.self) {
        try Module(json: String(decoding: text[..<end], as: UTF8.self))
      }
    }
  }

  @Test func `draws fill in their order, parts and all`() throws {
    let tree = try Module(
      json: Self.model(
        Self.root + #", {"path": "n", "class": "None"}, {"path": "o", "class": null}"#,
        #"""
        {"discard": [3], "rule": "uniform"}, {"advance": 2}, {"fill": "w", "rule": "1"},
        {"fill": "w", "elements": [2, 6], "rule": "uniform"}
        """#))
    var buffer = ChunkBuffer()
    var values: [Double] = []
    try tree.initialized(seed: 0).entries[0].forEachChunk(using: &buffer) { _, bytes in
      ElementConversion.decode(bytes, as: .float32, into: &values)
    }
    // torch.manual_seed(0); torch.rand(9)[5:]
    #expect(values[..<2] == [1, 1] && values[6...] == [1, 1])
    #expect(values[2...5].map { Float($0) } == [0.63407868, 0.49009341, 0.89644474, 0.45562798])
    #expect(tree.ownChildren.count == 2 && tree["o"] == nil)
  }

  @Test func `a buffer of the root is drawn once, where the draws say`() throws {
    let tree = try Module(
      json: Self.model(
        #"""
        {"path": "", "class": "N", "buffers": [{"name": "b_B", "shape": [2, 8], "rule": "normal"}]},
        {"path": "a", "class": "Linear", "arguments": "in_features=4, out_features=4, bias=True"}
        """#,
        #"""
        {"fill": "a.weight", "rule": "kaiming_uniform(a=2.23606797749979)"},
        {"fill": "a.bias", "rule": "uniform(a=-0.5, b=0.5)"}, {"fill": "b_B", "rule": "normal"}
        """#))
    let digests = try tree.initialized(seed: 11).entries.map {
      String(try $0.digest(.sha256).description.prefix(12))
    }
    #expect(digests == ["bf9658886e23", "ddb3e2b7f196", "e41a962e71c6"])
  }

  @Test func `a tensor that is not part of the model is copied into one that is`() throws {
    func digest(_ draws: String) throws -> String {
      try Module(json: Self.model(Self.root, draws)).initialized().entries[0].digest().description
    }
    let copied =
      #"{"scratch": "s", "shape": [4, 2]}, {"fill": "s", "rule": "normal"}, "#
      + #"{"copy": "s", "to": "w"}"#
    #expect(try digest(copied) == digest(#"{"fill": "w", "rule": "normal"}"#))
  }

  @Test func `a draw that another replaces moves the generator, and is there for what reads it`()
    throws
  {
    let two =
      Self.root
      + #", {"path": "n", "class": "N", "parameters": [{"name": "v", "shape": [4, 2], "rule": "0"}]}"#
    func digests(_ draws: String) throws -> [String] {
      try Module(json: Self.model(two, draws)).initialized().entries.map { "\(try $0.digest())" }
    }
    let first = #"{"fill": "w", "rule": "normal"}, "#
    let last = #"{"fill": "w", "rule": "uniform"}"#
    let discarded = #"{"discard": [4, 2], "rule": "normal"}, "#
    #expect(try digests(first + last) == digests(discarded + last))
    let copied = try digests(first + #"{"copy": "w", "to": "n.v"}, "# + last)
    #expect(copied[0] == (try digests(discarded + last))[0])
    #expect(copied[1] == (try digests(String(first.dropLast(2))))[0])
  }

  @Test func `operations on a tensor are written so that they are read back`() throws {
    let draws =
      #"{"fill": "w", "rule": "(normal + 1) * 2"}, {"change": "w", "by": "+ 1"}, "#
      + #"{"change": "w", "by": "* 2"}"#
    let tree = try Module(json: Self.model(Self.root, draws))
    let again = try Module(json: tree.json())
    #expect(
      try again.initialized().entries[0].digest() == tree.initialized().entries[0].digest())
  }

  @Test func `a tensor with no known values is named with the reason`() throws {
    let tree = try Module(
      json: Self.model(
        #"""
        {"path": "", "class": "Net", "parameters":
          [{"name": "w", "shape": [2], "rule": null, "reason": "computed by erfinv_"}]}
        """#, #"{"advance": 1}"#))
    let thrown = #expect(throws: CheckpointError.self) { try tree.initialized() }
    #expect(thrown?.message.contains("'w' (computed by erfinv_)") == true)
  }
}
