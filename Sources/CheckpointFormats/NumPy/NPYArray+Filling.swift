import ByteIO
import Strided
import TensorCore

extension Checkpoint.Entry {
  /// The tensor as an array with this header stores its elements: in Fortran order, or with the most
  /// significant byte first, where the header says so.
  func stored(as header: NPYHeader) throws(CheckpointError) -> Checkpoint.Entry {
    let ordered =
      header.isFortranOrder ? try permuted(Array(info.shape.indices.reversed())) : self
    return header.isBigEndian ? ordered.swapped(info.dtype.element.wordWidth) : ordered
  }
}
