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

  @Test func `children may be indented by any width, or not at all`() throws {
    let plain = "Net(\n  (a): Net(\n    (b): ReLU()\n  )\n)"
    for width in [0, 1, 3, 4, 8] {
      let text = plain.replacing("  ", with: String(repeating: " ", count: width))
      #expect(try Module(printed: text).description == plain)
    }
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
      "Net(\n  foo=1\n    deeper (x): y\n  (a): ReLU()\n)",
      "Net(\n  (b): Net(a (b): c)\n)", "Net(\n  (weird name-3): None\n)",
      "Ünïcode(\n  (é): ReLU()\n)",
      "ModuleDict(\n  (f(x)): ReLU()\n  (a:b): ReLU()\n)",
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
      "line 3, column 1: expected ')' of Net( of line 1, found the end of the text"
    ),
    (
      "Net(\n  (a): ReLU(\n)",
      "line 3, column 1: expected ')' below ReLU( of line 2, found it after 0 columns"
    ),
    (
      "Net(\n  (a): ReLU\n)",
      "line 2, column 8: expected a module, 'Name(…)' or 'None', found 'ReLU'"
    ),
    (
      "Net(\n  (a): ReLU(x\n)",
      "line 3, column 1: expected ')' below ReLU( of line 2, found it after 0 columns"
    ),
    (
      "Net(\n  (a): ReLU()\n    (b): ReLU()\n)",
      "line 3, column 5: expected the indentation of a child of Net( of line 1, found 4 columns"
    ),
    (
      "Net(\n  (a): Net(\n  (b): ReLU()\n  )\n)",
      "line 3, column 3: expected the indentation of a child of Net( of line 2, found 2 columns"
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
      "Net(\n  fc1: Linear(in_features=4, out_features=2, bias=True)\n  (a): ReLU()\n)",
      "line 2, column 3: expected '(name): ' before a child, and no layer in other text, "
        + "found 'fc1: Linear(in_features=4, out_features=…'"
    ),
    (
      "Net(\n  fc1: Block(\n    (0): ReLU()\n  )\n)",
      "line 5, column 1: expected the end of the model of line 2, found ')' of another one around it"
    ),
    (
      "Net(\n  (\u{200b}a): ReLU()\n)",
      "line 2, column 7: expected a name as it was printed, found 'a' with an invisible or replaced "
        + "character in it"
    ),
    (
      "  (a): ReLU()\n  (b): ReLU()\n)",
      "line 1, column 3: expected 'Name(' in a line above it, where the printed model begins, "
        + "found '(a): ReLU()'"
    ),
    (
      "Net(\n  (a): ReLU()\n)\n(b): ReLU()\n)",
      "line 4, column 1: expected only the model of line 1, 'Net(', found '(b): ReLU()' outside it; "
        + "keep one model in the text"
    ),
    (
      "Net(\n  (a): ReLU()\n)\nModel:\nNet(\n  (a): ReLU()\n)",
      "line 6, column 3: expected only the model of line 1, 'Net(', found '(a): ReLU()' outside it; "
        + "keep one model in the text"
    ),
    (
      "Linear(in_features=4, out_features=2, bias=True)\nLinear(in_features=2, out_features=2, bias=True)",
      "line 2, column 1: expected one model, found a second one, "
        + "'Linear(in_features=2, out_features=2, bi…'"
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
      "line 1, column 1: Linear(in_features=2) does not print like torch.nn's Linear; say in the "
        + "--extra file which tensors it owns, 'path.weight: [3, 4]', or that it owns none, "
        + "'class Linear(Module)'"
    ),
    (
      "Net(\n  (a): Linear(3, 16, bias=True)\n)",
      "line 2, column 8: Linear(3, 16, bias=True) does not print like torch.nn's Linear; say in the "
        + "--extra file which tensors it owns, 'path.weight: [3, 4]', or that it owns none, "
        + "'class Linear(Module)'"
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
      "Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), groups=0)",
      "line 1, column 8: expected a divisor of 3 and 8, found groups=0"
    ),
    (
      "LSTM(1, 1, num_layers=1000000000)",
      "line 1, column 6: expected 1 to 10000, found num_layers=1000000000"
    ),
    (
      "Linear(in_features=1099511627776, out_features=1099511627776, bias=True)",
      "line 1, column 8: weight of shape [1099511627776, 1099511627776] is too large"
    ),
    (
      "MultiheadAttention()",
      "line 1, column 1: MultiheadAttention() does not print like torch.nn's MultiheadAttention; say "
        + "in the --extra file which tensors it owns, 'path.weight: [3, 4]', or that it owns none, "
        + "'class MultiheadAttention(Module)'"
    ),
    (
      "ParameterList(x: 1)",
      "line 1, column 15: expected '  (key): Parameter containing: [torch.float32 of size 2x3]' in ParameterList, found 'x: 1'"
    ),
    (
      "ResNet50()",
      "line 1, column 1: no layer is shown in ResNet50(…), and it is not a torch.nn class; print the "
        + "model that holds the layers, or say in the --extra file that it owns none, "
        + "'class ResNet50(Module)'"
    ),
    (
      "M(\n  original_name=M\n  (c): Linear(original_name=Linear)\n)",
      "line 3, column 8: a printed ScriptModule shows no sizes; print the model before "
        + "torch.jit.script or torch.jit.trace, or describe the live one with ckpt-describe (Tools/describe.py)"
    ),
    (
      "Sequential(\n  ...\n  (1): Linear(in_features=4, out_features=4, bias=True)\n)",
      "line 2, column 3: expected only children in Sequential, found '...'"
    ),
    (
      "Sequential(\n  (0)\n  (1): Linear(in_features=4, out_features=4, bias=True)\n)",
      "line 2, column 3: expected only children in Sequential, found '(0)'"
    ),
    (
      "Sequential(\n  (0): ReLU()\n  (1): Block(...)\n)",
      "line 3, column 14: expected the whole text of Block, found '...', which stands for "
        + "omitted text"
    ),
    (
      "Net(\n  foo=1\n  … (3 more lines)\n)",
      "line 3, column 3: expected the whole text of Net, found '… (3 more lines)', which stands for "
        + "omitted text"
    ),
    (
      "ExportedProgram:\n    class GraphModule(torch.nn.Module):\n        def forward(self, x):\n",
      "line 1, column 1: expected the text that print(model) shows, found a program of torch.export "
        + "or torch.fx, which shows no layers; print the model before that"
    ),
    (
      "odict_keys(['conv1.weight', 'conv1.bias'])",
      "line 1, column 1: expected the text that print(model) shows, found the names of a state dict, "
        + "which do not say how they are initialized"
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
    #expect(message.hasPrefix("line 2, column 8: unknown class \(kind)"))
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
      [label("", "Linear", "in_features=x, out_features=1")],
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
