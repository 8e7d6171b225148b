import Glibc
import Ranks
package import TensorCore

/// Sinks that become files of this machine.
extension ByteSink {
  /// A file of this machine, made in the directory of `path` and put there as a whole by
  /// ``commit()``: the path always leads to the old file or to the complete new one.
  ///
  /// The new file has no name, or a random one where the file system has no files without names.
  /// On commit it gets the old one's permissions, owner and extended attributes, is synced and
  /// takes its name, and the directory is synced. A symbolic link stays and the file it leads to is
  /// replaced. Other hard links keep the old content.
  ///
  /// `replacing` says whether an existing file may be replaced; that is asked now and again on
  /// commit, where a file that appeared meanwhile is kept. `isUnnamed` is false in tests.
  ///
  /// - Throws: ``CheckpointError`` `system` when the target is not a regular file, its directory
  ///   does not exist or cannot be written.
  package static func local(
    _ path: String, replacing: Bool, isUnnamed: Bool = true
  ) throws(CheckpointError) -> ByteSink {
    let target = try ReplacedFile(path: path, replacing: replacing)
    let file = try NewFile(
      for: target.path, mode: target.creationMode, shownAs: path, isUnnamed: isUnnamed)
    return ByteSink(file, name: path) { () throws(CheckpointError) in
      try target.replace(with: file, replacing: replacing)
    }
  }

  /// A file without a name in the folder for temporary files (`TMPDIR`), gone with the sink; what
  /// was written can be read at ``Abilities/descriptorPath``.
  ///
  /// `name` is what errors call it: what the bytes are made for.
  package static func temporary(for name: String) throws(CheckpointError) -> ByteSink {
    let folder = unsafe getenv("TMPDIR").map { unsafe String(pathOf: $0) } ?? ""
    let file = try NewFile(temporaryIn: folder.isEmpty ? "/tmp" : folder, shownAs: name)
    return ByteSink(file, name: name) {}
  }

  /// Writes to an open file, appending from byte `position` on.
  convenience init(
    _ file: NewFile, name: String, position: Int = 0, ranks: Ranks = .alone,
    commit: @escaping @Sendable () throws(CheckpointError) -> Void
  ) {
    var abilities = Abilities(writesAnywhere: true)
    // A library writes alone: into a file of its own, which is then appended.
    if ranks.size == 1 { abilities.descriptorPath = file.descriptorPath }
    self.init(name: name, abilities: abilities, position: position, ranks: ranks) {
      bytes, offset throws(CheckpointError) in
      try file.write(bytes, at: offset)
    } copy: { source, range, offset throws(CheckpointError) in
      try file.copy(range, of: source, to: offset)
    } commit: { () throws(CheckpointError) in
      try commit()
    }
  }

  /// Opens what was written to a local file, committed or not, for reading.
  package func readBack() throws(CheckpointError) -> ByteSource {
    let file = try reopened(O_RDONLY)
    return ByteSource(
      file, try FileStatus(descriptor: file.descriptor, path: name), name: name)
  }

  /// Opens a local file once more, since the descriptor of the sink closes with the sink.
  func reopened(_ mode: Int32) throws(CheckpointError) -> LocalFile {
    guard let path = abilities.descriptorPath else {
      preconditionFailure("only a local file can be opened again")
    }
    return LocalFile(
      descriptor: try systemCall("open", path: name) {
        unsafe open(path.systemPath, mode | O_CLOEXEC)
      })
  }

  /// Removes the name of every file in the making, for a process that a signal is about to end.
  ///
  /// Nobody gets a new name after that: who asks for one gets an error.
  package static func removeUnfinished() { TemporaryNames.removeAll() }

  /// Lets `body` write a file that a C library can open, and appends it here: this sink itself
  /// where that is possible, else a temporary file that is then copied.
  package func staging(_ body: (ByteSink) async throws -> Void) async throws {
    if abilities.descriptorPath != nil { return try await body(self) }
    let file = try ByteSink.temporary(for: name)
    try await body(file)
    let input = try file.readBack()
    try append(0..<input.size, of: input)
  }
}
