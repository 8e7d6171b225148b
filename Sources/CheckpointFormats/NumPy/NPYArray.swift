import ByteIO
import TensorCore

/// The elements of a stored array as this project has them: row-major and little-endian.
struct NPYArray: Sendable {
  /// Reads stored bytes behind the header.
  typealias Source =
    @Sendable (_ offset: Int, _ target: inout MutableRawSpan) throws -> Void

  private let info: TensorInfo
  private let layout: StridedLayout?
  private let swappedWidth: Int?
  private let source: Source

  /// Describes the array behind a header, whose elements `source` reads.
  init(_ header: NPYHeader, source: @escaping Source) throws(CheckpointError) {
    info = header.info
    self.source = source
    if header.isFortranOrder, info.shape.count > 1, info.elementCount > 0 {
      var stride = 1
      var strides: [Int] = []
      for size in info.shape {
        strides.append(stride)
        stride *= size
      }
      layout = try StridedLayout(info, strides: strides)
    } else {
      layout = nil
    }
    switch info.dtype {
    case _ where !header.isBigEndian: swappedWidth = nil
    case .complex64, .complex128: swappedWidth = info.dtype.byteWidth / 2
    default: swappedWidth = info.dtype.byteWidth
    }
  }

  /// Reads bytes `range` of the tensor.
  func read(_ range: Range<Int>, into target: inout MutableRawSpan) throws {
    guard let width = swappedWidth else {
      try readStored(range, into: &target)
      return
    }
    // Ranges need not begin or end between numbers.
    let whole = range.lowerBound / width * width..<(range.upperBound + width - 1) / width * width
    var bytes = try [UInt8](count: whole.count) { try readStored(whole, into: &$0) }
    for start in stride(from: 0, to: bytes.count, by: width) {
      for place in 0..<width / 2 { bytes.swapAt(start + place, start + width - 1 - place) }
    }
    let start = range.lowerBound - whole.lowerBound
    target.copyBytes(from: bytes.rawBytes.extracting(start..<start + range.count))
  }

  private func readStored(_ range: Range<Int>, into target: inout MutableRawSpan) throws {
    guard let layout else {
      try source(range.lowerBound, &target)
      return
    }
    try layout.read(range, into: &target, from: source)
  }
}
