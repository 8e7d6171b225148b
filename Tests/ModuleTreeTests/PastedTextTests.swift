import ModuleTree
import ParallelWork
import TensorCore
import TestSupport
import Testing

@Suite struct PastedTextTests {
  static let names = [
    "plain", "lists", "users", "transformers", "numpy-integers", "graph", "arrows", "argument",
    "init-cfg", "detectron2", "version-0.3", "version-0.4", "version-1.6",
  ]

  static func text(_ name: String) throws -> String {
    String(decoding: try Fixtures.bytes("pasted/\(name).txt"), as: UTF8.self)
  }

  @Test(arguments: names)
  func `a printed model gives torch's tensors`(name: String) throws {
    let tree = try Module(printed: Self.text(name))
    let sums = try tree.initialized(seed: 7).entries.map {
      "\(try $0.digest(.sha256))  \($0.name)\n"
    }
    let wanted = String(decoding: try Fixtures.bytes("pasted/\(name).sums"), as: UTF8.self)
    #expect(sums.sorted().joined() == wanted)
    // What ckpt prints is read as the same model.
    #expect(try Module(printed: tree.description).labels == tree.labels)
  }

  /// What pasting does to a text.
  static let disguises: [(name: String, change: @Sendable (String) -> String)] = [
    ("prompt", { ">>> print(net)\n\($0)\n>>> net.training\nTrue\n" }),
    ("IPython", { "In [3]: net\nOut[3]: \n\($0)\n\nIn [4]: " }),
    ("IPython, same line", { "Out[12]: \($0)" }),
    ("fence", { "My model (a small one):\n```python\n\($0)\n```\nWhat is wrong?\n" }),
    ("heading", { "Model:\n\($0)\nTotal parameters: 20,730\n" }),
    ("heading, same line", { "Model: \($0)" }),
    ("assignment", { "model = \($0)" }),
    ("logging", { "2023-01-06 11:32:15,622 - mmdet - INFO - Model:\n\($0)\n2023-01-06 - start\n" }),
    ("logging, same line", { "INFO:root:\($0)\nINFO:root:done" }),
    ("logging, each line", { each($0) { "I0106 11:32:15.\(100 + $0) 12 train.py:3] \($1)" } }),
    ("rank", { each($0) { "[rank0]: \($1)" } }),
    ("container", { each($0) { "web_1  | \($1)" } }),
    (
      "line numbers",
      { each($0) { "\(String(repeating: " ", count: $0 < 9 ? 5 : 4))\($0 + 1) \($1)" } }
    ),
    ("grep -n", { each($0) { "\($0 + 1):\($1)" } }),
    ("cat -n", { each($0) { "    \($0 + 1)\t\($1)" } }),
    ("file and line", { each($0) { "train.log:\($0 + 1):\($1)" } }),
    ("mail", { each($0) { "> \($1)" } }),
    ("mail twice", { each($0) { ">> \($1)" } }),
    ("comment", { each($0) { "# \($1)" } }),
    ("diff", { each($0) { "+\($1)" } }),
    ("docstring", { "\"\"\"\n\($0)\n\"\"\"" }),
    (
      "repr",
      {
        "'"
          + $0.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing(
            "'", with: "\\'") + "'"
      }
    ),
    (
      "JSON log",
      {
        #"{"level": "info", "msg": ""#
          + $0.replacing("\n", with: "\\n").replacing("\"", with: "\\\"") + #""}"#
      }
    ),
    ("indented", { each($0) { "        \($1)" } }),
    ("indented by tabs", { each($0) { "\t\($1)" } }),
    ("wide", { each($0) { widened($1, by: "    ") } }),
    ("tabs", { each($0) { widened($1, by: "\t") } }),
    ("no-break spaces", { each($0) { widened($1, by: "\u{a0}\u{a0}") } }),
    ("ideographic spaces", { each($0) { widened($1, by: "\u{3000}\u{3000}") } }),
    ("flat", { each($0) { widened($1, by: "") } }),
    ("blanks at the ends", { each($0) { "\($1)  \t" } }),
    ("blank lines", { $0.replacing("\n", with: "\n\n") }),
    ("CRLF", { $0.replacing("\n", with: "\r\n") }),
    ("CR", { $0.replacing("\n", with: "\r") }),
    ("line separators", { $0.replacing("\n", with: "\u{2028}") }),
    ("colors", { "\u{1b}[32m" + each($0) { "\u{1b}[0;1m\($1)\u{1b}[0m" } + "\u{1b}]0;title\u{7}" }),
    ("colors without ESC", { each($0) { "[0;1m\($1)[0m" } + "^[[38;5;208m" }),
    (
      "comments",
      { each($0) { $1.last == ")" || $1.last == "(" ? "\($1)  # 224 (bytes" : "\($1)" } }
    ),
    ("guides", { each($0) { widened($1, by: "│ ") } }),
    ("frame", { "╭───╮\n" + each($0) { "│ \($1)   │" } + "\n╰───╯" }),
    ("multiplication sign", { $0.replacing(" x ", with: " × ") }),
    ("dictionary", { "{'net': \($0)}" }),
    ("notebook, streams", { streams($0) }),
    ("notebook, text cell", { textCell($0) }),
    ("notebook of version 3", { oldNotebook($0) }),
    ("HTML", { "<html><pre class=\"x\">" + escaped($0) + "</pre></html>" }),
    ("HTML lines", { "<div>" + escaped($0).replacing("\n", with: "<br>\n") + "</div>" }),
    ("terminal of 80 columns", { wrapped($0, at: 80) }),
    ("terminal of 61 columns", { wrapped($0, at: 61) }),
    ("terminal of 40 columns", { wrapped($0, at: 40) }),
    ("terminal, a prompt before it", { ">>> net\n\(wrapped($0, at: 60))\n>>> " }),
    ("terminal, commented", { each(wrapped($0, at: 57)) { "# \($1)" } }),
    (
      "terminal, blanks lost",
      { each(wrapped($0, at: 50)) { String($1.reversed().drop { $0 == " " }.reversed()) } }
    ),
    ("mail of 72 columns", { each($0) { wrappedAtBlanks($1, at: 72, then: "") } }),
    ("mail of 50 columns", { each($0) { wrappedAtBlanks($1, at: 50, then: "") } }),
    (
      "mail of 50 columns, quoted",
      { each(each($0) { wrappedAtBlanks($1, at: 50, then: "") }) { "> \($1)" } }
    ),
    ("editor of 64 columns", { each($0) { wrappedAtBlanks($1, at: 64, then: "            ") } }),
    ("byte order mark", { "\u{feff}\($0)" }),
    ("notebook", { notebook($0) }),
  ]

  static func each(_ text: String, _ change: (Int, Substring) -> String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
      .map { change($0.offset, $0.element) }.joined(separator: "\n")
  }

  /// Lines cut after this many characters, as a terminal does.
  static func wrapped(_ text: String, at width: Int) -> String {
    each(text) { _, line in
      var (rest, pieces) = (line, [Substring]())
      while rest.count > width {
        pieces.append(rest.prefix(width))
        rest = rest.dropFirst(width)
      }
      return (pieces + [rest]).joined(separator: "\n")
    }
  }

  /// A line cut at the last blank that leaves each part narrow enough, but not within its indentation.
  static func wrappedAtBlanks(_ line: Substring, at width: Int, then indent: String) -> String {
    var (rest, pieces) = (line, [String]())
    while rest.count > width, let blank = rest.prefix(width).lastIndex(of: " "),
      rest[..<blank].contains(where: { $0 != " " }), rest[..<blank].last != "x"
    {
      pieces.append((pieces.isEmpty ? "" : indent) + rest[..<blank])
      rest = rest[rest.index(after: blank)...]
    }
    return (pieces + [(pieces.isEmpty ? "" : indent) + rest]).joined(separator: "\n")
  }

  static func widened(_ line: Substring, by unit: String) -> String {
    let spaces = line.prefix { $0 == " " }.count
    return String(repeating: unit, count: spaces / 2) + line.dropFirst(spaces)
  }

  static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("'", with: "&#x27;")
  }

  static func notebook(_ text: String) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { "\"\($0.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\\n\"" }
    return """
      {"cells": [
        {"cell_type": "code", "source": ["net = Net()"], "outputs": []},
        {"cell_type": "code", "source": ["print(net)"], "outputs": [
          {"output_type": "stream", "name": "stderr", "text": ["a warning (of no use)\\n"]},
          {"output_type": "execute_result", "data": {"text/plain": [\(lines.joined(separator: ",\n"))]}}
        ]}
      ], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
      """
  }

  static func quoted(_ text: some StringProtocol) -> String {
    let escaped = String(text).replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    return "\"" + escaped.replacing("\n", with: "\\n") + "\""
  }

  /// Standard output in two parts, with a warning between them.
  static func streams(_ text: String) -> String {
    let cut = text.index(text.startIndex, offsetBy: text.count / 2)
    let parts = [("stdout", text[..<cut]), ("stderr", "warning\n"), ("stdout", text[cut...])]
    let outputs = parts.map {
      "{\"output_type\": \"stream\", \"name\": \"\($0.0)\", \"text\": \(quoted($0.1))}"
    }
    return """
      {"cells": [{"cell_type": "code", "outputs": [\(outputs.joined(separator: ", "))]}], "nbformat": 4}
      """
  }

  static func textCell(_ text: String) -> String {
    """
    {"cells": [{"cell_type": "markdown", "source": [\(quoted("```\n\(text)\n```"))]},
      {"cell_type": "code", "source": [\(quoted(text))], "outputs": []}], "nbformat": 4}
    """
  }

  static func oldNotebook(_ text: String) -> String {
    """
    {"worksheets": [{"cells": [{"cell_type": "code", "input": ["net"],
      "outputs": [{"output_type": "pyout", "text": [\(quoted(text))]}]}]}], "nbformat": 3}
    """
  }

  @Test(arguments: names, disguises.map(\.name))
  func `however a model was pasted, it is the same`(name: String, disguise: String) throws {
    let text = try Self.text(name)
    let change = try #require(Self.disguises.first { $0.name == disguise }).change
    let trimmed = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    let pasted = change(trimmed.joined(separator: "\n"))
    #expect(try Module(printed: pasted).labels == Module(printed: text).labels)
  }

  @Test(arguments: ["plain", "users", "transformers", "detectron2", "argument", "version-0.3"])
  func `white space collapsed to one line is the same model`(name: String) throws {
    let text = try Self.text(name)
    let line = text.split { $0 == "\n" || $0 == " " }.joined(separator: " ")
    #expect(try Module(printed: line).labels == Module(printed: text).labels)
  }

  @Test(arguments: [
    "\u{200b}", "\u{feff}", "\u{ad}", "\u{2060}", "\u{200d}", "\u{a0}", "\u{3000}", "\u{2009}",
    "\u{85}",
    "（", "\u{1b}[1m", "\0",
  ])
  func `a character inserted anywhere gives the same model or an error`(inserted: String) throws {
    var count = 0
    for name in ["plain", "detectron2", "lists"] {
      let text = try Self.text(name)
      let wanted = try Module(printed: text)
      for offset in text.utf8.indices.enumerated().filter({ $0.offset % 3 == 0 }).map(\.element) {
        var changed = text
        changed.insert(contentsOf: inserted, at: offset)
        guard let read = try? Module(printed: changed) else { continue }
        count += 1
        #expect(
          Self.tensors(read) == Self.tensors(wanted),
          "at \(text.utf8.distance(from: text.startIndex, to: offset))")
      }
    }
    // A parenthesis is text in few places.
    #expect(count >= (inserted == "（" ? 1 : 100), "\(count) were read")
  }

  /// Everything but what is only printed.
  static func tensors(_ module: Module) -> [String] {
    module.stateDict().map { "\($0.name) \($0.shape)" }
      + module.namedModules().map { "\($0.path) \($0.module.kind)" }
  }

  @Test func `a line that is lost, doubled, or moved is an error or another model in full`() throws
  {
    let text = try Self.text("users")
    let lines = text.split(separator: "\n").map(String.init)
    var count = 0
    for index in lines.indices {
      var less = lines
      less.remove(at: index)
      // Without its line a layer is not there; every other one is where it was.
      guard let read = try? Module(printed: less.joined(separator: "\n")) else { continue }
      let names = Set(try Module(printed: text).namedModules().map(\.path))
      #expect(read.namedModules().allSatisfy { names.contains($0.path) })
      #expect(read.namedModules().count >= lines.count { $0.contains("):") } - 4)
      count += 1
    }
    #expect(count > 10, "\(count) of \(lines.count)")
  }

  static let refusals: [(text: String, message: String)] = [
    (
      "hello world", "line 1, column 1: expected a module, 'Name(…)' or 'None', found 'hello world'"
    ),
    (
      "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\nNameError: x",
      "line 1, column 1: expected the text that print(model) shows, found a traceback"
    ),
    (
      "class Net(nn.Module):\n  def __init__(self):\n    self.fc = nn.Linear(2, 3)",
      "line 1, column 1: expected the text that print(model) shows, found Python source; run it and "
        + "print(model), or describe the model with ckpt-describe (Tools/describe.py)"
    ),
    (
      "model = nn.Sequential(\n    nn.Linear(2, 3),\n)",
      "line 1, column 1: expected the text that print(model) shows, found Python source; run it and "
        + "print(model), or describe the model with ckpt-describe (Tools/describe.py)"
    ),
    (
      "====\nLayer (type:depth-idx)  Param #\n====\nNet  --\n├─Linear: 1-1  9\n",
      "line 1, column 1: expected the text that print(model) shows, found a summary table, which does "
        + "not show all arguments of the layers"
    ),
    (
      "Model: \"sequential\"\n Layer (type)   Output Shape   Param #\n dense (Dense)  (None, 4)  20",
      "line 1, column 1: expected the text that print(model) shows, found a summary table, which does "
        + "not show all arguments of the layers"
    ),
    (
      "OrderedDict([('0.weight', tensor([[1.]]))])",
      "line 1, column 1: expected the text that print(model) shows, found a printed state dict, which "
        + "does not say how it is initialized"
    ),
    (
      ">>> net.fc\nLinear(in_features=2, out_features=3, bias=True)\n>>> net\nNet(\n  (a): ReLU()\n)",
      "line 2, column 1: expected only the model of line 4, 'Net(', found 'Linear(in_features=2, "
        + "out_features=3, bi…' outside it; keep one model in the text"
    ),
    (
      "> Net(\n>   (a): ReLU(\n> )",
      "line 3, column 3: expected ')' below ReLU( of line 2, found it after 1 columns"
    ),
    (
      #"{"cells": [], "nbformat": 4}"#,
      "expected a notebook with the output of print(model), found none in 0 cells"
    ),
  ]

  @Test(arguments: refusals)
  func `what is not one printed model is refused`(text: String, message: String) {
    let thrown = #expect(throws: CheckpointError.self) { try Module(printed: text) }
    #expect(thrown?.message == message)
    #expect(thrown?.code == .malformed)
  }

  @Test func `a wrap that cannot be undone is an error, not a class of another's`() {
    let thrown = #expect(throws: CheckpointError.self) {
      try Module(
        printed: "Net(\n(a): Conv2d(\n3, 4, kernel_si\nze=(1, 1), stride=(1, 1)\n(b): ReLU()\n)\n)")
    }
    #expect(
      thrown?.message
        == "line 2, column 6: expected the arguments of Conv2d on one line, found 2 lines; if the text "
        + "was wrapped, print it again in a wider window")
  }

  @Test func `a line that is a layer is not the rest of the one above`() {
    for layer in ["Linear(in_features=2, out_features=2, bias=True)", "fc: Linear(2, 2)"] {
      #expect(throws: CheckpointError.self) {
        try Module(printed: "Net(\n  (a): Foo(3\n\(layer))\n)")
      }
    }
  }

  @Test(arguments: [
    "...", "…", "⋮", "....", ". . .", "*", "`...`", "[...]", "(...)", "(fc)", "(fc) ...",
    "(fc) Linear(...)", "Linear(…)", "... 3 more", "# ...",
  ])
  func `what stands for an omitted child is an error`(gap: String) {
    for parent in ["Net", "Sequential"] {
      let text =
        "\(parent)(\n  \(gap)\n  (last): Linear(in_features=2, out_features=2, bias=True)\n)"
      #expect(throws: CheckpointError.self) { try Module(printed: text) }
    }
  }

  @Test(arguments: [
    "'b ... -> b'", "pattern=...", "tensor([[1., ..., 2.]])", "size (3) of 4", "{\n  a: 1\n  }",
  ])
  func `a module's own text may hold dots and parentheses`(text: String) throws {
    let tree = try Module(
      printed: "Net(\n  \(text)\n  (last): Linear(in_features=2, out_features=2, bias=True)\n)")
    #expect(tree.stateDict().count == 2)
  }

  @Test func `a long text is read in linear time`() throws {
    let lines = String(repeating: "epoch 1: loss (of (the (many\n", count: 200_000)
    let model = try Self.text("plain")
    #expect(try Module(printed: lines + model + lines).labels == Module(printed: model).labels)
    for hostile in [
      "(", "(a): ", "(a): b(", "Linear(", "a=X(", "a=Linear(", "x(\n", "'", "<pre", "&",
      "(a): None ",
      "init_cfg={", "x(((\n", "(a): F(((\nb", "(a\n",
    ] {
      _ = try? Module(printed: "Net(\n" + String(repeating: hostile, count: 100_000))
    }
    for sibling in [
      "(0): ReLU() ", "a0=Linear(in_features=1, out_features=1, bias=True), ",
    ] {
      let all = (0..<30_000).map { sibling.replacing("0", with: "\($0)", maxReplacements: 1) }
      let tree = try Module(printed: "Net(\(all.joined()))")
      #expect(tree.ownChildren.count == 30_000)
    }
  }

  @Test func `a long name above many modules is refused before its paths fill the memory`() {
    let name = String(repeating: "a", count: 100_000)
    let leaves = (0..<5_000).map { "    (\($0)): ReLU()\n" }.joined()
    let nones = (0..<5_000).map { "    (\($0)): None\n" }.joined()
    for inside in [leaves, nones, "    (0-12499): 12500 x ReLU()\n"] {
      let thrown = #expect(throws: CheckpointError.self) {
        try Module(printed: "Net(\n  (\(name)): Block(\n\(inside)  )\n)")
      }
      #expect(thrown?.message.contains("the paths of the modules take more than") == true)
    }
  }

  @Test func `a stack without layers does not show what was drawn`() throws {
    let text = "Net(\n  (m): TransformerEncoder(\n    (layers): ModuleList()\n  )\n)"
    let thrown = #expect(throws: CheckpointError.self) { try Module(printed: text) }
    #expect(thrown?.message.contains("a TransformerEncoder without layers does not show") == true)
    let sideFile = try SideFile("class TransformerEncoder(Module)")
    #expect(try Module(printed: text, sideFile: sideFile).stateDict().isEmpty)
  }
}
