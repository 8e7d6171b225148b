import ByteIO
import Synchronization
import TensorCore

/// A file of parts, opened when the first of them is read.
final class DistributedFile: Sendable {
  /// Its name in the folder.
  let name: String
  private let place: Place
  private let opened: Mutex<ByteSource?> = Mutex(nil)

  init(_ name: String, in place: Place) { (self.name, self.place) = (name, place) }

  func open() throws(CheckpointError) -> ByteSource {
    try opened.withLock { opened throws(CheckpointError) in
      if let opened { return opened }
      let file = try place.open(name)
      opened = file
      return file
    }
  }
}
