import ByteIO
import HDF5
import ParallelWork
import TensorCore

/// Reads a virtual dataset by range from the datasets that it shows.
struct HDF5VirtualReader: Sendable {
  private let width: Int
  private let fill: [UInt8]
  private let sources: [(part: HDF5Table.VirtualSource, read: Checkpoint.Entry.Reader)]

  /// `reader` gives the reader of a source.
  init(_ dataset: HDF5Table.Dataset, _ reader: (HDF5Table.Dataset) -> Checkpoint.Entry.Reader) {
    width = dataset.info.dtype.byteWidth
    fill = dataset.fill
    sources = dataset.sources.map { ($0, reader($0.dataset)) }
  }

  /// Reads bytes `range` of the virtual dataset.
  func read(_ range: Range<Int>, into target: inout MutableRawSpan) throws {
    try target.fillElements(range, width: width) { elements, bytes in
      bytes.fill(fill, from: 0)
      for source in sources { try read(elements, of: source.part, into: &bytes, source.read) }
    }
  }

  private func read(
    _ elements: Range<Int>, of part: HDF5Table.VirtualSource, into bytes: inout MutableRawSpan,
    _ reader: Checkpoint.Entry.Reader
  ) throws {
    var run = part.target.run(after: elements.lowerBound)
    while run < part.target.count {
      let start = part.target.start(of: run)
      guard start < elements.upperBound else { return }
      // The run's elements in the range, and their numbers among all that are selected.
      let first = max(start, elements.lowerBound)
      let end = min(start + part.target.length, elements.upperBound)
      var number = run * part.target.length + first - start
      var position = first
      while position < end {
        let (sourceRun, offset) = number.quotientAndRemainder(dividingBy: part.source.length)
        let count = min(end - position, part.source.length - offset)
        let element = part.source.start(of: sourceRun) + offset
        let place = (position - elements.lowerBound) * width
        var target = bytes._mutatingExtracting(place..<place + count * width)
        try reader(element * width..<(element + count) * width, &target)
        number += count
        position += count
      }
      run += 1
    }
  }
}
