package import Ranks
package import TensorCore

/// Damage that no rank alone can see.
extension Ranks {
  /// Compares checksums of which each rank has read only some bytes; returns the errors of the
  /// tensors that are damaged, the same on every rank.
  package func damage(of entries: [Checkpoint.Entry]) throws -> [Int: CheckpointError] {
    guard size > 1, let isDamaged = try joinSums() else { return [:] }
    var writer = RecordWriter()
    if isDamaged {
      for (index, entry) in entries.enumerated() where entry.info.byteCount > 0 {
        // What is damaged is known by now: any byte of it is refused.
        var buffer = ChunkBuffer(capacity: 1)
        do {
          _ = try entry.read(0, 1, using: &buffer)
        } catch {
          writer.add(index)
          writer.add(error as? CheckpointError ?? CheckpointError(.system, "\(error)"))
        }
      }
    }
    var errors: [Int: CheckpointError] = [:]
    for part in try exchange("damage", writer.bytes) {
      var reader = RecordReader(part)
      while !reader.isAtEnd {
        let index = reader.integer()
        let error = reader.error()
        if errors[index] == nil { errors[index] = error }
      }
    }
    return errors
  }

  /// Throws the error of the first damaged tensor.
  package func requireSound(_ entries: [Checkpoint.Entry]) throws {
    if let first = try damage(of: entries).min(by: { $0.key < $1.key }) { throw first.value }
  }
}
