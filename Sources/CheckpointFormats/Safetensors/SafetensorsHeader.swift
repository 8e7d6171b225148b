import ByteIO
import JSONText
import TensorCore

/// The header of a safetensors file, checked against the size of the file.
struct SafetensorsHeader {
  /// A tensor and where its bytes are.
  struct Tensor {
    let name: TensorName
    let info: TensorInfo
    /// Byte range in the data, which begin after the header.
    let range: Range<Int>
    /// Offset in the file of its entry in the header.
    let position: Int
  }

  /// The texts of `__metadata__`.
  private(set) var metadata: [String: String] = [:]
  /// Tensors in the header's order.
  private(set) var tensors: [Tensor] = []
  /// Offset of the data in the file.
  let dataStart: Int

  /// Reads and checks the header of a file.
  ///
  /// - Throws: ``CheckpointError`` for everything that the reference reader refuses, and for duplicate
  ///   names, which the specification forbids.
  init(of file: ByteSource) throws(CheckpointError) {
    let head = try file.head(8)
    guard head.count == 8 else {
      throw CheckpointError(
        .malformed, "expected at least 8 bytes for the header length, found \(file.size)", offset: 0
      )
    }
    let length = head.littleEndian(UInt64.self, at: 0)
    guard length <= Safetensors.maxHeaderSize else {
      throw CheckpointError(
        .malformed,
        "expected a header of at most \(Safetensors.maxHeaderSize) bytes, found \(length)",
        offset: 0)
    }
    let end = 8 + Int(length)
    guard end <= file.size else {
      throw CheckpointError(
        .malformed, "header length is \(length), but only \(file.size - 8) bytes follow it",
        offset: 0)
    }
    dataStart = end
    var scanner = JSONScanner(try file.bytes(8..<end), offsets: .bytes(from: 8))
    try parse(&scanner)
    try scanner.end()
    try checkCoverage(dataSize: file.size - end)
  }

  private mutating func parse(_ scanner: inout JSONScanner) throws(CheckpointError) {
    var metadata: [String: String] = [:]
    var tensors: [Tensor] = []
    try scanner.object { scanner, key, position throws(CheckpointError) in
      if key.utf8.elementsEqual(Safetensors.metadataKey.utf8) {
        metadata = try Self.texts(&scanner)
        return
      }
      try CheckpointError.placing(
        tensors.append(Self.tensor(&scanner, TensorName(key), at: 8 + position)), tensor: key,
        offset: 8 + position)
    }
    self.metadata = metadata
    self.tensors = tensors
  }

  /// The reference reader takes `null` for no metadata.
  private static func texts(
    _ scanner: inout JSONScanner
  ) throws(CheckpointError) -> [String: String] {
    if scanner.takeNull() { return [:] }
    var texts: [String: String] = [:]
    try scanner.object { scanner, key, position throws(CheckpointError) in
      // Swift takes two spellings of é for one key; a metadata text must not be lost by that.
      guard texts.updateValue(try scanner.string(), forKey: key) == nil else {
        throw scanner.error(
          at: position, "metadata key '\(JSONScanner.shown(key))' occurs in two Unicode spellings")
      }
    }
    return texts
  }

  private static func tensor(
    _ scanner: inout JSONScanner, _ name: TensorName, at position: Int
  ) throws(CheckpointError) -> Tensor {
    var dtype: DType?
    var shape: [Int]?
    var offsets: [Int]?
    try scanner.object { scanner, key, _ throws(CheckpointError) in
      switch key {
      case "dtype": dtype = try Self.dtype(&scanner)
      case "shape": shape = try Self.numbers(&scanner)
      case "data_offsets": offsets = try Self.numbers(&scanner)
      default: try scanner.skip()
      }
    }
    guard let dtype, let shape, let offsets else {
      let missing = dtype == nil ? "dtype" : shape == nil ? "shape" : "data_offsets"
      throw CheckpointError(
        .malformed, "expected dtype, shape, and data_offsets, found no \(missing)")
    }
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw CheckpointError(
        .malformed,
        "expected data_offsets [begin, end] with begin ≤ end, found \(offsets.prefix(4))")
    }
    let info = try TensorInfo(dtype: dtype, shape: shape)
    let range = offsets[0]..<offsets[1]
    guard info.byteCount == range.count else {
      throw CheckpointError(
        .malformed,
        "expected \(info.byteCount) bytes for shape \(shape) of \(dtype.rawValue), found "
          + "\(range.count) in data_offsets [\(offsets[0]), \(offsets[1])]")
    }
    return Tensor(name: name, info: info, range: range, position: position)
  }

  private static func dtype(_ scanner: inout JSONScanner) throws(CheckpointError) -> DType {
    let text = try scanner.string()
    guard let dtype = DType(rawValue: text), Safetensors.dtypes.contains(dtype) else {
      throw CheckpointError(
        .malformed,
        "expected a safetensors dtype such as F32 or BF16, found '\(JSONScanner.shown(text))'")
    }
    return dtype
  }

  private static func numbers(_ scanner: inout JSONScanner) throws(CheckpointError) -> [Int] {
    var numbers: [Int] = []
    try scanner.array { scanner throws(CheckpointError) in
      guard numbers.count < 64 else { throw scanner.expected("at most 64 numbers") }
      numbers.append(try scanner.wholeNumber())
    }
    return numbers
  }

  /// Makes sure that every byte of the data belongs to one tensor.
  private func checkCoverage(dataSize: Int) throws(CheckpointError) {
    // By both ends, so that an empty tensor comes before the one that begins at the same byte.
    let order = tensors.indices.sorted {
      let (left, right) = (tensors[$0].range, tensors[$1].range)
      return (left.lowerBound, left.upperBound) < (right.lowerBound, right.upperBound)
    }
    var end = 0
    var last: Int?
    for index in order {
      let tensor = tensors[index]
      let start = tensor.range.lowerBound
      if start < end, let last {
        throw CheckpointError(
          .malformed,
          "data_offsets [\(start), \(tensor.range.upperBound)] overlap those of '"
            + "\(JSONScanner.shown(tensors[last].name.text))', which end at \(end)",
          tensor: tensor.name.text, offset: tensor.position)
      }
      guard start == end else {
        throw CheckpointError(
          .malformed,
          "data_offsets begin at \(start), bytes \(end) to \(start) belong to no tensor",
          tensor: tensor.name.text, offset: tensor.position)
      }
      (end, last) = (tensor.range.upperBound, index)
    }
    // What a truncated file still holds can be rescued; reading the rest fails.
    guard end <= dataSize || Rescue.current != nil else {
      throw CheckpointError(
        .malformed, "data_offsets end at \(end), but the file has \(dataSize) bytes of data",
        tensor: last.map { tensors[$0].name.text }, offset: dataStart + dataSize)
    }
    if end < dataSize {
      try Rescue.leaveOut(
        CheckpointError(
          .malformed,
          "expected the end of the file after the last tensor, found \(dataSize - end) "
            + "more byte\(dataSize - end == 1 ? "" : "s")",
          offset: dataStart + end))
    }
  }
}
