import JSONText
import TensorCore
import Testing

/// The exact JSON of values.
@Suite struct ValueJSONTests {
  static let values: [Value] = [
    .null, .bool(true), .integer(.min), .integer(3), .real(3), .real(0.1), .real(1e300),
    .real(-0.0),
    .real(.leastNonzeroMagnitude), .real(.nan), .real(.infinity), .real(-.infinity),
    .real(Double(bitPattern: 0x7ff8_0000_0000_0001)), .text("é\n\u{0}\"$"), .bytes([]),
    .bytes([0, 255]), .list([]), .tuple([]), .list([.integer(1), .text("a"), .null]),
    .tuple([.real(0.9), .tuple([.real(0.999)])]), .dictionary([]),
    .dictionary([.init("b", .integer(1)), .init("a", .list([]))]),
    .dictionary([.init(.integer(0), .text("int key")), .init("0", .text("text key"))]),
    .dictionary([.init("$real", .text("nan"))]), .dictionary([.init(.tuple([.null]), .null)]),
    .opaque("argparse.Namespace", [.init("lr", .real(0.1)), .init(.integer(0), .null)]),
    .opaque("torch.float32", []),
  ]

  @Test(arguments: values)
  func `a value is the same again`(value: Value) throws {
    var json = JSONWriter()
    json.exact(value)
    var room = ValueRoom()
    let again = try #require(Value(exact: json.text, in: &room))
    #expect(again == value)
    var second = JSONWriter()
    second.exact(again)
    #expect(second.text == json.text)
    var list = JSONWriter()
    list.exact(.list([value, value]))
    #expect(Value(exact: list.text, in: &room) == .list([value, value]))
  }

  @Test(arguments: [
    (Value.integer(3), "3"), (.real(3), "3.0"), (.tuple([.null]), #"{"$tuple":[null]}"#),
    (.bytes([0, 255]), #"{"$bytes":"00ff"}"#), (.real(.nan), #"{"$real":"nan"}"#),
    (.dictionary([.init("b", .integer(1))]), #"{"b":1}"#),
    (.dictionary([.init(.integer(0), .null)]), #"{"$dictionary":[[0,null]]}"#),
    (.opaque("a.B", [.init("x", .null)]), #"{"$opaque":["a.B",{"x":null}]}"#),
  ])
  func `its text is this`(value: Value, text: String) {
    var json = JSONWriter()
    json.exact(value)
    #expect(json.text == text)
  }

  @Test(arguments: [
    "", "{", #"{"$real":"x"}"#, #"{"$real":1}"#, #"{"$bytes":"0"}"#, #"{"$bytes":"zz"}"#,
    #"{"$tuple":1}"#, #"{"$dictionary":[[1]]}"#, #"{"$opaque":["a"]}"#, #"{"$opaque":[1,{}]}"#,
    #"{"$other":1}"#, #"{"$real":"nan","a":1}"#, #"{"a":1,"$real":"nan"}"#, "1 2",
  ])
  func `other texts are refused`(text: String) {
    var room = ValueRoom()
    #expect(Value(exact: text, in: &room) == nil)
  }

  @Test(arguments: [
    "[", #"{"a":"#, #"{"$tuple":["#, #"{"$dictionary":[[0,"#, #"{"$opaque":["a",{"b":"#,
  ])
  func `nesting is limited`(opening: String) {
    var room = ValueRoom()
    #expect(Value(exact: String(repeating: opening, count: 100_000), in: &room) == nil)
  }

  @Test func `values are counted`() {
    let many = "[" + String(repeating: "0,", count: 3_100_000) + "0]"
    var room = ValueRoom()
    #expect(Value(exact: many, in: &room) == nil)
    #expect(room.isExhausted)
  }
}
