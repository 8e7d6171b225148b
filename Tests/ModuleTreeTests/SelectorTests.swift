import ModuleTree
import TensorCore
import TestSupport
import Testing

@Suite struct SelectorTests {
  static let net = ModuleClass("Net")(
    stem: Conv2d(3, 4, 3, bias: false),
    layer1: Sequential(Linear(4, 4), BatchNorm2d(4), ReLU()),
    layer2: Sequential(Sequential(ConvTranspose2d(4, 4, 3), Linear(4, 4, bias: false))),
    attn: MultiheadAttention(4),
    Linear: Tanh())

  static let inside = [
    "layer1.0.weight", "layer1.0.bias", "layer1.1.weight", "layer1.1.bias",
    "layer1.1.running_mean", "layer1.1.running_var", "layer1.1.num_batches_tracked",
    "layer2.0.0.weight", "layer2.0.0.bias", "layer2.0.1.weight",
  ]

  static func names(_ text: String) throws -> [String] {
    let selected = try SelectedTensors(Selector(text), in: net)
    return try net.stateDict().map(\.name).filter { try selected.contains($0) }.map(\.text)
  }

  @Test(arguments: [
    ("Conv2d", ["stem.weight"]),
    ("Conv*", ["stem.weight", "layer2.0.0.weight", "layer2.0.0.bias"]),
    ("_ConvTransposeNd", ["layer2.0.0.weight", "layer2.0.0.bias"]),
    (
      "kind:Linear",
      [
        "layer1.0.weight", "layer1.0.bias", "layer2.0.1.weight", "attn.out_proj.weight",
        "attn.out_proj.bias",
      ]
    ),
    (
      "attn",
      ["attn.in_proj_weight", "attn.in_proj_bias", "attn.out_proj.weight", "attn.out_proj.bias"]
    ),
    ("MultiheadAttention", ["attn.in_proj_weight", "attn.in_proj_bias"]),
    ("layer2", ["layer2.0.0.weight", "layer2.0.0.bias", "layer2.0.1.weight"]),
    ("layer?", inside),
    ("Sequential", inside),
    ("Sequential & !kind:Linear & !layer1", ["layer2.0.0.weight", "layer2.0.0.bias"]),
    ("layer1.0", ["layer1.0.weight", "layer1.0.bias"]),
    ("layer1.0.bias", ["layer1.0.bias"]),
    ("layer2.**", ["layer2.0.0.weight", "layer2.0.0.bias", "layer2.0.1.weight"]),
    ("layer[2].*.1", ["layer2.0.1.weight"]),
    ("**.bias & !/attn/", ["layer1.0.bias", "layer1.1.bias", "layer2.0.0.bias"]),
    ("*.bias & !attn", ["layer1.0.bias", "layer1.1.bias", "layer2.0.0.bias"]),
    ("*0.weight", ["layer1.0.weight", "layer2.0.0.weight"]),
    ("*mean", ["layer1.1.running_mean"]),
    ("/^attn\\.out/", ["attn.out_proj.weight", "attn.out_proj.bias"]),
    ("(kind:Linear | BatchNorm2d) & /^layer1\\..*bias$/", ["layer1.0.bias", "layer1.1.bias"]),
    ("!(** & !stem)", ["stem.weight"]),
    ("stem|layer1.0.bias", ["stem.weight", "layer1.0.bias"]),
    ("?tem.*", ["stem.weight"]),
  ])
  func `selectors mean these tensors`(text: String, names: [String]) throws {
    #expect(try Self.names(text) == names)
    let printed = try Selector(text).description
    #expect(try Self.names(printed) == names)
    #expect(try Selector(printed).description == printed)
  }

  @Test func `everything has three spellings`() throws {
    let all = Self.net.stateDict().map(\.name.text)
    for text in ["*", "**", "/./"] { #expect(try Self.names(text) == all) }
    #expect(Selector.all.description == "name:**")
  }

  @Test(arguments: [
    (
      "Linear",
      "selector 'Linear' matches both a class and a name; write kind:Linear or name:Linear"
    ),
    ("Linaer", "selector 'Linaer' matches no class or name; did you mean Linear?"),
    ("layer9.**", "selector 'layer9.**' matches nothing; did you mean 'layer1'?"),
    (
      "out_proj",
      "selector 'out_proj' matches no class or name; did you mean 'attn.out_proj'?"
    ),
    (
      "*in*", "selector '*in*' matches both a class and a name; write kind:*in* or name:*in*"
    ),
    (
      "out_porj",
      "selector 'out_porj' matches no class or name; did you mean 'attn.out_proj'?"
    ),
    ("Tahn", "selector 'Tahn' matches no class or name; did you mean Tanh?"),
    ("conv2D", "selector 'conv2D' matches no class or name; did you mean Conv2d?"),
    ("ReLU", "selector 'ReLU' matches only modules without tensors"),
    ("layer1.2", "selector 'layer1.2' matches only modules without tensors"),
    (
      "x.y | name:stem.weihgt",
      "selector 'x.y | name:stem.weihgt' matches nothing; did you mean 'stem.weight'?"
    ),
    ("", "selector '', column 1: expected a class, a name, '/', '!' or '(', found the end"),
    ("a & ", "selector 'a & ', column 5: expected a class, a name, '/', '!' or '(', found the end"),
    ("(a", "selector '(a', column 3: expected ')', found the end"),
    ("a b", "selector 'a b', column 3: expected '&', '|' or the end of the selector, found 'b'"),
    ("/a", "selector '/a', column 3: expected '/' at the end of the expression, found the end"),
    (
      "kind:", "selector 'kind:', column 6: expected a class or a name after 'kind:', found the end"
    ),
  ])
  func `a selector without meaning is an error`(text: String, message: String) {
    let thrown = #expect(throws: CheckpointError.self) { try Self.names(text) }
    #expect(thrown?.message == message)
  }

  @Test func `an expression that cannot be read is an error`() {
    let thrown = #expect(throws: CheckpointError.self) { try Selector("/(/") }
    #expect(
      thrown?.message
        == "selector /(/ is not a regular expression: missing closing parenthesis at offset 1")
  }

  @Test func `hostile selectors end`() throws {
    #expect(throws: CheckpointError.self) { try Selector(String(repeating: "(", count: 100_000)) }
    #expect(throws: CheckpointError.self) { try Selector(String(repeating: "!", count: 100_000)) }
    let stars = String(repeating: "**.", count: 200) + String(repeating: "*a", count: 200)
    let name = String(repeating: "a.", count: 300) + String(repeating: "a", count: 300) + "b"
    #expect(!NamePattern(stars).matches(name))
    #expect(!Glob(stars + "b?").matches(name))
    #expect(Glob(stars).matchesInside(String(repeating: "a.", count: 30_000)))
    #expect(!Glob(stars + "b").matchesInside(String(repeating: "a.", count: 30_000)))
  }

  @Test(arguments: [
    ("*", "a", true), ("*", "a.b", false), ("**", "a.b", true), ("a.**", "a", false),
    ("a.**", "a.b.c", true), ("**.c", "c", true), ("**.c", "a.b.c", true), ("a.**.c", "a.c", true),
    ("a.**.c", "a.b.b.c", true), ("a*c", "abbc", true), ("a*c", "abb", false),
    ("[!a]b", "cb", true),
    ("[!a]b", "ab", false), ("[0-2]x", "1x", true), ("[0-2]x", "3x", false), ("[", "[", true),
    ("e\u{301}", "\u{e9}", false), ("", "", false),
  ])
  func `the globs of side files match whole paths`(pattern: String, name: String, fits: Bool) {
    #expect(NamePattern(pattern).matches(name) == fits)
  }

  /// The answers are those of Python's `fnmatch.fnmatchcase(name, pattern)`.
  @Test(arguments: [
    ("*", "a", true), ("*", "a.b", true), ("**", "a.b", true), ("a.*", "a", false),
    ("a.*", "a.b.c", true), ("*.c", "c", false), ("*.c", "a.b.c", true), ("**.c", "a.b.c", true),
    ("a.*.c", "a.c", false), ("a.*.c", "a.b.b.c", true), ("a*c", "abbc", true),
    ("a*c", "abb", false), ("a*b*c", "a.b.c", true), ("a*b*c", "acb", false), ("a?c", "a.c", true),
    ("[!a]b", "cb", true), ("[!a]b", "ab", false), ("[0-2]x", "1x", true), ("[0-2]x", "3x", false),
    ("*aab", "aaab", true), ("*a", "ab", false), ("a", "ab", false), ("ab*ab", "ab", false),
    ("[", "[", true), ("e\u{301}", "\u{e9}", false), ("", "a", false), ("***", "a", true),
  ])
  func `the globs of selectors are those of fnmatch`(pattern: String, name: String, fits: Bool) {
    #expect(Glob(pattern).matches(name) == fits)
  }

  @Test(arguments: [
    ("a", "a.b", true), ("a.b", "a.b.c.d", true), ("a.b", "a.bc", false), ("a", "ab", false),
    ("*.b", "a.b.c", true), ("?", "a.b.c", true), ("h.?", "h.3.w", true), ("h.?", "h.13.w", false),
    ("b", "a.b", false), ("*b", "a.b.c", true), ("*", "", true), ("?", "", false),
  ])
  func `a glob that matches a container matches what is inside`(
    pattern: String, name: String, fits: Bool
  ) {
    #expect(Glob(pattern).matchesInside(name) == fits)
  }
}
