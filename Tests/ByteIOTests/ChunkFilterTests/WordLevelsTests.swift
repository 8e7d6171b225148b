import ByteIO
import TestSupport
import Testing

@Suite struct WordLevelsTests {
  static let columns = [1, 4, 5, 9, 16, 64, 100, 1000, 5000]

  /// Levels for words in rows of `columns`.
  private func levels(_ count: Int, _ columns: Int) -> (rows: [UInt16], columns: [UInt16]) {
    func numbers(_ count: Int, seed: UInt64) -> [UInt16] {
      noise(2 * count, seed: seed).words(width: 2).map { UInt16($0) }
    }
    return (numbers((count + columns - 1) / columns, seed: 1), numbers(columns, seed: 2))
  }

  private func rotated(_ word: UInt64, width: Int) -> UInt64 {
    cut(word << 1, width: width) | word >> UInt64(8 * width - 1)
  }

  @Test(arguments: FilterWords.leveled)
  func `levels are subtracted as defined, and added again`(_ sample: FilterWords) {
    let width = sample.width
    for (count, columns) in zip(
      filterCounts + [4097, 4097], Self.columns + Self.columns + [4, 64])
    {
      let words = sample.words(count)
      let levels = levels(count, columns)
      let expected = zip(0..., words).map { index, word in
        let level = levels.rows[index / columns] &+ levels.columns[index % columns]
        return cut(
          rotated(word, width: width) &- UInt64(level) << UInt64(8 * width - 16), width: width)
      }
      var bytes = [UInt8](count: count * width) { target in
        WordLevels.subtract(
          words.bytes(width: width).rawBytes, width: width, rows: levels.rows,
          columns: levels.columns, into: &target)
      }
      #expect(bytes == expected.bytes(width: width), "\(count) in \(columns)")
      bytes.fillBytes {
        WordLevels.add(&$0, width: width, rows: levels.rows, columns: levels.columns)
      }
      #expect(bytes == words.bytes(width: width), "\(count) in \(columns)")
    }
  }

  @Test(arguments: FilterWords.leveled)
  func `levels are added to dense words`(_ sample: FilterWords) {
    let width = sample.width
    for (count, columns) in zip(filterCounts, Self.columns + Self.columns) {
      let bytes = sample.words(count).bytes(width: width)
      let parts = SparseParts(bytes, width: width)
      let levels = levels(count, columns)
      let all = [UInt8](count: bytes.count) { target in
        WordLevels.subtract(
          bytes.rawBytes, width: width, rows: levels.rows, columns: levels.columns, into: &target)
      }
      var dense = [UInt8](repeating: 0, count: bytes.count)
      let present = dense.fillBytes { target in
        SparseWords.pick(all.rawBytes, width: width, mask: parts.mask.rawBytes, into: &target)
      }
      dense.removeLast(dense.count - present * width)
      dense.fillBytes { dense in
        WordLevels.add(
          &dense, mask: parts.mask.rawBytes, of: count, width: width, rows: levels.rows,
          columns: levels.columns)
      }
      #expect(dense == parts.dense, "\(count) in \(columns)")
    }
  }

  @Test(arguments: FilterWords.leveled)
  func `sums are those of the upper bits`(_ sample: FilterWords) {
    let width = sample.width
    var sums = WordLevels.Sums()
    for (count, columns) in zip(filterCounts, Self.columns + Self.columns) {
      let words = sample.words(count)
      let rows = (count + columns - 1) / columns
      var rowSums = [UInt32](repeating: 0, count: rows)
      var rowCounts = rowSums
      var columnSums = [UInt32](repeating: 0, count: columns)
      var columnCounts = columnSums
      for (index, word) in words.enumerated() {
        // Rotated, with 0 for the sign.
        let magnitude = cut(word << 1, width: width)
        if magnitude == 0 { continue }
        let upper = UInt32(magnitude >> UInt64(8 * width - 16))
        rowSums[index / columns] += upper
        rowCounts[index / columns] += 1
        columnSums[index % columns] += upper
        columnCounts[index % columns] += 1
      }
      sums.add(words.bytes(width: width).rawBytes, width: width, columns: columns)
      #expect(sums.rowSums == rowSums, "\(count) in \(columns)")
      #expect(sums.rowCounts == rowCounts, "\(count) in \(columns)")
      #expect(sums.columnSums == columnSums, "\(count) in \(columns)")
      #expect(sums.columnCounts == columnCounts, "\(count) in \(columns)")
    }
  }
}
