import Glibc
import Ranks
import Synchronization
package import TensorCore

/// New files of one checkpoint that take their names together: an index, and the files that it names.
///
/// Nothing has a name until all is written. Then, on file systems with hard links, the index leads at every moment to
/// the old files or to the complete new ones: the new files get names that no other set has, the index is replaced by
/// one with those names, which is the moment that counts, and only after that the files take the names that they were
/// asked for, with an index that has those. Without hard links they take turns: ``commit(main:)``.
package final class FileSet: Sendable {
  /// A file, and what it replaces.
  struct Member {
    let name: String
    let file: NewFile
    let target: ReplacedFile
  }

  /// The text before a name in its path.
  let prefix: String
  let replacing: Bool
  private let written = Mutex<[Member]>([])
  private let ranks = Ranks.current
  /// Files that another rank has made, which keep their temporary names until it has named them.
  private let others = Mutex<[NewFile]>([])

  /// Prepares files in a local folder; `replacing` says whether existing ones may be replaced.
  ///
  /// `nil` for a place that is not a folder of this machine.
  package init?(in place: Place, replacing: Bool) {
    guard place.isLocal else { return nil }
    (prefix, self.replacing) = (place.prefix, replacing)
  }

  /// The files in the order in which they were committed.
  var members: [Member] { written.withLock { $0 } }

  /// Refuses a file that cannot be written, or exists and may not be replaced.
  ///
  /// - Throws: as ``ByteSink/local(_:replacing:isUnnamed:)``.
  package func check(_ name: String) throws(CheckpointError) {
    _ = try ReplacedFile(path: prefix + name, replacing: replacing)
  }

  /// A sink for one file; its commit makes the bytes durable, and the set's commit gives them the name.
  ///
  /// - Throws: as ``ByteSink/local(_:replacing:isUnnamed:)``.
  package func sink(_ name: String) throws(CheckpointError) -> ByteSink {
    let path = prefix + name
    if ranks.size > 1 { return try sharedSink(name) }
    let target = try ReplacedFile(path: path, replacing: replacing)
    let file = try NewFile(
      for: target.path, mode: target.creationMode, shownAs: path, isUnnamed: true)
    return ByteSink(file, name: path) { [self] () throws(CheckpointError) in
      try target.prepare(file)
      written.withLock { $0.append(Member(name: name, file: file, target: target)) }
    }
  }

  /// A sink for one file that all ranks write together; the first gives it its name.
  private func sharedSink(_ name: String) throws(CheckpointError) -> ByteSink {
    let path = prefix + name
    let (target, file) = try NewFile.shared(path, replacing: replacing, ranks: ranks)
    if target == nil { others.withLock { $0.append(file) } }
    return ByteSink(file, name: path, ranks: ranks) { [self] () throws(CheckpointError) in
      try file.sync(by: ranks)
      try ranks.agree("prepare \(path)") {
        guard let target else { return [] }
        try target.prepare(file)
        written.withLock { $0.append(Member(name: name, file: file, target: target)) }
        return []
      }
    }
  }

  /// Gives the files their names and writes the index, which leads to the old files until then.
  ///
  /// - Parameters:
  ///   - index: name of the index.
  ///   - confirm: throws if what the files were made from has changed; called while no other set can be
  ///     committed here.
  ///   - content: the index, with other names for the files where it is given some.
  ///   - obsolete: files that only the old index names, asked while no other set is committed here.
  /// - Returns: what could not be removed, in one sentence.
  /// - Throws: ``CheckpointError`` `system` when the system refuses; the old files are as they were, unless the error
  ///   says that the new ones are complete, or that the directory could not be synced.
  package func commit(
    index: String, confirming confirm: () throws(CheckpointError) -> Void = {},
    content: (_ names: [String: String]) throws(CheckpointError) -> [UInt8],
    obsolete: () -> [String] = { [] }
  ) throws(CheckpointError) -> [String] {
    var left: [String] = []
    try ranks.agree("name the files of \(index)") {
      if ranks.isFirst {
        left = try commitAlone(index, confirm, content, obsolete)
      }
      return []
    }
    return left
  }

  private func commitAlone(
    _ index: String, _ confirm: () throws(CheckpointError) -> Void,
    _ content: (_ names: [String: String]) throws(CheckpointError) -> [UInt8],
    _ obsolete: () -> [String]
  ) throws(CheckpointError) -> [String] {
    try alone(index) { () throws(CheckpointError) in
      try check(index)
      try confirm()
      let old = obsolete()
      guard let names = try linked() else {
        try takeTurns(main: index, content: try content([:]))
        return remove(old)
      }
      do throws(CheckpointError) {
        try sync(index)
        try made(index, try content(names), replacing: replacing).takeName(replacing: replacing)
      } catch {
        names.values.forEach { TemporaryNames.remove(prefix + $0) }
        throw error
      }
      names.values.forEach { TemporaryNames.keep(prefix + $0) }
      try sync(index)
      return try settle(index, names, content, old)
    }
  }

  /// Gives the files their names where nothing says which they are: the main file, which readers open first,
  /// is set aside meanwhile.
  ///
  /// - Throws: as ``takeTurns(main:content:)``.
  package func commit(
    main: String, confirming confirm: () throws(CheckpointError) -> Void = {}
  ) throws(CheckpointError) {
    try alone(main) { () throws(CheckpointError) in
      try confirm()
      try takeTurns(main: main)
    }
  }

  /// Does something while neither a signal nor another set in the folder interferes.
  private func alone<Result>(
    _ name: String, _ body: () throws(CheckpointError) -> Result
  ) throws(CheckpointError) -> Result {
    let folder = try OpenFolder(of: prefix + name, shownAs: prefix + name)
    defer { withExtendedLifetime(folder) {} }
    // A signal ends the process while it waits for another.
    try folder.lock()
    return try TemporaryNames.uninterrupted { () throws(CheckpointError) in
      for member in members { try check(member.name) }
      return try body()
    }
  }

  /// Gives each file a name that no other set has; `nil` on a file system without hard links.
  private func linked() throws(CheckpointError) -> [String: String]? {
    var names: [String: String] = [:]
    // Where a link leads to another file system, that shows first.
    let isHere = { [prefix] (member: Member) in Place.divided(member.target.path).folder == prefix }
    do throws(CheckpointError) {
      for member in members.filter({ !isHere($0) }) + members.filter(isHere) {
        let path = try TemporaryNames.make(
          besides: prefix + member.name, "link", shownAs: prefix + member.name,
          named: TemporaryNames.variant(of:)
        ) { member.file.link(to: $0) }
        names[member.name] = Place.divided(path).name
      }
      return names
    } catch {
      // A file that has lost its only name cannot get another.
      if names.isEmpty, let number = error.systemNumber, Self.cannotLink.contains(number) {
        return nil
      }
      names.values.forEach { TemporaryNames.remove(prefix + $0) }
      throw error
    }
  }

  /// The answers of a file system that gives a file no second name, or none in this folder.
  private static let cannotLink: [Int32] = [EPERM, EOPNOTSUPP, ENOSYS, EMLINK, EXDEV]

  /// Gives the files of the new set the names that they were asked for, and removes what nothing names any more.
  private func settle(
    _ index: String, _ names: [String: String],
    _ content: ([String: String]) throws(CheckpointError) -> [UInt8], _ old: [String]
  ) throws(CheckpointError) -> [String] {
    do throws(CheckpointError) {
      for member in members { try member.takeName(replacing: replacing, keepingOthers: true) }
      try sync(index)
      try made(index, try content([:]), replacing: true).takeName(replacing: true)
    } catch {
      throw error.telling(
        "the new checkpoint is complete, in files that the index names, such as "
          + "'\(names.values.sorted().first ?? "")'")
    }
    try sync(index)
    return remove(names.values + old)
  }

  /// Removes files that no index names any more.
  private func remove(_ names: [String]) -> [String] {
    let left = names.sorted().filter {
      unsafe unlink((prefix + $0).systemPath) != 0 && errno != ENOENT
    }
    guard let first = left.first else { return [] }
    let more = left.count > 1 ? " and \((left.count - 1).pluralized("more file"))" : ""
    return ["could not remove '\(first)'\(more), which the index no longer names"]
  }

  /// A file that is written whole and has no name yet.
  func made(_ name: String, _ bytes: [UInt8], replacing: Bool) throws(CheckpointError) -> Member {
    let path = prefix + name
    let target = try ReplacedFile(path: path, replacing: replacing)
    let file = try NewFile(
      for: target.path, mode: target.creationMode, shownAs: path, isUnnamed: true)
    try file.write(bytes.rawBytes, at: 0)
    try target.prepare(file)
    return Member(name: name, file: file, target: target)
  }
}

extension FileSet.Member {
  /// Gives the file the name that it was asked for; it keeps other names if that is wanted.
  func takeName(replacing: Bool, keepingOthers: Bool = false) throws(CheckpointError) {
    try replacing
      ? file.takeOver(target.path, keepingNames: keepingOthers) : file.take(target.path)
  }
}
