import ModuleTree
import TensorCore
import Testing

@Suite struct InitializerTextTests {
  struct Reading: CustomStringConvertible, Sendable {
    let text: String
    let initializer: any Initializer
    let canonical: String
    var description: String { text }

    init(_ text: String, _ initializer: any Initializer, _ canonical: String) {
      self.text = text
      self.initializer = initializer
      self.canonical = canonical
    }
  }

  static let readings: [Reading] = [
    Reading("xavier_uniform(gain=2)", .xavierUniform(gain: 2), "xavier_uniform(gain=2)"),
    Reading("xavier_uniform_", .xavierUniform(), "xavier_uniform"),
    Reading(
      "xavier_normal(gain=relu)", .xavierNormal(gain: 2.0.squareRoot()),
      "xavier_normal(gain=1.4142135623730951)"),
    Reading(
      "nn.init.orthogonal_(nn.init.calculate_gain('leaky_relu', 0.5))",
      .orthogonal(gain: 1.6.squareRoot()), "orthogonal(gain=1.2649110640673518)"),
    Reading(
      " kaiming_normal ( mode = fan_out , nonlinearity = \"relu\" ) ",
      .kaimingNormal(mode: .fanOut, nonlinearity: .relu),
      "kaiming_normal(mode=fan_out, nonlinearity=relu)"),
    Reading(
      "kaiming_uniform_(math.sqrt(5))", .kaimingUniform(a: 5.0.squareRoot()),
      "kaiming_uniform(a=2.23606797749979)"),
    Reading(
      "kaiming_uniform(mode='FAN_OUT',)", .kaimingUniform(mode: .fanOut),
      "kaiming_uniform(mode=fan_out)"),
    Reading("normal(0, 0.02)", .normal(standardDeviation: 0.02), "normal(std=0.02)"),
    Reading(
      "(uniform - 0.5) * 0.1", Arithmetic(.uniform(), [.minus(0.5), .times(0.1)]),
      "(uniform - 0.5) * 0.1"),
    Reading(
      "((normal * 2 + 1) / 3) + 2*3",
      Arithmetic(.normal(), [.times(2), .plus(1), .over(3), .plus(6)]), "(normal * 2 + 1) / 3 + 6"),
    Reading("uniform - 0.5 * 0.5", Arithmetic(.uniform(), [.minus(0.25)]), "uniform - 0.25"),
    Reading(
      "normal(std=1/sqrt(4), mean=-1)", .normal(mean: -1, standardDeviation: 0.5),
      "normal(mean=-1, std=0.5)"),
    Reading("normal(padding_idx=3)", .normal(paddingIndex: 3), "normal(padding_idx=3)"),
    Reading("uniform(-.5, +5e-1)", .uniform(within: 0.5), "uniform(a=-0.5, b=0.5)"),
    Reading("uniform()", .uniform(), "uniform"),
    Reading(
      "trunc_normal(std=0.02, a=-1)", .truncatedNormal(standardDeviation: 0.02, lower: -1),
      "trunc_normal(std=0.02, a=-1)"),
    Reading("sparse(0.9)", .sparse(sparsity: 0.9), "sparse(sparsity=0.9)"),
    Reading("dirac(groups=2)", .dirac(groups: 2), "dirac(groups=2)"),
    Reading("eye", .eye, "eye"),
    Reading("constant(val=0.25)", .constant(0.25), "0.25"),
    Reading("-1e-3", .constant(-0.001), "-0.001"),
    Reading("1e100", .constant(1e100), "1e+100"),
    Reading("inf", .constant(.infinity), "inf"),
    Reading("ones", .ones, "1"),
    Reading("zeros_()", .zeros, "0"),
  ]

  @Test(arguments: readings)
  func `text is read, and written so that it reads back equal`(reading: Reading) throws {
    let read = try InitializerText.parse(reading.text)
    #expect(AnyHashable(equal: read) == AnyHashable(equal: reading.initializer))
    #expect(read.description == reading.canonical)
    let again = try InitializerText.parse(read.description)
    #expect(AnyHashable(equal: again) == AnyHashable(equal: read))
  }

  @Test func `every initializer can be written by its name`() throws {
    for (name, text) in zip(InitializerText.names, InitializerText.examples) {
      let read = try InitializerText.parse(text)
      #expect(read.name == (["ones", "zeros"].contains(name) ? "constant" : name))
    }
  }

  @Test(arguments: [
    (
      "xavier_unifrom",
      "column 1: unknown initializer 'xavier_unifrom'; did you mean xavier_uniform?"
    ),
    (
      "glorot(1)",
      "column 1: unknown initializer 'glorot': expected one of uniform, normal, "
        + "trunc_normal, xavier_uniform, xavier_normal, kaiming_uniform, kaiming_normal, orthogonal, "
        + "sparse, eye, dirac, randint, bernoulli, randperm, timm_trunc_normal, "
        + "timm_trunc_normal_tf, constant, ones, zeros"
    ),
    ("normal(0, sdt=1)", "column 11: normal has no argument 'sdt'; did you mean std?"),
    ("normal(mean=1, 2)", "column 16: positional value after a named one"),
    ("normal(1, mean=2)", "column 11: mean is given twice"),
    ("uniform(1, 2, 3)", "column 15: uniform takes 2 values, found more"),
    ("kaiming_normal(mode=fan_on)", "column 21: mode has no value 'fan_on'; did you mean fan_in?"),
    ("kaiming_normal(mode=2)", "column 21: mode: expected one of fan_in, fan_out, found 2"),
    (
      "kaiming_normal(nonlinearity=leakyrelu)",
      "column 29: nonlinearity has no value 'leakyrelu'; did you mean leaky_relu?"
    ),
    ("kaiming_normal(a=True)", "column 18: a: expected a number, found 'True'"),
    ("normal(std=0.0.2)", "column 12: expected an initializer or a number, found '0'"),
    ("normal(0, 0.02", "column 15: expected ',' or ')', found the end"),
    ("normal(0 0.02)", "column 10: expected ',' or ')', found '0'"),
    ("normal(0, 1) x", "column 14: expected the end of the initializer, found 'x'"),
    ("kaiming_normal(mode='fan_in)", "column 21: the quote ' is not closed"),
    ("sparse", "column 1: sparse: expected a value for sparsity"),
    ("constant()", "column 1: constant: expected a value for val"),
    ("dirac(groups=1.5)", "column 14: groups: expected a whole number of 1 or more, found 1.5"),
    (
      "uniform(sin(1), 2)",
      "column 9: unknown function 'sin(…)': expected sqrt or calculate_gain, or one of log, exp, abs, "
        + "min, max, pow, int"
    ),
    ("uniform(0, 1/fan_inn)", "column 14: unknown number 'fan_inn'; did you mean fan_in?"),
    ("xavier_uniform(gain=tahn)", "column 21: gain has no value 'tahn'; did you mean tanh?"),
    ("", "column 1: expected an initializer or a number, found the end"),
    ("(1", "column 3: expected ')', found the end"),
  ])
  func `a mistake is named with its column`(text: String, message: String) {
    let error = #expect(throws: CheckpointError.self) { try InitializerText.parse(text) }
    #expect(error?.message == message)
    #expect(error?.code == .malformed)
  }

  @Test func `columns count from where the text stands in its line`() {
    let error = #expect(throws: CheckpointError.self) {
      try InitializerText.parse("norml(1)", column: 16)
    }
    #expect(
      error?.message == "column 16: unknown initializer 'norml'; did you mean normal?")
  }

  @Test func `every prefix of a text is read or refused`() {
    for reading in Self.readings {
      for length in 0...reading.text.count {
        let prefix = String(reading.text.prefix(length))
        do {
          _ = try InitializerText.parse(prefix)
        } catch {
          #expect(error.message.hasPrefix("column "), "\(prefix)")
        }
      }
    }
  }
}

extension AnyHashable {
  /// The value of an initializer, to compare; the name alone for one that is not hashable.
  init(equal initializer: any Initializer) {
    self = (initializer as? any Hashable).map { AnyHashable($0) } ?? AnyHashable(initializer.name)
  }
}
