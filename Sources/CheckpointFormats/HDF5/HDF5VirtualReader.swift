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
    sources = dataset.sources.map {
      ($0, Self.converting($0.dataset.info.dtype, to: dataset.info.dtype, reader($0.dataset)))
    }
  }

  /// A reader whose bytes are those of the numbers as another type.
  private static func converting(
    _ old: DType, to new: DType, _ reader: @escaping Checkpoint.Entry.Reader
  ) -> Checkpoint.Entry.Reader {
    if old == new { return reader }
    return { range, target in
      let elements = range.lowerBound / new.byteWidth..<range.upperBound / new.byteWidth
      let stored = elements.lowerBound * old.byteWidth..<elements.upperBound * old.byteWidth
      let bytes = try [UInt8](count: stored.count) { try reader(stored, &$0) }
      try HDF5Numbers.convert(bytes, from: old, to: new, into: &target)
    }
  }

  /// Reads bytes `range` of the virtual dataset.
  func read(_ range: Range<Int>, into target: inout MutableRawSpan) throws {
    try target.fillElements(range, width: width) { elements, bytes in
      bytes.fill(fill, from: elements.lowerBound * width)
      for source in sources { try read(elements, of: source.part, into: &bytes, source.read) }
    }
  }

  private func read(
    _ elements: Range<Int>, of part: HDF5Table.VirtualSource, into bytes: inout MutableRawSpan,
    _ reader: @escaping Checkpoint.Entry.Reader
  ) throws {
    var window = Window(part.source, width: width, reader)
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
        if count * width >= Window.smallGap {
          try reader(element * width..<(element + count) * width, &target)
        } else {
          try window.read(
            element..<element + count, ofRun: sourceRun,
            most: elements.upperBound - position, into: &target)
        }
        number += count
        position += count
      }
      run += 1
    }
  }
}

/// Bytes of a source that were read together: a selection may have a run for each element.
private struct Window {
  private let runs: HDF5Runs
  private let width: Int
  private let reader: Checkpoint.Entry.Reader
  private var bytes: [UInt8] = []
  /// The elements whose bytes are there.
  private var elements = 0..<0

  /// Gaps up to this many bytes are read and dropped, which costs less than another read.
  static let smallGap = 4096
  private static let size = 1 << 18

  init(_ runs: HDF5Runs, width: Int, _ reader: @escaping Checkpoint.Entry.Reader) {
    (self.runs, self.width, self.reader) = (runs, width, reader)
  }

  /// Copies elements of run `run`, after which at most `most` elements are wanted, these included.
  mutating func read(
    _ wanted: Range<Int>, ofRun run: Int, most: Int, into target: inout MutableRawSpan
  ) throws {
    if wanted.lowerBound < elements.lowerBound || wanted.upperBound > elements.upperBound {
      var (end, next, left) = (wanted.upperBound, run + 1, most - wanted.count)
      while next < runs.count, left > 0 {
        let start = runs.start(of: next)
        let stop = start + min(runs.length, left)
        guard (start - end) * width <= Self.smallGap,
          (stop - wanted.lowerBound) * width <= Self.size
        else { break }
        (end, next, left) = (stop, next + 1, left - (stop - start))
      }
      elements = wanted.lowerBound..<end
      let range = elements.lowerBound * width..<end * width
      if bytes.count < range.count { bytes = [UInt8](repeating: 0, count: range.count) }
      let reader = reader
      try bytes.fillBytes { bytes in
        var part = bytes._mutatingExtracting(..<range.count)
        try reader(range, &part)
      }
    }
    let start = (wanted.lowerBound - elements.lowerBound) * width
    target.copyBytes(from: bytes.rawBytes.extracting(start..<start + target.byteCount))
  }
}
