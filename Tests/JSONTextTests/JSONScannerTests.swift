import JSONText
import TensorCore
import Testing

@Suite struct JSONScannerTests {
  private func value(_ text: String) throws -> JSONValue { try JSONValue(text) }

  /// The value's parts in one line, keys in their order.
  private func spelling(_ value: JSONValue) -> String {
    switch value.content {
    case .object(let members):
      "{" + members.map { "\($0.key)=\(spelling($0.value))" }.joined(separator: " ") + "}"
    case .array(let elements): "[" + elements.map(spelling).joined(separator: " ") + "]"
    case .string(let text): "'\(text)'"
    case .number(let text): text
    case .bool(let truth): "\(truth)"
    case .null: "null"
    }
  }

  @Test(arguments: [
    ("null", "null"), (" true\n", "true"), ("false", "false"), ("0", "0"), ("-0", "-0"),
    ("-12.5e+7", "-12.5e+7"), ("1E9", "1E9"), ("[]", "[]"), ("{}", "{}"),
    ("[1, [2,3] ,{}]", "[1 [2 3] {}]"),
    (#"{"b": 1, "a": {"c": [true, null]}}"#, "{b=1 a={c=[true null]}}"),
    (#""""#, "''"), (#""a\"\\\/\b\f\n\r\tz""#, "'a\"\\/\u{8}\u{c}\n\r\tz'"),
    (#""\u00e9\ud83d\ude00é""#, "'é😀é'"),
    (#"{"e\u0301": 1, "\u00e9": 2}"#, "{e\u{301}=1 \u{e9}=2}"),
  ])
  func `what JSON allows is read`(_ text: String, _ expected: String) throws {
    #expect(spelling(try value(text)) == expected)
  }

  @Test(arguments: [
    ("", "column 1: expected a value, found the end"),
    ("nul", "column 1: expected a value, found 'nul'"),
    ("tru", "column 1: expected true or false, found 'tru'"),
    ("01", "column 1: expected a number without leading zeros, found '01'"),
    ("1.", "column 1: expected a value, found '1.'"),
    ("+1", "column 1: expected a value, found '+1'"),
    (".5", "column 1: expected a value, found '.5'"),
    ("NaN", "column 1: expected a value, found 'NaN'"),
    ("[1,]", "column 4: expected a value, found ']'"),
    ("[1 2]", "column 4: expected ',' or ']', found '2]'"),
    ("{\"a\" 1}", "column 6: expected ':', found '1}'"),
    ("{a: 1}", "column 2: expected a key in double quotes, found 'a: 1}'"),
    ("{\"a\": 1,}", "column 9: expected a key in double quotes, found '}'"),
    ("{\"a\": 1", "column 8: expected ',' or '}', found the end"),
    ("[] []", "column 4: expected the end of the text, found '[]'"),
    ("\"a", "column 3: expected '\"' at the end of a string, found the end"),
    ("\"a\tb\"", "column 3: expected '\"' at the end of a string, found '\tb\"'"),
    (#""\x""#, "column 3: expected a JSON escape, found 'x\"'"),
    (#""\u12g4""#, "column 4: expected four hexadecimal digits, found '12g4\"'"),
    (#""\ud800\u0041""#, "column 14: expected two halves of a surrogate pair, found '\"'"),
    (#""\udc00""#, "column 8: expected two halves of a surrogate pair, found '\"'"),
    (#"{"w": 1, "w": 2}"#, "column 10: duplicate key 'w'"),
    (#"{"w": 1, "\u0077": 2}"#, "column 10: duplicate key 'w'"),
  ])
  func `what JSON does not allow is refused with its place`(
    _ text: String, _ expected: String
  ) throws {
    let error = #expect(throws: CheckpointError.self) { try value(text) }
    #expect(error?.message == "line 1, \(expected)")
  }

  @Test(arguments: [1, 2, 15, 16, 17, 31, 32, 33, 40, 1000, 5000])
  func `a key that comes twice is found among many`(count: Int) throws {
    // The two spellings of é are two keys.
    let keys = (0..<count).map { "\"k\($0 / 2)\($0 % 2 == 0 ? "\u{e9}" : "e\u{301}")\"" }
    let text = keys.map { "\($0): 0" }.joined(separator: ",")
    #expect(throws: Never.self) { try value("{\(text)}") }
    for twice in [0, count / 2, count - 1] {
      let error = #expect(throws: CheckpointError.self) { try value("{\(text),\(keys[twice]): 1}") }
      #expect(
        error?.message.hasSuffix("duplicate key '\(keys[twice].dropFirst().dropLast())'") == true)
    }
  }

  @Test func `invalid UTF-8 is refused`() throws {
    let wrong: [[UInt8]] = [
      [0xc0, 0x80], [0xff], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82],
    ]
    for bytes in wrong {
      var scanner = JSONScanner([0x22, 0x61] + bytes + [0x22], offsets: .bytes(from: 8))
      let error = #expect(throws: CheckpointError.self) { try scanner.string() }
      #expect(error?.description == "at byte 8: the string is not valid UTF-8")
    }
  }

  @Test(arguments: ["[", "{\"a\":"])
  func `nesting ends at the limit, however deep it goes`(_ opening: String) throws {
    let closing = opening == "[" ? "]" : "}"
    for count in [64, 65, 1_000_000] {
      let text =
        String(repeating: opening, count: count) + "1" + String(repeating: closing, count: count)
      var scanner = JSONScanner(Array(text.utf8))
      if count == 64 {
        #expect(throws: Never.self) { try scanner.skip() }
        continue
      }
      let error = #expect(throws: CheckpointError.self) { try scanner.skip() }
      #expect(error?.message.hasSuffix("nested deeper than 64 levels") == true)
      #expect(error?.offset == 64 * opening.utf8.count)
    }
  }

  @Test(arguments: [
    ("7 ", 7), ("0", 0), ("9223372036854775807", Int.max), ("9223372036854775808", nil),
    ("18446744073709551616", nil), ("-1", nil), ("2.0", nil), ("1e3", nil), ("\"2\"", nil),
    ("true", nil), ("[2]", nil), ("null", nil), ("", nil),
  ])
  func `a whole number is digits alone and fits`(_ text: String, _ expected: Int?) throws {
    var scanner = JSONScanner(Array(text.utf8))
    let number = try? scanner.wholeNumber()
    #expect(number == expected)
    if expected == nil {
      var scanner = JSONScanner(Array(text.utf8))
      let error = #expect(throws: CheckpointError.self) { try scanner.wholeNumber() }
      #expect(error?.message.hasPrefix("expected an integer from 0 to 2^63 - 1, found ") == true)
    }
  }

  @Test(arguments: [
    "[1, 2]", "[1,2 ]", "[ 1,2]", "\"\\/\"", "\"\\u0041\"", "\"\\u000a\"", "\"\\u001F\"",
    "\"\\u00e9\"",
    "\"\\ud83d\\ude00\"", "\"\\u00\"", "\"\\u\"", "\"\\", "{\"a\" :1}", "1 ",
  ])
  func `a canonical text has one spelling`(_ text: String) throws {
    var scanner = JSONScanner(Array(text.utf8), offsets: .text("index"), spelling: .canonical)
    let error = #expect(throws: CheckpointError.self) {
      try scanner.skip()
      try scanner.end()
    }
    #expect(error?.description.hasPrefix("index, byte ") == true)
  }
}
