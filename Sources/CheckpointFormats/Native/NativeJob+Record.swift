import Ranks
import TensorCore

/// A job as other ranks get it.
extension NativeJob {
  /// Writes what was packed, without the bytes.
  func write(to record: inout RecordWriter) {
    record.add(packed.count)
    for piece in packed {
      record.add(piece.source)
      record.add(piece.filter.name)
      record.add(piece.range.lowerBound)
      record.add(piece.range.upperBound)
      record.add(piece.crc32)
      switch piece.sum {
      case .digest(let digest):
        record.add(true)
        record.add(digest.bytes)
      case .chainingValue(let value, let isLast):
        record.add(false)
        record.add(value)
        record.add(isLast)
      }
    }
  }

  /// Becomes a job of another rank.
  mutating func read(from record: inout RecordReader) {
    let pieces = (0..<record.integer()).map { _ in
      let source = record.integer()
      let name = record.text()
      guard let filter = NativeFilter(name: name) else {
        preconditionFailure("filter '\(name)' of another rank")
      }
      let start = record.integer()
      let range = start..<record.integer()
      let crc32 = record.integer(UInt32.self)
      let sum: Packed.Sum =
        record.truth()
        ? .digest(Digest(bytes: record.content()))
        : .chainingValue(record.content(), isLast: record.truth())
      return Packed(source: source, filter: filter, range: range, crc32: crc32, sum: sum)
    }
    become(pieces)
  }
}
