import ModuleTree
import ParallelWork
import TensorCore
import TestSupport
import TorchRandom

/// What the golden files hold, as `Fixtures/goldens/SCHEMA.md` describes it.
enum Golden {
  struct Tensor: Decodable {
    let name: String
    let dtype: String
    let shape: [Int]
    let sha256: String
    /// All values, of a tensor whose last bits are not promised.
    let values: [Double]?
  }

  struct Position: Decodable {
    let next_u32: [String]
    let cached_normal_f64_le: String?
  }

  struct State: Decodable {
    let tensors: [Tensor]
    let rng_after: Position
  }

  struct ModuleCase: Decodable, CustomStringConvertible, Sendable {
    let id: String
    let code: String
    let repr: String
    let seed: UInt64
    let dtype: String
    let construct: State
    let resets: State?
    let shared: [[String]]?
    /// Lines of a side file that say what the printed text hides.
    let extra: String?
    var description: String { "\(id) \(code)" }

    private enum CodingKeys: String, CodingKey {
      case id, code, repr, seed, dtype, construct, reset_modules, shared, extra
    }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      id = try values.decode(String.self, forKey: .id)
      code = try values.decode(String.self, forKey: .code)
      repr = try values.decode(String.self, forKey: .repr)
      seed = try values.decode(UInt64.self, forKey: .seed)
      dtype = try values.decode(String.self, forKey: .dtype)
      construct = try values.decode(State.self, forKey: .construct)
      // Text says "same as construct".
      resets = try? values.decode(State.self, forKey: .reset_modules)
      shared = try values.decodeIfPresent([[String]].self, forKey: .shared)
      extra = try values.decodeIfPresent(String.self, forKey: .extra)
    }
  }

  struct Pass: Decodable, Sendable {
    let seed: UInt64?
    let touched: [String]?
    let sha256: [String: String]
    let rng_after: Position
  }

  struct NetCase: Decodable, CustomStringConvertible, Sendable {
    let id: String
    let print: String
    let seed: UInt64
    let construct: State
    let reset_modules: Pass
    let rules_modules: Pass
    let rules_apply: Pass
    var description: String { id }
  }

  struct ArticleCase: Decodable, CustomStringConvertible, Sendable {
    let id: String
    let repr: String
    let seed: UInt64
    let seed2: UInt64?
    let dtype: String
    let tensors: [Tensor]
    let rng_after: Position
    var description: String { id }
  }

  struct TraversalCase: Decodable, CustomStringConvertible, Sendable {
    let id: String
    let repr: String
    let modules: [String]
    let named_modules_with_duplicates: [String]
    let children: [String]
    let apply_order: [String]
    let state_dict: [Entry]
    let named_parameters: [String]
    let named_parameters_with_duplicates: [String]
    let named_buffers: [String]
    var description: String { id }

    struct Entry: Decodable, Equatable {
      let name: String
      let dtype: String
      let shape: [Int]

      init(name: String, dtype: String, shape: [Int]) {
        (self.name, self.dtype, self.shape) = (name, dtype, shape)
      }

      init(from decoder: any Decoder) throws {
        var values = try decoder.unkeyedContainer()
        name = try values.decode(String.self)
        dtype = try values.decode(String.self)
        shape = try values.decode([Int].self)
      }
    }
  }

  static func modules() throws -> [ModuleCase] {
    try Fixtures.cases("goldens/modules.json", as: ModuleCase.self)
  }
  static func hiddenModules() throws -> [ModuleCase] {
    try Fixtures.cases("goldens-extra/modules.json", as: ModuleCase.self)
  }
  static func nets() throws -> [NetCase] {
    try Fixtures.cases("goldens/nets.json", as: NetCase.self)
  }
  static func article() throws -> [ArticleCase] {
    try Fixtures.cases("goldens/article.json", as: ArticleCase.self)
  }
  static func traversal() throws -> [TraversalCase] {
    try Fixtures.cases("goldens/traversal.json", as: TraversalCase.self)
  }
}

extension Checkpoint.Entry {
  /// The tensor's SHA-256, as text, read in pieces of `size` bytes.
  func digest(size: Int = ChunkBuffer.standardSize) throws -> String {
    var buffer = ChunkBuffer(capacity: size)
    var builder = DigestBuilder(.sha256)
    try forEachChunk(using: &buffer) { _, bytes in builder.update(bytes) }
    return builder.finalize().description
  }
}

extension Generator {
  /// The four words that follow and the cached normal, as the goldens write them.
  var position: (words: [String], cached: String?) {
    var copy = self
    func hex(_ value: some FixedWidthInteger, _ digits: Int) -> String {
      let text = String(value, radix: 16)
      return String(repeating: "0", count: digits - text.count) + text
    }
    let words = (0..<4).map { _ in hex(copy.nextUInt32(), 8) }
    return (words, cachedNormal.map { hex($0.bitPattern.byteSwapped, 16) })
  }
}
