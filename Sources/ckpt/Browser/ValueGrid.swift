import CheckpointKit

/// How a tensor's elements are laid out in rows and columns: the last dimension along a row, and of a list as many as fit.
struct ValueGrid: Equatable {
  /// Elements per row.
  let pitch: Int
  let rowCount: Int
  /// Columns of the terminal for one element, the two spaces after it left out.
  let cellWidth: Int
  /// Columns of the terminal for the index before a row.
  let indexWidth: Int
  /// Elements of a row that fit at once, 1 or more.
  let shownColumns: Int
  private let shape: [Int]

  init(_ info: TensorInfo, width: Int) {
    shape = info.shape.sizes
    cellWidth = info.dtype.cellWidth
    let (cell, count) = (cellWidth + 2, info.elementCount)
    if shape.count > 1, let last = shape.last {
      pitch = max(last, 1)
      indexWidth = Self.text(shape.dropLast().map { max($0 - 1, 0) }).count
      shownColumns = min(max((width - indexWidth) / cell, 1), pitch)
    } else {
      indexWidth = "\(max(count - 1, 0))".count + 2
      let room = max((width - indexWidth) / cell, 1)
      // A number of elements whose multiples are easy to follow.
      pitch = [10, 8, 5, 4, 2].first { $0 <= room } ?? 1
      shownColumns = pitch
    }
    rowCount = count == 0 ? 0 : (count - 1) / pitch + 1
  }

  /// The index of a row's first element, as it is printed before the row: `[3, 0, :]`, or `[40]`.
  func index(ofRow row: Int) -> String {
    guard shape.count > 1 else { return "[\(row.saturated(times: pitch))]" }
    var (rest, index) = (row, [Int]())
    for size in shape.dropLast().reversed() {
      index.append(rest % max(size, 1))
      rest /= max(size, 1)
    }
    return Self.text(index.reversed())
  }

  private static func text(_ index: [Int]) -> String {
    "[\(index.map(String.init).joined(separator: ", ")), :]"
  }
}

extension DType {
  /// Columns for a value of the type.
  fileprivate var cellWidth: Int {
    if !isComputable { return 1 }
    if isFloatingPoint { return 10 }
    return byteWidth == 1 ? 5 : byteWidth == 2 ? 6 : byteWidth <= 8 ? 10 : 21
  }
}

extension String {
  /// A value as a cell shows it: whole if it is short, else with four significant digits.
  func cell(width: Int) -> String {
    if utf8.count <= min(width, 8) { return self }
    return (Double(self)?.short ?? self).withoutEnd(fitting: width)
  }
}
