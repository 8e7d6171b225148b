@testable import CheckpointKit
import JSONText
import Synchronization
import TensorCore
import TestSupport
import Testing

/// Reports as values: rows, their measures, and how often files are read.
@Suite struct ReportTests {
  private static func input(_ name: String, _ entries: [Checkpoint.Entry]) -> Report.Input {
    .init(path: name, format: "memory", checkpoint: Checkpoint(entries: entries))
  }

  private static func values(_ count: Int, _ seed: UInt64) -> [Float] {
    var random = SplitMix(seed: seed)
    return (0..<count).map { _ in Float(random.next() % 20_001) / 10_000 - 1 }
  }

  @Test func `each tensor gets what became of it`() async throws {
    let same = Self.values(64, 1)
    var changed = same
    changed[3] = .nan
    let left: [Checkpoint.Entry] = [
      try .init(memory: "same", same), try .init(memory: "changed", same),
      try .init(memory: "moved", Self.values(50, 2)), try .init(memory: "shape", same),
      try .init(memory: "type", [1, 2, 3]), try .init(memory: "old", Self.values(7, 3)),
    ]
    let right: [Checkpoint.Entry] = [
      try .init(memory: "same", same), try .init(memory: "changed", changed),
      try .init(memory: "other", Self.values(50, 2)),
      try .init(memory: "shape", same, shape: [2, 32]),
      try .init(memory: "type", .uint8, [3], [1, 2, 4]),
      try .init(memory: "new", Self.values(9, 4)),
    ]
    let report = try await Report(
      from: Self.input("a", left), to: Self.input("b", right), threads: 2)
    let kinds = report.tensors.map { "\($0.name) \($0.kind?.rawValue ?? "-")" }
    #expect(
      kinds == [
        "same identical", "changed changed", "moved renamed", "shape reshaped", "type retyped",
        "old removed", "new added",
      ])
    let rows = Dictionary(uniqueKeysWithValues: report.tensors.map { ($0.name.text, $0) })
    #expect(rows["moved"]?.newName == "other")
    #expect(rows["same"]?.after == rows["same"]?.before && rows["same"]?.difference == nil)
    #expect(
      rows["changed"]?.difference?.becameNaNCount == 1 && rows["changed"]?.after?.nanCount == 1)
    #expect(rows["shape"]?.after?.norm == rows["shape"]?.before?.norm)
    #expect(rows["type"]?.difference?.differingCount == 1 && rows["type"]?.after?.maximum == 4)
    #expect(rows["old"]?.after == nil && rows["new"]?.before == nil)
    #expect(rows["new"]?.after?.count == 9)
  }

  @Test(arguments: [1, 2, 7])
  func `a difference is that of a comparison, and measures are those of one file`(
    threads: Int
  ) async throws {
    let old = Self.values(400_000, 5)
    var new = old
    for index in stride(from: 0, to: new.count, by: 3) { new[index] *= 1.01 }
    let left = Self.input("a", [try .init(memory: "w", old)])
    let right = Self.input("b", [try .init(memory: "w", new)])
    let report = try await Report(from: left, to: right, threads: threads)
    let diff = try await CheckpointDiff(
      from: left.checkpoint, to: right.checkpoint, threads: threads)
    #expect(report.tensors[0].difference == diff.changes[0].difference)
    #expect(report.tensors[0].before == (try await Report(on: left, threads: 1)).tensors[0].before)
    #expect(report.tensors[0].after == (try await Report(on: right, threads: 1)).tensors[0].before)
  }

  /// A tensor that counts the bytes that are read of it.
  private static func counted(
    _ entry: Checkpoint.Entry, _ count: Counter
  ) -> Checkpoint.Entry {
    entry.wrappingReader { range, target, read in
      count.bytes.withLock { $0 += range.count }
      try read(range, &target)
    }
  }

  private final class Counter: Sendable {
    let bytes = Mutex(0)
  }

  @Test func `a file is read once, and two are each read once where all is equal`() async throws {
    let (first, second) = (Counter(), Counter())
    let entry = try Checkpoint.Entry(memory: "w", Self.values(300_000, 6))
    let (left, right) = (Self.counted(entry, first), Self.counted(entry, second))
    _ = try await Report(on: Self.input("a", [left]), threads: 2)
    #expect(first.bytes.withLock { $0 } == entry.info.byteCount)
    first.bytes.withLock { $0 = 0 }
    let report = try await Report(
      from: Self.input("a", [left]), to: Self.input("b", [right]), threads: 2)
    #expect(report.tensors[0].before?.count == 300_000)
    #expect(first.bytes.withLock { $0 } == entry.info.byteCount)
    #expect(second.bytes.withLock { $0 } == entry.info.byteCount)
  }

  @Test func `tied tensors are measured once`() async throws {
    let counter = Counter()
    let first = Self.counted(try .init(memory: "a", Self.values(100, 7)), counter)
    var tied = first
    (tied.name, tied.alias) = ("b", "a")
    let report = try await Report(on: Self.input("a", [first, tied]), threads: 1)
    #expect(counter.bytes.withLock { $0 } == first.info.byteCount)
    #expect(report.tensors[1].before == report.tensors[0].before)
    #expect(report.tensors[1].alias == "a")
  }

  @Test func `values that differ come first, and long ones are cut`() async throws {
    var (left, right) = (Self.input("a", []), Self.input("b", []))
    left.checkpoint.values = [
      .init("epoch", .integer(3)), .init("name", .text(String(repeating: "x", count: 5000))),
      .init("lr", .real(0.5)),
    ]
    right.checkpoint.values = [
      left.checkpoint.values[1], .init("lr", .real(0.25)), .init("new", .bool(true)),
    ]
    let report = try await Report(from: left, to: right, threads: 1)
    #expect(report.values.map(\.address) == ["epoch", "lr", "new", "name"])
    #expect(report.values.map(\.isChanged) == [true, true, true, false])
    #expect(report.values[1].before == "0.5" && report.values[1].after == "0.25")
    #expect(report.values[3].before?.count == Report.maxValueLength)
    #expect(report.valueCount == 4)
  }

  @Test(arguments: [false, true])
  func `a tensor that is compared as transposed is measured whole`(isTransposed: Bool) async throws
  {
    let (rows, columns) = (1024, 256)
    let old = Self.values(rows * columns, 8)
    let new =
      isTransposed
      ? (0..<old.count).map { old[$0 % rows * columns + $0 / rows] } : Self.values(old.count, 9)
    let right = try Checkpoint.Entry(memory: "w", new, shape: [columns, rows])
    let report = try await Report(
      from: Self.input("a", [try .init(memory: "w", old, shape: [rows, columns])]),
      to: Self.input("b", [right]), threads: 2)
    let tensor = try #require(report.tensors.first)
    #expect((tensor.kind == .transposed) == isTransposed)
    let whole = try await Report(on: Self.input("b", [right]), threads: 1)
    #expect(tensor.after?.count == old.count)
    #expect(tensor.after?.minimum == whole.tensors[0].before?.minimum)
    #expect(tensor.after?.histogram == whole.tensors[0].before?.histogram)
  }

  @Test func `parts of any size are measured once, wherever they begin`() async throws {
    let values = Self.values(8 * 1024, 7)
    var entry = try Checkpoint.Entry(memory: "w", values, shape: [8, 1024])
    entry.preferredReadSize = 2048
    let collector = SummaryCollector(entry)
    // The beginning of each row of 4096 bytes: where a unit begins, but more than one and less than two.
    for row in [0, 2, 1, 5, 5, 7] {
      _ = try [UInt8](count: 3072) {
        try collector.entry.read(row * 4096..<row * 4096 + 3072, into: &$0)
      }
    }
    #expect(collector.summary.count < values.count)
    try await SummaryCollector.finish([collector], threads: 2)
    let found = collector.summary
    #expect(found.count == values.count && found.minimum == values.min().map(Double.init))
    let (sum, squares) = values.reduce(into: (0.0, 0.0)) {
      $0.0 += Double($1)
      $0.1 += Double($1) * Double($1)
    }
    let (mean, norm) = (try #require(found.mean), try #require(found.norm))
    #expect(abs(mean - sum / Double(values.count)) < 1e-12)
    #expect(abs(norm - squares.squareRoot()) < 1e-9)
  }

  @Test func `a run has norms, changes, and the step at which NaN begins`() async throws {
    let frozen = Self.values(10, 8)
    let steps = (0..<4).map { step in
      RunReport.Step("step\(step)") {
        var moving: [Float] = [3, 4 + Float(step)]
        if step == 3 { moving[0] = .nan }
        var checkpoint = Checkpoint(entries: [
          try .init(memory: "frozen", frozen), try .init(memory: "moving", moving),
        ])
        if step == 2 { checkpoint.entries.append(try .init(memory: "late", [1])) }
        checkpoint.values = [
          .init("epoch", .integer(step)), .init("note", .text("x")),
          .init("optimizer", .dictionary([.init("lr", .real(1 / Double(step + 1)))])),
        ]
        return checkpoint
      }
    }
    let report = try await RunReport(over: steps, threads: 2)
    #expect(report.steps == ["step0", "step1", "step2", "step3"])
    #expect(report.tensors.map(\.name) == ["frozen", "moving", "late"])
    #expect(report.tensors[0].changes == [nil, 0, 0, 0])
    #expect(Set(report.tensors[0].norms).count == 1)
    #expect(report.tensors[1].norms == [5, 34.squareRoot(), 45.squareRoot(), 7])
    #expect(report.tensors[1].changes[1] == 1 && report.tensors[1].changes[2] == 1)
    #expect(report.tensors[1].changes[3]?.isNaN == true)
    #expect(report.tensors[1].changedCounts == [nil, 1, 1, 2])
    #expect(report.tensors[1].nanCounts == [0, 0, 0, 1])
    #expect(report.tensors[2].norms == [nil, nil, 1, nil])
    #expect(report.scalars.map(\.address) == ["epoch", "optimizer.lr"])
    #expect(report.scalars[1].values[3] == 0.25)
  }
}

/// Pages as bytes: data that a script parses, and nothing of a file that is markup.
@Suite struct ReportPageTests {
  private static let hostile = [
    "</script><script>alert(1)</script>", "<!--<script>", "{data}{script}{style}{title}",
    "\u{202e}evil", "line\nfeed\u{0}\u{1b}[31m", "\u{5e9}\u{5dc}", "]]>", "a&amp;b", "",
  ]

  private static func page(_ names: [String]) async throws -> String {
    var input = Report.Input(
      path: "<b>&{data}.pt", format: "memory",
      checkpoint: Checkpoint(
        entries: try names.map { try .init(memory: TensorName($0), [1, 2]) },
        modules: names.map { ModuleLabel(path: $0, kind: $0, arguments: $0) }))
    input.checkpoint.values = names.map { .init("v" + $0, .text($0)) }
    input.checkpoint.setText("</script>", for: Checkpoint.recipeKey)
    let other = input
    let report = try await Report(from: input, to: other, threads: 1)
    return String(decoding: ReportPage(report).bytes, as: UTF8.self)
  }

  /// The text between two marks, the first of which is in the page once.
  private static func part(_ page: String, from start: String, to end: String) throws -> String {
    let pieces = page.split(separator: start, omittingEmptySubsequences: false)
    try #require(pieces.count == 2, "\(start)")
    return String(pieces[1].prefix(upTo: try #require(pieces[1].firstRange(of: end)).lowerBound))
  }

  @Test func `no name of a file becomes markup`() async throws {
    let page = try await Self.page(Self.hostile)
    let plain = try await Self.page(Self.hostile.indices.map { "n\($0)" })
    func tags(_ text: String) -> Int { text.split(separator: "<").count }
    #expect(tags(page) == tags(plain))
    #expect(page.contains("<title>&lt;b&gt;&amp;{data}.pt → &lt;b&gt;&amp;{data}.pt</title>"))
    for scalar in ["\u{0}", "\u{1b}", "\u{202e}"] { #expect(!page.contains(scalar)) }
    #expect(page.contains("default-src 'none'"))
    for reference in ["http://", "https://", "src=", "href=", "@import", "url("] {
      let found = page.replacing("http://www.w3.org/2000/svg", with: "")
      #expect(!found.contains(reference), "\(reference)")
    }
  }

  @Test func `the data are JSON with every name`() async throws {
    let page = try await Self.page(Self.hostile)
    let text = try Self.part(
      page, from: "<script type=\"application/json\" id=\"data\">", to: "</script>")
    let json = try JSONValue(text)
    guard case .object(let members) = json.content,
      case .object(let tensors)? = members.first(where: { $0.key == "tensors" })?.value.content,
      case .array(let names)? = tensors.first(where: { $0.key == "name" })?.value.content
    else {
      Issue.record("expected tensors with names")
      return
    }
    #expect(names.count == Self.hostile.count)
    guard case .string(let first)? = names.first?.content else {
      Issue.record("expected a text")
      return
    }
    #expect(first == Self.hostile[0])
  }

  @Test func `the page of a run has its steps and its title`() async throws {
    let steps = ["a<b", "</script>"].map { name in
      RunReport.Step(name) { Checkpoint(entries: [try .init(memory: "w", [.nan, 1])]) }
    }
    let report = try await RunReport(over: steps, threads: 1)
    let page = String(decoding: ReportPage(report, title: "<run>").bytes, as: UTF8.self)
    #expect(page.contains("<title>&lt;run&gt;</title>"))
    #expect(page.contains(#""steps":["a\u003cb","\u003c/script>"]"#))
  }
}
