import ModuleTree
import TensorCore
import TestSupport
import Testing

@Suite struct TraversalTests {
  static let cases = (try? Golden.traversal()) ?? []

  /// The tree of a case, built through the API: printed text shows no sharing and no ties.
  static func tree(_ golden: Golden.TraversalCase) throws -> Module {
    switch golden.id {
    case "trav":
      let shared = Linear(1, 1).module.shared()
      return try ModuleClass("Trav")(
        a: shared,
        blk: Sequential(Linear(1, 2), ReLU()),
        alias: shared,
        inner: Sequential(shared, Linear(2, 2)),
        gone: nil,
        tied: Linear(1, 1),
        mha: MultiheadAttention(4)
      )
      .adding(Parameter("p", shape: [2], initializer: .zeros))
      .adding(Parameter("q", shape: [3], initializer: .zeros))
      .adding(Buffer("buf", shape: [1], value: 0))
      .adding(Buffer("hidden", shape: [1], value: 0, isPersistent: false))
      .tying("tied.weight", to: "alias.weight")
    case "seq_shared":
      let shared = Linear(1, 1).module.shared()
      return Sequential(shared, Sequential(shared), Linear(1, 1)).module
    case "extra":
      return try Module(printed: golden.repr, sideFile: SideFile("class Leafy(Module)"))
    default: return try Module(printed: golden.repr)
    }
  }

  @Test func `the goldens are all here`() { #expect(Self.cases.count == 4) }

  @Test(arguments: cases)
  func `every order is torch's`(golden: Golden.TraversalCase) throws {
    let tree = try Self.tree(golden)
    #expect(tree.description == golden.repr)
    #expect(tree.namedModules().map(\.path) == golden.modules)
    #expect(
      tree.namedModules(removeDuplicates: false).map(\.path)
        == golden.named_modules_with_duplicates)
    #expect(tree.namedChildren().map(\.name) == golden.children)
    #expect(tree.applyOrder().map(\.path) == golden.apply_order)
    #expect(tree.namedParameters().map(\.name.text) == golden.named_parameters)
    #expect(
      tree.namedParameters(removeDuplicates: false).map(\.name.text)
        == golden.named_parameters_with_duplicates)
    #expect(tree.namedBuffers().map(\.name.text) == golden.named_buffers)
    let entries = tree.stateDict().map {
      Golden.TraversalCase.Entry(
        name: $0.name.text, dtype: $0.dtype(inModelOf: .float32).torchName, shape: $0.shape.sizes)
    }
    #expect(entries == golden.state_dict)
    #expect(tree.modules().count == golden.modules.count)
    #expect(tree.children().count == golden.children.count)
    #expect(tree.parameters().count == golden.named_parameters.count)
  }

  @Test func `a subscript reaches and replaces modules below`() throws {
    var tree = Sequential(Linear(1, 2), Sequential(ReLU(), Linear(2, 3))).module
    #expect(tree["1.1"]?.arguments == "in_features=2, out_features=3, bias=True")
    #expect(tree["1.2"] == nil && tree["x"] == nil && tree[""]?.kind == "Sequential")
    tree["1.0"] = Tanh().module
    #expect(tree["1.0"]?.kind == "Tanh")
    tree["1.1"] = nil
    #expect(tree.stateDict().map(\.name.text) == ["0.weight", "0.bias"])
  }

}
