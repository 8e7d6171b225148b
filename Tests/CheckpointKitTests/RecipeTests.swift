import CheckpointKit
import TensorCore
import Testing

@Suite struct RecipeTests {
  /// The JSON of a recipe with every key and every step.
  static let json = """
    {"dtype":"float64","seed":"7","steps":[{"skip":"randn(1000)"},\
    {"as":"net","atConstruction":["PReLU: weight=2"],"construct":"Net(\\n  (act): PReLU(num_parameters=1)\\n)",\
    "extra":"act: init=0.1"},{"order":"apply","rules":["PReLU: weight=0.5"]},\
    {"name":"net.act","was":"PReLU(num_parameters=3)"},{"copy":"net","to":"ema"},\
    {"cast":"bfloat16","match":"ema"},{"exclude":[],"keep":["ema"]},{"cast":"float32"},\
    {"exclude":["*.bias"],"order":"rules","redraw":["Linear|PReLU"],"rules":["PReLU: weight=1"],\
    "seed":"3"},{"copiedFrom":"abc","exclude":[],"order":"modules","redraw":["act"],"rules":[],\
    "seed":"0"}],"torch":"2.15 default","version":2}
    """

  @Test func `a misspelled key gets a suggestion`() {
    let error = #expect(throws: CheckpointError.self) {
      try Recipe(text: "ordr: apply") { _, _ in throw CheckpointError(.missing, "no model") }
    }
    #expect(error?.message == "line 1: unknown key 'ordr'; did you mean order?")
  }

  @Test func `a stored recipe is written back byte for byte`() throws {
    #expect(try Recipe(json: Self.json).json == Self.json)
    let empty = #"{"dtype":"float32","seed":"0","steps":[],"#
    #expect(try Recipe().json == empty + #""torch":"2.15 avx2","version":2}"#)
  }

  @Test(arguments: [
    (#""2.15 default""#, #""2.16 default""#, "torch: unknown '2.16 default': expected '2.15 avx2'"),
    (#""2.15 default""#, #""2.15 sse""#, "torch: unknown '2.15 sse': expected '2.15 avx2'"),
    (#""float64""#, #""int8""#, "dtype: unknown dtype 'int8'"),
    (#""apply""#, #""up""#, "order: unknown order 'up'"),
    (#""seed":"7""#, #""seed":"x""#, "seed: seed 'x': expected an integer"),
    ("weight=0.5", "weight=half", "rules: rule 'PReLU: weight=half'"),
    ("Linear|PReLU", "Linear|", "redraw: selector 'Linear|'"),
    (#""Net("#, #""Net"#, "construct: line 2, column 3: expected 'Name('"),
    (#""version":2"#, #""version":1"#, "expected version 2, found version 1"),
    ("randn(1000)", "randn(x)", "skip: skip 'randn(x)'"),
    ("PReLU(num_parameters=3)", "Foo(3)", "was: expected a layer of torch.nn"),
    (#"{"skip""#, #"{"jump""#, "steps: expected construct, skip, rules"),
    (#""steps":["#, #""steps":[1,"#, "expected the JSON that 'ckpt init' writes, found '{"),
  ])
  func `an unknown value in a stored recipe is an error that names the key`(
    old: String, new: String, message: String
  ) {
    let json = Self.json.replacing(old, with: new)
    #expect(json != Self.json)
    let error = #expect(throws: CheckpointError.self) { try Recipe(json: json) }
    #expect(error?.message.hasPrefix("recipe: \(message)") == true, "\(error?.message ?? "")")
  }

  @Test(arguments: [
    ("Conv2d: weight=1", "rule 'Conv2d: weight=1' matches only modules that are"),
    ("cast bfloat16 Conv2d", "'cast bfloat16 Conv2d' selects only modules that are"),
    ("cast bfloat16 b.weight", "'cast bfloat16 b.weight' selects only modules that are"),
    ("a <- b", "'a <- b': 'b.weight' is"), ("c <- b", "'c <- b': 'b.weight' is"),
    ("b <- a", "'b <- a': 'b.weight' is"),
    ("was b: Linear(2, 2)", "'was b': it is"),
  ])
  func `a step on what is constructed later is an error, not a step without effect`(
    step: String, message: String
  ) throws {
    func recipe(_ text: String) throws -> Recipe {
      try Recipe(text: text) { file, _ in
        try Model(
          text: file == "a"
            ? "Linear(in_features=2, out_features=2, bias=True)"
            : "Conv2d(1, 1, kernel_size=(1, 1), stride=(1, 1))")
      }
    }
    let thrown = #expect(throws: CheckpointError.self) {
      try recipe("construct a as a\n\(step)\nconstruct b as b").plan()
    }
    #expect(thrown?.message.hasPrefix(message) == true, "\(thrown?.message ?? "")")
    #expect(thrown?.message.contains(" constructed after ") == true)
    #expect(thrown?.code == .missing)
  }

  @Test func `a cast reaches what is constructed before it, and only that`() throws {
    let recipe = try Recipe(
      text: "construct a as a\ncast bfloat16\nconstruct a as b"
    ) { _, _ in try Model(text: "Linear(in_features=2, out_features=2, bias=True)") }
    let types = try recipe.plan().checkpoint.entries.map { "\($0.name) \($0.info.dtype)" }
    #expect(
      types == ["a.weight bfloat16", "a.bias bfloat16", "b.weight float32", "b.bias float32"])
  }
}
