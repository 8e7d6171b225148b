import Ranks
public import TensorCore

/// Where sources are found and sinks are created: a folder of this machine, a folder on a web server,
/// memory.
///
/// Only places know paths and addresses; everything above has names. A new kind of storage is one value:
/// ``init(prefix:open:list:create:makeFolder:)`` takes the functions that open a name, list a folder, and
/// create a sink.
public struct Place: Sendable {
  /// Opens the file with a name; returns `nil` if it is a folder.
  public typealias Opener =
    @Sendable (_ name: String) throws(CheckpointError) -> ByteSource?
  /// The names in a folder, in any order; the empty name is the place itself.
  public typealias Lister = @Sendable (_ name: String) throws(CheckpointError) -> [String]
  /// Creates a sink that takes a name here when it is committed; a file that is there may only be
  /// replaced if `replacing`.
  public typealias Creator =
    @Sendable (_ name: String, _ replacing: Bool) throws(CheckpointError) -> ByteSink
  /// Makes a folder, unless it exists.
  public typealias FolderMaker = @Sendable (_ name: String) throws(CheckpointError) -> Void

  /// The text before a name in its path: `runs/3/`, or empty for the current folder.
  package let prefix: String
  private let opener: Opener
  private let lister: Lister
  private let creator: Creator?
  private let folderMaker: FolderMaker?
  /// Whether names here are paths of this machine, which may be links.
  let isLocal: Bool
  /// Whether names lead to the files of one model only: see ``confined(to:)``.
  let isConfined: Bool

  /// Makes a place of a new kind.
  ///
  /// Names of files in folders have slashes in them. The functions are called from any task.
  ///
  /// - Parameters:
  ///   - prefix: the text before a name in the paths that errors show, such as `s3://bucket/`.
  ///   - open: opens a file by its name.
  ///   - list: returns the names in a folder.
  ///   - create: creates a sink; `nil` for a place that is only read.
  ///   - makeFolder: makes a folder; `nil` where folders need not be made.
  public init(
    prefix: String, open: @escaping Opener, list: @escaping Lister, create: Creator? = nil,
    makeFolder: FolderMaker? = nil
  ) {
    self.init(
      prefix: prefix, open: open, list: list, create: create, makeFolder: makeFolder,
      isLocal: false, isConfined: false)
  }

  private init(
    prefix: String, open: @escaping Opener, list: @escaping Lister, create: Creator?,
    makeFolder: FolderMaker?, isLocal: Bool, isConfined: Bool
  ) {
    self.prefix = prefix
    self.isLocal = isLocal
    self.isConfined = isConfined
    opener = open
    lister = list
    creator = create
    folderMaker = makeFolder
  }

  /// The path of a name, for errors.
  package func path(of name: String) -> String { prefix + name }

  /// Opens a file.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `system` when it does not exist or cannot be read by range.
  public func open(_ name: String) throws(CheckpointError) -> ByteSource {
    if let source = try opener(name) { return source }
    throw CheckpointError(
      .system, "expected a regular file, found a directory", path: path(of: name))
  }

  /// Opens a file; returns `nil` if the name is that of a folder.
  package func openFile(_ name: String) throws(CheckpointError) -> ByteSource? {
    try opener(name)
  }

  /// The names in a folder, sorted by bytes.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `system` when the folder cannot be read, `unsupported` where
  ///   folders cannot be listed.
  public func list(_ folder: String = "") throws(CheckpointError) -> [String] {
    try lister(folder).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Creates a sink for a file of this name, which is there as a whole once the sink is committed.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `system` when the file exists and may not be replaced, or cannot
  ///   be made; `unsupported` where nothing can be written.
  public func create(_ name: String, replacing: Bool) throws(CheckpointError) -> ByteSink {
    if let creator { return try creator(name, replacing) }
    throw CheckpointError(.unsupported, "files there can only be read", path: path(of: name))
  }

  /// Makes a folder of this name, unless there is one; places in which folders need not be made do
  /// nothing.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `system` when the system refuses.
  package func createFolder(_ name: String) throws(CheckpointError) { try folderMaker?(name) }

  /// A folder in this place, as a place.
  public func folder(_ name: String) -> Place {
    if name.isEmpty { return self }
    let start = name.hasSuffix("/") ? name : name + "/"
    let (opener, lister) = (opener, lister)
    var inside: Creator?
    if let creator {
      inside = { inner, replacing throws(CheckpointError) in
        try creator(start + inner, replacing)
      }
    }
    var folderInside: FolderMaker?
    if let folderMaker {
      folderInside = { inner throws(CheckpointError) in try folderMaker(start + inner) }
    }
    return Place(
      prefix: prefix + start,
      open: { inner throws(CheckpointError) in try opener(start + inner) },
      list: { inner throws(CheckpointError) in try lister(start + inner) }, create: inside,
      makeFolder: folderInside, isLocal: isLocal, isConfined: isConfined)
  }

  /// This place with names that lead to the files of one model only.
  ///
  /// Opening or listing any other name throws ``CheckpointError`` `unsupported`, as
  /// ``ModelFolders/check(_:in:)``. A place that is confined already stays as it is.
  package func confined(to folders: ModelFolders) -> Place {
    if isConfined { return self }
    return Place(
      prefix: prefix,
      open: { [self] name throws(CheckpointError) in
        try folders.check(name, in: self)
        return try opener(name)
      },
      list: { [self] name throws(CheckpointError) in
        try folders.check(name, in: self)
        return try lister(name)
      }, create: creator, makeFolder: folderMaker, isLocal: isLocal, isConfined: true)
  }

  // MARK: - Paths

  /// The place and the name that a path consists of: a local path, or an address that begins with
  /// `http://` or `https://`.
  public static func locate(_ path: String) -> (place: Place, name: String) {
    guard let start = hostStart(of: path) else {
      let (folder, name) = divided(path)
      return (local(folder), name)
    }
    // A slash in a query (`?token=a/b`) is not a separator.
    let end = path.utf8[start...].firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }
    let (folder, name) = divided(String(path[..<(end ?? path.endIndex)]))
    return (web(folder), name + path[(end ?? path.endIndex)...])
  }

  /// Opens the file at a path or an address.
  package static func open(path: String) throws(CheckpointError) -> ByteSource {
    let (place, name) = locate(path)
    return try place.open(name)
  }

  /// Resolves a name found in a file of this place: an absolute path, or one relative to the place.
  package func locate(_ name: String) -> (place: Place, name: String) {
    if name.hasPrefix("/") || Self.hostStart(of: name) != nil { return Self.locate(name) }
    let (folder, leaf) = Self.divided(name)
    return (self.folder(folder), leaf)
  }

  /// A local folder, given the text before the names in it.
  private static func local(_ prefix: String) -> Place {
    Place(
      prefix: prefix,
      open: { name throws(CheckpointError) in try ByteSource.local(prefix + name) },
      list: { name throws(CheckpointError) in
        let path = prefix + name
        return try Folder.names(in: path.isEmpty ? "." : path)
      },
      create: { name, replacing throws(CheckpointError) in
        let ranks = Ranks.current
        return ranks.size > 1
          ? try ByteSink.shared(prefix + name, replacing: replacing, ranks: ranks)
          : try ByteSink.local(prefix + name, replacing: replacing)
      },
      makeFolder: { name throws(CheckpointError) in try Folder.make(prefix + name) },
      isLocal: true, isConfined: false)
  }

  private static func web(_ prefix: String) -> Place {
    Place(prefix: prefix) { name throws(CheckpointError) in
      try ByteSource.web(prefix + name)
    } list: { name throws(CheckpointError) in
      throw CheckpointError(
        .unsupported, "a web server does not list its files; name one of them",
        path: prefix + name)
    }
  }

  /// The index of the host in an address; `nil` for a local path.
  static func hostStart(of path: String) -> String.Index? {
    for scheme in ["https://", "http://"] where path.hasPrefix(scheme) {
      return path.utf8.index(path.startIndex, offsetBy: scheme.utf8.count)
    }
    return nil
  }

  /// `a/b/c` → `a/b/` and `c`.
  package static func divided(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return ("", path) }
    let start = path.utf8.index(after: slash)
    return (String(path[..<start]), String(path[start...]))
  }
}
