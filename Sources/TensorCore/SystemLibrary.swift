import Glibc

/// A library of the system that is loaded when it is first needed, so that the program starts without
/// it.
///
/// Names are constants of this program; nothing in a file chooses what is loaded.
package enum SystemLibrary {
  /// The function of a name, as `type`, which must be its C type.
  ///
  /// - Throws: ``CheckpointError`` `unsupported`: the library, or the function in it, is missing.
  package static func function<Function>(
    _ name: String, of library: String, package: String, as type: Function.Type
  ) throws(CheckpointError) -> Function {
    let (handle, _) = try unsafe open([library], package: package)
    guard let symbol = unsafe dlsym(handle, name) else {
      throw lacks(name, library, package)
    }
    return unsafe unsafeBitCast(symbol, to: type)
  }

  /// Loads the first of these libraries that is installed; `find` gets its handle, and returns the
  /// name of a function that it lacks.
  ///
  /// - Throws: ``CheckpointError`` `unsupported`, as ``function(_:of:package:as:)``.
  package static func load(
    _ libraries: [String], package: String,
    find: (UnsafeMutableRawPointer) -> UnsafePointer<CChar>?
  ) throws(CheckpointError) {
    let (handle, library) = try unsafe open(libraries, package: package)
    guard let name = unsafe find(handle) else { return }
    throw unsafe lacks(String(cString: name), library, package)
  }

  /// The first library that can be loaded, and its name.
  ///
  /// One that is there and cannot be loaded is an error of its own, with the loader's words.
  private static func open(
    _ libraries: [String], package: String
  ) throws(CheckpointError) -> (handle: UnsafeMutableRawPointer, library: String) {
    for library in libraries {
      if let handle = unsafe dlopen(library, RTLD_NOW | RTLD_LOCAL) {
        return unsafe (handle, library)
      }
      let reason = unsafe dlerror().map { unsafe String(cString: $0) } ?? ""
      // The loader's words for a file that is nowhere; for others, one it needs may be the missing one.
      let isMissing =
        reason.hasPrefix("\(library):") && reason.hasSuffix("No such file or directory")
      if !isMissing {
        throw CheckpointError(.unsupported, "needs \(library), which cannot be loaded: \(reason)")
      }
    }
    throw CheckpointError(
      .unsupported,
      "needs \(libraries.joined(separator: " or ")), which is not installed; Debian's package is "
        + package)
  }

  private static func lacks(_ name: String, _ library: String, _ package: String) -> CheckpointError
  {
    CheckpointError(
      .unsupported,
      "needs the function \(name), which the installed \(library) does not have; upgrade "
        + "\(package)")
  }
}
