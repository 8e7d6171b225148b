package import ByteIO
import Glibc
import ParallelWork
import TensorCore

/// The path as errors show it: `standard input` for `-`.
package func displayPath(_ path: String) -> String { path == "-" ? "standard input" : path }

extension FileProbe {
  /// The file that an argument of the command names; `-` is standard input.
  ///
  /// - Throws: ``CheckpointError`` when it cannot be opened, or standard input is asked for twice.
  package static func argument(_ path: String) throws -> FileProbe {
    guard path == "-" else { return try FileProbe(path: path) }
    return try FileProbe(try ByteSource.standardInput(), in: Place.locate("").place)
  }
}
