internal import TensorCore

/// Reads the values of a ``Sampling`` by range of elements, in memory that does not grow with it.
///
/// Ranges that follow one another continue where the last one stopped; a range further on skips,
/// an earlier one starts again from the beginning of the draw and skips. A skip of any length takes
/// less than two milliseconds.
package struct SamplingCursor: Sendable {
  private let sampling: Sampling
  private let start: Generator
  /// Stands at the first word of block number `block`.
  private var generator: Generator
  private var block = 0

  /// Words converted at once: a multiple of every block's, small enough for the first cache.
  private static let batchWords = 2496

  /// Prepares to sample the values whose words begin at `start`.
  package init(_ sampling: Sampling, from start: Generator) {
    self.sampling = sampling
    self.start = start
    generator = start
  }

  /// Index of the element that comes next: a range from here on does not start over.
  var position: Int { block * sampling.elementsPerBlock + (leadingNormal == nil ? 0 : 1) }

  /// Writes the little-endian elements `elements` to `target`, which must have just their size.
  package mutating func read(elements: Range<Int>, into target: inout MutableRawSpan) {
    precondition(
      elements.lowerBound >= 0 && elements.upperBound <= sampling.count, "range outside the draw")
    let width = sampling.dtype.byteWidth
    precondition(target.byteCount == elements.count * width, "span of another size than the range")
    let lead = leadingNormal == nil ? 0 : 1
    let blocked = elements.clamped(to: lead..<max(sampling.blockedCount, lead))
    if !blocked.isEmpty {
      let first = (blocked.lowerBound - elements.lowerBound) * width
      var part = target._mutatingExtracting(first..<first + blocked.count * width)
      readBlocks(blocked.lowerBound - lead..<blocked.upperBound - lead, into: &part)
    }
    if let leadingNormal, elements.contains(0),
      case .normal(let mean, let deviation) = sampling.distribution
    {
      var part = target._mutatingExtracting(0..<width)
      SerialNormal(mean: mean, deviation: deviation, cpuPath: start.cpuPath)
        .store(leadingNormal, as: sampling.type, at: 0, in: &part)
    }
    if sampling.hasTail { readTail(elements, into: &target) }
  }

  /// The normal left over from an earlier draw, when this draw's first element is made of it.
  private var leadingNormal: Double? {
    sampling.algorithm == .serialNormal && sampling.count > 0 ? start.cachedNormal : nil
  }

  private mutating func readBlocks(_ elements: Range<Int>, into target: inout MutableRawSpan) {
    let size = sampling.elementsPerBlock
    let width = sampling.dtype.byteWidth
    seek(block: elements.lowerBound / size)
    let batchBlocks = Self.batchWords / sampling.wordsPerBlock
    var words = [UInt32](
      repeating: 0,
      count: min(batchBlocks, elements.count / size + 1) * sampling.wordsPerBlock)
    // Whole blocks go straight into the target, a batch at a time; a block that is wanted in part is
    // made by a copy of the generator.
    var position = elements.lowerBound
    while position < elements.upperBound {
      let inBlock = position % size
      let left = elements.upperBound - position
      let offset = (position - elements.lowerBound) * width
      if inBlock == 0, left >= size {
        let blocks = min(left / size, batchBlocks)
        var scratch = words.mutableSpan
        var batch = scratch._mutatingExtracting(0..<blocks * sampling.wordsPerBlock)
        generator.fill(&batch)
        var part = target._mutatingExtracting(offset..<offset + blocks * size * width)
        sampling.convert(batch.span, as: start.cpuPath, into: &part)
        block += blocks
        position += blocks * size
      } else {
        let wanted = inBlock..<min(size, inBlock + left)
        var part = target._mutatingExtracting(offset..<offset + wanted.count * width)
        var fork = generator
        readPart(wanted, ofBlockAt: &fork, into: &part)
        // The copy made the part. The generator itself leaves a block only with the block's last
        // element, so that a read which stops inside a block can go on there.
        if wanted.upperBound == size {
          generator = fork
          block += 1
        }
        position += wanted.count
      }
    }
  }

  private mutating func readTail(_ elements: Range<Int>, into target: inout MutableRawSpan) {
    let tail = sampling.count - 16..<sampling.count
    // PyTorch draws the last 16 elements again, from words after all others; they replace what the
    // whole blocks gave.
    let wanted = elements.clamped(to: tail)
    guard !wanted.isEmpty else { return }
    var fork = generator
    fork.skip(words: sampling.tailWord - block * sampling.wordsPerBlock)
    let width = sampling.dtype.byteWidth
    let first = (wanted.lowerBound - elements.lowerBound) * width
    var part = target._mutatingExtracting(first..<first + wanted.count * width)
    readPart(
      wanted.lowerBound - tail.lowerBound..<wanted.upperBound - tail.lowerBound,
      ofBlockAt: &fork, into: &part)
  }

  /// Makes one block and copies its elements `wanted`.
  private func readPart(
    _ wanted: Range<Int>, ofBlockAt generator: inout Generator, into target: inout MutableRawSpan
  ) {
    let width = sampling.dtype.byteWidth
    var words = [UInt32](repeating: 0, count: sampling.wordsPerBlock)
    var drawn = words.mutableSpan
    generator.fill(&drawn)
    var whole = [UInt8](repeating: 0, count: sampling.elementsPerBlock * width)
    whole.withMutableRawSpan { sampling.convert(words.span, as: start.cpuPath, into: &$0) }
    for offset in 0..<wanted.count * width {
      target.storeBytes(
        of: whole[wanted.lowerBound * width + offset], toByteOffset: offset, as: UInt8.self)
    }
  }

  private mutating func seek(block target: Int) {
    if target < block {
      generator = start
      block = 0
    }
    generator.skip(words: (target - block) * sampling.wordsPerBlock)
    block = target
  }
}

extension Generator {
  /// Draws a whole tensor: its little-endian elements in memory order.
  package mutating func sample(_ sampling: Sampling) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: sampling.count * sampling.dtype.byteWidth)
    // Else the cursor's copy would pass over the same words as the next draw does again.
    settle()
    var cursor = SamplingCursor(sampling, from: self)
    bytes.withMutableRawSpan { cursor.read(elements: 0..<sampling.count, into: &$0) }
    sampling.skip(&self)
    return bytes
  }
}
