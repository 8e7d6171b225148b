import ByteIO
import JSONText
import TensorCore
import TestSupport

/// Changes to the index or to the chunks of a `.ckz` file, whose sums are then right, as an attacker
/// would do it.
enum NativeMutation {
  private static let (headerSize, footerSize) = (16, 64)

  /// Changes an index and signs it, or chunks, whose sums the index then has.
  @Sendable static func changed(
    _ bytes: [UInt8], _ dice: inout SplitMix, _ change: FuzzTarget.Change
  ) throws -> [UInt8]? {
    guard bytes.count > headerSize + footerSize, let start = start(of: bytes) else { return nil }
    let isPack = bytes[12] == 1
    var text = try SignedIndex.text(of: bytes)
    if isPack, dice.below(3) > 0 {
      return try changingLastStep(of: bytes, text, &dice, change)
    }
    if isPack || dice.below(2) == 0 {
      change(&text, text.count + 256)
      return try SignedIndex.replace(in: bytes, by: text)
    }
    var body = Array(bytes[headerSize..<start])
    change(&body, body.count)
    let file = Array(bytes[..<headerSize]) + body
    return try SignedIndex.replace(in: file, by: summed(text, of: file), before: file.count)
  }

  private static func start(of bytes: [UInt8]) -> Int? {
    let start = bytes.littleEndian(UInt64.self, at: bytes.count - footerSize)
    let size = bytes.littleEndian(UInt64.self, at: bytes.count - footerSize + 16)
    guard start >= headerSize, start < bytes.count - footerSize, size < 1 << 20 else { return nil }
    return Int(start)
  }

  /// The last step's index is changed, and the pack's own is made to agree.
  private static func changingLastStep(
    of bytes: [UInt8], _ text: [UInt8], _ dice: inout SplitMix, _ change: FuzzTarget.Change
  ) throws -> [UInt8]? {
    guard let whole = String(validating: text, as: UTF8.self) else { return nil }
    let pack = try JSONValue(whole)
    guard let steps = pack["steps"]?.elements, let last = steps.last,
      let offset = last["offset"]?.integer, let size = last["size"]?.integer,
      let content = last["content"]?.integer, let start = last["start"]?.integer,
      let old = last["blake3"], let own = Self.start(of: bytes),
      headerSize <= start, start <= offset, size >= 0, size <= own, offset <= own - size,
      content < 1 << 20
    else { return nil }
    let packed = Array(bytes[offset..<offset + size])
    var index = try [UInt8](count: content) { target throws(CheckpointError) in
      try Zlib.inflate(packed.rawBytes, into: &target)
    }
    var head = Array(bytes[..<offset])
    if dice.below(2) == 0 {
      change(&index, index.count + 256)
    } else {
      var body = Array(head[start...])
      change(&body, body.count)
      guard body.count == offset - start else { return nil }
      head.replaceSubrange(start..., with: body)
      index = summed(index, of: head)
    }
    let stream = try Zlib.deflate(index.rawBytes, level: 6)
    var digest = DigestBuilder()
    digest.update(stream.rawBytes)
    // From the last to the first, so that the places of the others stay.
    var text = text
    let changes: [(value: JSONValue?, text: String)] = [
      (old, "\"\(digest.finalize())\""), (last["content"], "\(index.count)"),
      (last["size"], "\(stream.count)"),
    ]
    for (value, new) in changes.sorted(by: { ($0.value?.offset ?? 0) > ($1.value?.offset ?? 0) }) {
      guard let value else { return nil }
      text.replaceSubrange(value.offset..<value.end(in: text), with: Array(new.utf8))
    }
    let tail = try Zlib.deflate(text.rawBytes, level: 6)
    let place = head.count + stream.count
    return head + stream + SignedIndex.tail(tail, size: text.count, at: place)
  }

  /// The index with the sums of the chunks that are in a file.
  private static func summed(_ text: [UInt8], of file: [UInt8]) -> [UInt8] {
    // Offsets are those in the bytes only if no character was repaired.
    guard let whole = String(validating: text, as: UTF8.self), let index = try? JSONValue(whole),
      let tensors = index["tensors"]?.elements
    else { return text }
    var text = text
    for tensor in tensors.reversed() {
      guard let chunks = tensor["chunks"]?.elements, var end = tensor["offset"]?.integer
      else { continue }
      var changes: [(JSONValue, UInt32)] = []
      for chunk in chunks {
        guard let parts = chunk.elements, parts.count >= 2,
          let size = parts[0].integer, size >= 0, end >= 0, end <= file.count,
          size <= file.count - end
        else { break }
        let stream = Array(file[end..<end + size])
        changes.append((parts[1], Checksum.crc32(stream.rawBytes)))
        end += size
      }
      for (value, sum) in changes.reversed() {
        text.replaceSubrange(value.offset..<value.end(in: text), with: Array("\(sum)".utf8))
      }
    }
    return text
  }
}

extension JSONValue {
  /// A member of an object.
  fileprivate subscript(key: String) -> JSONValue? {
    guard case .object(let members) = content else { return nil }
    return members.first { $0.key == key }?.value
  }

  fileprivate var elements: [JSONValue]? {
    if case .array(let elements) = content { elements } else { nil }
  }

  fileprivate var integer: Int? {
    if case .number(let text) = content { Int(text) } else { nil }
  }

  /// The byte after a number, or after a text without escapes.
  fileprivate func end(in text: [UInt8]) -> Int {
    switch content {
    case .number(let digits): offset + digits.utf8.count
    case .string(let content): offset + content.utf8.count + 2
    default: text.count
    }
  }
}
