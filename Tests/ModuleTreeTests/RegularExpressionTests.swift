import ModuleTree
import TensorCore
import Testing

/// Expressions as Python has them, within limits.
@Suite struct RegularExpressionTests {
  @Test(arguments: [
    ("^a+$", "aaa", true), ("^a+$", "aab", false), (#"\d"#, "x٣", true),
    ("(?P<n>a)(?P=n)", "aa", true),
    ("(?i)A", "a", true), ("(?<=x)y", "xy", true),
    (#"^layer\.(\d+)\.(?!bias)"#, "layer.7.bias", false),
    ("e\u{301}", "é", false), (".", "\u{1F600}", true), ("^.$", "\u{1F600}", true), ("", "", true),
  ])
  func `a text is found as Python finds it`(pattern: String, text: String, isFound: Bool) throws {
    #expect(try RegularExpression(pattern, title: "x").isFound(in: text) == isFound)
  }

  @Test(arguments: [
    ("(", "missing closing parenthesis at offset 1"), ("a{2,1}", "at offset"),
    ("[b-a]", "at offset 3"),
    ("*", "quantifier does not follow a repeatable item at offset 0"), (#"\C"#, "at offset 2"),
    (
      String(repeating: "(", count: 300) + String(repeating: ")", count: 300),
      "parentheses are too deeply nested"
    ),
    (String(repeating: "a", count: 70_000), "pattern string is longer than the limit"),
    ("((a{1,1000}){1,1000}){1,1000}", "regular expression is too large"),
  ])
  func `one that cannot be read is refused with the reason and the offset`(
    pattern: String, reason: String
  ) {
    let error = #expect(throws: CheckpointError.self) {
      try RegularExpression(pattern, title: "selector /…/")
    }
    #expect(error?.code == .malformed)
    #expect(
      error?.message.hasPrefix("selector /…/ is not a regular expression: ") == true
        && error?.message.contains(reason) == true, "\(error?.message ?? "")")
  }

  @Test(arguments: [
    // The last thing is one of two: where it is one letter, PCRE2 sees at once that it is not there.
    "^([a-z_.0-9]+)+[!?]", "([a-z_.0-9]+)+[!?]", #"^(\w|.)*[!?]"#, #"^(?:.*\w){12}[!?]"#,
    "(.*)*(.*)*(.*)*[!?]", "(?=(.+)+[!?])x?",
    #"(\w+\.?)*\1[!?]"#,
  ])
  func `one that goes back too often ends with its name and the limit`(pattern: String) throws {
    let name = "encoder.layers.0.self_attn.in_proj_weight"
    let expression = try RegularExpression(pattern, title: "selector /\(pattern)/")
    let clock = ContinuousClock()
    let time = clock.measure {
      let error = #expect(throws: CheckpointError.self) { try expression.isFound(in: name) }
      #expect(error?.code == .unsupported)
      #expect(
        error?.message.hasPrefix("selector /\(pattern)/ ") == true
          && error?.message.contains("limit) on the name '\(name)'") == true,
        "\(error?.message ?? "")")
    }
    #expect(time < .seconds(5))
  }

  @Test func `memory is limited as well`() throws {
    let expression = try RegularExpression("^((a)(b)?)*[cd]", title: "x")
    let error = #expect(throws: CheckpointError.self) {
      try expression.isFound(in: String(repeating: "a", count: 60_000))
    }
    #expect(
      error?.message.contains("limit") == true || error?.message.contains("long names") == true)
  }

  @Test func `expressions that share an account end together`() throws {
    // Each takes more than 20,000 steps, for which it pays 3 million of 500 million.
    let name = String(repeating: "a", count: 15)
    func failures() throws -> Int {
      let expressions = try (0..<250).map { _ in
        try RegularExpression("^(a|a)*[bc]", title: "x")
      }
      return expressions.count { (try? $0.isFound(in: name)) == nil }
    }
    #expect(try failures() == 0)
    let failed = try MatchingSteps.$shared.withValue(MatchingSteps()) { try failures() }
    #expect((1..<250).contains(failed))
  }

  @Test(arguments: [
    (#"a\K"#, [1, 2, 3]), (#"(?<=(?1))(?(DEFINE)(\Ka))"#, [1]), (#"(?<=\Ka)"#, [1]),
    (#"(?=a\K)"#, []),
  ])
  func `matches that begin or end elsewhere are not found for ever`(
    pattern: String, ends: [Int]
  ) throws {
    // Some versions of PCRE2 refuse `\K` in lookarounds.
    guard let expression = try? RegularExpression(pattern, title: "x") else { return }
    let matches = try expression.matches(in: "aaa", all: true)
    #expect(matches.compactMap { $0.first??.upperBound } == ends)
  }

  @Test func `long names cost what they are long`() throws {
    let expression = try RegularExpression("a*+[bd]", title: "x")
    let name = String(repeating: "a", count: 60_000) + "c"
    var errors = 0
    let time = ContinuousClock().measure {
      for _ in 0..<1000 {
        do { _ = try expression.isFound(in: name) } catch { errors += 1 }
      }
    }
    #expect(errors > 900)
    #expect(time < .seconds(10))
  }
}
