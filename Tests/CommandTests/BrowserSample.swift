import CheckpointKit
import TestSupport

@testable import CheckpointCommand

/// Browsers over small checkpoints in memory, whose background work is done at once.
struct BrowserSample {
  var state: BrowserState

  /// Tensors `0..<4` of a small net, as one file has them.
  static func entries(second: Bool = false) throws -> [Checkpoint.Entry] {
    let last: [Float] = second ? [0.5, 2.5, 2.5, 3.5] : [0.5, 1.5, 2.5, 3.5]
    return [
      try .init(memory: "conv.weight", (0..<24).map { Float($0) / 4 }, shape: [4, 6]),
      try .init(memory: "conv.bias", [0, 0, 1, -1]),
      try .init(memory: "block.0.weight", last, shape: [2, 2]),
      try .init(memory: "block.1.weight", [.nan, .infinity, 1, 2], shape: second ? [4] : [2, 2]),
    ]
  }

  static let labels = [
    ModuleLabel(path: "", kind: "Net", arguments: ""),
    ModuleLabel(path: "conv", kind: "Linear", arguments: "in_features=6, out_features=4"),
  ]

  /// One file.
  init(rows: Int = 24, columns: Int = 80, _ entries: [Checkpoint.Entry]? = nil) throws {
    let checkpoint = Checkpoint(entries: try entries ?? Self.entries(), modules: Self.labels)
    let file = BrowserContent.File(name: "net.ckz", format: "ckz", remarks: ["also holds: epoch"])
    state = BrowserState(
      BrowserContent(file, checkpoint), size: ScreenSize(rows: rows, columns: columns))
    try settle()
  }

  /// Two files: `block.0.weight` has another value, `block.1.weight` another shape, `conv.bias` is only in the
  /// first, and `extra.weight` only in the second.
  init(comparing: Bool, rows: Int = 24, columns: Int = 80) throws {
    let second =
      try Self.entries(second: true).filter { $0.name != "conv.bias" }
      + [.init(memory: "extra.weight", [1, 2])]
    let content = BrowserContent(
      .init(name: "a.ckz", format: "ckz"), Checkpoint(entries: try Self.entries()),
      .init(name: "b.ckz", format: "ckz"), Checkpoint(entries: second))
    state = BrowserState(content, size: ScreenSize(rows: rows, columns: columns))
    for item in state.unknownPairs {
      let isSame = try state.content.items[item].isIdentical
      state.apply(.compared([(item, isSame ? .identical : .changed)]))
    }
    try settle()
  }

  /// Presses keys: each character of the text.
  mutating func press(_ text: String) throws {
    for scalar in text.unicodeScalars { try press(.character(scalar)) }
  }

  @discardableResult
  mutating func press(_ keys: Key...) throws -> BrowserState.Request? {
    var request: BrowserState.Request?
    for key in keys { request = state.handle(key) }
    try settle()
    return request
  }

  /// Reads what the screen lacks.
  mutating func settle() throws {
    if let index = state.wantedMeasurement {
      state.apply(.measured(index, try BrowserMeasurement(of: state.content.items[index])))
    }
    if let request = state.wantedValues {
      state.apply(.values(try ValueBlock(request, of: state.content.items[request.item])))
    }
  }

  /// The screen's lines as text, without spaces at their ends.
  var screen: [String] {
    BrowserScreen(state).lines.map { line in
      String(line.plain.reversed().drop { $0 == " " }.reversed())
    }
  }

  /// What is left of the line between the panes, and what is right of it.
  var panes: (tree: [String], details: [String]) {
    let parts = screen.dropFirst().dropLast().map { line in
      line.split(separator: "│", maxSplits: 1, omittingEmptySubsequences: false).map {
        String($0.reversed().drop { $0 == " " }.reversed())
      }
    }
    return (parts.map { $0[0] }, parts.map { $0.count > 1 ? String($0[1].dropFirst()) : "" })
  }

  /// The name in the selected row.
  var selected: String {
    state.tree.path(at: state.row).text
  }
}

extension BrowserItem {
  fileprivate var isIdentical: Bool {
    get throws {
      guard let first, let second else { return false }
      return try first.isIdentical(to: second)
    }
  }
}
