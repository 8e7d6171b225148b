import ByteIO
import TensorCore

/// The elements of a tensor that stand in a field of numbers, each of which takes one to ten bytes.
struct ONNXNumbers: Sendable {
  private let message: ProtobufReader
  /// The field: `float_data`, `int32_data`, `int64_data`, `double_data`, or `uint64_data`.
  private let field: Int
  /// Low bits of each number that are stored, one number after another.
  private let bits: Int

  init(_ message: ProtobufReader, _ dtype: DType, isNarrow: Bool) {
    self.message = message
    // Half-precision and smaller types are in the low bits of `int32_data`; types of 4 and 2 bits are
    // packed in bytes, one in each number.
    let small = isNarrow || !dtype.isComputable ? 8 : 8 * dtype.byteWidth
    (field, bits) = Self.fields[dtype] ?? (5, small)
  }

  /// The fields of types that are not in `int32_data` as whole bytes, and the bits of a number.
  private static let fields: [DType: (field: Int, bits: Int)] = [
    .float32: (4, 32), .complex64: (4, 32), .float64: (10, 64), .complex128: (10, 64),
    .int64: (7, 64), .uint32: (11, 32), .uint64: (11, 64), .float6e2m3: (5, 6), .float6e3m2: (5, 6),
  ]

  /// Bytes that all numbers become; reads all of them.
  var storedBytes: Int {
    get throws(CheckpointError) {
      var count = 0
      try forEach { _ throws(CheckpointError) in count += 1 }
      return count.saturated(times: bits) / 8
    }
  }

  /// Writes all numbers, the least significant byte first.
  func write(to sink: ByteSink) throws(CheckpointError) {
    var bytes: [UInt8] = []
    // Bits that do not make a byte yet; there are fewer than 8 of them before a number comes.
    var (pending, count): (UInt64, Int) = (0, 0)
    try forEach { number throws(CheckpointError) in
      if bits % 8 == 0 {
        for shift in stride(from: 0, to: bits, by: 8) {
          bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
        }
      } else {
        pending |= (number & (1 << UInt64(bits) - 1)) << UInt64(count)
        count += bits
        while count >= 8 {
          bytes.append(UInt8(truncatingIfNeeded: pending))
          pending >>= 8
          count -= 8
        }
      }
      guard bytes.count >= 1 << 16 else { return }
      try sink.append(bytes.rawBytes)
      bytes.removeAll(keepingCapacity: true)
    }
    try sink.append(bytes.rawBytes)
  }

  private func forEach(
    _ body: (UInt64) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    var reader = message
    while let next = try reader.next() {
      guard next.number == field else { continue }
      switch next.content {
      case .number(let number), .fixed64(let number): try body(number)
      case .fixed32(let number): try body(UInt64(number))
      case .bytes:
        var run = try reader.run(next)
        switch field {
        case 4: while !run.isAtEnd { try body(UInt64(try run.littleEndian(UInt32.self))) }
        case 10: while !run.isAtEnd { try body(try run.littleEndian(UInt64.self)) }
        default: try run.forEachVarint(body)
        }
      }
    }
  }
}
