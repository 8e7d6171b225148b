import ParallelWork
import TensorCore

/// How far two tensors of one shape are apart, measured in one pass over both.
public struct TensorDifference: Hashable, Sendable, Encodable {
  /// Elements compared.
  public internal(set) var elementCount = 0
  /// Elements that differ: in any bit, or by more than the tolerance if there is one.
  public internal(set) var differingCount = 0
  /// Elements that are NaN in the second tensor and not in the first.
  public internal(set) var becameNaNCount = 0
  /// Elements that are infinite in the second tensor and not in the first.
  public internal(set) var becameInfiniteCount = 0
  /// Elements that are NaN in the first tensor and not in the second.
  public internal(set) var noLongerNaNCount = 0
  /// Elements that are infinite in the first tensor and not in the second.
  public internal(set) var noLongerInfiniteCount = 0
  /// Numbers that are positive in one tensor and negative in the other; a complex element has two.
  public internal(set) var signFlipCount = 0
  /// Elements of floating-point tensors of two types that differ, and not only because those of the
  /// wider type were rounded to the narrower; `nil` for tensors of one type, or where the values cannot
  /// be read.
  public internal(set) var beyondRoundingCount: Int?
  /// Largest `|a - b|` of the elements that differ: NaN where one of the two is NaN, infinite where
  /// one is infinite; `nil` for types whose values cannot be read.
  public internal(set) var maxAbsolute: Double? = 0
  /// Largest distance in units in the last place, where both have one floating-point type; `nil`
  /// where a number became NaN, or NaN a number, because there is no such distance.
  public internal(set) var maxULP: UInt64?
  var squaredDifference = 0.0
  /// `‖a‖²`, `‖b‖²`, and `a · b`, over all elements.
  var squaredReference = 0.0
  var squaredSecond = 0.0
  var product = 0.0

  /// The share of elements that differ, 0 to 1; 0 for tensors without elements.
  public var changedShare: Double {
    elementCount == 0 ? 0 : Double(differingCount) / Double(elementCount)
  }

  /// `‖a - b‖₂ / ‖a‖₂`, elements that count as equal taken as equal.
  ///
  /// NaN if `a` has an element that is not finite or `b` one that is NaN; infinite if `b` alone has an
  /// infinite one; `nil` if `a` is all zero or the values cannot be read, where nothing is relative.
  public var relativeL2: Double? {
    guard squaredReference != 0, maxAbsolute != nil else { return nil }
    return squaredReference.isFinite ? (squaredDifference / squaredReference).squareRoot() : .nan
  }

  /// The cosine of the angle between the tensors, `a · b / (‖a‖₂ ‖b‖₂)`, from -1 to 1, of all elements
  /// whatever the tolerance.
  ///
  /// NaN if an element of either is not finite; `nil` if one of the two is all zero, or the values
  /// cannot be read.
  public var cosine: Double? {
    guard squaredReference != 0, squaredSecond != 0, maxAbsolute != nil else { return nil }
    let cosine = product / (squaredReference.squareRoot() * squaredSecond.squareRoot())
    return cosine.isFinite ? min(max(cosine, -1), 1) : .nan
  }

  /// Whether values became NaN or infinite, or ceased to be.
  public var changesSpecials: Bool {
    becameNaNCount + becameInfiniteCount + noLongerNaNCount + noLongerInfiniteCount > 0
  }

  /// Whether all values are equal, those of the wider type rounded to the narrower if there are two.
  public var isCast: Bool { differingCount == 0 || beyondRoundingCount == 0 }

  /// How far two elements may be apart and still count as equal, as in `torch.allclose`.
  ///
  /// They are equal when `|a - b| ≤ absolute + relative · |b|`, or when both are NaN; an infinite
  /// one only equals itself. With both tolerances zero, equal means bit for bit.
  public struct Tolerance: Hashable, Sendable {
    /// Part of `|b|` by which values may differ, 0 or more (`--rtol`).
    public var relative = 0.0
    /// What values may differ by in any case, in the tensors' own units, 0 or more (`--atol`).
    public var absolute = 0.0

    /// Bit for bit.
    public static let none = Tolerance()

    /// A tolerance of both kinds.
    public init(relative: Double = 0, absolute: Double = 0) {
      self.relative = relative
      self.absolute = absolute
    }

    /// Whether numbers that are not identical count as equal.
    func covers(_ x: Double, _ y: Double) -> Bool {
      if x == y || x.isNaN && y.isNaN { return true }
      let distance = abs(x - y)
      return distance.isFinite && distance <= absolute + relative * abs(y)
    }
  }

  /// Nothing compared so far.
  init() {}

  /// Adds what was found in the part that follows.
  mutating func append(_ next: TensorDifference) {
    maxULP =
      elementCount == 0 ? next.maxULP : maxULP.flatMap { ulp in next.maxULP.map { max(ulp, $0) } }
    beyondRoundingCount =
      elementCount == 0
      ? next.beyondRoundingCount
      : beyondRoundingCount.flatMap { mine in next.beyondRoundingCount.map { mine + $0 } }
    elementCount = [elementCount, next.elementCount].saturatedSum()
    differingCount += next.differingCount
    becameNaNCount += next.becameNaNCount
    becameInfiniteCount += next.becameInfiniteCount
    noLongerNaNCount += next.noLongerNaNCount
    noLongerInfiniteCount += next.noLongerInfiniteCount
    signFlipCount += next.signFlipCount
    maxAbsolute = maxAbsolute.flatMap { mine in
      next.maxAbsolute.map { mine.isNaN || $0.isNaN ? .nan : max(mine, $0) }
    }
    squaredDifference += next.squaredDifference
    squaredReference += next.squaredReference
    squaredSecond += next.squaredSecond
    product += next.product
  }
}

extension TensorDifference {
  private enum CodingKeys: String, CodingKey {
    case elements, differing, becameNaN, becameInfinite, noLongerNaN, noLongerInfinite
    case maxAbsolute, maxULP, relativeL2, cosine, signFlips, changedShare, beyondRounding
  }

  /// Writes every measure; `null` stands for one that has no meaning for these tensors.
  public func encode(to encoder: any Encoder) throws {
    let isRead = maxAbsolute != nil
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(elementCount, forKey: .elements)
    try values.encode(differingCount, forKey: .differing)
    try values.encode(changedShare, forKey: .changedShare)
    try values.encode(isRead ? becameNaNCount : nil, forKey: .becameNaN)
    try values.encode(isRead ? becameInfiniteCount : nil, forKey: .becameInfinite)
    try values.encode(isRead ? noLongerNaNCount : nil, forKey: .noLongerNaN)
    try values.encode(isRead ? noLongerInfiniteCount : nil, forKey: .noLongerInfinite)
    try values.encode(isRead ? signFlipCount : nil, forKey: .signFlips)
    try values.encode(beyondRoundingCount, forKey: .beyondRounding)
    try values.encode(maxAbsolute, forKey: .maxAbsolute)
    try values.encode(maxULP, forKey: .maxULP)
    try values.encode(relativeL2, forKey: .relativeL2)
    try values.encode(cosine, forKey: .cosine)
  }
}
