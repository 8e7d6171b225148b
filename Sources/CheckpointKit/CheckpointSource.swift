public import ByteIO
public import CheckpointFormats
public import TensorCore

/// A checkpoint that was opened, and what it was opened from.
public struct CheckpointSource: Sendable {
  /// What was found: tensors, the file's parts, and remarks about the rest.
  public let opened: Opened
  /// The format that its content showed.
  public let format: CheckpointFormat
  /// What it was opened from; a copy of it can be filled.
  public let probe: FileProbe
  /// The part that was asked for, if any.
  let key: String?

  /// What errors call it: the path as the user gave it, or `standard input`.
  public var path: String { probe.path }

  /// The tensors, not yet read.
  public var checkpoint: Checkpoint { opened.checkpoint }
  /// The checkpoints of a file that holds several; empty for a file with one.
  public var parts: [Opened.Part] { opened.parts }

  /// Opens a file by its content, whatever its name; `-` takes standard input, which is copied to a
  /// temporary file if it is a pipe, since formats are read by range.
  ///
  /// `options` may name a part of the file; `formats` are those that are asked whether it is theirs, in
  /// their order; `notes` is told what it holds that no tensor can show.
  /// - Throws: `CheckpointError` with the path in it.
  public static func open(
    _ path: String, options: OpenOptions = OpenOptions(),
    formats: [CheckpointFormat] = CheckpointFormat.all, notes: (String) -> Void = { _ in }
  ) throws -> Self {
    try open(.checkpoint(path), options: options, formats: formats, notes: notes)
  }

  /// Opens a file by its content that a place has opened, a file in memory for example.
  ///
  /// - Throws: `CheckpointError` with the file's name in it.
  public static func open(
    _ probe: FileProbe, options: OpenOptions = OpenOptions(),
    formats: [CheckpointFormat] = CheckpointFormat.all, notes: (String) -> Void = { _ in }
  ) throws -> Self {
    try CheckpointError.placing(path: probe.path) {
      let format = try format(of: probe, among: formats)
      if let step = probe.step, format.name != CheckpointFormat.native.name {
        throw step.error(.missing, "holds one checkpoint")
      }
      var opened = try format.open(probe, options)
      if options.readsAllParts, !opened.parts.isEmpty { opened.checkpoint.isNested = true }
      let total = try opened.checkpoint.total()
      if options.readsValues {
        try Budget.current.checkValues(
          of: total.byteCount, inFileOf: storedBytes(of: probe, claiming: total.byteCount))
      }
      let silenced = options.notesParts ? nil : opened.partsNote
      opened.notes.filter { $0 != silenced }.forEach {
        notes("\(probe.path.escapingControls): \($0)")
      }
      let path = probe.path
      for index in opened.checkpoint.entries.indices
      where opened.checkpoint.entries[index].path == nil {
        opened.checkpoint.entries[index].path = path
      }
      return Self(opened: opened, format: format, probe: probe, key: options.key)
    }
  }

  private static func format(
    of probe: FileProbe, among formats: [CheckpointFormat]
  ) throws(CheckpointError) -> CheckpointFormat {
    guard probe.members != nil || probe.size > 0 else {
      throw CheckpointError(.malformed, "is empty, not a checkpoint")
    }
    if let format = CheckpointFormat.recognized(probe, among: formats) { return format }
    if let error = KnownFile.error(for: probe) { throw error }
    // What shows no format is opened as its name says: that reader knows what is wrong with it.
    if probe.members == nil, let named = CheckpointFormat.named(byEndingOf: probe.name) {
      return named
    }
    let found =
      probe.members == nil
      ? "not a checkpoint: begins with \(beginning(of: probe.head))"
      : "a directory, but not a checkpoint"
    throw CheckpointError(.unsupported, "is \(found) (formats: \(CheckpointFormat.names))")
  }

  /// Bytes of the files that hold a checkpoint, or enough of them to hold `byteCount` bytes.
  ///
  /// Other files of a folder, or those beside an index or a part, are counted as well, where they
  /// can be listed. Where they cannot, as on a web server, nothing is known and nothing is refused.
  private static func storedBytes(of probe: FileProbe, claiming byteCount: Int) -> Int {
    if Budget.current.limit(of: .values, size: probe.size) >= byteCount { return probe.size }
    let place = probe.members == nil ? probe.place : probe.place.folder(probe.name)
    let isIndex = probe.head.first { $0 > 0x20 } == UInt8(ascii: "{")
    let isAlone = probe.members == nil && !isIndex && !probe.name.contains("-of-")
    if isAlone { return probe.size }
    guard let names = try? probe.members ?? place.list() else { return Shape.limit }
    return storedBytes(names, in: place, claiming: byteCount, depth: 0)
  }

  /// Bytes of files and of those in folders, two levels deep, or enough of them.
  private static func storedBytes(
    _ names: [String], in place: Place, claiming byteCount: Int, depth: Int
  ) -> Int {
    var size = 0
    for name in names where Budget.current.limit(of: .values, size: size) < byteCount {
      guard let file = try? place.openFile(name) else {
        guard depth < 2, let inner = try? place.list(name) else { continue }
        let folder = storedBytes(
          inner, in: place.folder(name), claiming: byteCount, depth: depth + 1)
        size = [size, folder].saturatedSum()
        continue
      }
      size = [size, file.size].saturatedSum()
    }
    return size
  }

  /// The first bytes as text where they are text, else in hexadecimal.
  private static func beginning(of head: [UInt8]) -> String {
    let start = head.prefix(8)
    if start.allSatisfy({ (0x20..<0x7f).contains($0) }) {
      return "'\(String(decoding: start, as: UTF8.self))'"
    }
    return start.hexDigits(separator: " ")
  }
}

extension Parity {
  /// Looks for parity in the file at a path; `nil` if it has none.
  ///
  /// - Throws: `CheckpointError` `system` when the file cannot be read.
  public init?(of path: String) throws(CheckpointError) {
    let (place, name) = Place.locate(path)
    try self.init(in: place.open(name))
  }
}
