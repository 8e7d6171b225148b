public import TensorCore

/// A tensor as golden files describe it: by digest, sometimes with all its bytes.
public struct TensorRecord: Decodable, Sendable {
  /// Dotted name, or `t`.
  public let name: String
  /// PyTorch's name of the element type.
  public let dtype: String
  /// Sizes, outermost first.
  public let shape: [Int]
  /// Hexadecimal SHA-256 of the row-major little-endian bytes.
  public let sha256: String
  /// All bytes in base 64, when the file carries them.
  public let values_b64: String?

  /// Checked description of the tensor.
  public var info: TensorInfo {
    get throws {
      guard let type = DType(named: dtype) else {
        throw CheckpointError(.unsupported, "dtype \(dtype)")
      }
      return try TensorInfo(dtype: type, shape: shape)
    }
  }
}

/// What a golden file says of the generator after an operation.
public struct GeneratorRecord: Decodable, Sendable {
  /// The four words that follow, in hexadecimal.
  public let next_u32: [String]
  /// Little-endian hexadecimal bytes of the cached normal, if there is one.
  public let cached_normal_f64_le: String?

  /// Whether a generator with this cached normal and these next words is in the recorded state.
  public func follows(_ cachedNormal: Double?, nextWord: () -> UInt32) -> Bool {
    let cached = cached_normal_f64_le.flatMap { UInt64($0, radix: 16)?.byteSwapped }
    return cachedNormal?.bitPattern == cached
      && next_u32.allSatisfy { UInt32($0, radix: 16) == nextWord() }
  }
}

/// One case of `goldens/ops.json`: an operation on a fresh tensor, or a sequence of them.
public struct OpCase: Decodable, Sendable, CustomStringConvertible {
  /// A number or a word among an operation's arguments.
  public enum Argument: Decodable, Sendable {
    case number(Double)
    case word(String)

    public init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      if let number = try? value.decode(Double.self) {
        self = .number(number)
      } else {
        self = .word(try value.decode(String.self))
      }
    }
  }

  /// One operation of a sequence.
  public struct Step: Decodable, Sendable {
    public let op: String
    public let shape: [Int]
    public let dtype: String
    public let args: [String: Argument]
  }

  public let id: String
  public let seed: UInt64
  public let op: String
  public let args: [String: Argument]?
  public let shape: [Int]?
  public let dtype: String?
  public let layout: String?
  public let tensor: TensorRecord?
  public let steps: [Step]?
  public let tensors: [TensorRecord]?
  public let rng_after: GeneratorRecord

  public var description: String { id }

  /// The argument `name` as a number.
  public func number(_ name: String) -> Double? {
    guard case .number(let value)? = args?[name] else { return nil }
    return value
  }

  /// The argument `name` as a word.
  public func word(_ name: String) -> String? {
    guard case .word(let value)? = args?[name] else { return nil }
    return value
  }

  /// All cases whose operation is among `operations`.
  public static func all(of operations: String...) throws -> [OpCase] {
    try Fixtures.cases("goldens/ops.json", as: OpCase.self).filter { operations.contains($0.op) }
  }

  /// For each row-major element its place in storage, for tensors without gaps.
  public static func storageOrder(shape: [Int], layout: String) -> [Int] {
    let order: [Int]
    switch layout {
    case "transposed": order = shape.indices.reversed()
    case "channels_last": order = [0] + shape.indices.dropFirst(2) + [1]
    default: order = Array(shape.indices)
    }
    var strides = [Int](repeating: 0, count: shape.count)
    var stride = 1
    for dimension in order.reversed() {
      strides[dimension] = stride
      stride *= shape[dimension]
    }
    return (0..<shape.reduce(1, *)).map { element in
      var rest = element
      var place = 0
      for dimension in shape.indices.reversed() {
        place += rest % shape[dimension] * strides[dimension]
        rest /= shape[dimension]
      }
      return place
    }
  }
}

extension Digest {
  /// The digest of bytes in memory.
  public init(of bytes: [UInt8]) {
    var builder = DigestBuilder(.sha256)
    unsafe builder.update(bytes.span.bytes)
    self = builder.finalize()
  }
}
