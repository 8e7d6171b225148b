import CheckpointFormats
import Synchronization
import TensorCore

/// Tensors with their axes moved, made a band of rows at a time.
///
/// A row of a transposed matrix lies scattered over all of the source. Many rows are gathered at once
/// and kept for a while, so that each piece of the source that is read is worth a read.
final class KerasBands: Sendable {
  /// Bytes of a band.
  private static let size = 4 << 20

  private let store = HDF5BlockStore()
  private let count = Atomic<UInt64>(0)

  /// The same tensor with its axes in another order, as `Checkpoint.Entry.permuted`.
  func permuted(
    _ entry: Checkpoint.Entry, _ axes: [Int]
  ) throws(CheckpointError) -> Checkpoint.Entry {
    let moved = try entry.permuted(axes)
    let total = moved.info.byteCount
    if axes == Array(axes.indices) || total <= ChunkBuffer.standardSize { return moved }
    let number = count.wrappingAdd(1, ordering: .relaxed).newValue
    return Checkpoint.Entry(name: moved.name, info: moved.info) { [store] range, target in
      var offset = range.lowerBound
      while offset < range.upperBound {
        let start = offset / Self.size * Self.size
        let end = min(start + Self.size, total)
        let count = min(end, range.upperBound) - offset
        let place = offset - range.lowerBound
        var part = target._mutatingExtracting(place..<place + count)
        try store.copy(
          offset - start..<offset - start + count,
          of: .init(address: number, offset: start), size: end - start, into: &part
        ) { band throws(CheckpointError) in
          do {
            try moved.read(start..<end, into: &band)
          } catch let error as CheckpointError {
            throw error
          } catch {
            throw CheckpointError(.unreadable, "\(error)")
          }
        }
        offset += count
      }
    }
  }
}
