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
    ("", "column 1: found the end, required a value"),
    ("nul", "column 1: found 'nul', required a value"),
    ("tru", "column 1: found 'tru', required true or false"),
    ("01", "column 1: found '01', required a number without leading zeros"),
    ("1.", "column 1: found '1.', required a value"),
    ("+1", "column 1: found '+1', required a value"),
    (".5", "column 1: found '.5', required a value"),
    ("NaN", "column 1: found 'NaN', required a value"),
    ("[1,]", "column 4: found ']', required a value"),
    ("[1 2]", "column 4: found '2]', required ',' or ']'"),
    ("{\"a\" 1}", "column 6: found '1}', required ':'"),
    ("{a: 1}", "column 2: found 'a: 1}', required a key in quotes"),
    ("{\"a\": 1,}", "column 9: found '}', required a key in quotes"),
    ("{\"a\": 1", "column 8: found the end, required ',' or '}'"),
    ("[] []", "column 4: found '[]', required the end of the text"),
    ("\"a", "column 3: found the end, required '\"' at the end of a text"),
    ("\"a\tb\"", "column 3: found '\tb\"', required '\"' at the end of a text"),
    (#""\x""#, "column 3: found 'x\"', required an escape of JSON"),
    (#""\u12g4""#, "column 4: found '12g4\"', required four hexadecimal digits"),
    (#""\ud800\u0041""#, "column 14: found '\"', required two halves of a surrogate pair"),
    (#""\udc00""#, "column 8: found '\"', required two halves of a surrogate pair"),
    (#"{"w": 1, "w": 2}"#, "column 10: found the key 'w' twice, required once"),
    (#"{"w": 1, "\u0077": 2}"#, "column 10: found the key 'w' twice, required once"),
  ])
  func `what JSON does not allow is refused with its place`(
    _ text: String, _ expected: String
  ) throws {
    let error = #expect(throws: CheckpointError.self) { try value(text) }
    #expect(error?.message == "line 1, \(expected)")
  }

  @Test func `a key that comes twice is found among many, too`() throws {
    let keys = (0..<40).map { "\"k\($0)\": 0" }
    #expect(throws: Never.self) { try value("{\(keys.joined(separator: ","))}") }
    for count in [1, 15, 16, 17, 40] {
      let text = (keys.prefix(count) + ["\"k\(count - 1)\": 1"]).joined(separator: ",")
      let error = #expect(throws: CheckpointError.self) { try value("{\(text)}") }
      #expect(
        error?.message.hasSuffix("found the key 'k\(count - 1)' twice, required once") == true)
    }
  }

  @Test func `bytes that are no UTF-8 are refused`() throws {
    let wrong: [[UInt8]] = [
      [0xc0, 0x80], [0xff], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82],
    ]
    for bytes in wrong {
      var scanner = JSONScanner([0x22, 0x61] + bytes + [0x22], places: .bytes(from: 8))
      let error = #expect(throws: CheckpointError.self) { try scanner.string() }
      #expect(error?.description == "at byte 8: found a text that is no UTF-8")
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
      #expect(error?.message.hasSuffix("required at most 64 levels") == true)
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
      #expect(error?.message.hasSuffix("required a whole number from 0 to 2^63 - 1") == true)
    }
  }
}
