public import TensorCore

/// Whole tensors as arrays, for tensors that are known to fit in memory.
extension Checkpoint.Entry {
  /// A tensor of float32 elements, row-major, that are in memory.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `mismatched` unless `elements` has as many as the shape.
  public init(_ name: TensorName, shape: [Int], _ elements: [Float]) throws(CheckpointError) {
    try self.init(name, shape: shape, elements, as: .float32)
  }

  /// A tensor of float64 elements, row-major, that are in memory.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `mismatched` unless `elements` has as many as the shape.
  public init(_ name: TensorName, shape: [Int], _ elements: [Double]) throws(CheckpointError) {
    try self.init(name, shape: shape, elements, as: .float64)
  }

  private init<Element: BitwiseCopyable & Sendable>(
    _ name: TensorName, shape: [Int], _ elements: [Element], as dtype: DType
  ) throws(CheckpointError) {
    let info = try TensorInfo(dtype: dtype, shape: shape)
    guard elements.count == info.elementCount else {
      throw CheckpointError(
        .mismatched,
        "expected \(info.elementCount) elements for shape \(info.shape), "
          + "found \(elements.count)", tensor: name.text)
    }
    self.init(name: name, info: info) { range, target in
      unsafe target.copyBytes(from: elements.span.bytes.extracting(range))
    }
  }

  /// All elements, row-major, each as the nearest `Float`; complex ones are two, real part first.
  ///
  /// Takes 4 bytes of memory per element.
  /// - Throws: ``TensorCore/CheckpointError`` `unsupported` for types without values, such as GGUF's
  ///   quantized ones; whatever reading throws.
  public func floats() throws -> [Float] {
    var floats: [Float] = []
    floats.reserveCapacity(info.elementCount)
    try forEachValues { floats.append(contentsOf: $0.lazy.map { Float($0) }) }
    return floats
  }

  /// All elements, row-major, as `Double`: exact up to 53 significant bits; complex ones are two.
  ///
  /// Takes 8 bytes of memory per element.
  /// - Throws: as ``floats()``.
  public func doubles() throws -> [Double] {
    var doubles: [Double] = []
    doubles.reserveCapacity(info.elementCount)
    try forEachValues { doubles.append(contentsOf: $0) }
    return doubles
  }

  private func forEachValues(_ body: ([Double]) -> Void) throws {
    guard info.dtype.element.coding != nil else {
      throw CheckpointError(
        .unsupported, "elements of type \(info.dtype) have no values to read",
        tensor: name.text)
    }
    var buffer = ChunkBuffer(capacity: min(max(info.byteCount, 1), ChunkBuffer.standardSize))
    var values: [Double] = []
    try forEachChunk(using: &buffer) { _, bytes in
      ElementConversion.decode(bytes, as: info.dtype, into: &values)
      body(values)
    }
  }
}
