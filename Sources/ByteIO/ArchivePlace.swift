import Glibc
import TensorCore

/// Files inside an archive as a place: their names are looked up among its members and are never paths
/// of the file system.
package struct ArchivePlace: Sendable {
  private let path: String
  private let openers: [TensorName: @Sendable () throws(CheckpointError) -> ByteSource]
  /// The names of all files, without those that only describe others, as macOS adds them.
  package let names: [String]
  /// Names that lead out of the archive's own folder, whose files are not looked at.
  package let outside: [String]

  /// The files of a tar archive.
  package init(_ archive: TarArchive, path: String) {
    self.init(
      path: path,
      archive.members.map { member in
        (member.name, { () throws(CheckpointError) in member.content })
      })
  }

  /// The files of a zip archive; packed ones are unpacked as they are read.
  package init(_ archive: ZipArchive) {
    let path = archive.path
    self.init(
      path: path,
      archive.members.map { member in
        (
          member.name.text,
          { () throws(CheckpointError) in
            if let file = try archive.file(of: member) { return file }
            let name = archive.path
            return ByteSource(name: name, size: member.size) {
              offset, target throws(CheckpointError) in
              try archive.read(member, at: offset, into: &target)
            }
          }
        )
      })
  }

  private typealias Opener = @Sendable () throws(CheckpointError) -> ByteSource

  private init(path: String, _ members: [(name: String, open: Opener)]) {
    var openers: [TensorName: Opener] = [:]
    var names: [String] = []
    var outside: [String] = []
    for member in members {
      let parts = member.name.split(separator: "/").filter { $0 != "." }
      let name = parts.joined(separator: "/")
      if parts.contains("..") {
        outside.append(member.name)
        continue
      }
      guard let leaf = parts.last, !member.name.hasSuffix("/"), !leaf.hasPrefix("._"),
        parts[0] != "__MACOSX"
      else { continue }
      // As when an archive is unpacked, the last of several files with a name counts.
      if openers.updateValue(member.open, forKey: TensorName(name)) == nil { names.append(name) }
    }
    self.path = path
    self.openers = openers
    self.names = names
    self.outside = outside
  }

  /// The place; the empty name is the archive's own folder.
  package var place: Place {
    let prefix = path + "/"
    return Place(prefix: prefix) { name throws(CheckpointError) in
      guard let open = openers[TensorName(name)] else {
        guard name.isEmpty || !list(name).isEmpty else {
          throw .system(ENOENT, nil, path: prefix + name)
        }
        return nil
      }
      return try open().renamed(prefix + name)
    } list: { name throws(CheckpointError) in
      list(name)
    }
  }

  /// The names of files and folders in a folder.
  private func list(_ folder: String) -> [String] {
    let start = folder.isEmpty || folder.hasSuffix("/") ? folder : folder + "/"
    var found: Set<TensorName> = []
    for name in names where name.utf8.starts(with: start.utf8) {
      let rest = name.utf8.dropFirst(start.utf8.count).prefix { $0 != UInt8(ascii: "/") }
      found.insert(TensorName(String(decoding: rest, as: UTF8.self)))
    }
    return found.map(\.text)
  }
}

extension ByteSource {
  /// The same bytes under another name for errors.
  package func renamed(_ name: String) -> ByteSource {
    ByteSource(name: name, size: size, entityTag: entityTag, local: local) {
      offset, target throws(CheckpointError) in
      try self.read(at: offset, into: &target)
    }
  }
}
