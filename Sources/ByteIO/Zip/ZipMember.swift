package import TensorCore

/// One member of a zip archive, as the central directory describes it.
package struct ZipMember: Sendable {
  /// How its bytes are stored.
  package enum Method: UInt16, Sendable {
    case stored = 0
    case deflated = 8
  }

  /// Its path in the archive, which is a name here and never a path.
  package let name: TensorName
  /// How its bytes are stored.
  package let method: Method
  /// Bytes of its content.
  package let size: Int
  /// Bytes that it takes in the archive.
  package let storedSize: Int
  /// CRC-32 of its content.
  package let crc32: UInt32
  /// Where its content or stream begins in the file.
  package internal(set) var dataOffset = 0

  /// Its place in the central directory.
  let index: Int
  /// General purpose bits.
  let flags: UInt16
  /// Where its local header begins in the file.
  let headerOffset: Int

  /// Whether sizes and CRC follow the data, in a descriptor.
  var hasDescriptor: Bool { flags & ZipLayout.descriptorFlag != 0 }
}

/// Signatures, sizes, bits and limits; source: APPNOTE 6.3.10, sections 4.3 to 4.5.
enum ZipLayout {
  static let localSignature: UInt32 = 0x0403_4b50
  static let centralSignature: UInt32 = 0x0201_4b50
  static let descriptorSignature: UInt32 = 0x0807_4b50
  static let endSignature: UInt32 = 0x0605_4b50
  static let end64Signature: UInt32 = 0x0606_4b50
  static let locatorSignature: UInt32 = 0x0706_4b50

  static let localSize = 30
  static let centralSize = 46
  static let endSize = 22
  static let end64Size = 56
  static let locatorSize = 20

  /// Extra field of 64-bit sizes and offsets.
  static let zip64Field: UInt16 = 1
  /// Extra field that PyTorch aligns data with, filled with `Z`.
  static let paddingField: UInt16 = 0x4246

  /// Sizes and CRC follow the data.
  static let descriptorFlag: UInt16 = 1 << 3
  /// The name is UTF-8.
  static let utf8Flag: UInt16 = 1 << 11
  /// Bits that change nothing for a reader: deflate's level, and the two above.
  static let knownFlags: UInt16 = descriptorFlag | utf8Flag | 0b110

  /// Stands for a 32-bit number that is in the extra field.
  static let sentinel32: UInt32 = .max
  /// Stands for a 16-bit number that is in the zip64 end record.
  static let sentinel16: UInt16 = .max

  /// Most members that are read.
  static let maxMembers = 10_000_000
  /// Deflate makes no more than so many bytes of one; source: zlib's manual, "Maximum Compression".
  static let maxRatio = 1032
}
