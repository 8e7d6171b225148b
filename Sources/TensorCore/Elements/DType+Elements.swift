/// Single elements: as text, as numbers, and numbers as elements.
extension DType {
  /// Elements of this type as text, each the shortest that reads back to the same value; empty for
  /// types that are not ``isComputable``.
  ///
  /// Integers are exact; complex numbers are written `1.0+2.0j`, Booleans `true` and `false`.
  package func elementTexts(_ bytes: RawSpan) -> [String] { element.coding?.texts(bytes) ?? [] }

  /// The little-endian bytes of one element nearest to `value`; types of 16 and 8 bits are rounded
  /// through `float32` first, as PyTorch's `fill_` does.
  ///
  /// - Throws: ``CheckpointError``: `mismatched` when an integer type cannot hold `value` exactly, or
  ///   `value` is beyond the finite range of a floating-point type, which PyTorch refuses as well;
  ///   `unsupported` when the type is complex or packed.
  package func element(nearest value: Double) throws(CheckpointError) -> [UInt8] {
    func bytes<Coding: ElementCoding>(_: Coding.Type) -> [UInt8]? {
      Coding.word(nearest: value).map(Coding.bytes)
    }
    switch element.kind {
    case .complex, .packed:
      throw CheckpointError(.unsupported, "\(torchName) tensors cannot be filled with a number")
    case .boolean, .integer, .floatingPoint:
      guard let coding = element.coding, let result = bytes(coding) else {
        let reason = isFloatingPoint ? "in the range" : "a value"
        throw CheckpointError(.mismatched, "\(value) is not \(reason) of \(torchName)")
      }
      return result
    }
  }

  /// The value of this floating-point type nearest to `number`, types of 16 and 8 bits through
  /// `float32`.
  ///
  /// One operation on two such values, done in `float64` and rounded so, is what the type's own
  /// arithmetic gives: 53 bits are more than twice 24 plus two.
  package func rounded(_ number: Double) -> Double {
    func round<Coding: FloatCoding>(_: Coding.Type) -> Double {
      Coding.number(Coding.word(rounding: Coding.Real(number)))
    }
    guard let coding = element.coding as? any FloatCoding.Type else {
      preconditionFailure("\(rawValue) is not a floating-point type")
    }
    return round(coding)
  }

  /// Element `index` of a tensor's bytes; of a complex tensor, number `index`.
  package func number(at index: Int, in bytes: [UInt8]) -> Double {
    func number<Coding: ElementCoding>(_: Coding.Type) -> Double {
      Coding.number(Coding.load(unsafe bytes.span.bytes, index * MemoryLayout<Coding.Word>.size))
    }
    guard let coding = element.coding else {
      preconditionFailure("\(rawValue) has no values to read")
    }
    return number(coding)
  }

  /// Copies element `index` of one tensor's bytes to the same index of another's.
  package func copyElement(_ index: Int, from source: [UInt8], to target: inout [UInt8]) {
    let width = byteWidth
    for byte in index * width..<(index + 1) * width { target[byte] = source[byte] }
  }
}
