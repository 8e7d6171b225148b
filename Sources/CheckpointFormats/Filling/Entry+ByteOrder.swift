import ByteIO
import TensorCore

extension Checkpoint.Entry {
  /// The tensor with the bytes of each word of `width` bytes in the opposite order.
  func swapped(_ width: Int) -> Checkpoint.Entry {
    guard width > 1 else { return self }
    return wrappingReader { range, target, read in
      try target.fillElements(range, width: width) { numbers, bytes in
        try read(numbers.lowerBound * width..<numbers.upperBound * width, &bytes)
        bytes.swapBytes(width: width)
      }
    }
  }
}
