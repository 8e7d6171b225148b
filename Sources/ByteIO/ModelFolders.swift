import Glibc
import TensorCore

/// The folders in which the files of a model are, without links: whatever a name in a file or in a
/// folder leads to must be in one of them.
///
/// These are the model's own folder and the one that its main file leads to, so that a set of links
/// into one other folder is read. Of a snapshot in Hugging Face's cache it is also `blobs`, to which
/// all of its files are links (huggingface_hub, `file_download.py`).
package struct ModelFolders: Sendable {
  /// Real paths that end in a slash; empty in places that have no links.
  private let folders: [String]

  /// The folders of the model that a folder holds, or a file and those beside it.
  package init(of folder: Place, file: String? = nil) {
    var folders: [String] = []
    if folder.isLocal {
      if let own = Self.resolved(folder.prefix.isEmpty ? "." : folder.prefix) {
        folders += [own] + Self.blobs(ofSnapshot: own)
      }
      if let file, let real = Self.resolved(folder.path(of: file)) {
        folders.append(Place.divided(real).folder)
      }
    }
    self.folders = folders.map { $0.hasSuffix("/") ? $0 : $0 + "/" }
  }

  /// The folder `MODEL/blobs` of a folder in `MODEL/snapshots/REVISION`.
  private static func blobs(ofSnapshot folder: String) -> [String] {
    let parts = folder.split(separator: "/")
    guard let index = parts.lastIndex(of: "snapshots"), index > 0, index + 1 < parts.count else {
      return []
    }
    return ["/" + parts[..<index].joined(separator: "/") + "/blobs"]
  }

  /// Refuses a name unless it is a relative one that leads into these folders.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` for an absolute name, for one with `..` in it, and for
  ///   a link that leads elsewhere.
  func check(_ name: String, in place: Place) throws(CheckpointError) {
    if name.isEmpty { return }
    let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    let isPlain = parts.allSatisfy {
      !$0.isEmpty && !$0.elementsEqual("..".utf8) && !$0.contains(0)
    }
    let isWeb = Place.hostStart(of: place.prefix) != nil
    // A web server would take these for a dot or a slash.
    let codes = ["%2e", "%2f", "%5c"]
    guard isPlain, !isWeb || !codes.contains(where: name.lowercased().contains) else {
      throw CheckpointError(
        .unsupported,
        "names the file '\(name.shortened(to: 80))'; expected a relative name in the same folder")
    }
    guard place.isLocal, let real = Self.resolved(place.path(of: name)),
      !folders.contains(where: { real.utf8.starts(with: $0.utf8) })
    else { return }
    throw CheckpointError(
      .unsupported,
      "is a link to '\(real)', outside of the model's folder; copy the file into the folder",
      path: place.path(of: name))
  }

  /// The path without links; `nil` where nothing exists.
  private static func resolved(_ path: String) -> String? {
    guard let found = unsafe realpath(path.systemPath, nil) else { return nil }
    defer { unsafe free(found) }
    return unsafe String(pathOf: found)
  }
}
