import ByteIO
import ParallelWork
import TensorCore

extension Checkpoint.Entry {
  /// A float32 tensor whose values `values` computes for whole units of `unit` elements, of which the
  /// shape must hold a whole number.
  static func computed(
    _ name: TensorName, shape: Shape, unit: Int = 1,
    _ values: @escaping @Sendable (_ elements: Range<Int>) throws -> [Float]
  ) throws -> Checkpoint.Entry {
    let info = try TensorInfo(dtype: .float32, shape: shape)
    return Checkpoint.Entry(name: name, info: info) { range, target in
      try target.fillElements(range, width: 4 * unit) { units, bytes in
        let computed = try values(units.lowerBound * unit..<units.upperBound * unit)
        for index in computed.indices {
          bytes.storeBytes(
            of: computed[index].bitPattern.littleEndian, toByteOffset: 4 * index, as: UInt32.self)
        }
      }
    }
  }

  /// Elements `range` of a tensor of real numbers, each as a float32.
  func singles(_ range: Range<Int>) throws -> [Float] {
    let width = info.dtype.byteWidth
    var buffer = ChunkBuffer(capacity: range.count * width)
    let bytes = try read(range.lowerBound * width, range.count * width, using: &buffer)
    var values = [Float](repeating: 0, count: range.count)
    var span = values.mutableSpan
    ElementConversion.decode(bytes, as: info.dtype, into: &span)
    return values
  }
}

/// The values of E2M1, a float of 4 bits; source: OCP microscaling formats 1.0, 5.3.3.
enum Float4 {
  static let values: [Float] = [
    0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6,
  ]
}
