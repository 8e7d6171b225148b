import ModuleTree
import TensorCore
import TestSupport
import Testing

@Suite struct PrintedModelTests {
  static let texts: [String] =
    ((try? Golden.modules().map(\.repr)) ?? []) + ((try? Golden.nets().map(\.print)) ?? [])
    + ((try? Golden.traversal().map(\.repr)) ?? []) + ((try? Golden.article().map(\.repr)) ?? [])

  /// Two goldens print classes that cannot be read without being told of them.
  static func read(_ text: String) throws -> Module {
    let extras = "class Leafy(Module)\nclass ParametrizedLinear(Module)\nclass _WeightNorm(Module)"
    return try Module(printed: text, sideFile: SideFile(extras))
  }

  @Test(arguments: texts)
  func `printing gives back what was read`(text: String) throws {
    let tree = try Self.read(text)
    #expect(tree.description == text)
    #expect(try Self.read(text.replacingNewlines + "\r\n\n  \n").description == text)
    let again = try Module(labels: tree.labels)
    #expect(again.description == text)
    #expect(again.labels == tree.labels)
  }

  @Test func `blank lines around the model are passed over, and counted`() throws {
    #expect(try Module(printed: "\n \r\nReLU()\n\n").description == "ReLU()")
    let error = #expect(throws: CheckpointError.self) { try Module(printed: "\n\nReLU") }
    #expect(error?.message.hasPrefix("line 3, column 1: expected ") == true)
  }

  @Test func `older versions print norms without a bias`() throws {
    let text = """
      Sequential(
        (0): BatchNorm2d(4, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)
        (1): LayerNorm((4,), eps=1e-05, elementwise_affine=True)
        (2): GroupNorm(2, 4, eps=1e-05, affine=True)
      )
      """
    let tree = try Module(printed: text)
    #expect(tree.description == text)
    #expect(tree.parameters().count == 6)
  }

  @Test func `free text, odd names and runs are kept`() throws {
    for text in [
      "Net(\n  foo=1\n    deeper (x): y\n  \n  (a): ReLU()\n)",
      "Net(a (b): c)", "Net(\n  (weird name-3): None\n)", "Ünïcode()",
      "MyList(\n  (0-2): 3 x Linear(in_features=1, out_features=1, bias=True)\n  (3): ReLU()\n)",
      "ModuleList(\n  (0-1): 2 x None\n)",
      "ParameterList(  (0): Parameter containing: [torch.float32 of size 2x3])",
    ] {
      #expect(try Module(printed: text).description == text)
    }
  }

  static let refusals: [(text: String, error: String)] = [
    ("", "line 1, column 1: expected a printed model, 'Name(…)', found no text"),
    ("{\"a\": 1}", "line 1, column 1: expected a module, 'Name(…)' or 'None', found '{\"a\": 1}'"),
    (
      "Net(\n  (a): ReLU()\n",
      "line 3, column 1: expected ')' below Net( of line 1, found the end of the text"
    ),
    (
      "Net(\n  (a): ReLU(\n)",
      "line 3, column 1: expected 4 spaces below ReLU( of line 2, or its ')', found ')' after 0 spaces"
    ),
    (
      "ReLU()\nReLU()",
      "line 2, column 1: expected the end of the text, as the model is complete, found 'ReLU()'"
    ),
    (
      "Net(\n  (a): ReLU\n)",
      "line 2, column 8: expected a module, 'Name(…)' or 'None', found 'ReLU'"
    ),
    (
      "Net(\n  (a): ReLU(x\n)",
      "line 2, column 14: expected ')' or nothing after '(', found the end of the line in ReLU(…"
    ),
    (
      "Net(\n    (a): ReLU()\n)",
      "line 2, column 5: expected 2 spaces below Net( of line 1, found a child after 4 spaces"
    ),
    (
      "Net(\n(a): ReLU()\n)",
      "line 2, column 1: expected 2 spaces below Net( of line 1, or its ')', found '(a): ReLU()' after 0 spaces"
    ),
    (
      "Net(\n  (a): ReLU()\n  (a): ReLU()\n)",
      "line 3, column 4: expected another name, found a second child 'a'"
    ),
    (
      "Net(\n  (a.b): ReLU()\n)",
      "line 2, column 4: expected a name without dots, found the name 'a.b'"
    ),
    (
      "Net(\n  (a): ReLU()\n  b\n)",
      "line 3, column 3: expected '(name): ' of a child, or ')', after the children of Net, found 'b'"
    ),
    (
      "ModuleList(\n  (0-3): 3 x ReLU()\n)",
      "line 2, column 4: expected a range of as many numbers, (0-2), found (0-3): 3 x"
    ),
    (
      "ModuleList(\n  (0-999999999): 1000000000 x ReLU()\n)",
      "line 2, column 3: found more than 200000 modules and tensors; pass --allow-large to allow them"
    ),
    (
      "Linear(in_features=2, out_features=x, bias=True)",
      "line 1, column 23: expected a whole number from 0 to 2^40, found out_features x"
    ),
    (
      "Linear(in_features=2)",
      "line 1, column 8: expected out_features=<number>, found 'in_features=2'"
    ),
    (
      "Net(\n  (a): Linear(in_features=2, out_features=3, bias=1)\n)",
      "line 2, column 46: expected True or False, found bias=1"
    ),
    (
      "Conv2d(3, 8, kernel_size=(3,), stride=(1, 1))",
      "line 1, column 8: expected 2 sizes, found kernel_size=(3,)"
    ),
    (
      "Conv2d(3, 8, kernel_size=(3, 3), groups=0)",
      "line 1, column 8: expected a divisor of 3 and 8, found groups=0"
    ),
    (
      "LSTM(1, 1, num_layers=1000000000)",
      "line 1, column 6: expected 1 to 10000, found num_layers=1000000000"
    ),
    (
      "Linear(in_features=1099511627776, out_features=1099511627776)",
      "line 1, column 8: weight of shape [1099511627776, 1099511627776] is too large"
    ),
    (
      "MultiheadAttention()",
      "line 1, column 20: expected a linear layer 'out_proj', which gives MultiheadAttention its sizes, found none"
    ),
    (
      "ParameterList(x)",
      "line 1, column 15: expected '  (key): Parameter containing: [torch.float32 of size 2x3]' in ParameterList, found 'x'"
    ),
  ]

  @Test(arguments: refusals)
  func `errors name line, column, what was expected, and what was found`(
    text: String, error: String
  ) {
    let thrown = #expect(throws: CheckpointError.self) { try Module(printed: text) }
    #expect(thrown?.message == error)
    #expect(thrown?.code == .malformed)
  }

  @Test(arguments: [
    "FooNorm((64,), eps=1e-06)", "MyLinear(in_features=2, out_features=3)", "Thing(64, 3)",
    "LlamaRMSNorm()", "Parametrized()", "Block(\n  64, 64\n  (a): ReLU()\n)",
  ])
  func `an unknown class that looks as if it had tensors is refused`(text: String) throws {
    let nested = "Net(\n  (x): \(text.replacing("\n", with: "\n  "))\n)"
    let thrown = #expect(throws: CheckpointError.self) { try Module(printed: nested) }
    let message = try #require(thrown?.message)
    let kind = text.prefix { $0 != "(" }
    let column = text.contains("\n") ? 3 : 8
    #expect(message.hasPrefix("line 2, column \(column): unknown class \(kind)"))
    #expect(message.contains("--extra"))
    #expect(
      try Module(printed: nested, sideFile: SideFile("class \(kind)(Module)")).description == nested
    )
    #expect(try Module(printed: nested, sideFile: SideFile("x.w: [2] = 1")).stateDict().count == 1)
  }

  @Test func `deep nesting is read up to a limit`() throws {
    func nested(_ depth: Int) -> String {
      func margin(_ level: Int) -> String { String(repeating: " ", count: 2 * level) }
      return (0..<depth).map { margin($0) + ($0 == 0 ? "N(\n" : "(a): N(\n") }.joined()
        + (0..<depth).reversed().map { margin($0) + ")\n" }.joined()
    }
    let tree = try Module(printed: nested(900))
    #expect(tree.namedModules().count == 900)
    #expect(tree.applyOrder().count == 900)
    #expect(try Module(labels: tree.labels).labels.count == 900)
    let thrown = #expect(throws: CheckpointError.self) { try Module(printed: nested(1_002)) }
    #expect(thrown?.message.contains("at most 1000 levels") == true)
  }

  @Test func `runs within runs stay within the limit`() throws {
    var text = ""
    for level in 0..<8 {
      text += String(repeating: " ", count: 2 * level) + (level == 0 ? "" : "(0-99): 100 x ")
      text += "ModuleList(\n"
    }
    for level in (0..<8).reversed() { text += String(repeating: " ", count: 2 * level) + ")\n" }
    let thrown = #expect(throws: CheckpointError.self) { try Module(printed: text) }
    #expect(thrown?.message.contains("more than 200000 modules") == true)
  }

  @Test func `text cut or damaged at any byte is read or refused, and never crashes`() throws {
    for text in Self.texts.filter({ $0.utf8.count < 1_500 }) {
      let bytes = Array(text.utf8)
      for end in stride(from: 0, to: bytes.count, by: text.utf8.count > 300 ? 7 : 1) {
        _ = try? Module(printed: String(decoding: bytes[..<end], as: UTF8.self))
        var damaged = bytes
        damaged[end] = [0, 10, 32, 40, 41, 58, 0xff][end % 7]
        _ = try? Module(printed: String(decoding: damaged, as: UTF8.self))
      }
    }
  }

  @Test(arguments: [
    ([ModuleLabel](), "the module tree has no root (path '')"),
    (
      [label("", "A"), label("b.c", "B")], "found module 'b.c' before its parent 'b'"
    ),
    ([label("", "A"), label("b", "B"), label("b", "B")], "module 'b' appears twice"),
    (
      [label("", "Linear", "in_features=x")],
      "module '': expected a whole number from 0 to 2^40, found in_features x"
    ),
  ])
  func `labels that do not form a tree are refused`(labels: [ModuleLabel], message: String) {
    let thrown = #expect(throws: CheckpointError.self) { try Module(labels: labels) }
    #expect(thrown?.message == message)
  }
}

private func label(_ path: String, _ kind: String, _ arguments: String = "") -> ModuleLabel {
  ModuleLabel(path: path, kind: kind, arguments: arguments)
}

extension String {
  fileprivate var replacingNewlines: String { replacing("\n", with: "\r\n") }
}
