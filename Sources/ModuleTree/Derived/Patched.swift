internal import TensorCore
internal import TorchRandom

/// A tensor's values with a part that was filled later.
struct Patched: Initializer {
  let before: TensorValues
  let part: TensorValues
  let view: StridedPart

  let name = "patched"

  func fill(for info: TensorInfo) throws -> TensorFill {
    .streamed { [self] in
      let (whole, values, width) = (try before.reader(), try part.reader(), info.dtype.byteWidth)
      return { range, target in
        try target.fillElements(range, width: width) { elements, bytes in
          try whole(elements.lowerBound * width..<elements.upperBound * width, &bytes)
          let taken = view.rank(elements.lowerBound)..<view.rank(elements.upperBound)
          if taken.isEmpty { return }
          var buffer = [UInt8](repeating: 0, count: taken.count * width)
          try buffer.withMutableRawSpan {
            try values(taken.lowerBound * width..<taken.upperBound * width, &$0)
          }
          view.forEachRun(of: taken) { index, count, offset in
            let source = (index - taken.lowerBound) * width
            var place = bytes._mutatingExtracting(
              (offset - elements.lowerBound) * width..<(offset - elements.lowerBound + count)
                * width)
            buffer.withRawSpan {
              place.copyBytes(from: $0.extracting(source..<source + count * width))
            }
          }
        }
      }
    }
  }

  var description: String { "\(before.initializer), then \(part.initializer) in \(view)" }
}

/// A tensor's values rounded to another type, as `Tensor.to` rounds.
struct CastValues: Initializer {
  let source: TensorValues

  let name = "cast"

  func fill(for info: TensorInfo) throws -> TensorFill {
    .streamed { [source] in
      let (read, old, width) = (
        try source.reader(), source.info.dtype, info.dtype.byteWidth
      )
      return { range, target in
        try target.fillElements(range, width: width) { elements, bytes in
          var values = [UInt8](repeating: 0, count: elements.count * old.byteWidth)
          try values.withMutableRawSpan {
            try read(
              elements.lowerBound * old.byteWidth..<elements.upperBound * old.byteWidth, &$0)
          }
          values.withRawSpan {
            _ = ElementConversion.convert($0, from: old, to: info.dtype, into: &bytes)
          }
        }
      }
    }
  }

  var description: String { "\(source.initializer), rounded" }
}

/// A tensor's values after operations on every element.
struct ChangedValues: Initializer {
  let source: TensorValues
  let steps: [ElementStep]

  let name = "changed"

  func fill(for info: TensorInfo) throws -> TensorFill {
    try ElementStep.check(info.dtype)
    return .streamed { [source, steps] in
      let (read, width) = (try source.reader(), info.dtype.byteWidth)
      return { range, target in
        try target.fillElements(range, width: width) { elements, bytes in
          try read(elements.lowerBound * width..<elements.upperBound * width, &bytes)
          ElementStep.apply(steps, to: &bytes, as: info.dtype)
        }
      }
    }
  }

  var description: String {
    "\(source.initializer) " + steps.map(\.description).joined(separator: " ")
  }
}
