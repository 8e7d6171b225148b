import Glibc
package import TensorCore

/// A library of the system that is loaded when it is first needed, so that the program starts without
/// it.
///
/// Names are constants of this program; nothing in a file chooses what is loaded.
package enum SystemLibrary {
  /// The function of a name, as `type`, which must be its C type.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` with Debian's name of the package.
  package static func function<Function>(
    _ name: String, of library: String, package: String, as type: Function.Type
  ) throws(CheckpointError) -> Function {
    guard let handle = unsafe dlopen(library, RTLD_NOW | RTLD_LOCAL),
      let symbol = unsafe dlsym(handle, name)
    else {
      throw CheckpointError(
        .unsupported, "needs \(library), which is not installed; Debian's package is \(package)")
    }
    return unsafe unsafeBitCast(symbol, to: type)
  }
}
