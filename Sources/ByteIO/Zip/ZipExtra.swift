import TensorCore

/// The extra field of a header: numbers too large for their place, padding, and what others put in.
struct ZipExtra {
  /// The content of the zip64 field, if there is one.
  let zip64: ArraySlice<UInt8>?

  /// Checks that fields follow each other without a rest.
  init(_ bytes: ArraySlice<UInt8>) throws(CheckpointError) {
    var zip64: ArraySlice<UInt8>?
    var rest = bytes
    while !rest.isEmpty {
      guard rest.count >= 4 else {
        throw CheckpointError(.malformed, "extra field of \(rest.count) bytes, required 4 or more")
      }
      let identifier = rest.littleEndian16(at: 0)
      let count = Int(rest.littleEndian16(at: 2))
      guard count <= rest.count - 4 else {
        throw CheckpointError(
          .malformed, "extra field of \(count) bytes where \(rest.count - 4) are left")
      }
      if identifier == ZipLayout.zip64Field {
        guard zip64 == nil else {
          throw CheckpointError(.malformed, "two zip64 fields, at most one is allowed")
        }
        zip64 = rest.dropFirst(4).prefix(count)
      }
      rest = rest.dropFirst(4 + count)
    }
    self.zip64 = zip64
  }

  /// The numbers that stand in the zip64 field for those fields that hold the sentinel, in order.
  ///
  /// With `isExact` the field must hold just these.
  func resolve(_ fields: [UInt32], isExact: Bool) throws(CheckpointError) -> [Int] {
    let wanted = fields.count { $0 == ZipLayout.sentinel32 }
    let found = zip64?.count ?? 0
    guard found >= 8 * wanted, !isExact || found == 8 * wanted else {
      throw CheckpointError(
        .malformed, "zip64 field of \(found) bytes, the header needs \(8 * wanted)")
    }
    var rest = zip64 ?? []
    var numbers: [Int] = []
    for field in fields {
      guard field == ZipLayout.sentinel32 else {
        numbers.append(Int(field))
        continue
      }
      var number: UInt64 = 0
      for byte in rest.prefix(8).reversed() { number = number << 8 | UInt64(byte) }
      guard let number = Int(exactly: number) else {
        throw CheckpointError(.malformed, "zip64 number \(number), required less than 2^63")
      }
      numbers.append(number)
      rest = rest.dropFirst(8)
    }
    return numbers
  }
}

extension ArraySlice<UInt8> {
  fileprivate func littleEndian16(at offset: Int) -> UInt16 {
    UInt16(self[startIndex + offset]) | UInt16(self[startIndex + offset + 1]) << 8
  }
}
