import CheckpointKit
import TestSupport
import Testing

@testable import CheckpointCommand

/// The screens of `browse`, as functions of a state, without a terminal.
@Suite struct BrowserTests {
  @Test func `the first screen has the tree, the file, and the keys`() throws {
    let browser = try BrowserSample(rows: 12)
    #expect(
      browser.screen == [
        " net.ckz                                                              4 tensors",
        "▾ net.ckz  Net                   │ net.ckz",
        "  ▸ conv  Linear               2 │ ckz",
        "  ▸ block                      2 │ also holds: epoch",
        "                                 │",
        "                                 │ 4 tensors, 36 elements, 144 B",
        "                                 │ F32 4",
        "                                 │",
        "                                 │",
        "                                 │",
        "                                 │",
        "↑↓ move  ←→ fold  v values  tab pane  / search  n next  ? help  q quit",
      ])
  }

  @Test func `a tensor shows its figures, a histogram, and values`() throws {
    var browser = try BrowserSample(columns: 100)
    try browser.press("jlj")
    #expect(browser.selected == "conv.weight")
    #expect(browser.panes.tree[2] == "    weight                    F32 [4, 6]")
    let details = browser.panes.details
    #expect(
      Array(details.prefix(9))
        == [
          "conv.weight", "F32 [4, 6], 24 elements, 96 B",
          "in Linear(in_features=6, out_features=4)", "", "min         0", "max      5.75",
          "mean    2.875",
          "std     1.731", "zeros       1",
        ])
    #expect(details.contains { $0.hasPrefix("0") && $0.hasSuffix("5.75") })
    #expect(details.contains("[0, :]         0.0        0.25         0.5        0.75"))
    #expect(details.contains("[3, :]         4.5        4.75         5.0        5.25"))
  }

  @Test func `values scroll along rows and columns`() throws {
    var browser = try BrowserSample()
    try browser.press("jljv")
    #expect(browser.panes.details[3] == "                 0           1           2")
    #expect(browser.panes.details[4] == "[0, :]         0.0        0.25         0.5")
    try browser.press(.tab, .right, .down)
    #expect(browser.panes.details[3] == "                 2           3           4")
    #expect(browser.panes.details[4] == "[1, :]         2.0        2.25         2.5")
    try browser.press(.end)
    #expect(browser.panes.details[4] == "[3, :]         5.0        5.25         5.5")
    try browser.press(.home)
    #expect(browser.panes.details[4] == "[0, :]         0.0        0.25         0.5")
  }

  @Test func `groups open and close, and the selection stays visible`() throws {
    var browser = try BrowserSample(rows: 5)
    try browser.press(.down, .right, .down, .down)
    #expect(browser.selected == "conv.bias")
    #expect(browser.panes.tree.map { $0.prefix(10) } == ["  ▾ conv  ", "    weight", "    bias  "])
    try browser.press(.left)
    #expect(browser.selected == "conv")
    try browser.press(.left)
    #expect(browser.panes.tree.map { $0.prefix(9) } == ["▾ net.ckz", "  ▸ conv ", "  ▸ block"])
    try browser.press(.end, .enter, .end)
    #expect(browser.selected == "block.1")
    try browser.press(.character(" "), .right)
    #expect(browser.selected == "block.1.weight")
    try browser.press(.home, .pageDown, .pageUp)
    #expect(browser.selected.isEmpty)
  }

  @Test func `a search opens what it finds, and wraps`() throws {
    var browser = try BrowserSample()
    try browser.press("/weig")
    #expect(browser.screen[23] == "/weig")
    #expect(browser.selected == "conv.weight")
    try browser.press(.enter)
    #expect(browser.selected == "conv.weight")
    try browser.press("n")
    #expect(browser.selected == "block.0.weight")
    try browser.press("nn")
    #expect(browser.selected == "conv.weight")
    #expect(browser.screen[23] == "search wrapped")
    try browser.press("N")
    #expect(browser.selected == "block.1.weight")
    try browser.press("/nothing")
    try browser.press(.enter)
    #expect(browser.screen[23] == "no name contains 'nothing'")
    #expect(browser.selected == "block.1.weight")
    try browser.press("/BIAS")
    try browser.press(.enter)
    #expect(browser.screen[23] == "no name contains 'BIAS'")
    try browser.press("/conv")
    try browser.press(.escape)
    #expect(browser.selected == "block.1.weight")
  }

  @Test func `two files show what became of each tensor`() throws {
    var browser = try BrowserSample(comparing: true)
    #expect(browser.screen[0].hasSuffix("4 of 5 tensors differ"))
    #expect(browser.screen[0].hasPrefix(" a.ckz → b.ckz"))
    let tree = browser.panes.tree
    #expect(tree[1] == "  ▸ ~ conv                1 of 2")
    #expect(tree[2] == "  ▸ ~ block               2 of 2")
    #expect(tree[3] == "  ▸ + extra               1 of 1")
    try browser.press("d")
    #expect(browser.selected == "conv.bias")
    #expect(browser.panes.details.contains("only in a.ckz"))
    try browser.press("d")
    #expect(browser.selected == "block.0.weight")
    let details = browser.panes.details
    #expect(details.contains("differs: 1 of 4, max abs 1, rel L2 0.2182"), "\(details)")
    #expect(details.contains("max       3.5     3.5"))
    #expect(details.contains("min       0.5     0.5"))
    #expect(details.contains("mean        2    2.25"))
    #expect(details.contains("[0, :]         0.5         1.5"))
    #expect(details.contains("     +         0.5         2.5"))
    #expect(details.contains("[1, :]         2.5         3.5"))
    try browser.press("d")
    #expect(browser.panes.details[1] == "F32 [2, 2] → F32 [4]")
    try browser.press("d")
    #expect(browser.selected == "extra.weight")
    try browser.press("d")
    #expect(browser.selected == "conv.bias")
    try browser.press("D")
    #expect(browser.selected == "extra.weight")
  }

  @Test func `elements that differ are colored, the others are not`() throws {
    var browser = try BrowserSample(comparing: true)
    try browser.press("dd")
    let lines = BrowserScreen(browser.state).lines
    let red = lines.flatMap(\.runs).filter { $0.style.color == .red }.map(\.text)
    let green = lines.flatMap(\.runs).filter { $0.style.color == .green }.map(\.text)
    #expect(red.contains("1.5") && !red.contains("0.5"))
    #expect(green.contains("2.5") && !green.contains("0.5"))
  }

  @Test func `help lists every key, and any key leaves it`() throws {
    var browser = try BrowserSample()
    try browser.press("?")
    for (keys, action) in BrowserScreen.keys {
      #expect(browser.screen.contains { $0.contains(keys) && $0.contains(action) }, "\(keys)")
    }
    try browser.press("x")
    #expect(browser.screen[1].hasPrefix("▾ net.ckz"))
  }

  @Test func `q leaves, and Ctrl-C interrupts`() throws {
    var browser = try BrowserSample()
    #expect(try browser.press(.character("q")) == .quit)
    #expect(try browser.press(.interrupt) == .interrupt)
    try browser.press("/")
    #expect(try browser.press(.character("q")) == nil)
    #expect(try browser.press(.interrupt) == .interrupt)
  }

  @Test(arguments: [1, 3, 4, 5, 8, 24, 60])
  func `no line is wider than the terminal, at any size`(rows: Int) throws {
    let names: [TensorName] = ["重み.가", "a\u{1b}[31m.\u{202e}b", "", ".", "e\u{301}.x..y", "x.x"]
    for columns in [1, 2, 10, 16, 17, 30, 59, 60, 80, 200] {
      let entries = try names.map { name in
        try Checkpoint.Entry(memory: name, [1, 2, 3, .nan, 5, 6, 7, 8], shape: [2, 4])
      }
      var browser = try BrowserSample(rows: rows, columns: columns, entries)
      for keys in ["", "G", "l", "jl", "/b", "v", "?"] {
        if keys == "/b" {
          try browser.press(.character("/"), .character("b"))
        } else {
          try browser.press(keys)
        }
        let lines = BrowserScreen(browser.state).lines
        #expect(lines.count == rows)
        for line in lines {
          #expect(line.width <= columns, "\(columns) columns: \(line.plain)")
          #expect(line.plain.shownWidth == line.width)
          #expect(!line.plain.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202e })
        }
        if keys == "/b" { try browser.press(.escape) }
      }
    }
  }

  @Test func `a narrow terminal shows one pane at a time`() throws {
    var browser = try BrowserSample(columns: 40)
    try browser.press("jlj")
    #expect(browser.screen[3] == "    weight                    F32 [4, 6]")
    try browser.press(.tab)
    #expect(browser.screen[1] == "conv.weight")
    browser.state.resize(to: ScreenSize(rows: 24, columns: 80))
    #expect(browser.screen[3].contains("│"))
  }

  @Test func `a tensor that cannot be read says why`() throws {
    let entry = Checkpoint.Entry(
      name: "bad.weight", info: try TensorInfo(dtype: .float32, shape: [4])
    ) { _, _ in throw CheckpointError(.malformed, "checksum mismatch") }
    var browser = try BrowserSample([entry])
    try browser.press("jlj")
    #expect(browser.panes.details.contains("tensor 'bad.weight': checksum mismatch"))
  }

  @Test func `tensors without elements, scalars, and files without tensors are shown`() throws {
    let entries = try [
      ("scalar", []), ("none", [0]), ("rows", [3, 0]), ("columns", [0, 3]), ("one", [1, 1, 1]),
    ].map { name, shape in
      let bytes = shape.contains(0) ? 0 : 4
      return try Checkpoint.Entry(
        memory: TensorName(name), .float32, shape, [UInt8](repeating: 0, count: bytes))
    }
    var browser = try BrowserSample(entries)
    for (name, shape) in [
      ("scalar", "[]"), ("none", "[0]"), ("rows", "[3, 0]"), ("columns", "[0, 3]"),
      ("one", "[1, 1, 1]"),
    ] {
      try browser.press("j")
      #expect(browser.selected == name)
      #expect(browser.panes.details[1].hasPrefix("F32 \(shape), "))
      #expect(browser.panes.details.contains("no elements") == shape.contains("0"))
      try browser.press("v")
      try browser.press(.tab)
      try browser.press("Gg")
      try browser.press(.tab)
      try browser.press("v")
    }
    var empty = try BrowserSample([])
    try empty.press("jlGgvd/x")
    #expect(empty.screen[0].hasSuffix("0 tensors"))
  }
}
