import ByteIO
import Glibc
import TensorCore

/// The filter scale-offset: differences from a chunk's smallest value, in as many bits as they need.
///
/// A packed chunk has the number of bits (4 bytes), the size of the smallest value (1 byte), that value
/// (8 bytes), 8 unused bytes, and the differences, the highest bit first. A difference with all bits set
/// is the fill value, if one is defined. Floating-point numbers are stored as integers, multiplied by a
/// power of ten. The parameters are the kind of scale, the scale, the number of elements, their class (1
/// for floating-point numbers), size in bytes, sign, byte order (1 for big-endian), whether there is a fill
/// value, and this. Source: HDF5 File Format Specification 3.0, section IV.A.2.l, and files of h5py.
struct ScaleOffset {
  private let scale: Int
  private let count: Int
  private let isReal: Bool
  private let size: Int
  private let isBig: Bool
  /// Its bytes, lowest first.
  private let fill: UInt64?

  private static let headSize = 21

  init(_ values: [Int]) throws(CheckpointError) {
    guard values.count >= 8, values[3] <= 1, [1, 2, 4, 8].contains(values[4]), values[6] <= 1,
      values.count >= 8 + (values[7] == 0 ? 0 : (values[4] + 3) / 4)
    else { throw Self.malformed }
    scale = Int(Int32(truncatingIfNeeded: values[1]))
    (count, isReal, size, isBig) = (values[2], values[3] == 1, values[4], values[6] == 1)
    // 0 multiplies by a power of ten, 2 is for integers; 1, by a power of two, was never implemented.
    guard values[0] == (isReal ? 0 : 2), !isReal || size >= 4 else {
      throw CheckpointError(.unsupported, "scales in a way that is not read (\(values[0]))")
    }
    if values[7] == 0 {
      fill = nil
    } else {
      let low = UInt64(truncatingIfNeeded: values[8]) & 0xffff_ffff
      fill = size < 8 ? low : low | UInt64(truncatingIfNeeded: values[9]) << 32
    }
  }

  private static var malformed: CheckpointError {
    CheckpointError(.malformed, "its parameters contradict each other")
  }

  /// The elements of a chunk, at most `limit` bytes.
  func unpack(_ packed: [UInt8], limit: Int) throws(CheckpointError) -> [UInt8] {
    guard packed.count >= Self.headSize else {
      throw CheckpointError(
        .malformed, "expected at least \(Self.headSize) packed bytes, found \(packed.count)")
    }
    let bits = Int(packed.littleEndian(UInt32.self, at: 0))
    guard count.saturated(times: size) <= limit else { throw Self.malformed }
    guard bits <= 8 * size, packed[4] == 8 else {
      throw CheckpointError(
        .malformed, "expected at most \(8 * size) bits for an element, found \(bits)")
    }
    let smallest = packed.littleEndian(UInt64.self, at: 5)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count.saturated(times: size))
    if bits == 8 * size {
      // Nothing was subtracted; the words are little-endian.
      let needed = count.saturated(times: size)
      guard needed <= packed.count - Self.headSize else {
        throw CheckpointError(
          .malformed, "expected \(needed) packed bytes, found \(packed.count - Self.headSize)")
      }
      let words = packed[Self.headSize..<Self.headSize + needed]
      if !isBig { return Array(words) }
      for start in stride(from: words.startIndex, to: words.endIndex, by: size) {
        bytes += words[start..<start + size].reversed()
      }
      return bytes
    }
    var numbers = try BitString(packed, from: Self.headSize, count: count, width: bits)
    let last: UInt64 = 1 << UInt64(bits) - 1
    for _ in 0..<count {
      let number = numbers.next(bits)
      let word: UInt64
      if let fill, number == last {
        word = fill
      } else {
        word = isReal ? real(number, smallest) : number &+ smallest
      }
      bytes.append(word, width: size, isBig: isBig)
    }
    return bytes
  }

  /// A scaled difference as a floating-point number.
  private func real(_ number: UInt64, _ smallest: UInt64) -> UInt64 {
    let power = pow(10, Double(scale))
    if size == 4 {
      let difference = Float(Int32(truncatingIfNeeded: number)) / Float(power)
      return UInt64(
        (difference + Float(bitPattern: UInt32(truncatingIfNeeded: smallest))).bitPattern)
    }
    let difference = Double(Int64(bitPattern: number)) / power
    return (difference + Double(bitPattern: smallest)).bitPattern
  }
}
