internal import Glibc
public import TensorCore
internal import TorchRandom

/// Normally distributed values, none outside `lower ... upper`: `torch.nn.init.trunc_normal_`.
///
/// PyTorch 2.15 draws whole tensors again until every element has come inside: normal ones when
/// more than 0.3 of the distribution lies between the bounds, else uniform ones that are accepted
/// by the density's height. Earlier releases inverted the distribution function instead.
public struct TruncatedNormal: Initializer, Hashable {
  /// Center of the distribution before it is cut.
  package let mean: Double
  /// Standard deviation before it is cut, above zero.
  package let standardDeviation: Double
  /// Least value, in the tensor's own units and not in standard deviations.
  package let lower: Double
  /// Greatest value, likewise.
  package let upper: Double

  public let name = "trunc_normal"

  /// Makes the initializer of its parameters; `fill` refuses reversed bounds.
  public init(
    mean: Double = 0, standardDeviation: Double = 1, lower: Double = -2, upper: Double = 2
  ) {
    self.mean = mean
    self.standardDeviation = standardDeviation
    self.lower = lower
    self.upper = upper
  }

  public func fill(for info: TensorInfo) throws -> TensorFill {
    guard standardDeviation > 0 else {
      throw CheckpointError(
        .mismatched,
        "trunc_normal: expected a standard deviation above 0, found \(standardDeviation)")
    }
    guard lower <= upper else {
      throw CheckpointError(
        .mismatched, "trunc_normal: expected its lower bound first, found \(lower) to \(upper)")
    }
    let normal = Distribution.normal(mean: mean, standardDeviation: standardDeviation)
    // No uniform that PyTorch draws is nearer to 0 than 2^-53, so no normal is further out than
    // √(106 ln 2) < 9 deviations: these bounds cut nothing and the values can be streamed.
    if mean - 9 * standardDeviation >= lower, mean + 9 * standardDeviation <= upper {
      return try .random(normal, for: info)
    }
    if share > 0.3 {
      let sampling = try Sampling(normal, dtype: info.dtype, count: info.elementCount)
      return .whole(moments) { _, generator in redraw(sampling, from: &generator) }
    }
    let candidates = try Sampling(
      .uniform(from: lower, to: upper), dtype: info.dtype, count: info.elementCount)
    let heights = try Sampling(
      .uniform(from: 0, to: 1), dtype: info.dtype, count: info.elementCount)
    let density = RoundedDensity(self, dtype: info.dtype)
    try checkRounds(for: info, density)
    return .whole(moments) { _, generator in
      accept(candidates, below: heights, density, from: &generator)
    }
  }

  /// Share of uniform candidates between the bounds that is accepted: the mean of the density
  /// relative to its highest value there, by Simpson's rule over what is not negligible.
  private var acceptance: Double {
    let width = (upper - lower) / standardDeviation
    let peak = (max(lower, min(mean, upper)) - mean) / standardDeviation
    // Distances from the peak to either bound, the further one first where the peak is inside.
    let sides = [
      (upper - mean) / standardDeviation - peak, peak - (lower - mean) / standardDeviation,
    ]
    let sum = sides.reduce(0.0) { sum, side in
      let reach = min(side, 40 / max(1, abs(peak)))
      guard reach > 0 else { return sum }
      let steps = 1000
      let values = (0...steps).map { step in
        let distance = reach * Double(step) / Double(steps)
        let weight = step == 0 || step == steps ? 1.0 : step % 2 == 1 ? 4 : 2
        return weight * exp(-distance * (distance / 2 + abs(peak)))
      }
      return sum + values.reduce(0, +) * reach / Double(3 * steps)
    }
    return sum / width
  }

  /// Refuses bounds that accept almost no candidates, unless the budget is lifted.
  ///
  /// Far from the mean the density is lost in rounding and PyTorch accepts what the exact one would
  /// refuse, so the rounded one is asked as well, at candidates that are evenly spread.
  private func checkRounds(
    for info: TensorInfo, _ density: RoundedDensity
  ) throws(CheckpointError) {
    guard density.isFinite else {
      throw CheckpointError(
        .mismatched,
        "trunc_normal from \(lower) to \(upper) is too far from its mean \(mean): the density "
          + "overflows, as in PyTorch")
    }
    let steps = 1024
    let rounded = (0..<steps).reduce(0.0) { sum, step in
      let share = (Double(step) + 0.5) / Double(steps)
      return sum + density.acceptance(at: lower + (upper - lower) * share)
    }
    let acceptance = max(acceptance, rounded / Double(steps))
    guard acceptance.isFinite, info.elementCount > 0 else { return }
    let rounds = (log(Double(info.elementCount)) + 1) / acceptance
    guard Budget.current.allowsDraws(of: info.elementCount, rounds: rounds) else {
      throw CheckpointError(
        .mismatched,
        "trunc_normal from \(lower) to \(upper) accepts a share of about \(Float(acceptance)) of its "
          + "draws, and PyTorch draws until all are accepted; pass --allow-large to do that")
    }
  }

  /// Mean and spread after the cut (Johnson, Kotz and Balakrishnan, *Continuous Univariate
  /// Distributions* 1, section 10.1).
  private var moments: Moments {
    func density(_ x: Double) -> Double { exp(-x * x / 2) / (2 * Double.pi).squareRoot() }
    let (a, b) = ((lower - mean) / standardDeviation, (upper - mean) / standardDeviation)
    let (low, high) = (density(a), density(b))
    let shift = (low - high) / share
    let edges = (a.isFinite ? a * low : 0) - (b.isFinite ? b * high : 0)
    let variance = 1 + edges / share - shift * shift
    guard share > 1e-9, variance > 0 else {
      // Far out in a tail the closed form cancels; there is no expectation to hold values to.
      return Moments(mean: (lower + upper) / 2, standardDeviation: .infinity)
    }
    return Moments(
      mean: mean + standardDeviation * shift,
      standardDeviation: standardDeviation * variance.squareRoot())
  }

  /// How much of the distribution lies between the bounds.
  private var share: Double {
    func below(_ bound: Double) -> Double {
      (1 + erf((bound - mean) / standardDeviation / 2.0.squareRoot())) / 2
    }
    return below(upper) - below(lower)
  }

  /// Redraws the whole tensor while an element is outside the bounds, and takes only the elements
  /// that were: PyTorch's generator moves past all of them each time.
  private func redraw(_ sampling: Sampling, from generator: inout Generator) -> [UInt8] {
    let dtype = sampling.dtype
    let bounds = dtype.rounded(lower)...dtype.rounded(upper)
    var values = generator.sample(sampling)
    func outside(_ index: Int) -> Bool { !(bounds ~= dtype.number(at: index, in: values)) }
    var pending = (0..<sampling.count).filter(outside)
    while !pending.isEmpty {
      // A whole tensor again, of which only the pending elements are taken: PyTorch's masked loop
      // moves the generator just as far.
      let fresh = generator.sample(sampling)
      for index in pending { dtype.copyElement(index, from: fresh, to: &values) }
      pending.removeAll { !outside($0) }
    }
    return values
  }

  /// Rejection sampling: redraws whole tensors of candidates and heights until every element has a
  /// candidate x whose height u in `0 ..< 1` is not above the density relative to its peak.
  ///
  /// The test `u ≤ exp(-(x - mean)² / 2 std²) / exp(peak)` is done in logarithms, as PyTorch does it,
  /// and each step is rounded to the dtype: one rounding left out would accept other candidates.
  private func accept(
    _ candidates: Sampling, below heights: Sampling, _ density: RoundedDensity,
    from generator: inout Generator
  ) -> [UInt8] {
    let dtype = candidates.dtype
    var values = generator.sample(candidates)
    var fresh = values
    var pending = Array(0..<candidates.count)
    while true {
      let drawn = generator.sample(heights)
      pending.removeAll {
        !density.rejects(dtype.number(at: $0, in: fresh), dtype.number(at: $0, in: drawn))
      }
      if pending.isEmpty { return values }
      fresh = generator.sample(candidates)
      for index in pending { dtype.copyElement(index, from: fresh, to: &values) }
    }
  }

  public var description: String {
    Self.syntax.text(mean, standardDeviation, lower, upper)
  }

  static let syntax = InitializerSyntax(
    "trunc_normal", .number("mean", default: 0), .number("std", default: 1),
    .number("a", default: -2), .number("b", default: 2)
  ) { values throws(CheckpointError) in
    TruncatedNormal(
      mean: try values.number(0), standardDeviation: try values.number(1),
      lower: try values.number(2), upper: try values.number(3))
  }
}

/// The density of a truncated normal relative to its largest value between the bounds, as PyTorch
/// computes it: in logarithms, each step rounded to the tensor's dtype.
private struct RoundedDensity: Sendable {
  private let dtype: DType
  private let middle: Double
  private let scale: Double
  /// Logarithm of the largest density between the bounds: at the mean, or at the bound nearest to it.
  private let peak: Double
  private let top: Double

  init(_ normal: TruncatedNormal, dtype: DType) {
    let nearest = max(normal.lower, min(normal.mean, normal.upper))
    self.dtype = dtype
    middle = dtype.rounded(normal.mean)
    // PyTorch subtracts numbers rounded to the tensor's dtype, but divides 16-bit tensors by a
    // float32.
    scale =
      dtype == .float64
      ? normal.standardDeviation : DType.float32.rounded(normal.standardDeviation)
    peak = -0.5 * pow((nearest - normal.mean) / normal.standardDeviation, 2)
    top = dtype.rounded(peak)
  }

  /// Whether Python's arithmetic gives the peak, which raises an `OverflowError` otherwise.
  var isFinite: Bool { peak.isFinite }

  private func logarithm(at value: Double) -> Double {
    let round = dtype.rounded
    let distance = round(round(value - middle) / scale)
    return round(round(round(distance * distance) * -0.5) - top)
  }

  /// Whether a candidate is drawn again; never where the logarithm is NaN.
  func rejects(_ value: Double, _ height: Double) -> Bool {
    dtype.rounded(log(height)) > logarithm(at: value)
  }

  /// The share of heights with which a candidate is accepted.
  func acceptance(at value: Double) -> Double {
    let logarithm = logarithm(at: dtype.rounded(value))
    return logarithm.isNaN ? 1 : min(1, exp(logarithm))
  }
}

extension Initializer where Self == TruncatedNormal {
  /// Draws normally, nothing outside `lower ... upper`.
  public static func truncatedNormal(
    mean: Double = 0, standardDeviation: Double = 1, lower: Double = -2, upper: Double = 2
  ) -> Self {
    TruncatedNormal(
      mean: mean, standardDeviation: standardDeviation, lower: lower, upper: upper)
  }
}
