import CKernels

/// A Reed-Solomon code over GF(2^8): parity bytes that restore as many lost bytes as there are of them.
///
/// Row *i* of its matrix holds 1/(*x* + *y*) for *x* = 255 - *i* and each column *y*: a Cauchy matrix, of
/// which every square part can be inverted.
/// Source: Blömer and others, "An XOR-based erasure-resilient coding scheme" (1995).
package struct ReedSolomon: Sendable {
  /// Number of data bytes of a word of the code.
  package let columns: Int
  /// Number of its parity bytes.
  package let shards: Int
  /// The matrix, row by row.
  private let factors: [UInt8]

  /// Most bytes of a word, data and parity.
  package static let maxLength = 256

  /// What the kernel multiplies with.
  private static let tables: [UInt8] = {
    var tables = [UInt8](repeating: 0, count: 256 * 32)
    unsafe tables.withUnsafeMutableBufferPointer { unsafe ckpt_parity_tables($0.baseAddress) }
    return tables
  }()
  private static let inverses: [UInt8] = {
    var inverses = [UInt8](repeating: 0, count: 256)
    for value in 1...255 {
      let inverse = (1...255).first { product(UInt8(value), UInt8($0)) == 1 } ?? 0
      inverses[value] = UInt8(inverse)
    }
    return inverses
  }()

  /// A code of at most ``maxLength`` bytes a word.
  package init(columns: Int, shards: Int) {
    precondition(columns > 0 && shards > 0 && columns + shards <= Self.maxLength, "a longer word")
    (self.columns, self.shards) = (columns, shards)
    var factors: [UInt8] = []
    for shard in 0..<shards {
      for column in 0..<columns { factors.append(Self.factor(shard, column)) }
    }
    self.factors = factors
  }

  /// An element of the matrix.
  package static func factor(_ shard: Int, _ column: Int) -> UInt8 {
    inverses[(255 - shard) ^ column]
  }

  /// The product of polynomials modulo x^8 + x^4 + x^3 + x + 1.
  package static func product(_ one: UInt8, _ other: UInt8) -> UInt8 {
    let table = 32 * Int(one)
    return tables[table + Int(other & 15)] ^ tables[table + 16 + Int(other >> 4)]
  }

  // MARK: - Sums

  /// Rows of bytes of equal length in one span.
  package struct Rows {
    /// How far the first bytes of neighbors are apart.
    package let stride: Int
    /// Number of bytes of each.
    package let count: Int

    package init(stride: Int, count: Int) { (self.stride, self.count) = (stride, count) }

    fileprivate func size(_ rows: Int) -> Int { rows == 0 ? 0 : (rows - 1) * stride + count }
  }

  /// Writes all parity of the data in `sources`.
  package func encode(
    _ sources: RawSpan, _ rows: Rows, into targets: inout MutableRawSpan, stride: Int
  ) {
    Self.sum(factors, columns, sources, rows, into: &targets, stride: stride)
  }

  /// Writes the sums of `columns` sources times a matrix of factors.
  package static func sum(
    _ factors: [UInt8], _ columns: Int, _ sources: RawSpan, _ rows: Rows,
    into targets: inout MutableRawSpan, stride: Int
  ) {
    let count = factors.count / columns
    precondition(
      count * columns == factors.count && rows.size(columns) <= sources.byteCount
        && Rows(stride: stride, count: rows.count).size(count) <= targets.byteCount
        && rows.count <= min(rows.stride, stride), "rows reach out of their memory")
    let set = ckpt_parity_best()
    unsafe sources.withUnsafeBytes { sources in
      var described = unsafe ckpt_parity_sources(
        bytes: sources.firstByte, stride: rows.stride, columns: columns, count: rows.count)
      unsafe targets.withUnsafeMutableBytes { targets in
        unsafe ckpt_parity_sum(
          set, tables, factors, &described, targets.firstByte, stride, count)
      }
    }
  }

  // MARK: - Restoring

  /// The factors that give lost columns of data as sums of all columns, the lost ones taken as anything,
  /// and of as many intact parity bytes, which follow the columns.
  package func restoration(of lost: [Int], from intact: [Int]) -> [UInt8] {
    precondition(lost.count == intact.count, "one parity byte restores one data byte")
    let inverse = Self.inverse(
      intact.map { shard in lost.map { Self.factor(shard, $0) } })
    let missing = Set(lost)
    var result: [UInt8] = []
    for row in inverse {
      for column in 0..<columns {
        guard !missing.contains(column) else {
          result.append(0)
          continue
        }
        var sum: UInt8 = 0
        for (factor, shard) in zip(row, intact) {
          sum ^= Self.product(factor, Self.factor(shard, column))
        }
        result.append(sum)
      }
      result += row
    }
    return result
  }

  /// The inverse of a matrix that has one, by elimination.
  private static func inverse(_ matrix: [[UInt8]]) -> [[UInt8]] {
    var (left, right) = (matrix, matrix)
    for row in right.indices {
      for column in right.indices { right[row][column] = row == column ? 1 : 0 }
    }
    for pivot in left.indices {
      // Some row has a factor here, since the matrix has an inverse.
      guard let row = left.indices.first(where: { $0 >= pivot && left[$0][pivot] != 0 }) else {
        preconditionFailure("a matrix without inverse")
      }
      left.swapAt(pivot, row)
      right.swapAt(pivot, row)
      let scale = inverses[Int(left[pivot][pivot])]
      left[pivot] = left[pivot].map { product(scale, $0) }
      right[pivot] = right[pivot].map { product(scale, $0) }
      for row in left.indices where row != pivot && left[row][pivot] != 0 {
        let factor = left[row][pivot]
        for column in left.indices {
          left[row][column] ^= product(factor, left[pivot][column])
          right[row][column] ^= product(factor, right[pivot][column])
        }
      }
    }
    return right
  }
}
