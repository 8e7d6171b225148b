import ByteIO
import TensorCore

/// One item of a MessagePack file: a scalar, where bytes are, or how many items follow.
///
/// Source: github.com/msgpack/msgpack, spec.md.
enum MessagePack {
  case null
  case bool(Bool)
  case integer(Int)
  /// An integer from 2^63 on.
  case large(UInt64)
  case real(Double)
  case text(Range<Int>)
  case bytes(Range<Int>)
  case array(Int)
  case map(Int)
  case extended(Int8, Range<Int>)

  /// Reads an item; counts are bounded by the bytes that follow.
  static func read(_ cursor: inout ByteCursor) throws(CheckpointError) -> MessagePack {
    let start = cursor.position
    let mark = try cursor.byte()
    switch mark {
    case 0x00...0x7f: return .integer(Int(mark))
    case 0x80...0x8f: return .map(try count(Int(mark & 15), size: 2, cursor, start))
    case 0x90...0x9f: return .array(try count(Int(mark & 15), size: 1, cursor, start))
    case 0xa0...0xbf: return .text(try cursor.skip(mark & 31))
    case 0xc0: return .null
    case 0xc2, 0xc3: return .bool(mark == 0xc3)
    case 0xc4...0xc6: return .bytes(try cursor.skip(try length(mark - 0xc4, &cursor)))
    case 0xc7...0xc9: return try extended(try length(mark - 0xc7, &cursor), &cursor)
    case 0xca:
      return .real(Double(Float(bitPattern: try cursor.bigEndian(UInt32.self))))
    case 0xcb: return .real(Double(bitPattern: try cursor.bigEndian(UInt64.self)))
    case 0xcc...0xce: return .integer(Int(try length(mark - 0xcc, &cursor)))
    case 0xcf:
      let number = try cursor.bigEndian(UInt64.self)
      return Int(exactly: number).map(MessagePack.integer) ?? .large(number)
    case 0xd0: return .integer(Int(try cursor.bigEndian(Int8.self)))
    case 0xd1: return .integer(Int(try cursor.bigEndian(Int16.self)))
    case 0xd2: return .integer(Int(try cursor.bigEndian(Int32.self)))
    case 0xd3: return .integer(Int(try cursor.bigEndian(Int64.self)))
    case 0xd4...0xd8: return try extended(1 << UInt32(mark - 0xd4), &cursor)
    case 0xd9...0xdb: return .text(try cursor.skip(try length(mark - 0xd9, &cursor)))
    case 0xdc, 0xdd:
      return .array(try count(Int(try length(mark - 0xdc + 1, &cursor)), size: 1, cursor, start))
    case 0xde, 0xdf:
      return .map(try count(Int(try length(mark - 0xde + 1, &cursor)), size: 2, cursor, start))
    case 0xe0...0xff: return .integer(Int(Int8(bitPattern: mark)))
    default:
      throw CheckpointError(
        .malformed, "expected a MessagePack item here, found byte \([mark].hexDigits())",
        offset: start)
    }
  }

  /// What kind of item it is, for messages.
  var kind: String {
    switch self {
    case .null: "nil"
    case .bool: "a Boolean"
    case .integer, .large: "an integer"
    case .real: "a real number"
    case .text: "text"
    case .bytes: "bytes"
    case .array: "an array"
    case .map: "a map"
    case .extended(1, _): "a tensor"
    case .extended: "an extension"
    }
  }

  /// A number of 1, 2, or 4 bytes.
  private static func length(
    _ logarithm: UInt8, _ cursor: inout ByteCursor
  ) throws(CheckpointError) -> UInt32 {
    switch logarithm {
    case 0: UInt32(try cursor.byte())
    case 1: UInt32(try cursor.bigEndian(UInt16.self))
    default: try cursor.bigEndian(UInt32.self)
    }
  }

  private static func extended(
    _ count: UInt32, _ cursor: inout ByteCursor
  ) throws(CheckpointError) -> MessagePack {
    let type = Int8(bitPattern: try cursor.byte())
    return .extended(type, try cursor.skip(count))
  }

  private static func count(
    _ count: Int, size: Int, _ cursor: ByteCursor, _ start: Int
  ) throws(CheckpointError) -> Int {
    guard count <= cursor.rest / size else {
      throw CheckpointError(
        .malformed, "expected at most \(cursor.rest / size) items here, found \(count)",
        offset: start)
    }
    return count
  }
}
