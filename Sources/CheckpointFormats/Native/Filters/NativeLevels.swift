import ByteIO
import TensorCore

/// Levels that rows and columns of a chunk have in common: what they are, and what they save.
///
/// A level is the mean of the upper 16 bits of rotated words that are not zero, rounded to quarters
/// of an octave of float32.
struct NativeLevels {
  /// Number of words in a row.
  let columnCount: Int
  /// Whether columns have levels, or only rows.
  let usesColumns: Bool
  /// What is added to all words, in sixteenths of an octave, so that residuals spread least.
  private let offset: Int
  /// 1/1024 bits that are saved per word.
  let gain: Int

  private static let maxRows = 32
  private static let maxColumns = 64

  /// Estimates the gain on a grid of 32 rows and 64 columns; `nil` if there are too few.
  init?(_ words: RawSpan, width: Int, columns: Int) {
    columnCount = columns
    let count = words.byteCount / width
    let rows = count / columns
    let (height, breadth) = (min(rows, Self.maxRows), min(columns, Self.maxColumns))
    guard height >= 8, breadth >= 4 else { return nil }
    let places = (0..<breadth).map { column in
      columns >= 128
        ? (columns - 16) * (column / 16) / 3 + column % 16
        : (columns - 1) * column / (breadth - 1)
    }
    var grid = [Int](repeating: 0, count: height * breadth)
    for row in 0..<height {
      let start = (rows - 1) * row / (height - 1) * columns
      for column in 0..<breadth {
        let word = words.word(start + places[column], width: width)
        grid[row * breadth + column] = Self.upper(word, width) >> 4
      }
    }
    let live = grid.count { $0 != 0 }
    guard live >= 512 else { return nil }
    let estimate = Estimate(grid, breadth: breadth)
    // A mean costs 1.5 bits in its plane, and each number that is stored five.
    let plain = estimate.bits(nil, shift: 0)
    let byRows = estimate.bits(false, shift: 0) + height * 3 / 2 + 5 * live / columns
    let byBoth =
      estimate.bits(true, shift: 0) + (height + breadth) * 3 / 2 + 5 * live / columns
      + 5 * live * columns / count
    usesColumns = byBoth < byRows
    gain = (plain - min(byRows, byBoth)) * 1024 / live
    guard gain > 20 else {
      offset = 0
      return
    }
    var best = (bits: Int.max, offset: 0)
    for offset in 0..<4 {
      let bits = estimate.bits(usesColumns, shift: 4 * offset)
      if bits < best.bits { best = (bits, offset) }
    }
    offset = best.offset
  }

  /// The upper 16 bits of a word, rotated.
  private static func upper(_ word: UInt64, _ width: Int) -> Int {
    let bits = UInt64(8 * width)
    let turned = word << 1 | word >> (bits - 1)
    return Int(turned >> (bits - 16) & 0xffff)
  }

  /// Sizes of the top bytes of a grid.
  private struct Estimate {
    /// Row by row; 0 does not count.
    private let grid: [Int]
    private let breadth: Int
    /// Means, to quarters of an octave.
    private var rowLevels: [Int] = []
    private var columnLevels: [Int] = []

    init(_ grid: [Int], breadth: Int) {
      self.grid = grid
      self.breadth = breadth
      var (sums, lives) = (
        [Int](repeating: 0, count: breadth), [Int](repeating: 0, count: breadth)
      )
      for start in stride(from: 0, to: grid.count, by: breadth) {
        var (sum, live) = (0, 0)
        for index in start..<start + breadth where grid[index] != 0 {
          sum += grid[index]
          live += 1
        }
        let mean = live > 0 ? sum / live : 0
        rowLevels.append(Self.rounded(mean))
        for column in 0..<breadth where grid[start + column] != 0 {
          sums[column] += grid[start + column] - mean
          lives[column] += 1
        }
      }
      columnLevels = zip(sums, lives).map { Self.rounded($1 > 0 ? $0 / $1 : 0) }
    }

    /// Bits of an ideal code; `nil` for words as they are, else without the means of rows, and perhaps
    /// of columns.
    func bits(_ usesColumns: Bool?, shift: Int) -> Int {
      var bytes: [UInt8] = []
      bytes.reserveCapacity(grid.count)
      for (row, rowLevel) in rowLevels.enumerated() {
        let level = usesColumns == nil ? 0 : 2048 + shift - rowLevel
        for column in 0..<breadth where grid[row * breadth + column] != 0 {
          let columnLevel = usesColumns == true ? columnLevels[column] : 0
          bytes.append(
            UInt8(truncatingIfNeeded: (grid[row * breadth + column] + level - columnLevel) >> 4))
        }
      }
      return FixedLogarithm.entropy(of: bytes.rawBytes).bits
    }

    private static func rounded(_ mean: Int) -> Int { (mean + 2) & ~3 }
  }

  // MARK: - Fitting

  /// The levels of all rows and columns of a chunk.
  func fit(_ words: RawSpan, width: Int) -> (rows: [UInt16], columns: [UInt16]) {
    var sums = WordLevels.Sums()
    sums.add(words, width: width, columns: columnCount)
    let total = sums.rowSums.reduce(0) { $0 + Int($1) }
    let live = sums.rowCounts.reduce(0) { $0 + Int($1) }
    let mean = live > 0 ? total / live : 0
    let rows = zip(sums.rowSums, sums.rowCounts).map { sum, count in
      let level = count > 0 ? Int(sum / count) : mean
      return UInt16(truncatingIfNeeded: Self.quarters(level) - 0x8000 - 64 * offset)
    }
    let columns = zip(sums.columnSums, sums.columnCounts).map { sum, count in
      let level = usesColumns && count > 0 ? Int(sum / count) - mean : 0
      return UInt16(truncatingIfNeeded: Self.quarters(level))
    }
    return (rows, columns)
  }

  private static func quarters(_ level: Int) -> Int { (level + 32) & ~63 }
}
