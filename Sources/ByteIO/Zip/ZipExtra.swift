import TensorCore

/// The extra field of a header (APPNOTE 4.5): numbers too large for 32 bits, padding, and fields of
/// other programs, which are ignored.
struct ZipExtra {
  /// The content of the zip64 field, if there is one.
  let zip64: ArraySlice<UInt8>?
  /// The content of our own field, if there is one.
  let note: String?

  /// Parses the fields, each an identifier and a size of 2 bytes and its content; together they must
  /// fill `bytes`.
  init(_ bytes: ArraySlice<UInt8>) throws(CheckpointError) {
    var zip64: ArraySlice<UInt8>?
    var note: String?
    var rest = bytes
    while !rest.isEmpty {
      guard rest.count >= 4 else {
        throw CheckpointError(
          .malformed, "expected an extra field of at least 4 bytes, found \(rest.count)")
      }
      let identifier = rest.littleEndian16(at: 0)
      let count = Int(rest.littleEndian16(at: 2))
      guard count <= rest.count - 4 else {
        throw CheckpointError(
          .malformed,
          "expected an extra field of \(count) bytes, but only \(rest.count - 4) remain")
      }
      if identifier == ZipLayout.zip64Field {
        guard zip64 == nil else {
          throw CheckpointError(.malformed, "expected at most 1 zip64 field, found 2")
        }
        zip64 = rest.dropFirst(4).prefix(count)
      } else if identifier == ZipLayout.noteField {
        note = String(decoding: rest.dropFirst(4).prefix(count), as: UTF8.self)
      }
      rest = rest.dropFirst(4 + count)
    }
    self.zip64 = zip64
    self.note = note
  }

  /// Replaces each of the header's fields that holds the sentinel by the next number of the zip64
  /// field (4.5.3).
  ///
  /// With `isExact`, the zip64 field must hold no further numbers.
  func resolve(_ fields: [UInt32], isExact: Bool) throws(CheckpointError) -> [Int] {
    let wanted = fields.count { $0 == ZipLayout.sentinel32 }
    let found = zip64?.count ?? 0
    // Python before 3.11.4 also stores numbers there that the header has room for; they must agree.
    if wanted == 0, found > 0, found % 8 == 0, found <= 8 * fields.count {
      let copies = stride(from: 0, to: found, by: 8).map { number(at: $0) }
      guard zip(copies, fields).allSatisfy({ $0 == UInt64($1) }) else {
        throw CheckpointError(
          .malformed,
          "expected \(fields.prefix(copies.count)) from the header in the zip64 field, "
            + "found \(copies)")
      }
      return fields.map(Int.init)
    }
    guard found >= 8 * wanted, !isExact || found == 8 * wanted else {
      throw CheckpointError(
        .malformed, "expected a zip64 field of \(8 * wanted) bytes, found \(found)")
    }
    var offset = 0
    var numbers: [Int] = []
    for field in fields {
      guard field == ZipLayout.sentinel32 else {
        numbers.append(Int(field))
        continue
      }
      let found = number(at: offset)
      guard let number = Int(exactly: found) else {
        throw CheckpointError(.malformed, "expected a zip64 number below 2^63, found \(found)")
      }
      numbers.append(number)
      offset += 8
    }
    return numbers
  }

  private func number(at offset: Int) -> UInt64 {
    (zip64 ?? []).dropFirst(offset).prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}

extension ArraySlice<UInt8> {
  fileprivate func littleEndian16(at offset: Int) -> UInt16 {
    UInt16(self[startIndex + offset]) | UInt16(self[startIndex + offset + 1]) << 8
  }
}
