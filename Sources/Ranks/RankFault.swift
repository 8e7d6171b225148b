package import TensorCore

/// What went wrong on a rank, as the others learn of it.
package struct RankFault: Sendable, Equatable {
  /// The number of the item at which it happened: of several faults the first item's counts.
  package var item: Int
  /// The error.
  package var error: CheckpointError
  /// The exit status that it leads to.
  package var status: Int32

  /// A fault at an item, or at none, which comes last.
  package init(_ error: any Error, item: Int = .max, status: Int32 = 2) {
    self.item = item
    self.error = error as? CheckpointError ?? CheckpointError(.system, "\(error)")
    self.status = status
  }

  /// Of two faults that of the earlier item.
  package static func first(_ one: Self?, _ other: Self?) -> Self? {
    guard let one, let other else { return one ?? other }
    return other.item < one.item ? other : one
  }

  func record(host: String) -> [UInt8] {
    var writer = RecordWriter()
    writer.add(item)
    writer.add(status)
    writer.add(error)
    writer.add(host)
    return writer.bytes
  }

  /// The fault that counts, of those of all ranks; `nil` where a rank has none.
  ///
  /// An error of the system that not every rank has is one of a machine, which is then named.
  static func chosen(of records: [[UInt8]?], isLocated: Bool) -> RankFault? {
    var found: [(rank: Int, fault: RankFault, host: String)] = []
    for (rank, record) in records.enumerated() {
      guard let record else { continue }
      var reader = RecordReader(record)
      let item = reader.integer()
      let status = reader.integer(Int32.self)
      found.append((rank, RankFault(reader.error(), item: item, status: status), reader.text()))
    }
    // Of equal items the first in the list, which is the lowest rank's.
    guard var chosen = found.min(by: { $0.fault.item < $1.fault.item }) else { return nil }
    let isCommon =
      found.count == records.count
      && found.allSatisfy { $0.fault.error == chosen.fault.error }
    if isLocated, !isCommon {
      chosen.fault.error.locate(rank: chosen.rank, of: records.count, host: chosen.host)
    }
    return chosen.fault
  }
}

extension CheckpointError {
  /// Says on which rank and machine the system refused; other errors are the same everywhere.
  package mutating func locate(rank: Int, of size: Int, host: String) {
    guard code == .system, !message.contains(" (rank ") else { return }
    var error = CheckpointError(
      code, "\(message) (rank \(rank) of \(size) on \(host))", path: path, tensor: tensor,
      offset: offset)
    error.systemNumber = systemNumber
    self = error
  }
}

extension RecordWriter {
  /// Adds an error.
  package mutating func add(_ error: CheckpointError) {
    add(error.code.rawValue)
    add(error.message)
    add(error.path) { $1.add($0) }
    add(error.tensor) { $1.add($0) }
    add(error.offset) { $1.add($0) }
    add(error.systemNumber) { $1.add($0) }
  }
}

extension RecordReader {
  /// The next error.
  package mutating func error() -> CheckpointError {
    let code = CheckpointError.Code(rawValue: text()) ?? .system
    let message = text()
    let path = optional { $0.text() }
    let tensor = optional { $0.text() }
    let offset = optional { $0.integer() }
    var error = CheckpointError(code, message, path: path, tensor: tensor, offset: offset)
    error.systemNumber = optional { $0.integer(Int32.self) }
    return error
  }
}
