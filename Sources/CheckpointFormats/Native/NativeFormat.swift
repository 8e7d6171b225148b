import ByteIO
import TensorCore

extension CheckpointFormat {
  /// The project's own format, `.ckz`: byte planes in zlib streams, index last, every byte checked.
  ///
  /// Specification: the article *The native format* of CheckpointKit's documentation.
  public static let native = CheckpointFormat(
    name: "ckz",
    extensions: [".ckz"],
    recognizes: { $0.head.starts(with: NativeLayout.magic) },
    open: { path, _ in try NativeFile(path: path).checkpoint() },
    write: { try await NativeWriter.write($0, to: $1, options: $2) },
    capabilities: .everything,
    verify: { try await NativeFile(path: $0).verify(threads: $1) })
}

/// The fixed places, marks and limits of version 1.
enum NativeLayout {
  /// What a file begins with; the line ends betray a transfer that changed them.
  static let magic: [UInt8] = [0x89, 0x43, 0x4b, 0x5a, 0x0d, 0x0a, 0x1a, 0x0a]
  /// What a file ends with.
  static let endMagic: [UInt8] = [0x43, 0x4b, 0x5a, 0x2d, 0x65, 0x6e, 0x64, 0x0a]
  /// The version that is read and written here.
  static let version: UInt32 = 1
  /// Bytes of the header: magic, version, flags.
  static let headerSize = 16
  /// Bytes of the footer: place, length and content length of the index, its digest, end magic.
  static let footerSize = 64
  /// Bytes of a tensor in one chunk; the last one may have fewer.
  static let chunkSize = 1 << 20
  /// What the chunks of an unfiltered tensor are aligned to, for mapping.
  static let alignment = 64

  /// Largest index, unpacked.
  static let maxIndexSize = 1 << 28
  /// Longest name, in bytes.
  static let maxNameBytes = 1 << 16
  /// Most dimensions.
  static let maxRank = 64

  /// How large an index may be, unpacked, that takes `stored` bytes: a small file cannot cost much.
  static func maxIndexSize(stored: Int) -> Int {
    min(maxIndexSize, (1 << 20) + 64 * min(stored, maxIndexSize))
  }

  /// How long the stream of a chunk of `count` bytes may be.
  static func maxStreamSize(_ count: Int) -> Int { PlaneCodec.maxStreamSize(count) }

  /// How many chunks a tensor of `byteCount` bytes has.
  static func chunkCount(_ byteCount: Int) -> Int {
    byteCount / chunkSize + (byteCount % chunkSize == 0 ? 0 : 1)
  }

  /// The bytes of the tensor that chunk `index` holds.
  static func chunkRange(_ index: Int, of byteCount: Int) -> Range<Int> {
    index * chunkSize..<min((index + 1) * chunkSize, byteCount)
  }

  /// `position` or the next multiple of the alignment behind it.
  static func aligned(_ position: Int) -> Int {
    (position + alignment - 1) / alignment * alignment
  }
}
