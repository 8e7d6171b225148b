import ByteIO

/// A hand-made zip archive, each field of which a test can falsify.
struct ZipSample {
  /// One member, with the fields of its two headers.
  struct Member {
    var name: [UInt8]
    var content: [UInt8]
    var method: UInt16 = 0
    var flags: UInt16 = 0
    var descriptor: [UInt8]?
    var localExtra: [UInt8] = []
    var centralExtra: [UInt8] = []
    /// The stored bytes; the content itself by default.
    var stored: [UInt8]
    var local: Fields
    var central: Fields
    /// Offset of its header in the directory, if it differs from the real one.
    var headerOffset: UInt32?
    /// Bytes between its end and the next header.
    var gap: [UInt8] = []
    var comment: [UInt8] = []

    struct Fields {
      var name: [UInt8]
      var crc: UInt32
      var size: UInt32
      var storedSize: UInt32
      var method: UInt16
      var flags: UInt16
    }

    init(_ name: String, _ content: [UInt8], stored: [UInt8]? = nil, flags: UInt16 = 0) {
      self.name = Array(name.utf8)
      self.content = content
      self.stored = stored ?? content
      self.flags = flags
      method = stored == nil ? 0 : 8
      local = Fields(
        name: self.name, crc: Checksum.crc32(content.rawBytes), size: UInt32(content.count),
        storedSize: UInt32(self.stored.count), method: method, flags: flags)
      central = local
    }

    /// As PyTorch writes it: zeros in the local header, a descriptor after the data.
    static func described(_ name: String, _ content: [UInt8], wide: Bool = false) -> Member {
      var member = Member(name, content, flags: 0x808)
      var descriptor: [UInt8] = []
      descriptor.appendLittleEndian(UInt32(0x0807_4b50))
      descriptor.appendLittleEndian(member.central.crc)
      for _ in 0..<2 {
        if wide {
          descriptor.appendLittleEndian(UInt64(content.count))
        } else {
          descriptor.appendLittleEndian(UInt32(content.count))
        }
      }
      member.descriptor = descriptor
      (member.local.crc, member.local.size, member.local.storedSize) = (0, 0, 0)
      return member
    }
  }

  var members: [Member]
  /// Errors added to the end record's number of members, and to the directory's offset and size.
  var countError = 0
  var offsetError = 0
  var sizeError = 0
  var comment: [UInt8] = []
  var tail: [UInt8] = []
  var hasZip64Record = false

  init(_ members: [Member]) { self.members = members }

  var bytes: [UInt8] {
    var file: [UInt8] = []
    var directory: [UInt8] = []
    for member in members {
      let place = member.headerOffset ?? UInt32(file.count)
      file.appendLittleEndian(UInt32(0x0403_4b50))
      Self.append(member.local, version: 20, extra: member.localExtra, to: &file)
      file += member.local.name + member.localExtra + member.stored
      file += (member.descriptor ?? []) + member.gap
      directory.appendLittleEndian(UInt32(0x0201_4b50))
      directory.appendLittleEndian(UInt16(20))
      Self.append(member.central, version: 20, extra: member.centralExtra, to: &directory)
      directory.appendLittleEndian(UInt16(member.comment.count))
      directory += [UInt8](repeating: 0, count: 8)
      directory.appendLittleEndian(place)
      directory += member.central.name + member.centralExtra + member.comment
    }
    let start = file.count
    file += directory
    if hasZip64Record {
      let place = file.count
      file.appendLittleEndian(UInt32(0x0606_4b50))
      file.appendLittleEndian(UInt64(44))
      file += [UInt8](repeating: 0, count: 12)
      for number in [
        members.count + countError, members.count + countError, directory.count + sizeError,
        start + offsetError,
      ] {
        file.appendLittleEndian(UInt64(number))
      }
      file.appendLittleEndian(UInt32(0x0706_4b50))
      file.appendLittleEndian(UInt32(0))
      file.appendLittleEndian(UInt64(place))
      file.appendLittleEndian(UInt32(1))
    }
    file.appendLittleEndian(UInt32(0x0605_4b50))
    file.appendLittleEndian(UInt32(0))
    for _ in 0..<2 { file.appendLittleEndian(UInt16(members.count + countError)) }
    file.appendLittleEndian(UInt32(directory.count + sizeError))
    file.appendLittleEndian(UInt32(start + offsetError))
    file.appendLittleEndian(UInt16(comment.count))
    return file + comment + tail
  }

  private static func append(
    _ fields: Member.Fields, version: UInt16, extra: [UInt8], to header: inout [UInt8]
  ) {
    for number in [version, fields.flags, fields.method, 0, 0x21] {
      header.appendLittleEndian(number)
    }
    for number in [fields.crc, fields.storedSize, fields.size] { header.appendLittleEndian(number) }
    header.appendLittleEndian(UInt16(fields.name.count))
    header.appendLittleEndian(UInt16(extra.count))
  }
}
