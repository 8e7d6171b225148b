import ByteIO
import Synchronization
import TensorCore

/// A file of parts, opened when the first of them is read.
final class DistributedFile: Sendable {
  /// Its name in the folder.
  let name: String
  private let place: Place
  private let index: ByteSource
  private let opened: Mutex<ByteSource?> = Mutex(nil)

  /// Describes a file that `index`, the metadata, names.
  init(_ name: String, in place: Place, index: ByteSource) {
    (self.name, self.place, self.index) = (name, place, index)
  }

  func open() throws(CheckpointError) -> ByteSource {
    try opened.withLock { opened throws(CheckpointError) in
      if let opened { return opened }
      let file = try place.open(name)
      // The metadata are set aside while files are replaced.
      try index.confirmCurrent()
      opened = file
      return file
    }
  }
}
