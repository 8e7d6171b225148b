/// CRC-32 of a whole, put together from pieces that are read in any order.
struct PieceSums {
  private(set) var pieces: [(range: Range<Int>, sum: UInt32)] = []  // sorted, apart from each other

  /// Whether a piece was dropped, so that the sum of all cannot be told any more.
  private(set) var isIncomplete = false

  /// Largest number of separate pieces; further ones are dropped.
  ///
  /// One of several ranks reads a piece of each window.
  private static let most = 1 << 16

  /// Adds a piece, unless some of it is there already.
  mutating func add(_ range: Range<Int>, _ sum: UInt32) {
    if range.isEmpty { return }
    // Pieces come nearly in order: the index is sought from the end.
    var index = pieces.count
    while index > 0, pieces[index - 1].range.lowerBound >= range.lowerBound { index -= 1 }
    if index > 0, pieces[index - 1].range.upperBound > range.lowerBound { return }
    if index < pieces.count, pieces[index].range.lowerBound < range.upperBound { return }
    if index < pieces.count, pieces[index].range.lowerBound == range.upperBound {
      pieces[index] = Self.joined((range, sum), pieces[index])
    } else {
      guard pieces.count < Self.most else {
        isIncomplete = true
        return
      }
      pieces.insert((range, sum), at: index)
    }
    if index > 0, pieces[index - 1].range.upperBound == range.lowerBound {
      pieces[index - 1] = Self.joined(pieces[index - 1], pieces[index])
      pieces.remove(at: index)
    }
  }

  /// The sum of the first `count` bytes, once all of them were added.
  func sum(ofFirst count: Int) -> UInt32? {
    pieces.first.flatMap { $0.range == 0..<count ? $0.sum : nil }
  }

  private static func joined(
    _ left: (range: Range<Int>, sum: UInt32), _ right: (range: Range<Int>, sum: UInt32)
  ) -> (range: Range<Int>, sum: UInt32) {
    (
      left.range.lowerBound..<right.range.upperBound,
      Checksum.crc32(left.sum, followedBy: right.sum, ofCount: right.range.count)
    )
  }
}
