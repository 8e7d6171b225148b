import ParallelWork
import TensorCore

/// The loops over elements of two tensors, with memory that is used again from step to step.
struct ElementLoops {
  private let left: DType
  private let right: DType
  private let tolerance: TensorDifference.Tolerance
  private var values: [Double] = []
  private var others: [Double] = []
  private var rounded: [Double] = []

  init(_ left: DType, _ right: DType, _ tolerance: TensorDifference.Tolerance) {
    (self.left, self.right, self.tolerance) = (left, right, tolerance)
  }

  /// Adds the products of a step that is equal on both sides.
  mutating func addEqual(_ bytes: RawSpan, to found: inout TensorDifference) {
    ElementConversion.decode(bytes, as: left, into: &values)
    var (first, second) = (found.squaredReference, found.squaredSecond)
    var product = found.product
    for value in values {
      let square = value * value
      first += square
      second += square
      product += square
    }
    (found.squaredReference, found.squaredSecond, found.product) = (first, second, product)
  }

  /// Measures a step of elements, as many in both spans.
  mutating func add(_ a: RawSpan, _ b: RawSpan, to found: inout TensorDifference) {
    let sameType = left == right
    if sameType, a.isByteEqual(to: b) { return addEqual(a, to: &found) }
    ElementConversion.decode(a, as: left, into: &values)
    ElementConversion.decode(b, as: right, into: &others)
    // A real element is a complex one whose imaginary part is 0, as in PyTorch's `Tensor.to`.
    if right.isComplex, !left.isComplex { values = values.flatMap { [$0, 0] } }
    if left.isComplex, !right.isComplex { others = others.flatMap { [$0, 0] } }
    addProducts(to: &found)
    if !sameType { addBeyondRounding(a, b, to: &found) }
    // One number for each element, but for complex types.
    let perElement = left.isComplex || right.isComplex ? 2 : 1
    let width = left.byteWidth / perElement
    let format = sameType ? left.element.floatFormat : nil
    let isExact = tolerance == .none
    if sameType, isExact, perElement == 1 {
      return switch width {
      case 1: addExact(a, b, UInt8.self, format, to: &found)
      case 2: addExact(a, b, UInt16.self, format, to: &found)
      case 4: addExact(a, b, UInt32.self, format, to: &found)
      default: addExact(a, b, UInt64.self, format, to: &found)
      }
    }
    var (element, special) = (-1, -1)
    var (differing, squares) = (0, 0.0)
    var largest = found.maxAbsolute ?? 0
    var distanceInUnits = found.maxULP
    for index in values.indices {
      let (x, y) = (values[index], others[index])
      let isSame =
        isExact
        ? sameType
          ? a.word(index, width: width) == b.word(index, width: width)
          : x == y || x.isNaN && y.isNaN
        : tolerance.covers(x, y)
      if isSame { continue }
      if index / perElement != element { differing += 1 }
      element = index / perElement
      let distance = x == y || x.isNaN && y.isNaN ? 0 : abs(x - y)
      squares += distance * distance
      if distance.isFinite {
        // A largest distance of NaN stays.
        if distance > largest { largest = distance }
      } else {
        largest = largest.isNaN || distance.isNaN ? .nan : distance
        if element != special {
          special = element
          let parts = element * perElement..<(element + 1) * perElement
          found.countSpecials(from: values[parts], to: others[parts])
        }
      }
      if let format, let known = distanceInUnits {
        if x.isNaN != y.isNaN {
          distanceInUnits = nil
        } else if let units = format.unitsInLastPlace(
          from: a.word(index, width: width), to: b.word(index, width: width))
        {
          if units > known { distanceInUnits = units }
        }
      }
    }
    found.differingCount += differing
    found.squaredDifference += squares
    found.maxAbsolute = largest
    found.maxULP = distanceInUnits
  }

  /// The usual case: real numbers of one type, of which equal ones have equal bits.
  private func addExact<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ a: RawSpan, _ b: RawSpan, _: Word.Type, _ format: FloatFormat?,
    to found: inout TensorDifference
  ) {
    let width = MemoryLayout<Word>.size
    precondition(
      a.byteCount == values.count * width && b.byteCount == others.count * width
        && others.count == values.count, "spans of another size than the values")
    let sign = Word(truncatingIfNeeded: format?.signBit ?? 0)
    var (differing, squares) = (0, 0.0)
    var largest = found.maxAbsolute ?? 0
    var units = Word(0)
    var hasUnits = format != nil && found.maxULP != nil
    for index in values.indices {
      let old = unsafe a.unsafeLoadUnaligned(
        fromUncheckedByteOffset: index * width, as: Word.self)
      let new = unsafe b.unsafeLoadUnaligned(
        fromUncheckedByteOffset: index * width, as: Word.self)
      if old == new { continue }
      differing += 1
      let (x, y) = (values[index], others[index])
      let distance = abs(x - y)
      if distance.isFinite {
        squares += distance * distance
        // A largest distance of NaN stays.
        if distance > largest { largest = distance }
      } else if !(x.isNaN && y.isNaN) {
        squares += distance * distance
        largest = largest.isNaN || distance.isNaN ? .nan : distance
        found.countSpecials(from: values[index...index], to: others[index...index])
        if x.isNaN != y.isNaN { hasUnits = false }
      }
      if hasUnits, !x.isNaN, !y.isNaN {
        let (left, right) = (old & ~sign, new & ~sign)
        // Magnitudes leave the sign's bit free, so that the sum of two has room.
        let apart =
          (old ^ new) & sign != 0 ? left + right : left > right ? left - right : right - left
        if apart > units { units = apart }
      }
    }
    found.differingCount += differing
    found.squaredDifference += squares
    found.maxAbsolute = largest
    found.maxULP = hasUnits ? max(found.maxULP ?? 0, UInt64(units)) : nil
  }

  private func addProducts(to found: inout TensorDifference) {
    var (first, second) = (found.squaredReference, found.squaredSecond)
    var (product, flips) = (found.product, 0)
    for index in values.indices {
      let (x, y) = (values[index], others[index])
      first += x * x
      second += y * y
      product += x * y
      flips += (x < 0 && y > 0) || (x > 0 && y < 0) ? 1 : 0
    }
    (found.squaredReference, found.squaredSecond) = (first, second)
    found.product = product
    found.signFlipCount += flips
  }

  /// Counts elements of two types that differ, and not only by the rounding of a conversion, which is
  /// made again from the wider type to the narrower.
  private mutating func addBeyondRounding(
    _ a: RawSpan, _ b: RawSpan, to found: inout TensorDifference
  ) {
    func isSame(_ x: Double, _ y: Double) -> Bool { x == y || x.isNaN && y.isNaN }
    let isWide = right.byteWidth <= left.byteWidth
    let (old, new) = isWide ? (left, right) : (right, left)
    let differing = values.indices.count { !isSame(values[$0], others[$0]) }
    guard differing > 0, old.isFloatingPoint, new.isFloatingPoint else {
      found.beyondRoundingCount = found.beyondRoundingCount.map { $0 + differing }
      return
    }
    let size = values.count * new.byteWidth
    var target = ChunkBuffer(capacity: size)
    target.fill(size) { bytes in
      _ = ElementConversion.convert(isWide ? a : b, from: old, to: new, into: &bytes)
    }
    let bytes = target.bytes(size)
    ElementConversion.decode(bytes, as: new, into: &rounded)
    var beyond = 0
    for index in rounded.indices
    where !isSame(rounded[index], isWide ? others[index] : values[index]) {
      beyond += 1
    }
    found.beyondRoundingCount = found.beyondRoundingCount.map { $0 + beyond }
  }
}

extension TensorDifference {
  /// Counts what one element, given by its one or two numbers, became.
  fileprivate mutating func countSpecials(
    from old: ArraySlice<Double>, to new: ArraySlice<Double>
  ) {
    let (wasNaN, isNaN) = (old.contains(where: \.isNaN), new.contains(where: \.isNaN))
    if wasNaN != isNaN {
      if isNaN { becameNaNCount += 1 } else { noLongerNaNCount += 1 }
    }
    // An element with both a NaN and an infinity, of a complex type, counts as NaN.
    let wasInfinite = !wasNaN && old.contains(where: \.isInfinite)
    let isInfinite = !isNaN && new.contains(where: \.isInfinite)
    if wasInfinite != isInfinite {
      if isInfinite { becameInfiniteCount += 1 } else { noLongerInfiniteCount += 1 }
    }
  }
}
