import ByteIO
import TensorCore

/// Integers of 2 or 4 bits, which are read as integers of a byte each.
struct NarrowIntegers: Sendable {
  /// Bits of an integer, 2 or 4.
  let bits: Int
  let isSigned: Bool
  /// Integers in a stored byte, the first in its lowest bits; 1 where each has a byte of its own.
  let perByte: Int

  /// Bytes that hold this many integers.
  func storedBytes(_ count: Int) -> Int { count / perByte + (count % perByte == 0 ? 0 : 1) }

  /// What the integers are read as.
  var dtype: DType { isSigned ? .int8 : .uint8 }

  /// Their name, such as `int4`.
  var name: String { "\(isSigned ? "int" : "uint")\(bits)" }

  /// Reads integers `range` of those that are stored in a source.
  func read(
    _ range: Range<Int>, into target: inout MutableRawSpan, from source: ByteSource
  ) throws(CheckpointError) {
    let first = range.lowerBound / perByte
    let stored = try source.bytes(first..<storedBytes(range.upperBound))
    let mask = UInt8(1 << bits - 1)
    let sign = UInt8(1 << (bits - 1))
    var values: [UInt8] = []
    values.reserveCapacity(range.count)
    for index in range {
      let byte = stored[index / perByte - first] >> UInt8(index % perByte * bits)
      let value = byte & mask
      values.append(isSigned && value & sign != 0 ? value | ~mask : value)
    }
    target.copyBytes(from: values.rawBytes)
  }
}

/// The notes about tensors of narrow integers, one for each type of them.
struct NarrowNotes {
  private var found: [(kind: NarrowIntegers, first: TensorName, count: Int)] = []

  /// Counts a tensor.
  mutating func add(_ kind: NarrowIntegers, _ name: TensorName) {
    if let index = found.firstIndex(where: { $0.kind.name == kind.name }) {
      found[index].count += 1
    } else {
      found.append((kind, name, 1))
    }
  }

  /// One sentence for each type.
  var notes: [String] {
    found.map { kind, first, count in
      "\(count) tensor\(count == 1 ? "" : "s") of \(kind.name) (first: '\(first)'): elements are "
        + "read as \(kind.dtype.torchName)"
    }
  }
}
