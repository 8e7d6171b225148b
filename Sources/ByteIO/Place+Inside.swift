import Glibc
package import TensorCore

/// Opening the files that another file names.
extension Place {
  /// Opens a file whose name was found in a file of this place: a relative name that stays in this
  /// place.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` for an absolute name, for one with `..` in it, and
  ///   for a link that leads out of this place; `system` when there is no such file.
  package func openInside(_ name: String) throws(CheckpointError) -> ByteSource {
    try checkInside(name)
    return try open(name)
  }

  /// Refuses a name found in a file unless it is a relative one that stays in this place.
  ///
  /// - Throws: ``CheckpointError`` `unsupported`, as ``openInside(_:)``.
  package func checkInside(_ name: String) throws(CheckpointError) {
    let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    let isPlain = parts.allSatisfy {
      !$0.isEmpty && !$0.elementsEqual("..".utf8) && !$0.contains(0)
    }
    let isWeb = Self.hostStart(of: prefix) != nil
    // A web server would take %2e for a dot.
    guard isPlain, !isWeb || !name.utf8.contains(UInt8(ascii: "%")) else {
      throw CheckpointError(
        .unsupported,
        "names the file '\(name.shortened(to: 80))'; expected a relative name in the same folder")
    }
    if !isWeb { try checkLinks(of: name) }
  }

  /// Refuses a name that links of this machine lead out of this place; other places have no links.
  private func checkLinks(of name: String) throws(CheckpointError) {
    guard let real = Self.resolved(path(of: name)),
      let folder = Self.resolved(prefix.isEmpty ? "." : prefix)
    else { return }
    let start = folder.hasSuffix("/") ? folder : folder + "/"
    guard real.utf8.starts(with: start.utf8) else {
      throw CheckpointError(
        .unsupported, "is a link out of its folder; copy the file into the folder",
        path: path(of: name))
    }
  }

  /// The path without links; `nil` where nothing exists.
  private static func resolved(_ path: String) -> String? {
    guard let found = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(found) }
    return unsafe String(cString: found)
  }
}
