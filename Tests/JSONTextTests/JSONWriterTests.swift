import JSONText
import Testing

@Suite struct JSONWriterTests {
  private func sample(_ layout: JSONWriter.Layout) -> String {
    var json = JSONWriter()
    json.object(layout) { json in
      json.key("a")
      json.array { json in
        json.number(-1)
        json.bool(true)
        json.null()
        json.literal("1.5")
      }
      json.key("b")
      json.object { $0.members(["y": "2", "x": "1"]) }
      json.key("c")
      json.strings([])
    }
    return json.text
  }

  @Test func `the layout decides the white space and nothing else`() throws {
    #expect(sample(.compact) == #"{"a":[-1,true,null,1.5],"b":{"x":"1","y":"2"},"c":[]}"#)
    #expect(sample(.spaced) == #"{"a": [-1, true, null, 1.5], "b": {"x": "1", "y": "2"}, "c": []}"#)
    #expect(
      sample(.lines)
        == "{\n\"a\": [\n-1,\ntrue,\nnull,\n1.5\n],\n\"b\": {\n\"x\": \"1\",\n\"y\": \"2\"\n},\n"
        + "\"c\": [\n]\n}")
  }

  @Test func `a layout ends with its container`() {
    var json = JSONWriter()
    json.array { json in
      json.array(.lines) { json in json.array(.spaced) { $0.numbers([1, 2]) } }
      json.numbers([3, 4])
    }
    #expect(json.text == "[[\n[[1, 2]]\n],[3,4]]")
  }

  @Test func `strings are escaped as Python escapes them`() {
    var json = JSONWriter()
    json.string("\"\\/\u{8}\t\n\u{c}\r\u{0}\u{1f}\u{7f}é😀\u{2028}")
    #expect(
      json.text
        == "\"\\\"\\\\/\\b\\t\\n\\f\\r\\u0000\\u001f\u{7f}é😀\u{2028}\"")
  }

  @Test func `a text can be taken in pieces`() {
    var json = JSONWriter()
    var pieces: [String] = []
    json.object { json in
      json.key("values")
      json.literal("")
      pieces.append(json.takeText())
      pieces.append("[1,2]")
      json.key("more")
      json.null()
    }
    pieces.append(json.takeText())
    #expect(pieces == [#"{"values":"#, "[1,2]", #","more":null}"#])
  }

  @Test func `members are sorted by bytes, not by Swift's order of characters`() {
    var json = JSONWriter()
    json.object { $0.members(["é": "2", "z": "1", "": "0"]) }
    #expect(json.text == #"{"":"0","z":"1","é":"2"}"#)
  }

  @Test func `what is written is canonical, and read back`() throws {
    for scalar in (UInt32(0)...0x17f).compactMap(Unicode.Scalar.init) {
      var json = JSONWriter()
      json.string(String(scalar))
      var scanner = JSONScanner(json.bytes, spelling: .canonical)
      #expect(try scanner.string().unicodeScalars.elementsEqual([scalar]))
      try scanner.end()
    }
  }
}
