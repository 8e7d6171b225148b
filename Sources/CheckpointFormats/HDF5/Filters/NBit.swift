import TensorCore

/// The filter n-bit: of each element only the bits that its type uses, the highest bit first.
///
/// The parameters are their number, whether nothing is packed, the number of elements, and the type: its
/// class (1 for a number), size in bytes, byte order (1 for big-endian), number of bits, and position of
/// the lowest. Source: HDF5 File Format Specification 3.0, section IV.A.2.l, and files of h5py.
struct NBit {
  private let count: Int
  private let size: Int
  private let isBig: Bool
  private let bits: Int
  private let first: Int

  /// Reads the parameters; `nil` where elements use all of their bits, so that nothing is packed.
  init?(_ values: [Int]) throws(CheckpointError) {
    guard values.count >= 3 else { throw Self.malformed }
    if values[1] != 0 { return nil }
    guard values.count >= 8 else { throw Self.malformed }
    guard values[3] == 1 else {
      throw CheckpointError(.unsupported, "packs arrays or compound values, which are not read")
    }
    (count, size, isBig) = (values[2], values[4], values[5] != 0)
    (bits, first) = (values[6], values[7])
    guard (1...8).contains(size), (1...8 * size).contains(bits),
      (0...8 * size - bits).contains(first),
      values[5] <= 1
    else { throw Self.malformed }
  }

  private static var malformed: CheckpointError {
    CheckpointError(.malformed, "its parameters contradict each other")
  }

  /// The elements of a chunk, at most `limit` bytes.
  func unpack(_ packed: [UInt8], limit: Int) throws(CheckpointError) -> [UInt8] {
    guard count.saturated(times: size) <= limit else { throw Self.malformed }
    var numbers = try BitString(packed, from: 0, count: count, width: bits)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count.saturated(times: size))
    for _ in 0..<count {
      bytes.append(numbers.next(bits) << UInt64(first), width: size, isBig: isBig)
    }
    return bytes
  }
}
