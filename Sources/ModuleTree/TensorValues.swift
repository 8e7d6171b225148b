import Synchronization
package import TensorCore
package import TorchRandom

/// A tensor's values as they would be drawn: what fills it, and the generator as it was before.
package struct TensorValues: Sendable {
  /// Element type, shape and size.
  package let info: TensorInfo
  /// How the tensor was filled last.
  package let initializer: any Initializer
  /// What that came down to.
  package let fill: TensorFill
  /// The generator before the first draw for this tensor.
  package let start: Generator
  /// Whether the tensor drawn is contiguous in memory, as all are but some parts of others.
  var isContiguous = true

  /// The values before they were rounded to other types.
  package var beforeCasts: TensorValues {
    (initializer as? CastValues)?.source.beforeCasts ?? self
  }

  /// A function that samples the values, range by range, in memory that does not grow with the
  /// tensor, unless the fill needs the whole of it.
  func reader() throws -> Checkpoint.Entry.Reader {
    switch fill {
    case .constant(let value):
      let element = try info.dtype.element(nearest: value)
      return { range, target in target.fill(element, from: range.lowerBound) }
    case .ones(let positions):
      let zero = try info.dtype.element(nearest: 0)
      let one = try info.dtype.element(nearest: 1)
      return { range, target in
        target.fill(zero, from: range.lowerBound)
        for position in positions {
          target.copy(one, at: position * one.count, in: range)
        }
      }
    case .random(let distribution, let zeroed):
      let sampling = try Sampling(
        distribution, dtype: info.dtype, count: info.elementCount, contiguous: isContiguous)
      let values = SharedSampling(sampling, from: start)
      let width = info.dtype.byteWidth
      let zeros = zeroed.map { $0.lowerBound * width..<$0.upperBound * width } ?? 0..<0
      return { range, target in
        target.fillElements(range, width: width) { values.read(elements: $0, into: &$1) }
        for offset in zeros.clamped(to: range) {
          target.storeBytes(of: 0, toByteOffset: offset - range.lowerBound, as: UInt8.self)
        }
      }
    case .whole(_, let make):
      let values = WholeValues { [info, start] in
        var generator = start
        return try make(info, &generator)
      }
      return { range, target in try values.read(range, into: &target) }
    case .mapped(let base, let steps):
      let read = try TensorValues(
        info: info, initializer: initializer, fill: base, start: start, isContiguous: isContiguous
      ).reader()
      let dtype = info.dtype
      return { range, target in
        try target.fillElements(range, width: dtype.byteWidth) { elements, bytes in
          try read(
            elements.lowerBound * dtype.byteWidth..<elements.upperBound * dtype.byteWidth, &bytes)
          ElementStep.apply(steps, to: &bytes, as: dtype)
        }
      }
    case .streamed(let make): return try make()
    case .nothing:
      return { _, target in target.fill([], from: 0) }
    }
  }
}

/// Values that can only be made all at once: made at the first read, let go after the last byte.
final class WholeValues: Sendable {
  private let bytes = Mutex<[UInt8]?>(nil)
  private let make: @Sendable () throws -> [UInt8]

  init(_ make: @escaping @Sendable () throws -> [UInt8]) { self.make = make }

  /// All of them, which are then kept.
  func all() throws -> [UInt8] {
    try bytes.withLock { held in
      let made = try held ?? make()
      held = made
      return made
    }
  }

  func read(_ range: Range<Int>, into target: inout MutableRawSpan) throws {
    let made = try bytes.withLock { held in
      let made = try held ?? make()
      // Tensors are read from end to end as a rule, so the memory goes with the last byte.
      held = range.upperBound == made.count ? nil : made
      return made
    }
    for offset in 0..<range.count {
      target.storeBytes(of: made[range.lowerBound + offset], toByteOffset: offset, as: UInt8.self)
    }
  }
}

extension MutableRawSpan {
  /// Writes those bytes of an element at `offset` of a tensor that lie in `range`, which the span
  /// stands for.
  fileprivate mutating func copy(_ element: [UInt8], at offset: Int, in range: Range<Int>) {
    for index in element.indices where range.contains(offset + index) {
      storeBytes(
        of: element[index], toByteOffset: offset + index - range.lowerBound, as: UInt8.self)
    }
  }
}
