import TestSupport
import Testing

/// Options at the ends of their ranges, and beyond: a sane result, or wrong usage in one line.
@Suite struct ExtremeOptionTests {
  struct Case: CustomTestStringConvertible {
    let line: String
    let status: Int

    init(_ line: String, _ status: Int) { (self.line, self.status) = (line, status) }

    var testDescription: String { line }
  }

  static let maximum = "9223372036854775807"
  static let minimum = "-9223372036854775808"

  private static func seeds(_ seed: String, _ isAccepted: Bool) -> [Case] {
    [
      Case("init model.txt -o b.ckz --seed=\(seed)", isAccepted ? 0 : 64),
      Case("reinit a.ckz --match ** --dry-run --seed=\(seed)", isAccepted ? 0 : 64),
      Case("verify a.ckz --model model.txt --seed=\(seed)", isAccepted ? 1 : 64),
    ]
  }

  private static func each(_ start: String, _ cases: [(String, Int)]) -> [Case] {
    cases.map { Case(start + $0.0, $0.1) }
  }

  static let seeds =
    ["-1", maximum, minimum, "18446744073709551615"].flatMap { seeds($0, true) }
    + ["18446744073709551616", "-9223372036854775809", "1e3", "0x10", "1.0"].flatMap {
      seeds($0, false)
    }

  static let ranges =
    each(
      "find-seed a.ckz --range=",
      [
        ("7..7", 0), ("4294967295..4294967295", 1), ("4294967295..4294967296", 64),
        ("0..\(maximum)", 64), ("\(minimum)..\(maximum)", 64), ("-1..0", 64), ("5..1", 64),
        ("..", 64), ("1..", 64), ("..1", 64), ("1...2", 64),
        ("18446744073709551615..18446744073709551616", 64),
      ])
    + each(
      "verify --model model.txt --seeds=",
      [
        ("0..0", 0), ("0..1000000", 64), ("0..\(maximum)", 64), ("\(minimum)..\(maximum)", 64),
        ("5..1", 64), ("..", 64), ("1..", 64), ("0..18446744073709551615", 64),
        ("18446744073709551615..18446744073709551615", 0),
      ])

  static let sizes =
    each(
      "convert a.ckz s.safetensors --shard-size=",
      [
        ("1", 0), (maximum, 0), ("4611686018427387904", 0), ("9223372036854775807B", 0), ("0", 64),
        ("-1", 64), ("9223372036854775808", 64), ("9EB", 64), ("99999999999999999999GB", 64),
        ("9223372036854775807GB", 64), ("1e400GB", 64), ("infGB", 64), ("nan", 64), ("GB", 64),
      ])
    + each(
      "convert a.ckz c.h5 --compression=",
      [
        ("gzip:1", 0), ("gzip:9", 0), ("gzip:0", 64), ("gzip:10", 64), ("gzip:-1", 64),
        ("gzip:\(maximum)", 64), ("gzip:9223372036854775808", 64),
      ])

  static let tolerances = ["rtol", "atol"].flatMap { option in
    each(
      "diff a.ckz other.ckz --\(option)=",
      [
        ("0", 1), ("-0.0", 1), ("1e-400", 1), ("5e-324", 1), ("1e308", 0), ("1e309", 64),
        ("inf", 64), ("nan", 64), ("-1", 64), ("-5e-324", 64),
      ])
  }

  static let threads = ["ls", "stat", "hash", "check", "tree"].flatMap { command in
    each(
      "\(command) a.ckz --threads=",
      [
        ("1", 0), ("1024", 0), ("1025", 64), ("0", 64), ("-1", 64), (maximum, 64), (minimum, 64),
        ("9223372036854775808", 64), ("1.5", 64),
      ])
  }

  static let slices = ["", " --full", " --json"].flatMap { option in
    [
      ("[\(maximum)]", 2), ("[\(minimum)]", 2), ("[9223372036854775808]", 2), ("[\(maximum):]", 0),
      ("[:\(maximum)]", 0), ("[\(minimum):]", 0), ("[:\(minimum)]", 0), ("[::\(maximum)]", 0),
      ("[\(minimum):\(maximum):\(maximum)]", 0), ("[::0]", 2), ("[::-1]", 2), ("[::\(minimum)]", 2),
      ("[1:0]", 0), ("[0,0,0]", 2), ("[]", 2),
    ].map { Case("show a.ckz layer1.weight\($0.0)\(option)", $0.1) }
  }

  static let cases = seeds + ranges + sizes + tolerances + threads + slices

  @Test func `an extreme option has a sane result or is wrong usage`() throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz", "--seed", "7")
    try place.makeArticle("other.ckz", "--seed", "8")
    for option in Self.cases {
      for name in try place.folder.names()
      where !["a.ckz", "other.ckz", "model.txt"].contains(name) {
        try place.folder.remove(name)
      }
      let words = option.line.split(separator: " ").map(String.init)
      let run = try CommandRun([CommandRun.executable] + words, in: place.folder.path)
      #expect(run.status == option.status, "\(option.line): \(run.errors)")
      #expect(run.errors.split(separator: "\n").count <= 1, "\(option.line): \(run.errors)")
      if option.status != 64 { continue }
      #expect(run.output.isEmpty, "\(option.line)")
      #expect(run.errors.hasPrefix("ckpt: "), "\(option.line): \(run.errors)")
    }
  }
}
