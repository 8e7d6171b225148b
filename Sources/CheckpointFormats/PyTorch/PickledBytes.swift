import ByteIO
import TensorCore

/// Bytes in a pickle: as they are, or as text in Latin-1, which protocols 0 to 2 write in UTF-8.
struct PickledBytes: Hashable, Sendable {
  /// Where they are in ``Pickle/bytes``, or in the pickle's source.
  let stored: Range<Int>
  /// Whether each byte is a character of text.
  let isText: Bool
  /// Number of bytes that they stand for.
  let count: Int
  /// Whether they are in the pickle's source.
  var isDistant = false
}

extension PickledBytes {
  /// Bytes of the pickle itself, as they are.
  init(_ range: Pickle.CompactRange) {
    self.init(
      stored: Int(range.lowerBound)..<Int(range.upperBound), isText: false, count: range.count)
  }
}

extension Pickle {
  /// The bytes that a value describes; `nil` for other values.
  func pickledBytes(_ reference: Reference) -> PickledBytes? {
    switch self[reference] {
    case .bytes(let range), .text(let range):
      // A string of Python 2 is bytes, whether or not it could be text.
      return PickledBytes(range)
    case .distant(let index):
      let range = distant[index].range
      return PickledBytes(stored: range, isText: false, count: range.count, isDistant: true)
    case .object(let index):
      let object = objects[index]
      guard let name = callee(object)?.fullName, let arguments = elements(object.arguments) else {
        return nil
      }
      return pickledBytes(name, arguments)
    default: return nil
    }
  }

  private func pickledBytes(_ name: String, _ arguments: [Reference]) -> PickledBytes? {
    switch (name, arguments.count) {
    case ("builtins.bytes", 0), ("__builtin__.bytes", 0), ("builtins.bytearray", 0):
      return PickledBytes(stored: 0..<0, isText: false, count: 0)
    case ("builtins.bytearray", 1), ("builtins.bytes", 1), ("__builtin__.bytes", 1):
      if case .text = self[arguments[0]] { return nil }
      return pickledBytes(arguments[0])
    case ("_codecs.encode", 2), ("builtins.bytearray", 2), ("__builtin__.bytearray", 2):
      guard let encoding = text(arguments[1]), encoding.hasPrefix("latin") else { return nil }
      switch self[arguments[0]] {
      case .text(let range):
        let stored = Int(range.lowerBound)..<Int(range.upperBound)
        guard let continuations = Self.continuations(in: bytes[stored]) else { return nil }
        return PickledBytes(
          stored: stored, isText: continuations > 0, count: stored.count - continuations)
      case .distant(let index) where distant[index].isText:
        return latin(at: distant[index].range)
      default: return nil
      }
    default: return nil
    }
  }

  /// Number of second bytes of characters, all of which must be at most U+00FF.
  private static func continuations(in text: ArraySlice<UInt8>) -> Int? {
    // Characters up to U+00FF begin with C2 or C3, and only those above U+007F have a second byte.
    var continuations = 0
    for byte in text where byte >= 0x80 {
      if byte < 0xc0 { continuations += 1 } else if byte > 0xc3 { return nil }
    }
    return continuations
  }

  /// Bytes that are written as a long text.
  private func latin(at range: Range<Int>) -> PickledBytes? {
    var sum = 0
    for start in stride(from: range.lowerBound, to: range.upperBound, by: 1 << 16) {
      guard let part = try? source.bytes(start..<min(start + 1 << 16, range.upperBound)),
        let continuations = Self.continuations(in: part[...])
      else { return nil }
      sum += continuations
    }
    return PickledBytes(
      stored: range, isText: sum > 0, count: range.count - sum, isDistant: true)
  }

  /// All of them in memory; `nil` if they cannot be read, or are more than ``maxSize``.
  func array(_ pickled: PickledBytes) -> [UInt8]? {
    guard pickled.count <= Self.maxSize else { return nil }
    return try? [UInt8](count: pickled.count) { target throws(CheckpointError) in
      if pickled.count > 0 { try storage(pickled)(0, &target) }
    }
  }

  /// The bytes as a source; errors call it `name`.
  func content(_ pickled: PickledBytes, name: String) -> ByteSource {
    let read = storage(pickled)
    return ByteSource(name: name, size: pickled.count) { offset, target throws(CheckpointError) in
      try read(offset, &target)
    }
  }

  /// Reads bytes by their position.
  func storage(
    _ pickled: PickledBytes
  ) -> @Sendable (_ offset: Int, _ target: inout MutableRawSpan) throws(CheckpointError) -> Void {
    let start = pickled.stored.lowerBound
    if pickled.isText {
      let stored = pickled.isDistant ? source : ByteSource(bytes, name: source.name)
      let text = PickledText(stored, pickled.stored)
      return { offset, target throws(CheckpointError) in try text.read(at: offset, into: &target) }
    }
    if pickled.isDistant {
      return { [source] offset, target throws(CheckpointError) in
        try source.read(at: start + offset, into: &target)
      }
    }
    return { [bytes] offset, target throws(CheckpointError) in
      let range = start + offset..<start + offset + target.byteCount
      target.copyBytes(from: bytes.rawBytes.extracting(range))
    }
  }
}
