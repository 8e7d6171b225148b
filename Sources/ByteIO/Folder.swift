import Glibc
import TensorCore

/// Lists and makes local folders.
enum Folder {
  /// Largest number of names that are read from one folder.
  private static let limit = 1_000_000

  /// Makes a folder, unless it exists.
  ///
  /// - Throws: ``CheckpointError`` `system` when the system refuses, or something else has the name.
  static func make(_ path: String) throws(CheckpointError) {
    do throws(CheckpointError) {
      _ = try systemCall("create directory", path: path) { unsafe mkdir(path.systemPath, 0o777) }
    } catch {
      guard error.systemNumber == EEXIST,
        try FileStatus(path: path, followingLinks: true)?.isFolder == true
      else { throw error }
    }
  }

  /// Removes a file, or a folder with all that is in it, as far as the system lets.
  static func remove(_ path: String) {
    if unsafe unlink(path.systemPath) == 0 || errno == ENOENT { return }
    guard let status = try? FileStatus(path: path, followingLinks: false), status.isFolder else {
      return
    }
    for name in (try? names(in: path)) ?? [] { remove(path + "/" + name) }
    unsafe rmdir(path.systemPath)
  }

  /// The names in a folder except `.` and `..`, in the system's order.
  ///
  /// - Throws: ``CheckpointError`` `system` when the system refuses.
  static func names(in path: String) throws(CheckpointError) -> [String] {
    guard let folder = unsafe opendir(path.systemPath) else {
      throw .system(errno, nil, path: path)
    }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    while true {
      errno = 0  // the end of a folder and an error differ in nothing else
      guard let entry = unsafe readdir(folder) else {
        if errno != 0 { throw .system(errno, "list", path: path) }
        return names
      }
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { bytes in
        unsafe bytes.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(pathOf: $0) }
      }
      if name == "." || name == ".." { continue }
      names.append(name)
      guard names.count <= limit else {
        throw CheckpointError(.unsupported, "folder has more than \(limit) files", path: path)
      }
    }
  }
}
