import ByteIO

/// Writes a pickle of protocol 2 with the opcodes that `torch.load(weights_only=True)` accepts.
struct PickleWriter {
  /// The pickle so far.
  private(set) var bytes: [UInt8] = [0x80, 2]
  private var memo: [String: Int] = [:]

  /// Writes a class or a function; from the second time on through the memo.
  mutating func global(_ module: String, _ name: String) {
    remembering("\(module) \(name)") { $0 += [UInt8(ascii: "c")] + "\(module)\n\(name)\n".utf8 }
  }

  /// Writes a string that occurs often, through the memo.
  mutating func word(_ text: String) {
    remembering("'\(text)'") { Self.append(text, to: &$0) }
  }

  /// Writes a string.
  mutating func text(_ text: String) { Self.append(text, to: &bytes) }

  /// Writes an integer with the shortest opcode: BININT1, BININT2, BININT, or LONG1.
  mutating func int(_ number: Int) {
    switch number {
    case 0...0xff: bytes += [UInt8(ascii: "K"), UInt8(number)]
    case 0...0xffff:
      bytes.append(UInt8(ascii: "M"))
      bytes.appendLittleEndian(UInt16(number))
    case Int(Int32.min)...Int(Int32.max):
      bytes.append(UInt8(ascii: "J"))
      bytes.appendLittleEndian(Int32(number))
    default:
      bytes += [0x8a, 8]
      bytes.appendLittleEndian(number)
    }
  }

  /// Writes an integer in little-endian two's complement of at most 255 bytes (LONG1).
  mutating func long(_ content: [UInt8]) { bytes += [0x8a, UInt8(content.count)] + content }

  /// Writes a tuple of integers.
  mutating func tuple(_ numbers: [Int]) {
    mark()
    for number in numbers { int(number) }
    endTuple()
  }

  /// Writes a floating-point number (BINFLOAT).
  mutating func real(_ number: Double) {
    bytes.append(UInt8(ascii: "G"))
    bytes.appendLittleEndian(number.bitPattern.byteSwapped)
  }

  /// Writes bytes as Python does in protocol 2: as text that is to be encoded in Latin-1.
  mutating func encoded(_ content: [UInt8]) {
    global("_codecs", "encode")
    mark()
    var text = String.UnicodeScalarView()
    for byte in content { text.append(Unicode.Scalar(byte)) }
    self.text(String(text))
    word("latin1")
    endTuple()
    reduce()
  }

  mutating func none() { bytes.append(UInt8(ascii: "N")) }
  mutating func bool(_ value: Bool) { bytes.append(value ? 0x88 : 0x89) }
  mutating func emptyList() { bytes.append(UInt8(ascii: "]")) }
  mutating func append() { bytes.append(UInt8(ascii: "e")) }
  mutating func isFalse() { bytes.append(0x89) }
  mutating func emptyTuple() { bytes.append(UInt8(ascii: ")")) }
  mutating func emptyDictionary() { bytes.append(UInt8(ascii: "}")) }
  mutating func mark() { bytes.append(UInt8(ascii: "(")) }
  mutating func endTuple() { bytes.append(UInt8(ascii: "t")) }
  mutating func setItems() { bytes.append(UInt8(ascii: "u")) }
  mutating func setItem() { bytes.append(UInt8(ascii: "s")) }
  mutating func reduce() { bytes.append(UInt8(ascii: "R")) }
  mutating func build() { bytes.append(UInt8(ascii: "b")) }
  mutating func persistent() { bytes.append(UInt8(ascii: "Q")) }
  mutating func stop() { bytes.append(UInt8(ascii: ".")) }

  /// Writes an empty `OrderedDict`.
  mutating func orderedDictionary() {
    global("collections", "OrderedDict")
    emptyTuple()
    reduce()
  }

  private mutating func remembering(_ key: String, _ write: (inout [UInt8]) -> Void) {
    if let index = memo[key] {
      // BINGET and BINPUT, whose index has one byte: there are fewer such values.
      bytes += [UInt8(ascii: "h"), UInt8(index)]
      return
    }
    write(&bytes)
    guard memo.count <= 0xff else { return }
    bytes += [UInt8(ascii: "q"), UInt8(memo.count)]
    memo[key] = memo.count
  }

  private static func append(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "X"))
    bytes.appendLittleEndian(UInt32(text.utf8.count))
    bytes += text.utf8
  }
}
