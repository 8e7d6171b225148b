import CheckpointKit
import TensorCore
import TestSupport
import Testing

@Suite struct NamePairingTests {
  private func list(_ names: [String], _ size: Int = 2) throws -> [NamePairing.Tensor] {
    try names.map { (TensorName($0), try Shape([size])) }
  }

  private static let plain = ["a.weight", "a.bias", "b.0.weight"]

  @Test(arguments: [
    "module.", "model.", "_orig_mod.", "module._orig_mod.", "module.module.model.", "bert.",
    "net.backbone.",
  ])
  func `a prefix of all names is found on either side`(prefix: String) throws {
    let plain = try list(Self.plain)
    let wrapped = try list(Self.plain.map { prefix + $0 })
    let second = try NamePairing(plain, wrapped)
    #expect(second.firstPrefix.isEmpty && second.secondPrefix == prefix)
    #expect(second.partners["a.bias"] == TensorName(prefix + "a.bias"))
    #expect(second.partners.count == 3)
    let first = try NamePairing(wrapped, plain)
    #expect(first.firstPrefix == prefix && first.secondPrefix.isEmpty)
    #expect(first.partners == second.inverse)
  }

  @Test func `wrappers on both sides are found`() throws {
    let left = try list(Self.plain.map { "module." + $0 })
    let right = try list(Self.plain.map { "model._orig_mod." + $0 })
    let pairing = try NamePairing(left, right)
    #expect(pairing.firstPrefix == "module." && pairing.secondPrefix == "model._orig_mod.")
    #expect(pairing.partners["module.a.bias"] == "model._orig_mod.a.bias")
  }

  @Test func `other names beside the prefixed ones are left alone`() throws {
    let right = try list(Self.plain.map { "model." + $0 } + ["loss.weight", "step"])
    let pairing = try NamePairing(try list(Self.plain + ["step"]), right)
    #expect(pairing.secondPrefix == "model." && pairing.partners.count == 3)
  }

  @Test func `nothing is paired without evidence`() throws {
    func pairing(_ left: [String], _ right: [String]) throws -> NamePairing {
      try NamePairing(list(left), list(right))
    }
    // The same names: nothing to find.
    #expect(try pairing(Self.plain, Self.plain).partners.isEmpty)
    // Two candidates.
    let twice = Self.plain.map { "model." + $0 } + Self.plain.map { "ema." + $0 }
    #expect(try pairing(Self.plain, twice).partners.isEmpty)
    // Two modules of one kind.
    let encoder = try pairing(["enc.weight", "enc.bias"], ["dec.weight", "dec.bias"])
    #expect(encoder.partners.isEmpty)
    // Half of a model inside another's.
    #expect(
      try pairing(["x.w", "x.v", "x.u"], ["net.x.w", "net.y.v", "net.z.u"]).partners.isEmpty)
    // Most names agree as they are.
    #expect(try pairing(Self.plain + ["fc.w"], Self.plain + ["head.fc.w"]).partners.isEmpty)
    // Other shapes.
    let other = try NamePairing(list(Self.plain), list(Self.plain.map { "module." + $0 }, 3))
    #expect(other.partners.isEmpty)
  }

  @Test func `new names apply to whichever list has what they change`() throws {
    let plain = try list(["a.w", "b.w"])
    let wrapped = try list(["net.a.w", "net.b.w"])
    for text in ["s/^net\\.//", "s/^net.//i"] {
      var names = NameMap()
      try names.add(substitution: text)
      let first = try NamePairing(wrapped, plain, names: names)
      #expect(first.partners == ["net.a.w": "a.w", "net.b.w": "b.w"] && !first.hasPrefix)
      #expect(try NamePairing(plain, wrapped, names: names).partners == first.inverse)
    }
    var names = NameMap()
    try names.add(substitution: "s/^/net./")
    #expect(
      try NamePairing(plain, wrapped, names: names).partners == [
        "a.w": "net.a.w", "b.w": "net.b.w",
      ])
  }

  @Test func `names of very many parts take little time`() throws {
    let name = String(repeating: "a.", count: 30_000)
    #expect(try NamePairing(list([name + "w"]), list(["w", name])).partners.isEmpty)
  }
}
