package import ByteIO
package import TensorCore

/// A kind of file or folder that is not a checkpoint that can be read: how it is told, and what to say.
package struct KnownFile: Sendable {
  let mark: Mark
  /// What it is and what to do; `{size}` and `{member}` stand for what is found in the file.
  let text: String

  init(_ mark: Mark, _ text: String) { (self.mark, self.text) = (mark, text) }

  /// The error for a file or a folder that no format recognizes, if it is known what it is, or that could
  /// not be read and so is not taken for what the rest of it looks like.
  package static func error(for probe: FileProbe) -> CheckpointError? {
    do throws(CheckpointError) { try probe.file?.confirmUnchanged() } catch { return error }
    let list = probe.members == nil ? files : folders
    if let known = list.first(where: { $0.mark.matches(probe) }) {
      return CheckpointError(.unsupported, known.filled(for: probe))
    }
    return probe.members.flatMap(checkpoints(among:))
  }

  /// The error for a text that is not a printed model, if it is known what it is.
  package static func error(forModel probe: FileProbe) -> CheckpointError? {
    let isText = [Mark.json, .module, .yaml, .commas, .log].contains { $0.matches(probe) }
    return probe.members == nil && !isText ? error(for: probe) : nil
  }

  /// The error for a folder of checkpoints, which names some of them.
  private static func checkpoints(among names: [String]) -> CheckpointError? {
    let endings = CheckpointFormat.all.flatMap(\.extensions)
    let found = names.filter { name in endings.contains { name.lowercased().hasSuffix($0) } }
    guard !found.isEmpty else { return nil }
    return CheckpointError(
      .unsupported,
      "is a directory, but not one checkpoint; name a file in it: \(found.listed(upTo: 3))")
  }

  private func filled(for probe: FileProbe) -> String {
    var text = text
    if text.utf8.contains(UInt8(ascii: "{")) {
      text = text.replacing("{size}", with: Self.pointerSize(probe) ?? "")
      text = text.replacing("{member}", with: Self.member(of: probe) ?? "")
    }
    return text
  }

  /// The size that a Git LFS pointer gives.
  private static func pointerSize(_ probe: FileProbe) -> String? {
    let lines = String(decoding: probe.head, as: UTF8.self).split(separator: "\n")
    guard let line = lines.first(where: { $0.hasPrefix("size ") }),
      let size = Int(line.dropFirst(5))
    else { return nil }
    return " to a file of \(size) bytes"
  }

  /// The member of a zip archive that may be a checkpoint.
  private static func member(of probe: FileProbe) -> String? {
    let archive: ZipArchive
    do throws(CheckpointError) {
      archive = try probe.archive
    } catch {
      return "; \(error.message)"
    }
    let endings = CheckpointFormat.all.flatMap(\.extensions)
    let found = archive.members.first { member in
      endings.contains { member.name.text.lowercased().hasSuffix($0) }
    }
    if let found { return "; unpack its member '\(found.name)' and give that" }
    guard let code = archive.members.first(where: { $0.name.text.hasSuffix(".py") }) else {
      return nil
    }
    return "; it holds source code ('\(code.name)')"
  }
}
