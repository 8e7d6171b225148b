package import TensorCore

/// One member of a zip archive, as the central directory describes it.
package struct ZipMember: Sendable {
  /// Compression method (APPNOTE 4.4.5).
  package struct Method: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let stored = Self(rawValue: 0)
    package static let deflated = Self(rawValue: 8)
    static let bzip2 = Self(rawValue: 12)
    static let lzma = Self(rawValue: 14)
    static let zstd = Self(rawValue: 93)
    static let xz = Self(rawValue: 95)
  }

  /// The member's path in the archive; never used as a path of the file system.
  package let name: TensorName
  package let method: Method
  /// Size of the content in bytes.
  package let size: Int
  /// Size in the archive in bytes, equal to `size` if stored.
  package let storedSize: Int
  /// CRC-32 of the content.
  package let crc32: UInt32
  /// Offset in the file of the content or the deflate stream.
  package internal(set) var dataOffset = 0
  /// A text about the whole archive in this member's entry of the directory (``ZipWriter/finish(note:)``).
  package internal(set) var note: String?

  /// Index in the central directory.
  let index: Int
  /// General purpose bit flags (4.4.4).
  let flags: UInt16
  /// Offset in the file of the local header.
  let headerOffset: Int

  /// Whether a descriptor with sizes and CRC-32 follows the data.
  var hasDescriptor: Bool { flags & ZipLayout.descriptorFlag != 0 }
}

/// Signatures, sizes, flag bits, and limits; source: APPNOTE 6.3.10, sections 4.3 to 4.5.
enum ZipLayout {
  // Signatures of the records, "PK" and two bytes.
  static let localSignature: UInt32 = 0x0403_4b50
  static let centralSignature: UInt32 = 0x0201_4b50
  static let descriptorSignature: UInt32 = 0x0807_4b50
  static let endSignature: UInt32 = 0x0605_4b50
  static let end64Signature: UInt32 = 0x0606_4b50
  static let locatorSignature: UInt32 = 0x0706_4b50

  // Sizes in bytes of the records' fixed parts.
  static let localSize = 30
  static let centralSize = 46
  static let endSize = 22
  static let end64Size = 56
  static let locatorSize = 20

  /// The version that is needed to read records of the zip64 kind: 4.5.
  static let zip64Version: UInt16 = 45
  /// Identifier of the extra field with 64-bit sizes and offsets.
  static let zip64Field: UInt16 = 1
  /// Identifier of the extra field that PyTorch aligns data with ("FB"), filled with `Z`.
  static let paddingField: UInt16 = 0x4246
  /// Identifier of our own extra field in the directory ("CK"), a text about the archive.
  static let noteField: UInt16 = 0x4b43

  /// A descriptor with sizes and CRC-32 follows the data.
  static let descriptorFlag: UInt16 = 1 << 3
  /// The name is UTF-8.
  static let utf8Flag: UInt16 = 1 << 11
  /// Bits that a reader may ignore: the deflate level, and the two above.
  static let knownFlags: UInt16 = descriptorFlag | utf8Flag | 0b110

  /// Replaces a 32-bit number that is in the zip64 extra field.
  static let sentinel32: UInt32 = .max
  /// Replaces a 16-bit number that is in the zip64 end record.
  static let sentinel16: UInt16 = .max

  /// Largest number of members.
  static let maxMembers = 10_000_000
}
