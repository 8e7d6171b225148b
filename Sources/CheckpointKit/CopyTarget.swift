public import ByteIO
public import CheckpointFormats
import Glibc
import TensorCore

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
  /// Deepest nesting of folders that is copied.
  private static let maxDepth = 16

  /// The place of the files themselves, which are replaced.
  public init(replacing source: FileProbe) {
    self.source = source
    place = source.members == nil ? source.place : source.place.folder(source.name)
    name = source.members == nil ? source.name : ""
    (overwrites, isInPlace) = (true, true)
  }

  /// Another path, `-` for standard output; a copy of a folder is a folder.
  ///
  /// - Throws: `CheckpointError` with the path when it exists and may not be replaced, or cannot be
  ///   written.
  public init(copying source: FileProbe, to path: String, overwrites: Bool) throws {
    self.source = source
    self.overwrites = overwrites
    isInPlace = false
    if path == "-" {
      (place, name) = (nil, path)
      return
    }
    let (folder, name) = Place.locate(path)
    if source.members == nil {
      (place, self.name) = (folder, name)
      _ = try folder.create(name, replacing: overwrites)
    } else {
      (place, self.name) = (folder.folder(name), "")
      try folder.createFolder(name)
    }
  }

  /// Writes the copy: all of it is written before any file gets its name.
  ///
  /// - Returns: the paths of the files that were written.
  public func write(_ filled: FilledFiles) async throws -> [String] {
    do {
      guard let place else { return try await writeToStandardOutput(filled) }
      var sinks: [ByteSink] = []
      for file in filled.files {
        let sink = try place.create(outputName(of: file.name), replacing: overwrites)
        try await file.write(sink)
        sinks.append(sink)
      }
      if !isInPlace { try copyOthers(than: filled, to: place) }
      for sink in sinks { try sink.commit() }
      return sinks.map(\.name)
    } catch let error as CheckpointError {
      throw error.systemNumber == EPIPE ? BrokenPipe() : error
    }
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

  /// Copies the files that do not change: those of the checkpoint, or all of a folder.
  private func copyOthers(than filled: FilledFiles, to place: Place) throws {
    let changed = Set(filled.files.map { TensorName($0.name) })
    let names = source.members ?? filled.unchanged
    try copy(
      names.filter { !changed.contains(TensorName($0)) },
      from: source.members == nil ? source.place : source.place.folder(source.name), to: place,
      depth: 0)
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
