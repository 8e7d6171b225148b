public import ByteIO
public import TensorCore

/// Finding a format by name, by file name, or by content.
extension CheckpointFormat {
  /// Names of all formats, for messages.
  package static var names: String { all.map(\.name).joined(separator: ", ") }

  /// Names of the formats that can be written, for messages: `ckz, hdf5`.
  package static var writableNames: String {
    all.filter(\.isWritable).map(\.name).joined(separator: ", ")
  }

  /// Endings of the formats that can be written, for messages: `.ckz, .h5`.
  package static var writableEndings: String {
    all.filter(\.isWritable).flatMap(\.extensions).joined(separator: ", ")
  }

  /// Whether files of the format can be written, from nothing or as filled copies of others.
  package var isWritable: Bool { write != nil || capabilities.needsTemplate }

  /// Finds a writable format by its name or by an extension, with or without the dot.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `unsupported` when there is none.
  public static func writable(
    named name: String
  ) throws(CheckpointError) -> CheckpointFormat {
    let found = all.first {
      $0.name == name || $0.extensions.contains("." + name) || $0.extensions.contains(name)
    }
    guard let found, found.isWritable else {
      let problem = found.map { "\($0.name) is only read" } ?? "unknown format '\(name)'"
      let writable = all.filter(\.isWritable)
      let names =
        writable.map(\.name) + writable.flatMap(\.extensions).map { String($0.dropFirst()) }
      let near = found == nil ? nearestName(to: name, among: names).map { [$0] } ?? [] : []
      throw CheckpointError(
        .unsupported, "\(problem): expected one of \(writableNames)\(near.question)")
    }
    return found
  }

  /// Finds the writable format whose extension a path ends in.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `unsupported` when there is none.
  public static func writable(
    forPath path: String
  ) throws(CheckpointError) -> CheckpointFormat {
    for ending in all.flatMap(\.capabilities.copiedEndings)
    where path.lowercased().hasSuffix(ending) {
      throw CheckpointError(
        .unsupported,
        "files that end in \(ending) can only be written into a copy of a template; pass --like FILE",
        path: path)
    }
    let found = named(byEndingOf: path)
    guard let found, found.isWritable else {
      let problem = found.map { "\($0.name) is only read: " } ?? ""
      throw CheckpointError(
        .unsupported,
        "\(problem)expected a name that ends in one of \(writableEndings); otherwise pass --to FORMAT",
        path: path)
    }
    return found
  }

  /// Finds the format whose extension a path ends in, the longest first.
  public static func named(byEndingOf path: String) -> CheckpointFormat? {
    let candidates = all.flatMap { format in format.extensions.map { ($0, format) } }
    return candidates.filter { path.lowercased().hasSuffix($0.0) }
      .max { $0.0.utf8.count < $1.0.utf8.count }?.1
  }

  /// Recognizes a file or a folder by its content; the format of a folder that is one file beside
  /// others is that file's.
  ///
  /// `formats` are those that are asked, in their order.
  public static func recognized(
    _ candidate: FileProbe, among formats: [CheckpointFormat] = all
  ) -> CheckpointFormat? {
    if let format = formats.first(where: { $0.recognizes(candidate) }) { return format }
    guard let file = FolderModel.file(of: candidate),
      let format = formats.first(where: { $0.recognizes(file) })
    else { return nil }
    return format.reading(file)
  }
}

extension WriteOptions {
  /// Parses a size in bytes as `huggingface_hub` writes it: `500MB`, `5GB`, also `5GiB` or `5000`;
  /// `nil` for anything else and for nothing.
  package static func size(_ text: String) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let units = [
      "": 1, "B": 1, "KB": 1000, "MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000,
      "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40,
    ]
    guard let number = Int(digits), number > 0,
      let unit = units[text.dropFirst(digits.count).uppercased()]
    else { return nil }
    let (size, overflow) = number.multipliedReportingOverflow(by: unit)
    return overflow ? nil : size
  }
}

extension WriteOptions.Compression {
  /// Parses `planes`, `planes:fast`, `planes:small`, `none`, `gzip` or `gzip:1` to `gzip:9`; `nil` for anything else.
  public init?(named text: String) {
    switch text {
    case "planes": self = .planes
    case "planes:fast": self = .fastPlanes
    case "planes:small": self = .smallPlanes
    case "none": self = .none
    case "gzip": self = .gzip(level: 4)
    default:
      guard text.hasPrefix("gzip:"), let level = Int(text.dropFirst(5)), (1...9).contains(level)
      else { return nil }
      self = .gzip(level: level)
    }
  }

  /// What the command line calls it: `planes`, `gzip:4`.
  var text: String { if case .gzip(let level) = self { "gzip:\(level)" } else { name } }

  /// What the command line calls its kind.
  var name: String {
    switch self {
    case .standard: "standard"
    case .none: "none"
    case .planes: "planes"
    case .fastPlanes: "planes:fast"
    case .smallPlanes: "planes:small"
    case .gzip: "gzip"
    }
  }
}

extension FileProbe {
  /// The file or folder that an argument names; where there is none, the step of a pack that
  /// `run.ckz@3` names, or the index of the TensorFlow checkpoint of that name, as TensorFlow itself
  /// takes a checkpoint's name without an ending.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` when it cannot be opened.
  package static func checkpoint(_ path: String) throws(CheckpointError) -> FileProbe {
    do throws(CheckpointError) {
      return try argument(path)
    } catch {
      guard error.code == .system else { throw error }
      if let (file, step) = PackStep.divided(path) {
        let (place, name) = Place.locate(file)
        return try FileProbe(name, in: place, step: step)
      }
      let (place, name) = Place.locate(path)
      guard !name.isEmpty, name != "-",
        let index = try? FileProbe(name + TensorFlow.ending, in: place),
        TensorFlow.recognizes(index)
      else { throw error }
      return index
    }
  }
}
