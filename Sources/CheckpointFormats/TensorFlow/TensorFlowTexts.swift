import ByteIO
import TensorCore

/// A tensor of strings: the length of each, a CRC-32C of the lengths, and the bytes of all of them.
///
/// Source: tensorflow 2.21, `core/util/tensor_bundle`, `WriteStringTensor`.
struct TensorFlowTexts {
  private let entry: TensorBundle.Entry
  private let data: ByteSource
  private let shape: Shape

  /// Largest tensor that becomes a value, in bytes.
  private static let maxSize = 1 << 26

  init(_ entry: TensorBundle.Entry, in data: ByteSource) throws(CheckpointError) {
    self.entry = entry
    self.data = data
    shape = try Shape(entry.sizes)
    guard shape.elementCount <= data.size else {
      throw CheckpointError(
        .malformed, "expected \(shape.elementCount) strings, found \(data.size) bytes")
    }
  }

  /// The strings as text, or as bytes where they are not UTF-8, in lists of the tensor's shape.
  func value(in room: inout ValueRoom) throws(CheckpointError) -> Value {
    guard data.size <= Self.maxSize else { return .unread("strings of \(data.size) bytes") }
    guard room.take(shape.elementCount) else {
      return .unread("more than \(Budget.current.maxValues) values")
    }
    var elements: [Value] = []
    try forEach { _ throws(CheckpointError) in
    } end: { _ throws(CheckpointError) in
    } string: { bytes throws(CheckpointError) in
      let bytes = bytes
      elements.append(String(validating: bytes, as: UTF8.self).map(Value.text) ?? .bytes(bytes))
    }
    return elements.nested(shape)
  }

  /// The checksum of the lengths, of their own checksum, and of the strings.
  func checksum() throws(CheckpointError) -> MaskedChecksum {
    var sum = MaskedChecksum()
    try forEach { length throws(CheckpointError) in
      var bytes: [UInt8] = []
      if let short = UInt32(exactly: length) {
        bytes.appendLittleEndian(short)
      } else {
        bytes.appendLittleEndian(length)
      }
      sum.add(bytes.rawBytes)
    } end: { stored throws(CheckpointError) in
      guard stored == sum.value else {
        throw CheckpointError(
          .malformed, "expected CRC-32C \(stored) of the strings' lengths, found \(sum.value)",
          offset: entry.range.lowerBound)
      }
      sum.addOwnValue()
    } string: { bytes throws(CheckpointError) in
      sum.add(bytes.rawBytes)
    }
    return sum
  }

  /// Goes through all lengths, their checksum, and all strings.
  private func forEach(
    length: (UInt64) throws(CheckpointError) -> Void,
    end: (UInt32) throws(CheckpointError) -> Void,
    string: ([UInt8]) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    var lengths = ByteCursor(data)
    var strings = lengths
    for _ in 0..<shape.elementCount { try length(try strings.varint()) }
    try end(try strings.littleEndian(UInt32.self))
    for _ in 0..<shape.elementCount { try string(try strings.bytes(try lengths.varint())) }
    guard strings.isAtEnd else {
      throw CheckpointError(.malformed, "found \(strings.rest) bytes after the last string")
    }
  }
}
