import ArgumentParser
import CheckpointKit

extension Ckpt.Diff {
  /// Refuses options that do not go with a patch.
  func validatePatch() throws {
    if patch != nil, inputs.key != nil || !(selection.match + selection.exclude).isEmpty {
      throw ValidationError("--patch covers whole files; remove --key, --match, and --exclude")
    }
    if let patch, patch == comparison.writeMap {
      throw ValidationError("--patch and --write-map: expected two files, found '\(patch)' twice")
    }
    for (option, path) in [("--patch", patch), ("--write-map", comparison.writeMap)] {
      guard let path else { continue }
      if [first, second].contains(path) {
        throw ValidationError("\(option): '\(path)' is a file to compare")
      }
      if path == "-" { throw ValidationError("\(option): expected a file, found '-'") }
    }
  }

  /// Where a patch or a map goes, asked before any work is done.
  ///
  /// - Throws: `CheckpointError` when a file may not be written there.
  func target(_ path: String) throws -> (place: Place, name: String) {
    let target = Place.locate(path)
    _ = try target.place.create(target.name, replacing: force)
    return target
  }

  /// Writes a patch that makes the second file of the first.
  func write(
    _ path: String, _ sources: (CheckpointSource, CheckpointSource), _ pairing: NamePairing
  ) async throws {
    let (old, new) = (try WholeFile(sources.0), try WholeFile(sources.1))
    old.notes.forEach(common.notes(on: first))
    new.notes.forEach(common.notes(on: second))
    let (place, name) = try target(path)
    var options = WriteOptions()
    options.threads = common.threads
    let summary = try await naming(path) {
      try await CheckpointPatch.write(
        from: old.checkpoint, to: new.checkpoint, partners: pairing.partners, in: place, name: name,
        options: options, overwrites: force)
    }
    let counts = [
      (summary.unchangedCount, "unchanged"), (summary.changedCount, "changed"),
      (summary.wholeCount, "stored whole"),
    ]
    common.wrote(
      path,
      counts.filter { $0.0 > 0 }.map { "\($0.0.grouped) \($0.1)" } + [
        summary.byteCount.byteCountText
      ])
  }

  /// Writes a line `old = new` for each pair of other names, as `--map` reads them.
  func writeMap(_ path: String, _ diff: CheckpointDiff) async throws {
    var lines: [String] = []
    for tensor in diff.tensors {
      guard let newName = tensor.newName else { continue }
      let (old, new) = (tensor.name.text, newName.text)
      // What the lines of a map cannot hold would be read as something else.
      let isPlain =
        !old.hasPrefix("#") && !old.utf8.contains(UInt8(ascii: "=")) && !old.isEmpty
        && (old + new).utf8.allSatisfy { $0 >= 0x20 } && !new.isEmpty
        && [old, new].allSatisfy { $0.trimming { $0 == " " }.utf8.count == $0.utf8.count }
      guard isPlain else {
        throw CheckpointError(
          .unsupported, "its name or its new name cannot be written in a map", path: path,
          tensor: old)
      }
      lines.append("\(old) = \(new)\n")
    }
    let (place, name) = try target(path)
    try naming(path) {
      let sink = try place.create(name, replacing: force)
      let bytes = Array(lines.joined().utf8)
      try unsafe sink.append(bytes.span.bytes)
      try sink.commit()
    }
    common.wrote(path, [lines.count.pluralized("pair")])
  }
}
