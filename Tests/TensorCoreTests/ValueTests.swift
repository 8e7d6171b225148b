import TensorCore
import Testing

/// Values that are not tensors: what is equal, and what an address leads to.
@Suite struct ValueTests {
  private static let optimizer = Value.dictionary([
    .init("state", .dictionary([.init(.integer(0), .dictionary([.init("step", .integer(5))]))])),
    .init(
      "param_groups",
      .list([
        .dictionary([.init("lr", .real(0.1)), .init("betas", .tuple([.real(0.9), .real(0.999)]))])
      ])),
    .init("a.b", .dictionary([.init("c", .text("dotted"))])),
    .init("a", .dictionary([.init("b.c", .text("nested"))])),
  ])
  private static let checkpoint = Checkpoint(
    entries: [],
    values: [.init("epoch", .integer(3)), .init("optimizer", optimizer)],
    metadata: ["note": "x", Checkpoint.recipeKey: "{}"])

  @Test func `NaN equals NaN, and spellings of text differ`() {
    #expect(Value.real(.nan) == .real(.nan))
    #expect(Value.list([.real(.nan)]) == .list([.real(.nan)]))
    #expect(Value.text("\u{e9}") != .text("e\u{301}"))
    #expect(Value.integer(1) != .real(1))
    #expect(Value.list([]) != .tuple([]))
  }

  @Test(arguments: [
    ("epoch", "3"), ("optimizer.param_groups.0.lr", "0.1"), ("optimizer.state.0.step", "5"),
    ("optimizer.param_groups.0.betas", "(0.9, 0.999)"),
    ("optimizer.param_groups.0.betas.1", "0.999"),
    ("optimizer.a.b.c", "\"dotted\""), ("note", "\"x\""),
  ])
  func `an address leads to its value`(address: String, text: String) {
    #expect(Self.checkpoint.value(at: address)?.shortText(limit: 80) == text)
  }

  @Test(arguments: [
    "epoc", "epoch.0", "optimizer.param_groups.1", "optimizer.param_groups.00", "optimizer.", "",
  ])
  func `other addresses lead nowhere`(address: String) {
    #expect(Self.checkpoint.value(at: address) == nil)
  }

  @Test func `metadata are the values that are text`() {
    var checkpoint = Self.checkpoint
    #expect(checkpoint.metadata == ["note": "x", Checkpoint.recipeKey: "{}"])
    #expect(checkpoint.ownValues.map(\.name) == ["epoch", "optimizer", "note"])
    checkpoint.metadata["epoch"] = "4"
    checkpoint.metadata["b"] = "new"
    checkpoint.metadata["note"] = nil
    #expect(checkpoint.values.map(\.name) == ["epoch", "optimizer", "recipe", "b"])
    #expect(checkpoint.value(at: "epoch") == .text("4"))
  }

  @Test func `each value on a line of its own has an address`() {
    var lines: [String] = []
    Self.optimizer.forEachLeaf(at: "o") { lines.append("\($0)=\($1.kind.rawValue)") }
    #expect(
      lines == [
        "o.state.0.step=integer", "o.param_groups.0.lr=real", "o.param_groups.0.betas=tuple",
        "o.a.b.c=text", "o.a.b.c=text",
      ])
    #expect(Self.optimizer.leafCount == 5)
  }

  @Test func `a line is short whatever the value is`() {
    let many = Value.list((0..<100_000).map { Value.integer($0) })
    #expect(many.shortText(limit: 20) == "[0, 1, 2, 3, 4, 5...")
    #expect(Value.text(String(repeating: "x\n", count: 1000)).shortText(limit: 10).count == 10)
    #expect(Value.bytes([1, 2]).shortText(limit: 80) == "<2 bytes>")
    #expect(
      Value.opaque("a.Namespace", [.init("x", .null)]).shortText(limit: 80)
        == "a.Namespace(x: null)")
  }

  @Test func `a part is removed by its address`() {
    var checkpoint = Self.checkpoint
    #expect(checkpoint.removeValue(at: "optimizer.state.0")?.leafCount == 1)
    #expect(checkpoint.value(at: "optimizer.state") == .dictionary([]))
    // An empty dictionary is not listed.
    #expect(checkpoint.removeValue(at: "optimizer")?.leafCount == 4)
    #expect(checkpoint.removeValue(at: "optimizer") == nil)
    #expect(checkpoint.values.map(\.name) == ["epoch", "note", "recipe"])
  }
}
