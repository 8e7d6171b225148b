import TensorCore

/// A named link in a group.
struct HDF5Link {
  /// What a link refers to.
  enum Target {
    /// A hard link to the object header at this address.
    case object(UInt64)
    /// A soft link to this path in the same file.
    case path(String)
    /// An external link to another file.
    case otherFile
    /// A user-defined link, whose meaning only its author's software knows.
    case userDefined
  }

  /// `nil` for a name that is not UTF-8.
  let name: String?
  let target: Target
  /// Creation order, if the file has recorded it.
  let order: Int?

  /// Reads a link message.
  ///
  /// Source: HDF5 File Format Specification 3.0, section IV.A.2.g "The Link Message".
  init(_ message: HDF5Cursor) throws(CheckpointError) {
    var body = message
    try body.expect(version: 1, of: "link message")
    let flags = try body.byte()
    let kind = try flags & 8 != 0 ? body.byte() : 0
    order = try flags & 4 != 0 ? Int(truncatingIfNeeded: body.unsigned(8)) : nil
    if flags & 16 != 0 { try body.skip(1) }  // character set: ASCII or UTF-8
    // The lowest 2 bits of the flags are log2 of the width of the name's size.
    let size = try body.integer(1 << (flags & 3))
    name = Self.text(try body.bytes(size))
    switch kind {
    case 0: target = .object(try body.definedAddress())
    case 1:
      let size = try body.integer(2)
      target = .path(Self.text(try body.bytes(size)) ?? "")
    case 64: target = .otherFile
    case 65...: target = .userDefined
    default: throw body.malformed("link has unknown type \(kind)")
    }
  }

  /// Creates a link of an old group, which records no creation order.
  init(name: String?, _ target: Target) {
    self.name = name
    self.target = target
    order = nil
  }

  /// The text of a name; `nil` if it is not UTF-8 or contains a NUL.
  static func text(_ bytes: ArraySlice<UInt8>) -> String? {
    bytes.contains(0) ? nil : String(validating: bytes, as: UTF8.self)
  }
}
