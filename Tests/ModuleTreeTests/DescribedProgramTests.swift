import ModuleTree
import ParallelWork
import TensorCore
import TestSupport
import Testing
import TorchRandom

/// Programs of `Tools/fixtures/programs.py`, as `Tools/describe.py` described them.
@Suite struct DescribedProgramTests {
  static let programs = [
    "antisymmetric", "bernoulli_mask", "bernoulli_in_place", "bfloat16", "block", "cat",
    "channels_last", "clamp", "column", "copy_of_part", "copy_redrawn", "default_generator",
    "diagonal", "double", "echo_state", "exact_powers", "expand_clone", "flip", "float8",
    "forget_gate", "forked", "forked_first", "forked_unseeded", "gather_rows", "grown",
    "half_then_scaled", "hashes", "hopfield",
    "init_on_slices", "int_rounding", "large_normal_into_transposed", "mirrored", "mixed_types",
    "normal_into_columns", "normalized", "own_generator", "permutation", "pixel_shuffle_icnr",
    "product_of_draws", "qkv_thirds", "random_signs", "repeat", "reversed_uniform",
    "seeded_twice", "shifted_and_scaled", "sparse_connectivity", "stack", "state_restored",
    "tied_transposed",
    "times_table", "transpose", "triangular", "view_writes", "views_of_one", "weight_norm",
  ]

  @Test(arguments: programs)
  func `a described program gives torch's bytes`(name: String) throws {
    let json = String(decoding: try Fixtures.bytes("models/programs/\(name).json"), as: UTF8.self)
    let tree = try Module(json: json)
    let sums = try Self.sums(tree)
    let wanted = String(
      decoding: try Fixtures.bytes("models/programs/\(name).sums"), as: UTF8.self)
    #expect(sums.joined(separator: "\n") + "\n" == wanted)
    #expect(try Self.sums(Module(json: tree.json())) == sums)
  }

  @Test func `functions of draws are within a unit in the last place of torch's`() throws {
    let json = String(decoding: try Fixtures.bytes("models/functions.json"), as: UTF8.self)
    let wanted = try Fixtures.bytes("models/functions.bin")
    var offset = 0
    for entry in try Module(json: json).initialized(seed: 7).entries {
      var bytes = [UInt8](repeating: 0, count: entry.info.byteCount)
      try bytes.withMutableRawSpan { try entry.read(0..<entry.info.byteCount, into: &$0) }
      for index in 0..<entry.info.elementCount {
        let ours = DType.float32.number(at: index, in: bytes)
        let theirs = DType.float32.number(at: offset + index, in: wanted)
        #expect(abs(ours - theirs) <= Double(Float(theirs).ulp), "\(entry.name) \(index)")
      }
      offset += entry.info.elementCount
    }
    #expect(offset == 18 * 24 && wanted.count == 4 * offset)
  }

  private static func sums(_ tree: Module) throws -> [String] {
    try tree.initialized(seed: 7).entries.map { "\(try $0.digest(.sha256))  \($0.name)" }
  }

  /// Reads in pieces that begin and end anywhere give the same bytes.
  @Test(arguments: [
    "cat", "column", "flip", "half_then_scaled", "transpose", "sparse_connectivity",
  ])
  func `a tensor made of others is read by range`(name: String) throws {
    let json = String(decoding: try Fixtures.bytes("models/programs/\(name).json"), as: UTF8.self)
    for entry in try Module(json: json).initialized(seed: 7).entries {
      var whole = [UInt8](repeating: 0, count: entry.info.byteCount)
      try whole.withMutableRawSpan { try entry.read(0..<entry.info.byteCount, into: &$0) }
      for length in [1, 3, 7, 16] {
        var pieces: [UInt8] = []
        for start in stride(from: 0, to: whole.count, by: length) {
          let end = min(start + length, whole.count)
          var piece = [UInt8](repeating: 0, count: end - start)
          try piece.withMutableRawSpan { try entry.read(start..<end, into: &$0) }
          pieces += piece
        }
        #expect(pieces == whole, "\(entry.name) in pieces of \(length)")
      }
    }
  }
}
