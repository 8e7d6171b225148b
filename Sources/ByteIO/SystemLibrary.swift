import Glibc
package import TensorCore

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
    guard let handle = unsafe dlopen(library, RTLD_NOW | RTLD_LOCAL) else {
      throw CheckpointError(
        .unsupported, "needs \(library), which is not installed; Debian's package is \(package)")
    }
    guard let symbol = unsafe dlsym(handle, name) else {
      throw CheckpointError(
        .unsupported,
        "needs the function \(name), which the installed \(library) does not have; upgrade "
          + "\(package)")
    }
    return unsafe unsafeBitCast(symbol, to: type)
  }
}
