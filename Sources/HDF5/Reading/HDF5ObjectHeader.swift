import TensorCore

/// The header of one object, a group or a dataset: a list of messages that describe it.
///
/// Source: HDF5 File Format Specification 3.0, section IV.A "Data Object Headers".
struct HDF5ObjectHeader {
  /// The kinds of message that are read here, by their type numbers in the file.
  enum Kind: Int {
    case dataspace = 1
    case linkInfo = 2
    case datatype = 3
    case oldFillValue = 4
    case fillValue = 5
    case link = 6
    case externalFiles = 7
    case layout = 8
    case filters = 11
    case attribute = 12
    case oldModificationTime = 14
    case sharedTable = 15
    case symbolTable = 17
    case modificationTime = 18
    case attributeInfo = 21
  }

  /// One message.
  struct Message {
    let kind: Kind
    /// Whether the body is only a reference to the message (see ``HDF5SharedMessages``).
    let isShared: Bool
    let body: HDF5Cursor
  }

  let address: UInt64
  /// All messages of known kinds, in file order.
  private(set) var messages: [Message] = []
  /// Where the object's times are in the file.
  private(set) var times: [Range<Int>] = []
  /// The bytes of the checksum over the times, which follows them; `nil` in version 1.
  private(set) var timesChecksum: Range<Int>?
  /// Bit n is set if there is a message of kind n.
  private var kinds: UInt32 = 0
  /// Continuation blocks that are yet to be read.
  private var pending: [(address: UInt64, count: Int)] = []
  /// Size in bytes of the prefix of each message: 8 in version 1, 4 or 6 in version 2.
  private let prefixSize: Int

  private static let continuation = 16
  /// The largest message type number in the specification (version 1.10 of the library).
  private static let maxKnown = 24

  /// Reads the object header at an address, with all of its continuation blocks.
  init(_ address: UInt64, in metadata: HDF5Metadata) throws(CheckpointError) {
    self.address = address
    messages.reserveCapacity(8)
    var head = try metadata.cursor(at: address, upTo: 48)
    let start = head
    if try head.byte() == 1 {
      prefixSize = 8
      // Version 1 (IV.A.1.a): no signature, and messages begin at a multiple of 8, after 4 bytes.
      // The number of messages is not relied on: a block is read until it ends.
      try head.skip(7)  // reserved, number of messages, reference count
      let count = try head.integer(4)
      try take(try metadata.cursor(atOffset: start.offset + 16, count: count))
    } else {
      // Version 2 (IV.A.1.b): signatures and checksums, and optional fields as the flags say.
      head = start
      try head.expect("OHDR")
      try head.expect(version: 2, of: "object header")
      let flags = try head.byte()
      prefixSize = flags & 4 == 0 ? 4 : 6
      // Optional: 4 timestamps, and limits of compact and dense attribute storage.
      try head.skip((flags & 32 == 0 ? 0 : 16) + (flags & 16 == 0 ? 0 : 4))
      let count = try head.integer(1 << (flags & 3))
      let prefix = head.offset - start.offset
      guard count <= metadata.fileSize else {
        throw head.malformed(
          "expected \(count) bytes of messages, but the file has \(metadata.fileSize)")
      }
      try takeVerified(
        try metadata.cursor(atOffset: start.offset, count: prefix + count + 4), skipping: prefix)
      if flags & 32 != 0 { times = [start.offset + 6..<start.offset + 22] }
      timesChecksum = start.offset..<start.offset + prefix + count
    }
    var seen: Set<UInt64> = []
    while let (address, count) = pending.popLast() {
      // A block that leads back to an earlier one would be read without end.
      guard seen.insert(address).inserted else {
        throw start.malformed("object header lists its continuation at \(address) twice")
      }
      let block = try metadata.cursor(at: address, count: count)
      if prefixSize == 8 {
        try take(block)
      } else {
        var signature = block
        try signature.expect("OCHK")
        try takeVerified(block, skipping: 4)
      }
    }
    if prefixSize == 8 {
      times = messages.compactMap { message in
        guard [.modificationTime, .oldModificationTime].contains(message.kind) else { return nil }
        return message.body.offset..<message.body.offset + message.body.remaining
      }
    }
  }

  /// Whether there is a message of a kind.
  func has(_ kind: Kind) -> Bool { kinds >> UInt32(kind.rawValue) & 1 != 0 }

  /// The first message of a kind.
  func first(_ kind: Kind) -> Message? {
    guard has(kind) else { return nil }
    // By index, which avoids copying each message that is skipped.
    for index in messages.indices where messages[index].kind == kind { return messages[index] }
    return nil
  }

  /// Reads the messages between a prefix of `count` bytes and the block's checksum.
  private mutating func takeVerified(
    _ block: HDF5Cursor, skipping count: Int
  ) throws(CheckpointError) {
    var cursor = block
    try cursor.skip(count)
    let body = try cursor.part(cursor.remaining - 4)
    try cursor.verify()
    try take(body)
  }

  /// Reads the messages of one block; a rest too short for a message is a gap.
  private mutating func take(_ block: HDF5Cursor) throws(CheckpointError) {
    var block = block
    while block.remaining >= prefixSize {
      let number = try block.integer(prefixSize == 8 ? 2 : 1)
      let size = try block.integer(2)
      let flags = try block.byte()
      try block.skip(prefixSize == 8 ? 3 : prefixSize - 4)  // reserved, or creation order
      var body = try block.part(size)
      if number == Self.continuation {
        pending.append((try body.definedAddress(), try body.length()))
      } else if let kind = Kind(rawValue: number) {
        kinds |= 1 << UInt32(kind.rawValue)
        messages.append(Message(kind: kind, isShared: flags & 2 != 0, body: body))
      } else if number > Self.maxKnown, flags & 128 != 0 {
        // Flag bit 7: a reader that does not know the message must not open the object.
        throw block.unsupported("message type \(number) is unknown, but marked as essential")
      }
    }
  }
}
