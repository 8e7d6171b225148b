import TensorCore

/// Entries made of parts of others: split, joined, reordered, and reshaped, nothing read.
extension Checkpoint.Entry {
  /// A run of bytes of a tensor.
  struct Piece {
    let source: Checkpoint.Entry
    let bytes: Range<Int>
  }

  /// A tensor assembled from pieces of others as it is read; the pieces must have
  /// the number of bytes that `info` gives.
  init(name: TensorName, info: TensorInfo, pieces: [Piece]) {
    var starts: [Int] = []
    var end = 0
    for piece in pieces {
      starts.append(end)
      end += piece.bytes.count
    }
    precondition(end == info.byteCount, "pieces of \(end) bytes for \(info.byteCount)")
    self.init(name: name, info: info) { [starts] range, target in
      for (piece, start) in zip(pieces, starts) {
        let wanted = range.clamped(to: start..<start + piece.bytes.count)
        if wanted.isEmpty { continue }
        let from = piece.bytes.lowerBound + wanted.lowerBound - start
        let offset = wanted.lowerBound - range.lowerBound
        var part = target._mutatingExtracting(offset..<offset + wanted.count)
        try piece.source.read(from..<from + wanted.count, into: &part)
      }
    }
  }

  /// Part `index` of `count` equal parts along the first axis.
  func part(_ index: Int, of count: Int) throws(CheckpointError) -> Checkpoint.Entry {
    if count == 1 { return self }
    guard let rows = info.shape.first, rows % count == 0 else {
      throw CheckpointError(
        .mismatched,
        "expected a first axis that divides into \(count) equal parts, found shape \(info.shape)",
        tensor: name.text)
    }
    let new = try TensorInfo(dtype: info.dtype, shape: [rows / count] + info.shape.dropFirst())
    let start = index * new.byteCount
    return Checkpoint.Entry(
      name: name, info: new, pieces: [Piece(source: self, bytes: start..<start + new.byteCount)])
  }

  /// The first axis cut into equal blocks, and block `order[i]` put at index `i`.
  func reordered(_ order: [Int]) throws(CheckpointError) -> Checkpoint.Entry {
    if order == Array(order.indices) { return self }
    let parts = try order.map { index throws(CheckpointError) in try part(index, of: order.count) }
    return try Self.joined(parts, name: name)
  }

  /// Tensors of one type concatenated along the first axis.
  static func joined(
    _ parts: [Checkpoint.Entry], name: TensorName
  ) throws(CheckpointError) -> Checkpoint.Entry {
    guard let first = parts.first else {
      throw CheckpointError(.missing, "no parts", tensor: name.text)
    }
    if parts.count == 1 {
      var only = first
      only.name = name
      return only
    }
    var rows: [Int] = []
    for part in parts {
      guard part.info.dtype == first.info.dtype,
        part.info.shape.dropFirst() == first.info.shape.dropFirst(),
        let count = part.info.shape.first
      else {
        throw CheckpointError(
          .mismatched,
          "expected a tensor that can follow \(first.info.dtype.rawValue) \(first.info.shape), found "
            + "\(part.info.dtype.rawValue) \(part.info.shape)", tensor: part.name.text)
      }
      rows.append(count)
    }
    let info = try TensorInfo(
      dtype: first.info.dtype, shape: [rows.saturatedSum()] + first.info.shape.dropFirst())
    return Checkpoint.Entry(
      name: name, info: info,
      pieces: parts.map { Piece(source: $0, bytes: 0..<$0.info.byteCount) })
  }

  /// A tensor whose bytes are all zero.
  static func zeros(_ name: TensorName, _ info: TensorInfo) -> Checkpoint.Entry {
    Checkpoint.Entry(name: name, info: info) { _, target in target.fill([], from: 0) }
  }
}
