import ByteIO
import TensorCore

/// Compressed files and archives around a checkpoint as a value.
extension CheckpointFormat {
  /// A checkpoint in a file compressed by gzip, xz, lzma, bzip2, zlib, or zstd, or in a `.tar` or `.zip`
  /// archive, read-only.
  ///
  /// What is compressed is unpacked to a temporary file without a name. Of several checkpoints in an
  /// archive, ``OpenOptions/key`` chooses one.
  public static let packed = CheckpointFormat(
    name: "packed", extensions: [".lzma", ".tgz", ".tar", ".zip", ".bz2", ".zst", ".gz", ".xz"],
    recognizes: { Packed.recognizes($0) },
    open: { try Packed.open($0, $1) },
    capabilities: Capabilities(dtypes: DType.allCases),
    verify: { try await Packed.damage($0, threads: $1) })
}

/// Finding the checkpoint in a compressed file or an archive.
enum Packed {
  /// Deepest nesting of archives and compressed files: a `.tar.gz` has two levels.
  private static let maxDepth = 3
  @TaskLocal private static var depth = 0
  /// Size of the file that is around all others, by which the limit on unpacking goes.
  @TaskLocal private static var outermost: Int?
  /// Most files of an archive that are looked at.
  private static let maxCandidates = 10_000
  /// Endings of files that another program may have made into a checkpoint.
  private static let endings =
    CheckpointFormat.all.flatMap(\.extensions) + [".pkl", ".pickle", ".joblib", ".pdparams", ".pb"]

  /// What a file holds.
  private struct Content: Sendable {
    let probe: FileProbe
    let format: CheckpointFormat
    /// Whether the key chose it among several.
    let isChosen: Bool
    var notes: [String] = []
  }

  static func recognizes(_ candidate: FileProbe) -> Bool {
    if CompressedFile(head: candidate.head) != nil { return true }
    if TarArchive.recognizes(candidate.head) { return isTar(candidate) }
    // Many kinds of file are zip archives: only one that holds something that may be a checkpoint.
    guard candidate.head.starts(with: [0x50, 0x4b, 0x03, 0x04]),
      let archive = try? candidate.archive
    else { return false }
    return ArchivePlace(archive).names.contains(where: isPlausible)
      && !CheckpointFormat.all.contains { $0.name != "packed" && $0.recognizes(candidate) }
  }

  /// Whether a tar archive is not one that PyTorch itself wrote before 0.1.10.
  static func isTar(_ candidate: FileProbe) -> Bool {
    guard TarArchive.recognizes(candidate.head) else { return false }
    let names = Set((try? archive(of: candidate))?.names ?? [])
    return !["pickle", "storages", "tensors"].allSatisfy(names.contains)
  }

  private static func isPlausible(_ name: String) -> Bool {
    let name = name.lowercased()
    return endings.contains { name.hasSuffix($0) }
  }

  static func open(_ probe: FileProbe, _ options: OpenOptions) throws -> Opened {
    try nested(probe) {
      let content = try content(of: probe, key: options.key)
      var inner = options
      if content.isChosen { inner.key = nil }
      var opened = try content.format.open(content.probe, inner)
      if content.isChosen, let key = options.key {
        opened.isChosenPart = true
        let total = try opened.checkpoint.entries.total(includingAliases: false)
        opened.parts = [
          Opened.Part(
            key: key, tensorCount: opened.checkpoint.entries.count, byteCount: total.byteCount,
            isOpened: true)
        ]
      }
      opened.notes += content.notes
      // The sums of these were compared while they were unpacked.
      if let kind = CompressedFile(head: probe.head), kind.hasSum {
        opened.coverage = max(opened.coverage, .tensors)
      }
      return opened
    }
  }

  static func damage(_ probe: FileProbe, threads: Int) async throws -> [CheckpointError] {
    guard depth < maxDepth else { return [] }
    return try await $depth.withValue(depth + 1) {
      try await $outermost.withValue(outermost ?? probe.size) {
        let content = try content(of: probe, key: nil)
        return try await content.format.verify?(content.probe, threads) ?? []
      }
    }
  }

  private static func nested<Result>(
    _ probe: FileProbe, _ body: () throws -> Result
  ) throws -> Result {
    guard depth < maxDepth else {
      throw CheckpointError(
        .unsupported, "archives are nested deeper than \(maxDepth) levels", path: probe.path)
    }
    return try $depth.withValue(depth + 1) {
      try $outermost.withValue(outermost ?? probe.size) { try body() }
    }
  }

  // MARK: - Content

  private static func content(of probe: FileProbe, key: String?) throws -> Content {
    if let kind = CompressedFile(head: probe.head) {
      let inner = try unpacked(probe, kind)
      guard let format = CheckpointFormat.recognized(inner) else {
        let what = KnownFile.error(for: inner)?.message ?? "is not a checkpoint"
        throw CheckpointError(
          .unsupported, "what the \(kind.rawValue) file holds \(what)", path: probe.path)
      }
      return Content(probe: inner, format: format, isChosen: false)
    }
    let archive = try archive(of: probe)
    let found = try candidates(in: archive)
    let notes = notes(on: archive)
    if let chosen = found.first(where: { $0.name == key }) {
      return Content(
        probe: chosen.probe, format: chosen.format, isChosen: true, notes: notes)
    }
    guard found.count != 1 else {
      return Content(
        probe: found[0].probe, format: found[0].format, isChosen: false, notes: notes)
    }
    guard !found.isEmpty else {
      let names = archive.names.prefix(5).joined(separator: ", ").shortened(to: 150)
      let kind = TarArchive.recognizes(probe.head) ? "tar" : "zip"
      let outside = archive.outside.first.map {
        "only '\($0.shortened(to: 100))', which lies outside of it"
      }
      let content = names.isEmpty ? outside ?? "no files" : names
      throw CheckpointError(
        .unsupported, "the \(kind) archive does not hold a checkpoint; it holds \(content)",
        path: probe.path)
    }
    let names = found.prefix(8).map(\.name).joined(separator: ", ").shortened(to: 200)
    let more = found.count > 8 ? " and \(found.count - 8) more" : ""
    throw CheckpointError(
      key == nil ? .unsupported : .missing,
      "holds \(found.count) checkpoints: \(names)\(more); choose one with --key", path: probe.path)
  }

  private static func notes(on archive: ArchivePlace) -> [String] {
    if archive.outside.isEmpty { return [] }
    let names = archive.outside.map { "'\($0.shortened(to: 100))'" }.listed(upTo: 1)
    let isOne = archive.outside.count == 1
    return [
      "\(names) \(isOne ? "lies" : "lie") outside of the archive and \(isOne ? "is" : "are") left out"
    ]
  }

  private static func unpacked(
    _ probe: FileProbe, _ kind: CompressedFile
  ) throws(CheckpointError) -> FileProbe {
    try probe.finding(for: Packed.self) { probe throws(CheckpointError) in
      let size = outermost ?? probe.size
      let limit = Budget.current.limit(of: .unpackedFiles, size: size)
      let content = try kind.unpacked(try probe.source, limit: limit)
      return try FileProbe(content, in: probe.place)
    }
  }

  private static func archive(of probe: FileProbe) throws(CheckpointError) -> ArchivePlace {
    try probe.finding { probe throws(CheckpointError) in
      guard TarArchive.recognizes(probe.head) else { return ArchivePlace(try probe.archive) }
      return ArchivePlace(try TarArchive(try probe.source), path: probe.path)
    }
  }

  // MARK: - Candidates

  private typealias Candidate = (name: String, probe: FileProbe, format: CheckpointFormat)

  /// The checkpoints in an archive: folders that are one as a whole, and files outside of them.
  private static func candidates(
    in archive: ArchivePlace
  ) throws(CheckpointError) -> [Candidate] {
    let place = archive.place
    var found: [Candidate] = []
    var folders: Set<String> = [""]
    for name in archive.names {
      var folder = Place.divided(name).folder
      while !folder.isEmpty {
        folders.insert(String(folder.dropLast()))
        folder = Place.divided(String(folder.dropLast())).folder
      }
    }
    guard folders.count <= maxCandidates else {
      throw CheckpointError(.unsupported, "the archive has more than \(maxCandidates) folders")
    }
    // Folders come before what is in them.
    for folder in folders.sorted() where !found.contains(where: { isInside(folder, $0.name) }) {
      let probe = try FileProbe(folder, in: place)
      // A file that would stand for its folder is chosen as a file.
      if let format = CheckpointFormat.all.first(where: { $0.recognizes(probe) }) {
        found.append((folder.isEmpty ? "." : folder, probe, format))
        if folder.isEmpty { return found }
      }
    }
    let likely = archive.names.filter(isPlausible)
    for name in likely.isEmpty ? Array(archive.names.prefix(100)) : likely
    where !found.contains(where: { isInside(name, $0.name) }) {
      guard found.count < maxCandidates else { break }
      let probe = try FileProbe(name, in: place)
      if let format = CheckpointFormat.recognized(probe) { found.append((name, probe, format)) }
    }
    return found
  }

  private static func isInside(_ name: String, _ folder: String) -> Bool {
    name.utf8.starts(with: (folder + "/").utf8)
  }
}
