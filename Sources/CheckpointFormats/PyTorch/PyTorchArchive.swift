import ByteIO
import TensorCore

/// Zip archives of `torch.save` since 1.6, and of TorchScript.
///
/// `X/data.pkl` is the pickle, `X/data/KEY` a storage, `X/byteorder` the byte order; the folder `X` is
/// the file's stem or `archive`. The writer may leave out checksums, which are then 0.
enum PyTorchArchive {
  /// The folder of the tensors that are constants of TorchScript code.
  static let constants = "constants/"

  /// Whether an archive that begins so is PyTorch's: by the name of its first member, else by all.
  static func recognizes(_ candidate: FileProbe) -> Bool {
    let head = candidate.head
    guard head.count > 30, head.starts(with: [0x50, 0x4b, 0x03, 0x04]) else { return false }
    // A local header: length of the name at byte 26, the name at byte 30 (APPNOTE 4.3.7).
    let count = Int(head.littleEndian(UInt16.self, at: 26))
    let name = String(decoding: head[30...].prefix(count), as: UTF8.self)
    if let slash = name.firstIndex(of: "/") {
      let rest = name[name.index(after: slash)...]
      let members = ["data.pkl", "version", "byteorder", ".format_version", "constants.pkl"]
      if members.contains(String(rest)) || rest.hasPrefix("data/") || rest.hasPrefix("code/") {
        return true
      }
    }
    guard let archive = try? candidate.archive else { return false }
    return folder(of: archive) != nil
  }

  /// The archive that a file is, in which a sum of 0 is one that the writer left out.
  static func opened(_ probe: FileProbe) throws(CheckpointError) -> ZipArchive {
    try probe.finding { probe throws(CheckpointError) in
      try probe.archive.takingZeroForNoSum
    }
  }

  /// The folder of the one `data.pkl`; `nil` if there is none or there are several.
  private static func folder(of archive: ZipArchive) -> String? {
    let names = archive.members.map(\.name.text).filter { $0.hasSuffix("/data.pkl") }
    guard names.count == 1 else { return nil }
    return String(names[0].dropLast("data.pkl".utf8.count))
  }

  /// The key by which the pickle names the storage that is a member; `nil` for another member.
  static func storageKey(of member: ZipMember, in archive: ZipArchive) -> TensorName? {
    guard let folder = folder(of: archive) else { return nil }
    let prefix = Array((folder + "data/").utf8)
    guard member.name.text.utf8.starts(with: prefix) else { return nil }
    return TensorName(
      String(decoding: member.name.text.utf8.dropFirst(prefix.count), as: UTF8.self))
  }

  /// What an archive holds, which must have been opened so that a sum of 0 is none.
  static func open(_ archive: ZipArchive) throws(CheckpointError) -> PyTorchFile {
    guard let folder = folder(of: archive) else {
      let count = archive.members.count { $0.name.text.hasSuffix("/data.pkl") }
      throw CheckpointError(
        .malformed, "expected 1 member named data.pkl, found \(count)", offset: 0)
    }
    var file = try self.file(archive, folder: folder, pickleName: "data.pkl", storages: "data/")
    file.metadata = try ArchiveTexts.read(archive, folder: folder)
    if archive.member(named: TensorName(folder + "constants.pkl")) != nil {
      (file.stateMembers, file.scriptConstants) = try TorchScriptClasses.members(
        of: file.pickle, in: archive, folder: folder)
      file.notes.append(
        "TorchScript archive: only parameters, buffers, and packed parameters are read, not other"
          + " attributes; its code is not run")
      file.constantCount = archive.members.count {
        $0.name.text.hasPrefix(folder + constants)
      }
    }
    file.fingerprint = archive.note
    let unsummed = archive.members.count { !archive.hasSum($0) && $0.size > 0 }
    file.coverage = unsummed == 0 ? .tensors : .none
    if unsummed > 0 {
      file.notes.append("\(unsummed) members have no CRC-32: damage in them cannot be detected")
    }
    return file
  }

  /// The pickle of an archive with the storages that it refers to.
  static func file(
    _ archive: ZipArchive, folder: String, pickleName: String, storages: String
  ) throws(CheckpointError) -> PyTorchFile {
    guard let member = archive.member(named: TensorName(folder + pickleName)) else {
      throw CheckpointError(.malformed, "expected a member '\(folder)\(pickleName)', found none")
    }
    let offset = member.method == .stored ? member.dataOffset : 0
    let pickle: Pickle
    do throws(CheckpointError) {
      pickle = try Pickle(try source(of: member, in: archive))
    } catch {
      throw CheckpointError(
        error.code, "\(folder)\(pickleName): \(error.message)", path: error.path,
        offset: error.path == nil ? offset + (error.offset ?? 0) : error.offset)
    }
    var file = PyTorchFile(
      container: .archive(archive, folder: folder), pickle: pickle, pickleOffset: offset)
    let isBigEndian = try isBigEndian(archive, folder)
    let prefix = Array((folder + storages).utf8)
    for member in archive.members where member.name.text.utf8.starts(with: prefix) {
      let key = String(decoding: member.name.text.utf8.dropFirst(prefix.count), as: UTF8.self)
      file.storages[TensorName(key)] = PyTorchStorage(archive, member, isBigEndian: isBigEndian)
    }
    return file
  }

  /// A member that is a pickle, checked; a long one stays in the file.
  private static func source(
    of member: ZipMember, in archive: ZipArchive
  ) throws(CheckpointError) -> ByteSource {
    if member.size <= Pickle.maxSize {
      return ByteSource(
        try archive.bytes(member, limit: Pickle.maxSize), name: archive.path)
    }
    guard let stored = try archive.file(of: member) else {
      let limit = Budget.current.limit(of: .unpackedFiles, size: member.storedSize)
      guard member.size <= limit else {
        throw CheckpointError(
          .unsupported,
          "unpacks to more than \(limit) bytes from \(member.storedSize); pass --allow-large to "
            + "unpack it")
      }
      return try archive.unpacked(member)
    }
    try archive.verify(member)
    return stored
  }

  private static func isBigEndian(
    _ archive: ZipArchive, _ folder: String
  ) throws(CheckpointError) -> Bool {
    guard let member = archive.member(named: TensorName(folder + "byteorder")) else { return false }
    let text = String(decoding: try archive.bytes(member, limit: 100), as: UTF8.self)
    switch text {
    case "little": return false
    case "big": return true
    default:
      throw CheckpointError(
        .malformed, "expected byte order little or big, found '\(text)'", offset: member.dataOffset)
    }
  }
}
