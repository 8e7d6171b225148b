import Synchronization
public import TensorCore

/// A file or a folder that is being recognized, opened once: formats look at its beginning, its zip
/// directory, and its neighbors, and then read the same open file.
public final class FileProbe: Sendable {
  /// Where it is, and so where the other files of a sharded checkpoint are.
  public let place: Place
  /// Its name there.
  public let name: String
  /// The open file; `nil` for a folder.
  package let file: ByteSource?
  /// The first bytes, at most ``headSize``; none of a folder.
  public let head: [UInt8]
  /// Names in the folder, sorted by bytes; `nil` for a file.
  public let members: [String]?
  /// What was found out about it, by type.
  private let findings = Mutex<[ObjectIdentifier: any Sendable]>([:])

  /// How many bytes at the beginning of a file are looked at.
  public static let headSize = 4096

  /// Opens a file, or lists a folder.
  ///
  /// - Throws: ``CheckpointError`` when it is neither a file nor a folder that can be read.
  public init(_ name: String, in place: Place) throws(CheckpointError) {
    self.place = place
    self.name = name
    file = try place.openFile(name)
    head = try file?.head(Self.headSize) ?? []
    members = file == nil ? try place.list(name) : nil
  }

  /// Looks at a source that is open already; what it refers to is looked for in `place`.
  public init(_ source: ByteSource, in place: Place) throws(CheckpointError) {
    self.place = place
    name = source.name
    file = source
    head = try source.head(Self.headSize)
    members = nil
  }

  /// Opens the file, or lists the folder, to which a path or an address leads.
  ///
  /// - Throws: as ``init(_:in:)``.
  public convenience init(path: String) throws(CheckpointError) {
    let (place, name) = Place.locate(path)
    try self.init(name, in: place)
  }

  /// What errors call it.
  public var path: String { file?.name ?? place.path(of: name) }

  /// Size of the file in bytes; 0 for a folder.
  public var size: Int { file?.size ?? 0 }

  /// The open file.
  ///
  /// - Throws: ``CheckpointError`` `system` for a folder.
  package var source: ByteSource {
    get throws(CheckpointError) {
      if let file { return file }
      throw CheckpointError(.system, "expected a regular file, found a directory", path: path)
    }
  }

  /// The folder as a place.
  package var folder: Place { place.folder(name) }

  /// Names in the folder that end so; none for a file.
  public func members(endingIn ending: String) -> [String] {
    (members ?? []).filter { $0.hasSuffix(ending) }
  }

  /// The zip archive that the file is, read once for all formats.
  ///
  /// - Throws: as ``ZipArchive/init(_:)``.
  package var archive: ZipArchive {
    get throws(CheckpointError) {
      try finding { probe throws(CheckpointError) in try ZipArchive(try probe.source) }
    }
  }

  /// A value that is found out about the file once and kept: recognizing hands it to opening.
  ///
  /// There is one for each type; what is thrown is not kept.
  package func finding<Value: Sendable>(
    _ find: (FileProbe) throws(CheckpointError) -> Value
  ) throws(CheckpointError) -> Value {
    let key = ObjectIdentifier(Value.self)
    if let known = findings.withLock({ $0[key] }) as? Value { return known }
    let value = try find(self)
    findings.withLock { $0[key] = value }
    return value
  }
}
