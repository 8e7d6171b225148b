import TensorCore

/// A name in a group, and where it leads.
struct HDF5Link {
  /// Where a link leads.
  enum Target {
    /// To the object header at this address.
    case object(UInt64)
    /// To what has this path in the file.
    case path(String)
    /// Out of the file.
    case otherFile
    /// Wherever a program of its author says.
    case userDefined
  }

  /// `nil` for bytes that are not UTF-8.
  let name: String?
  let target: Target
  /// When it was made, as a count, where the file has recorded it.
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
    if flags & 16 != 0 { try body.skip(1) }  // ASCII or UTF-8
    let size = try body.integer(1 << (flags & 3))
    name = Self.text(try body.bytes(size))
    switch kind {
    case 0: target = .object(try body.definedAddress())
    case 1:
      let size = try body.integer(2)
      target = .path(Self.text(try body.bytes(size)) ?? "")
    case 64: target = .otherFile
    case 65...: target = .userDefined
    default: throw body.malformed("link of unknown kind \(kind)")
    }
  }

  /// A link of an older group.
  init(name: String?, _ target: Target) {
    self.name = name
    self.target = target
    order = nil
  }

  /// The text of a name; `nil` if it cannot be one.
  static func text(_ bytes: ArraySlice<UInt8>) -> String? {
    bytes.contains(0) ? nil : String(validating: bytes, as: UTF8.self)
  }
}
