/// A dense matrix of `float64`, row after row.
struct Matrix {
  let rows: Int
  let columns: Int
  private(set) var elements: [Double]

  /// Makes a matrix of its row-major elements.
  init(rows: Int, columns: Int, elements: [Double]) {
    precondition(elements.count == rows * columns, "another number of elements")
    self.rows = rows
    self.columns = columns
    self.elements = elements
  }

  var transposed: Matrix {
    var result = [Double](repeating: 0, count: elements.count)
    for row in 0..<rows {
      for column in 0..<columns { result[column * rows + row] = elements[row * columns + column] }
    }
    return Matrix(rows: columns, columns: rows, elements: result)
  }

  /// The Q of `self` = QR with a positive diagonal of R, as many columns as `self`.
  ///
  /// Column by column, a Householder reflection I - v vᵀ (with |v|² = 2) zeroes what lies below the
  /// diagonal; Q is the product of the reflections, applied to the identity from last to first. Where
  /// R's diagonal is negative the column of Q is negated, as PyTorch does (`q *= diag(r).sign()`).
  ///
  /// Requires `rows >= columns`. Both passes over the matrix run along its
  /// rows, so that no sum is reordered and the loops still vectorize.
  /// Source: Golub and Van Loan, *Matrix Computations*, 5.1 and 5.2.
  func orthonormalColumns() -> Matrix {
    precondition(rows >= columns, "a wide matrix has no orthonormal columns")
    var reduced = self
    var reflectors: [(vector: [Double], isNegative: Bool)] = []
    for column in 0..<columns {
      var vector = (column..<rows).map { reduced.elements[$0 * columns + column] }
      let head = vector[0]
      let largest = vector.reduce(0) { max($0, abs($1)) }
      // Scaled by the largest element, so that no square overflows or vanishes.
      let norm =
        largest == 0
        ? 0 : largest * vector.reduce(0) { $0 + ($1 / largest) * ($1 / largest) }.squareRoot()
      // The reflection maps the column to -sign(head)·norm: head and norm are added with the same
      // sign, so nothing cancels.
      vector[0] = head + (head < 0 ? -norm : norm)
      let length = vector.reduce(0) { $0 + $1 * $1 }
      if length > 0 {
        let scale = (2 / length).squareRoot()
        for index in vector.indices { vector[index] *= scale }
      }
      // Columns before this one are finished: below the diagonal they are zero.
      reduced.reflect(vector, fromColumn: column)
      reflectors.append((vector, head >= 0))
    }
    var result = Matrix(
      rows: rows, columns: columns, elements: [Double](repeating: 0, count: elements.count))
    for index in 0..<columns { result.elements[index * columns + index] = 1 }
    for column in (0..<columns).reversed() {
      result.reflect(reflectors[column].vector, fromColumn: column)
    }
    for index in result.elements.indices where reflectors[index % columns].isNegative {
      result.elements[index].negate()
    }
    return result
  }

  /// Subtracts `vector · (vectorᵀ · self)` from the lower right part of the matrix that begins at
  /// `column` and at the row that leaves `vector.count` rows.
  private mutating func reflect(_ vector: [Double], fromColumn column: Int) {
    let first = rows - vector.count
    let width = columns - column
    var sums = [Double](repeating: 0, count: width)
    for (index, factor) in vector.enumerated() {
      Self.add(
        elements.span.extracting(start(first + index, column, width)), times: factor, to: &sums)
    }
    for (index, factor) in vector.enumerated() {
      let range = start(first + index, column, width)
      var all = elements.mutableSpan
      var row = all._mutatingExtracting(range)
      for offset in row.indices { row[offset] -= factor * sums[offset] }
    }
  }

  private func start(_ row: Int, _ column: Int, _ width: Int) -> Range<Int> {
    row * columns + column..<row * columns + column + width
  }

  private static func add(_ row: Span<Double>, times factor: Double, to sums: inout [Double]) {
    var target = sums.mutableSpan
    for offset in target.indices { target[offset] += factor * row[offset] }
  }
}
