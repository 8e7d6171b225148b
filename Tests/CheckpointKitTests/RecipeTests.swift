import CheckpointKit
import TensorCore
import Testing

@Suite struct RecipeTests {
  /// The JSON of a recipe with every key, as an earlier version wrote it.
  static let json = """
    {"dtype":"float64","extra":"act: init=0.1","model":"Net(\\n  (act): PReLU(num_parameters=1)\\n)",\
    "order":"apply","redraws":[{"exclude":["*.bias"],"match":["Linear|PReLU"],"order":"modules",\
    "rules":["PReLU: weight=1"],"seed":"3"},{"copiedFrom":"abc","exclude":[],"match":["act"],\
    "order":"modules","rules":[],"seed":"0"}],"rules":["PReLU: weight=0.5"],"seed":"7",\
    "torch":"2.15 default","version":1}
    """

  @Test func `a stored recipe is written back byte for byte`() throws {
    #expect(try Recipe(json: Self.json).json == Self.json)
    let empty = #"{"dtype":"float32","order":"modules","redraws":[],"rules":[],"seed":"0","#
    #expect(try Recipe().json == empty + #""torch":"2.15 avx2","version":1}"#)
  }

  @Test(arguments: [
    (#""2.15 default""#, #""2.16 default""#, "torch: unknown '2.16 default': expected '2.15 avx2'"),
    (#""2.15 default""#, #""2.15 sse""#, "torch: unknown '2.15 sse': expected '2.15 avx2'"),
    (#""float64""#, #""int8""#, "dtype: unknown dtype 'int8'"),
    (#""apply""#, #""up""#, "order: unknown order 'up'"),
    (#""seed":"7""#, #""seed":"x""#, "seed: seed 'x': expected an integer"),
    ("weight=0.5", "weight=half", "rules: rule 'PReLU: weight=half'"),
    ("Linear|PReLU", "Linear|", "match: selector 'Linear|'"),
    (#""Net("#, #""Net"#, "model: line 1, column 1: expected a module"),
    (#""version":1"#, #""version":2"#, "expected version 1, found version 2"),
    (#""redraws":["#, #""redraws":[1,"#, "expected the JSON that 'ckpt init' writes, found '{"),
  ])
  func `an unknown value in a stored recipe is an error that names the key`(
    old: String, new: String, message: String
  ) {
    let json = Self.json.replacing(old, with: new)
    #expect(json != Self.json)
    let error = #expect(throws: CheckpointError.self) { try Recipe(json: json) }
    #expect(error?.message.hasPrefix("recipe: \(message)") == true, "\(error?.message ?? "")")
  }
}
