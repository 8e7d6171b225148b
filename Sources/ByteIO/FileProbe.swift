import Synchronization
public import TensorCore

/// A file or a folder that is being recognized, opened once: formats look at its beginning, its zip
/// directory, and its neighbors, and then read the same open file.
public final class FileProbe: Sendable {
  /// The place it is in, where the other files of a sharded checkpoint also are.
  public let place: Place
  /// Its name in ``place``, without folders.
  public let name: String
  /// The open file; `nil` for a folder.
  package let file: ByteSource?
  /// The first bytes, at most 4 KiB; empty for a folder.
  public let head: [UInt8]
  /// Names in the folder, sorted by bytes; `nil` for a file.
  public let members: [String]?
  /// Which of several checkpoints in a pack is meant.
  package let step: PackStep?
  /// The findings about it, by what found them.
  private let findings = Mutex<[ObjectIdentifier: any Sendable]>([:])

  /// Number of bytes of ``head``.
  package static let headSize = 4096

  /// Opens a file, or lists a folder.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` when it is neither a file nor a folder that can be read.
  public convenience init(_ name: String, in place: Place) throws(CheckpointError) {
    try self.init(name, in: place, step: nil)
  }

  /// The same, of a pack one of its steps.
  package init(_ name: String, in place: Place, step: PackStep?) throws(CheckpointError) {
    self.place = place
    self.name = name
    self.step = step
    file = try place.openFile(name)
    // A pack may be getting longer; a reader of any other file reads its beginning again.
    head = try file?.unguarded.head(Self.headSize) ?? []
    members = file == nil ? try place.list(name) : nil
  }

  /// Probes a source that is open already; files that it refers to are looked for in `place`.
  public convenience init(_ source: ByteSource, in place: Place) throws(CheckpointError) {
    try self.init(source, in: place, step: nil)
  }

  /// The same, of a pack one of its steps.
  package init(_ source: ByteSource, in place: Place, step: PackStep?) throws(CheckpointError) {
    self.place = place
    name = source.name
    file = source
    self.step = step
    head = try source.head(Self.headSize)
    members = nil
  }

  /// Opens the file, or lists the folder, at a path or an address.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` when it is neither a file nor a folder that can be read.
  public convenience init(path: String) throws(CheckpointError) {
    let (place, name) = Place.locate(path)
    try self.init(name, in: place)
  }

  /// Its path as the user gave it, for errors.
  public var path: String {
    (file?.name ?? place.path(of: name)) + (step.map(\.description) ?? "")
  }

  /// Size of the file in bytes; 0 for a folder.
  public var size: Int { file?.size ?? 0 }

  /// The open file.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `system` for a folder.
  public var source: ByteSource {
    get throws(CheckpointError) {
      if let file { return file }
      throw CheckpointError(.system, "expected a regular file, found a directory", path: path)
    }
  }

  /// The folder as a place in which names lead to files of this model only.
  package var folder: Place {
    let folder = place.folder(name)
    return folder.confined(to: ModelFolders(of: folder))
  }

  /// Where the files are that this one names: those beside it that belong to the same model.
  package var neighbors: Place { place.confined(to: ModelFolders(of: place, file: name)) }

  /// The file that stands for this folder, which may be a link to any file.
  ///
  /// - Throws: as ``init(_:in:)``.
  package func member(_ name: String) throws(CheckpointError) -> FileProbe {
    try FileProbe(name, in: place.folder(self.name))
  }

  /// Names in the folder with an ending; empty for a file.
  public func members(endingIn ending: String) -> [String] {
    (members ?? []).filter { $0.hasSuffix(ending) }
  }

  /// The file as a zip archive, parsed once for all formats.
  ///
  /// - Throws: as ``ZipArchive/init(_:)``.
  package var archive: ZipArchive {
    get throws(CheckpointError) {
      // That a file is not an archive is also found out only once.
      try finding { probe throws(CheckpointError) in
        let source = try probe.source
        return Result { () throws(CheckpointError) in try ZipArchive(source) }
      }.get()
    }
  }

  /// A value that is computed from the file once and kept, so that recognizing hands it to opening.
  ///
  /// There is one value for each `finder`, by default the value's own type; errors are not kept.
  public func finding<Value: Sendable, Failure: Error>(
    for finder: Any.Type = Value.self, _ find: (FileProbe) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let key = ObjectIdentifier(finder)
    // The lock is not held while the value is computed, since that may ask for another finding. Two
    // tasks may compute the same one; the last is kept.
    if let known = findings.withLock({ $0[key] }), let value = known as? Value { return value }
    let value = try find(self)
    findings.withLock { $0[key] = value }
    return value
  }
}
