package import TensorCore

/// The regular files of a tar archive: names and where their contents are.
///
/// Names are never used as paths. Source: POSIX.1-2017, `pax`; GNU tar manual, "Basic Tar Format".
package struct TarArchive: Sendable {
  /// A file in the archive.
  package struct Member: Sendable {
    /// The name as it stands there.
    package let name: String
    /// Where its content is in the archive.
    package let range: Range<Int>
    /// Its content.
    package let content: ByteSource
  }

  /// The files in their order; of two with one name, both.
  package private(set) var members: [Member] = []

  private static let blockSize = 512
  /// Longest extended header, in bytes, and most files.
  private static let maxHeaderSize = 1 << 20
  private static let maxMembers = 1_000_000

  /// Whether a file that begins so is a tar archive.
  package static func recognizes(_ head: [UInt8]) -> Bool {
    head.count >= blockSize && head[257..<262].elementsEqual("ustar".utf8)
      && hasSum(head[..<blockSize])
  }

  /// Reads all headers.
  ///
  /// - Throws: ``CheckpointError`` `malformed` when one is damaged, or the archive is cut.
  package init(_ file: ByteSource) throws(CheckpointError) {
    var position = 0
    var (longName, longSize): (String?, Int?) = (nil, nil)
    while position + Self.blockSize <= file.size {
      let header = try file.bytes(position..<position + Self.blockSize)
      if header.allSatisfy({ $0 == 0 }) { return }
      guard Self.hasSum(header[...]) else {
        throw CheckpointError(
          .malformed, "a tar header has a wrong checksum", path: file.name, offset: position)
      }
      let start = position + Self.blockSize
      let kind = header[156]
      let isExtension = "xLK".utf8.contains(kind)
      let own = Self.number(header[124..<136])
      guard let size = isExtension ? own : longSize ?? own, size >= 0, size <= file.size - start
      else {
        throw CheckpointError(
          .malformed, "a tar member extends beyond the end of the archive", path: file.name,
          offset: position)
      }
      let content = try file.part(start..<start + size)
      switch kind {
      case UInt8(ascii: "x"):
        guard size <= Self.maxHeaderSize else { break }
        let records = Self.records(try content.head(size))
        longName = records["path"] ?? longName
        longSize = records["size"].flatMap { Int($0) } ?? longSize
      case UInt8(ascii: "L"):
        guard size <= Self.maxHeaderSize else { break }
        longName = Self.text(try content.head(size)[...])
      case UInt8(ascii: "K"): break  // the target of a link
      case 0, UInt8(ascii: "0"), UInt8(ascii: "7"):
        guard members.count < Self.maxMembers else {
          throw CheckpointError(
            .unsupported, "has more than \(Self.maxMembers) files", path: file.name)
        }
        members.append(
          Member(
            name: longName ?? Self.name(header), range: start..<start + size, content: content))
        (longName, longSize) = (nil, nil)
      default:
        // Links, folders, and devices have no content; global headers are about all files.
        (longName, longSize) = (nil, nil)
      }
      position = start + size + (Self.blockSize - size % Self.blockSize) % Self.blockSize
    }
    throw CheckpointError(
      .malformed, "the tar archive has no end marker: it is truncated", path: file.name,
      offset: file.size)
  }

  // MARK: - Headers

  // A block of 512 bytes: name at 0, size in octal digits at 124, checksum at 148, kind at 156,
  // "ustar" at 257, the first part of a long name at 345.

  private static func name(_ header: [UInt8]) -> String {
    let name = text(header[0..<100])
    // GNU tar has other fields at the place of the prefix.
    let isPOSIX = header[262] == 0
    let prefix = isPOSIX ? text(header[345..<500]) : ""
    return prefix.isEmpty ? name : prefix + "/" + name
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// Whether the sum of a header's bytes is right; its own field counts as eight spaces.
  private static func hasSum(_ header: ArraySlice<UInt8>) -> Bool {
    var sum = 0
    for (index, byte) in header.enumerated() {
      sum += (148..<156).contains(index) ? 0x20 : Int(byte)
    }
    return number(header[148..<156]) == sum
  }

  /// Octal digits, or a set bit and a number, its most significant byte first.
  private static func number(_ field: ArraySlice<UInt8>) -> Int? {
    if let first = field.first, first & 0x80 != 0 {
      guard first == 0x80 else { return nil }
      var number = 0
      for byte in field.dropFirst() {
        guard number < 1 << 54 else { return nil }
        number = number << 8 | Int(byte)
      }
      return number
    }
    let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
    return digits.isEmpty ? 0 : Int(String(decoding: digits, as: UTF8.self), radix: 8)
  }

  /// The records of an extended header: length, a space, key, `=`, value, and a line feed.
  private static func records(_ bytes: [UInt8]) -> [String: String] {
    var records: [String: String] = [:]
    var rest = bytes[...]
    while let space = rest.firstIndex(of: 0x20),
      let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
      length > space - rest.startIndex, length <= rest.count
    {
      let record = rest[(space + 1)..<(rest.startIndex + length)].dropLast()
      if let equals = record.firstIndex(of: 0x3d) {
        let key = String(decoding: record[..<equals], as: UTF8.self)
        records[key] = String(decoding: record[(equals + 1)...], as: UTF8.self)
      }
      rest = rest.dropFirst(length)
    }
    return records
  }
}
