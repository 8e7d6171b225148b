import TensorCore

extension [Value] {
  /// The elements of an array of a shape, row-major, as lists of lists; one element for a scalar.
  func nested(_ shape: Shape) -> Value { nested(shape[0..<shape.count]) }

  /// The same for sizes whose product is the number of elements.
  func nested(_ sizes: ArraySlice<Int>) -> Value { Self.nested(self[...], sizes) }

  private static func nested(_ elements: ArraySlice<Value>, _ shape: ArraySlice<Int>) -> Value {
    guard let count = shape.first else { return elements.first ?? .list([]) }
    guard shape.count > 1, !elements.isEmpty else { return .list(Self(elements)) }
    let step = elements.count / count
    return .list(
      (0..<count).map { index in
        let start = elements.startIndex + index * step
        return nested(elements[start..<start + step], shape.dropFirst())
      })
  }
}
