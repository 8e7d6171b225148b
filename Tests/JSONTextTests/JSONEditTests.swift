import JSONText
import TensorCore
import Testing

@Suite struct JSONEditTests {
  private func setting(_ texts: [String: String], _ json: String) throws -> String {
    String(
      decoding: try JSONScanner.setting(texts, in: "m", of: Array(json.utf8)), as: UTF8.self)
  }

  @Test(arguments: [
    (#"{"m":{"a":"1","b":"2"},"t":[1]}"#, #"{"m":{"a":"new","b":"2"},"t":[1]}"#),
    (#"{ "m" : { "b" : "2" } , "t" : 1 } "#, #"{ "m" : { "b" : "2" ,"a":"new"} , "t" : 1 } "#),
    (#"{"t":{"a":"1"},"m":{}}"#, #"{"t":{"a":"1"},"m":{"a":"new"}}"#),
    (#"{"m":null,"t":1}"#, #"{"m":{"a":"new"},"t":1}"#),
    (#"{"t":1}"#, #"{"m":{"a":"new"},"t":1}"#),
    ("{ }", #"{ "m":{"a":"new"}}"#),
    (#"{"m":{"x":{"a":"1"},"a":[1,{"a":2}]}}"#, #"{"m":{"x":{"a":"1"},"a":"new"}}"#),
    (#"{"m":{"\u0061":"old"}}"#, #"{"m":{"\u0061":"new"}}"#),
  ])
  func `a member is set and every other byte stays`(before: String, after: String) throws {
    #expect(try setting(["a": "new"], before) == after)
  }

  @Test func `new members come in the order of their keys`() throws {
    #expect(
      try setting(["b": "2\n", "a": "1", "c": "3"], #"{"m":{"c":"0"}}"#)
        == #"{"m":{"c":"3","a":"1","b":"2\n"}}"#)
    #expect(try setting([:], "not even JSON") == "not even JSON")
  }

  @Test(arguments: ["[1]", #"{"m":3}"#, #"{"m":{"a":"1"}"#, ""])
  func `what is not an object is refused`(text: String) {
    #expect(throws: CheckpointError.self) { try setting(["a": "new"], text) }
  }
}
