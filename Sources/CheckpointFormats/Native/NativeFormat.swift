import ByteIO
import TensorCore

/// The native format, `.ckz`, as a value.
extension CheckpointFormat {
  /// The project's own format, `.ckz`: byte planes in zlib streams, index last, every byte checked.
  ///
  /// Specification: the article *The native format* of CheckpointKit's documentation.
  public static let native = CheckpointFormat(
    name: "ckz",
    extensions: [".ckz"],
    recognizes: { $0.head.starts(with: NativeLayout.magic) },
    open: { probe, _ in
      var opened = Opened(try NativeFile.opened(probe).checkpoint())
      opened.coverage = .everything
      return opened
    },
    write: { try await NativeWriter.write($0, to: $1, options: $2) },
    fill: { try NativeFilling.filled($0) },
    capabilities: Capabilities(
      dtypes: DType.allCases, values: Set(Value.Kind.allCases),
      compressions: [.planes, .fastPlanes, .smallPlanes]),
    verify: { probe, threads in
      if probe.step == nil, let pack = try RunPack(probe) {
        return try await pack.verify(threads: threads)
      }
      return try await NativeFile.opened(probe).verify(threads: threads)
    })
}

/// Offsets, signatures, and limits of version 1.
enum NativeLayout {
  /// The first bytes of a file; the line ends reveal a transfer that has changed them.
  static let magic: [UInt8] = [0x89, 0x43, 0x4b, 0x5a, 0x0d, 0x0a, 0x1a, 0x0a]
  /// The last bytes of a file.
  static let endMagic: [UInt8] = [0x43, 0x4b, 0x5a, 0x2d, 0x65, 0x6e, 0x64, 0x0a]
  /// The flag of a file that holds the checkpoints of a run.
  static let packFlag: UInt32 = 1
  /// Most differences of differences that are read to get a tensor's bytes.
  static let maxChain = 64
  /// The version that is read and written here.
  static let version: UInt32 = 1
  /// Size in bytes of the header: magic, version, flags.
  static let headerSize = 16
  /// Size in bytes of the footer: offset, size, and content size of the index, its digest, end magic.
  static let footerSize = 64
  /// Number of a tensor's bytes in one chunk; the last chunk may have fewer.
  static let chunkSize = 1 << 20
  /// Alignment in bytes of the chunks of an unfiltered tensor, for mapping.
  static let alignment = 64

  /// The first bytes of a file.
  static func header(flags: UInt32) -> [UInt8] {
    var header = magic
    header.appendLittleEndian(version)
    header.appendLittleEndian(flags)
    return header
  }

  /// Largest index, unpacked, in bytes.
  static let maxIndexSize = 1 << 32
  /// Longest name, in bytes.
  static let maxNameBytes = 1 << 16
  /// Largest number of dimensions.
  static let maxRank = 64

  /// Largest unpacked size of an index of `stored` bytes, so that a small file cannot cost much.
  static func maxIndexSize(stored: Int) -> Int {
    Budget.current.limit(of: .index, size: stored)
  }

  /// Allowed sizes of the stream of a chunk of `count` bytes.
  static func maxStreamSize(_ count: Int) -> Int { PlaneCodec.maxStreamSize(count) }

  /// Number of chunks of a tensor of `byteCount` bytes.
  static func chunkCount(_ byteCount: Int) -> Int {
    byteCount / chunkSize + (byteCount % chunkSize == 0 ? 0 : 1)
  }

  /// The bytes of the tensor that chunk `index` holds.
  static func chunkRange(_ index: Int, of byteCount: Int) -> Range<Int> {
    index * chunkSize..<min((index + 1) * chunkSize, byteCount)
  }

  /// The smallest multiple of the alignment that is not below `position`.
  static func aligned(_ position: Int) -> Int {
    (position + alignment - 1) / alignment * alignment
  }
}

extension FileProbe {
  /// Whether the file begins like a `.ckz` file.
  package var isNative: Bool { head.starts(with: NativeLayout.magic) }

  /// The percentage of parity that a `.ckz` file, or a step of a pack, has; `nil` for none.
  package var parityPercent: Int? {
    isNative ? (try? NativeFile.opened(self).parityPercent()).flatMap { $0 } : nil
  }
}
