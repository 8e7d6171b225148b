import CheckpointKit

/// What reading tensors has shown, or why it could not be read.
enum Outcome<Value: Sendable>: Sendable {
  case found(Value)
  case failed(String)

  init(_ body: () throws -> Value) throws {
    do {
      self = .found(try body())
    } catch let error as CheckpointError {
      self = .failed(error.description)
    }
  }
}

/// The figures of one tensor, or of a pair of tensors.
struct BrowserMeasurement: Sendable {
  var first: Outcome<TensorStatistics>?
  var second: Outcome<TensorStatistics>?
  /// How far a pair of one shape is apart.
  var difference: Outcome<TensorDifference>?

  /// Reads the tensors of an item.
  init(of item: BrowserItem) throws {
    if let entry = item.first { first = try Outcome { try TensorStatistics(of: entry) } }
    if let entry = item.second { second = try Outcome { try TensorStatistics(of: entry) } }
    if let left = item.first, let right = item.second, left.info.shape == right.info.shape {
      difference = try Outcome { try TensorDifference(between: left, and: right) }
    }
  }
}

/// Which values of a tensor are wanted: a rectangle of its rows and columns.
struct ValueRequest: Equatable, Sendable {
  let item: Int
  /// Elements per row.
  let pitch: Int
  let rows: Range<Int>
  let columns: Range<Int>
}

/// Values as text, row by row.
struct ValueBlock: Sendable {
  let request: ValueRequest
  let first: Outcome<[[String]]>?
  let second: Outcome<[[String]]>?

  init(_ request: ValueRequest, of item: BrowserItem) throws {
    self.request = request
    first = try item.first.map { entry in try Outcome { try entry.texts(request) } }
    let isAlike = item.first.map { $0.info.shape == item.second?.info.shape } ?? true
    second =
      try isAlike ? item.second.map { entry in try Outcome { try entry.texts(request) } } : nil
  }
}

extension Checkpoint.Entry {
  /// Reads the elements of a request row by row; what lies outside the tensor is left out.
  fileprivate func texts(_ request: ValueRequest) throws -> [[String]] {
    guard info.dtype.isComputable else {
      throw CheckpointError(
        .unsupported,
        "elements of \(info.dtype.rawValue) are stored in blocks, whose values cannot be read")
    }
    let width = info.dtype.byteWidth
    var buffer = ChunkBuffer(capacity: request.columns.count.saturated(times: width))
    return try request.rows.map { row in
      let start = row.saturated(times: request.pitch)
      let low = min(start + request.columns.lowerBound, info.elementCount)
      let high = min(start + request.columns.upperBound, info.elementCount)
      if low >= high { return [] }
      let bytes = try read(
        low.saturated(times: width), (high - low).saturated(times: width), using: &buffer)
      return info.dtype.elementTexts(bytes)
    }
  }
}
