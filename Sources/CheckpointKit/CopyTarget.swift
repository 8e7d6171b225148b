public import ByteIO
public import CheckpointFormats
public import TensorCore

/// Where the filled copy of a checkpoint's files goes: in place of them, to another path, or to
/// standard output.
public struct CopyTarget: Sendable {
  /// The files that are copied.
  private let source: FileProbe
  /// Where files go; `nil` for standard output.
  private let place: Place?
  /// The name of the output there; of a folder, the empty name.
  private let name: String
  private let overwrites: Bool
  private let isInPlace: Bool
  /// The folder of the copy, if it is a new one.
  private let folder: NewFolder?
  /// Deepest nesting of folders that is copied.
  private static let maxDepth = 16

  /// The place of the files themselves, which are replaced.
  public init(replacing source: FileProbe) {
    self.source = source
    place = source.members == nil ? source.place : source.place.folder(source.name)
    name = source.members == nil ? source.name : ""
    (overwrites, isInPlace, folder) = (true, true, nil)
  }

  /// Another path, `-` for standard output; a copy of a folder is a folder.
  ///
  /// - Throws: `CheckpointError` with the path when it exists and may not be replaced, or cannot be
  ///   written.
  public init(copying source: FileProbe, to path: String, overwrites: Bool = false)
    throws(CheckpointError)
  {
    self.source = source
    self.overwrites = overwrites
    isInPlace = false
    if path == "-" {
      (place, name, folder) = (nil, path, nil)
      return
    }
    let (place, name) = Place.locate(path)
    if source.members == nil {
      (self.place, self.name, folder) = (place, name, nil)
      _ = try place.create(name, replacing: overwrites)
    } else {
      folder = try NewFolder(path)
      (self.place, self.name) = (folder?.place ?? place.folder(name), "")
    }
  }

  /// Writes the copy: all of it is written before any file gets its name.
  ///
  /// - Returns: the paths of the files that were written, and what could not be done, one sentence each.
  public func write(_ filled: FilledFiles) async throws -> (paths: [String], warnings: [String]) {
    do {
      guard let place else { return (try await writeToStandardOutput(filled), []) }
      let (paths, warnings) = try await write(filled, to: place)
      try folder?.commit()
      return (paths.map { folder?.finalPath(of: $0) ?? $0 }, warnings)
    } catch let error as CheckpointError {
      guard let folder, let path = error.path else { throw error }
      throw error.replacing(path: folder.finalPath(of: path))
    }
  }

  private func write(
    _ filled: FilledFiles, to place: Place
  ) async throws -> (paths: [String], warnings: [String]) {
    // One file takes its name at once; several must not be taken for one checkpoint with old ones.
    if let main = filled.main, folder == nil, !isInPlace || filled.files.count > 1,
      let files = FileSet(in: place, replacing: overwrites)
    {
      return try await write(filled, as: files, main: main, to: place)
    }
    var sinks: [ByteSink] = []
    for file in filled.files {
      let sink = try place.create(outputName(of: file.name), replacing: overwrites)
      try await file.write(sink)
      sinks.append(sink)
    }
    if !isInPlace { try copyOthers(than: filled, to: place) }
    try isInPlace ? source.file?.confirmCurrent() : source.file?.confirmUnchanged()
    for sink in sinks { try sink.commit() }
    return (sinks.map(\.name), [])
  }

  /// Writes several files, which take their names together.
  private func write(
    _ filled: FilledFiles, as files: FileSet, main: String, to place: Place
  ) async throws -> (paths: [String], warnings: [String]) {
    var index: [UInt8]?
    var paths: [String] = []
    let old = try origin.open(main)
    if filled.isIndexed { index = try old.bytes(0..<old.size) }
    try refuseOwnFiles(filled, in: place)
    for file in filled.files {
      if filled.isIndexed, file.name == main {
        index = try await bytes(of: file)
      } else {
        let sink = try files.sink(outputName(of: file.name))
        try await file.write(sink)
        try sink.commit()
      }
      paths.append(place.path(of: outputName(of: file.name)))
    }
    if !isInPlace {
      let done = filled.files.map(\.name) + (filled.isIndexed ? [main] : [])
      try copyOthers(than: Set(done.map { TensorName($0) }), of: filled, to: files, in: place)
    }
    // What is replaced must be what was read, and what is copied must belong together.
    let confirm = { () throws(CheckpointError) in try old.confirmCurrent() }
    guard let index else {
      try files.commit(main: outputName(of: main), confirming: confirm)
      return (paths, [])
    }
    let warnings = try files.commit(index: outputName(of: main), confirming: confirm) {
      names throws(CheckpointError) in
      try ShardNames.replaced(names, in: index)
    }
    return (paths, warnings)
  }

  /// The new content of a small file.
  private func bytes(of file: FilledFiles.File) async throws -> [UInt8] {
    let memory = MemoryFiles()
    let sink = try memory.place.create(file.name, replacing: true)
    try await file.write(sink)
    try sink.commit()
    return memory.bytes(of: file.name) ?? []
  }

  private func writeToStandardOutput(_ filled: FilledFiles) async throws -> [String] {
    guard filled.files.count == 1, filled.unchanged.isEmpty else {
      throw CheckpointError(
        .unsupported, "is a checkpoint of several files; give a folder instead of '-'",
        path: source.path)
    }
    let sink = ByteSink.standardOutput()
    for file in filled.files { try await file.write(sink) }
    try sink.commit()
    return [sink.name]
  }

  /// Where the files are that are copied.
  private var origin: Place {
    source.members == nil ? source.place : source.place.folder(source.name)
  }

  /// Copies the files that do not change: those of the checkpoint, or all of a folder.
  private func copyOthers(than filled: FilledFiles, to place: Place) throws {
    let changed = Set(filled.files.map { TensorName($0.name) })
    let names = source.members ?? filled.unchanged
    try copy(
      names.filter { !changed.contains(TensorName($0)) }, from: origin, to: place, depth: 0)
  }

  /// The same as files of a set; folders in a folder are copied one file after the other.
  private func copyOthers(
    than done: Set<TensorName>, of filled: FilledFiles, to files: FileSet, in place: Place
  ) throws {
    for name in source.members ?? filled.unchanged where !done.contains(TensorName(name)) {
      guard let file = try origin.openFile(name) else {
        try copy([name], from: origin, to: place, depth: 0)
        continue
      }
      let sink = try files.sink(outputName(of: name))
      try sink.append(0..<file.size, of: file)
      try sink.commit()
    }
  }

  /// Refuses a copy that would replace files which its own source goes on naming.
  private func refuseOwnFiles(_ filled: FilledFiles, in place: Place) throws(CheckpointError) {
    if isInPlace || source.file?.isFile(place.path(of: outputName(of: source.name))) == true {
      return
    }
    for name in filled.files.map(\.name) + filled.unchanged where name != source.name {
      let path = place.path(of: outputName(of: name))
      if let file = try origin.openFile(name), file.isFile(path) {
        throw CheckpointError(
          .unsupported,
          "is one of the files that '\(source.name)' names; write to another folder, or in place",
          path: path)
      }
    }
  }

  /// Copies files, and folders with all that is in them.
  private func copy(
    _ names: [String], from: Place, to: Place, depth: Int
  ) throws(CheckpointError) {
    for name in names {
      if let file = try from.openFile(name) {
        let sink = try to.create(depth == 0 ? outputName(of: name) : name, replacing: overwrites)
        try sink.append(0..<file.size, of: file)
        try sink.commit()
        continue
      }
      // A link may lead to a folder above it.
      guard depth < Self.maxDepth else {
        throw CheckpointError(
          .unsupported, "folders are nested deeper than \(Self.maxDepth) levels",
          path: from.path(of: name))
      }
      try to.createFolder(name)
      try copy(
        try from.list(name), from: from.folder(name), to: to.folder(name), depth: depth + 1)
    }
  }

  /// The file that was named gets the output's name; others keep theirs beside it.
  private func outputName(of name: String) -> String {
    name == source.name && source.members == nil ? self.name : name
  }
}
