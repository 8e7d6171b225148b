import ByteIO
package import TensorCore

/// The index of a `.ckz` file, which tests replace by another, rightly packed and signed, as an
/// attacker would do it.
package enum SignedIndex {
  private static let footerSize = 64

  /// Offset of the packed index in a file.
  package static func start(in file: [UInt8]) -> Int {
    Int(file.littleEndian(UInt64.self, at: file.count - footerSize))
  }

  /// The index of a file, unpacked.
  package static func text(of file: [UInt8]) throws(CheckpointError) -> [UInt8] {
    let end = file.count - footerSize
    let stream = Array(file[start(in: file)..<end])
    let count = Int(file.littleEndian(UInt64.self, at: end + 16))
    return try [UInt8](count: count) { target throws(CheckpointError) in
      try Zlib.inflate(stream.rawBytes, into: &target)
    }
  }

  /// The file with another index, perhaps at another place than its own.
  package static func replace(
    in file: [UInt8], by text: [UInt8], before start: Int? = nil
  ) throws(CheckpointError) -> [UInt8] {
    let start = start ?? self.start(in: file)
    let stream = try Zlib.deflate(text.rawBytes, level: 6)
    return Array(file[..<start]) + tail(stream, size: text.count, at: start)
  }

  /// A packed index that begins at byte `start`, and the footer to it.
  package static func tail(_ stream: [UInt8], size: Int, at start: Int) -> [UInt8] {
    var digest = DigestBuilder()
    digest.update(stream.rawBytes)
    var footer: [UInt8] = []
    footer.appendLittleEndian(UInt64(start))
    footer.appendLittleEndian(UInt64(stream.count))
    footer.appendLittleEndian(UInt64(size))
    return stream + footer + digest.finalize().bytes + Array("CKZ-end\n".utf8)
  }

  /// The parts of an index that are not within quotes, where its numbers stand.
  package static func unquoted(_ text: [UInt8]) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var start: Int? = 0
    var isEscaped = false
    for (index, byte) in text.enumerated() {
      if start == nil, isEscaped {
        isEscaped = false
      } else if start == nil, byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if byte == UInt8(ascii: "\"") {
        if let first = start { ranges.append(first..<index) }
        start = start == nil ? index + 1 : nil
      }
    }
    if let start { ranges.append(start..<text.count) }
    return ranges.filter { range in text[range].contains { (0x30...0x39).contains($0) } }
  }
}
