import CheckpointKit
import TestSupport
import Testing

@testable import CheckpointCommand

/// Keys of a terminal, lines of a screen, and what is sent to show them.
@Suite struct RawTerminalTests {
  private static let keys: [(String, [Key])] = [
    ("\u{1b}[A\u{1b}OB", [.up, .down]), ("\u{1b}[1;5C\u{1b}OD", [.right, .left]),
    ("\u{1b}[5~\u{1b}[6~", [.pageUp, .pageDown]), ("\u{1b}[H\u{1b}[4~", [.home, .end]),
    ("\r\n", [.enter, .enter]), ("\t\u{7f}", [.tab, .backspace]),
    ("\u{3}\u{1a}\u{c}", [.interrupt, .suspend, .redraw]),
    ("qé重😀", [.character("q"), .character("é"), .character("重"), .character("😀")]),
    ("\u{1b}x/", [.other, .character("/")]), ("\u{1b}[200~", [.other]),
    ("\u{1b}\u{1b}[A", [.escape, .up]),
  ]

  @Test func `keys are recognized wherever their bytes are cut`() {
    for (text, expected) in Self.keys {
      let bytes = Array(text.utf8)
      for cut in 0...bytes.count {
        var decoder = KeyDecoder()
        let keys = decoder.add(bytes[..<cut]) + decoder.add(bytes[cut...])
        #expect(keys == expected, "\(text.debugDescription) cut at \(cut)")
        #expect(!decoder.isWaiting)
      }
    }
  }

  @Test func `escape alone is a key when nothing follows`() {
    var decoder = KeyDecoder()
    #expect(decoder.add([0x1b]).isEmpty && decoder.isWaiting)
    #expect(decoder.finish() == [.escape] && !decoder.isWaiting)
  }

  @Test func `any bytes are keys, and none stays for ever`() {
    var decoder = KeyDecoder()
    _ = decoder.add(noise(100_000, seed: 3))
    _ = decoder.finish()
    #expect(decoder.add("q".utf8) == [.character("q")])
    _ = decoder.add([0x1b, 0x5b] + [UInt8](repeating: 0x31, count: 10_000))
    _ = decoder.finish()
    #expect(decoder.add("q".utf8) == [.character("q")])
  }

  @Test(arguments: ["abcdef", "重み重み", "e\u{301}e\u{301}e\u{301}", "a重b", ""])
  func `text is cut to columns`(text: String) {
    for columns in 0...10 {
      #expect(text.withoutEnd(fitting: columns).shownWidth <= columns)
      #expect(text.withoutMiddle(fitting: columns).shownWidth <= columns)
      let line = ScreenLine(text).fitted(to: columns)
      #expect(line.width == columns && line.plain.shownWidth == columns)
    }
    #expect(text.withoutEnd(fitting: 10) == text && text.withoutMiddle(fitting: 10) == text)
  }

  @Test func `only lines that differ are painted`() {
    var painter = ScreenPainter(hasColor: true, isUnicode: true)
    let first = painter.paint([ScreenLine("a"), ScreenLine("b", .color(.red))])
    #expect(first.contains("a") && first.contains("\u{1b}[0;31mb\u{1b}[0m"))
    #expect(painter.paint([ScreenLine("a"), ScreenLine("b", .color(.red))]).isEmpty)
    let next = painter.paint([ScreenLine("a"), ScreenLine("c")])
    #expect(next == "\u{1b}[2;1H\u{1b}[0m\u{1b}[2Kc")
    painter.invalidate()
    #expect(painter.paint([ScreenLine("a"), ScreenLine("c")]).contains("a"))
  }

  @Test func `without colors or Unicode, neither is sent`() {
    var painter = ScreenPainter(hasColor: false, isUnicode: false)
    let text = painter.paint([ScreenLine("▸ 重│", .color(.green))])
    #expect(text.hasSuffix("> ??|\u{1b}[0m"))
    #expect(!text.contains("32m") && text.unicodeScalars.allSatisfy(\.isASCII))
  }

  @Test func `a tree of many tensors opens what is looked at`() {
    let names = (0..<20_000).map { TensorName("layers.\($0 / 4).\(["a", "b", "c", "d"][$0 % 4])") }
    var tree = BrowserTree(names, title: "file")
    // The only group is open from the start.
    #expect(tree.rows.count == 5002)
    let row = tree.reveal(12_345)
    #expect(tree.path(at: row).text == "layers.3086.b")
    #expect(tree.rows.count == 5006)
    #expect(tree.parent(ofRow: row).map { tree.path(at: $0).text } == "layers.3086")
    tree.close(row: 1)
    #expect(tree.rows.count == 2)
    tree.open(row: 1)
    #expect(tree.rows.count == 5006)
  }

  @Test func `a name that is a tensor and a group is both`() {
    var tree = BrowserTree(["a", "a.b", "", "a.", "b.a", "a.c"], title: "file")
    #expect((0..<tree.rows.count).map { tree.node(at: $0).label } == ["file", "a", "a", "", "b"])
    tree.open(row: 2)
    #expect(
      (0..<tree.rows.count).map { tree.path(at: $0).text } == [
        "", "a", "a", "a.b", "a.", "a.c", "", "b",
      ])
  }

  @Test func `browse without a terminal is wrong usage`() throws {
    let place = try Workplace()
    try place.makeArticle("net.ckz")
    let run = try place.ckpt("browse", "net.ckz")
    #expect(run.status == 64 && run.output.isEmpty)
    #expect(
      run.errors
        == "ckpt: browse needs a terminal; ckpt ls, stat, and diff print the same to a file or a pipe (see 'ckpt browse --help')\n"
    )
  }
}
