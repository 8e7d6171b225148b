public import ByteIO
public import CheckpointFormats
public import TensorCore

/// Where a checkpoint is written: a file that is replaced whole or not at all, or standard output.
public struct CheckpointTarget: Sendable {
  /// Where the file goes; `nil` for standard output.
  private let place: Place?
  private let name: String
  /// The format that is written.
  public let format: CheckpointFormat
  private let write: @Sendable (Checkpoint, ByteSink, WriteOptions) async throws -> Void
  /// How it is written.
  public var options: WriteOptions
  private let overwrites: Bool

  /// Settles the format and refuses, before any work is done, a target that cannot be written.
  ///
  /// `path` is the file, or `-` for standard output; without `format` it is the one that the path's
  /// ending says; `overwrites` says whether an existing file may be replaced.
  /// - Throws: `CheckpointError` with the path in it.
  public init(
    _ path: String, format: CheckpointFormat? = nil, options: WriteOptions = WriteOptions(),
    overwrites: Bool = false
  ) throws(CheckpointError) {
    let format = try CheckpointFormat.writable(format, path)
    let (place, file) = Place.locate(path)
    try self.init(
      file, in: path == "-" ? nil : place, format: format, options: options, overwrites: overwrites)
  }

  /// As ``init(_:format:options:overwrites:)``, for a file of a place.
  public init(
    _ name: String, in place: Place?, format: CheckpointFormat,
    options: WriteOptions = WriteOptions(), overwrites: Bool = false
  ) throws(CheckpointError) {
    self.place = place
    self.name = name
    self.format = format
    self.options = options
    self.overwrites = overwrites
    let path = place?.path(of: name) ?? name
    guard let write = format.write else {
      throw CheckpointError(
        .unsupported,
        format.capabilities.needsTemplate
          ? "\(format.name) files can only be written into a copy of a template; pass --like FILE"
          : "format \(format.name) cannot be written", path: path)
    }
    self.write = write
    // The sink is dropped: one that is kept until the values are there could outlive the process as
    // a named temporary, and a target may be written more than once.
    try CheckpointError.placing(path: path) { () throws(CheckpointError) in
      try format.capabilities.check(options, format: format.name)
      _ = try place?.create(name, replacing: overwrites)
    }
  }

  /// Writes the checkpoint; the target is replaced atomically.
  ///
  /// When this returns, the new file is on the disk. Standard output gets the same bytes as they come.
  public func write(_ checkpoint: Checkpoint) async throws {
    try await write(
      checkpoint,
      to: try place?.create(name, replacing: overwrites) ?? ByteSink.standardOutput())
  }

  /// Writes the checkpoint to a sink, and commits it.
  func write(_ checkpoint: Checkpoint, to sink: ByteSink) async throws {
    do {
      try await write(checkpoint, sink, options)
      try sink.commit()
    } catch let error as CheckpointError {
      throw error.adding(path: place?.path(of: name) ?? name)
    }
  }

  /// Makes a folder for files to be written, unless there is one.
  package static func makeFolder(_ path: String) throws {
    let (place, name) = Place.locate(path.hasSuffix("/") ? String(path.dropLast()) : path)
    try place.createFolder(name)
  }

  /// Removes the unfinished files of the whole process, for one that is about to be ended.
  package static func removeUnfinished() { ByteSink.removeUnfinished() }
}

extension CheckpointFormat {
  /// The format that is given, else the one that a path's ending says.
  static func writable(
    _ given: CheckpointFormat?, _ path: String
  ) throws(CheckpointError) -> CheckpointFormat {
    if let given { return given }
    return try writable(forPath: path)
  }
}
