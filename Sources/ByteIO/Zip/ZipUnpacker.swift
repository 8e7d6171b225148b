import TensorCore

/// The unpackers of members, by method.
///
/// Source: PKWARE APPNOTE 6.3.10, sections 4.4.5 and 5.8 (LZMA).
enum ZipUnpacker {
  /// The names of the methods that are not read.
  private static let names: [UInt16: String] = [
    1: "Shrink", 2: "Reduce", 3: "Reduce", 4: "Reduce", 5: "Reduce", 6: "Implode", 9: "Deflate64",
    10: "DCL Implode", 16: "CMPSC", 18: "TERSE", 19: "LZ77", 94: "MP3", 96: "JPEG", 97: "WavPack",
    98: "PPMd", 99: "AES encryption",
  ]

  /// Number of a member's stored bytes before its stream.
  static func start(of member: ZipMember) -> Int { member.method == .lzma ? 9 : 0 }

  /// An unpacker that is ready for a member's stream.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` for methods that are not read.
  static func make(
    for member: ZipMember, in file: ByteSource
  ) throws(CheckpointError) -> any StreamUnpacker & ~Copyable {
    switch member.method {
    case .deflated: return try Inflater()
    case .bzip2: return try BZip2Unpacker()
    case .zstd: return try ZstandardUnpacker()
    case .xz: return try XZUnpacker()
    case .lzma:
      // The properties come after a version and their own size.
      let head = try file.bytes(member.dataOffset..<member.dataOffset + min(9, member.storedSize))
      guard head.count == 9, head.littleEndian(UInt16.self, at: 2) == 5 else {
        throw CheckpointError(.malformed, "expected 5 bytes of LZMA properties, found others")
      }
      // The older format of a file, which has the size after the properties: all ones where the stream
      // has a mark at its end.
      var header = Array(head[4...])
      let hasEnd = member.flags & 2 != 0
      header.appendLittleEndian(hasEnd ? UInt64.max : UInt64(member.size))
      var unpacker = try XZUnpacker(.alone)
      try unpacker.begin(header)
      return unpacker
    default:
      let number = member.method.rawValue
      let name = names[number].map { "\($0) (method \(number))" } ?? "method \(number)"
      throw CheckpointError(
        .unsupported, "is packed by \(name), which is not read; pack the archive again with deflate"
      )
    }
  }
}

extension ZipMember.Method {
  /// Whether several streams may follow each other.
  var allowsStreams: Bool { self == .bzip2 || self == .zstd || self == .xz }
}
