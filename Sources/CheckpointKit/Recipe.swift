import ByteIO
import CheckpointFormats
import FoundationEssentials
import ModuleTree
public import TensorCore
public import TorchRandom

/// Everything that is needed to make a checkpoint's values again.
///
/// Kept as JSON in the checkpoint's metadata under `Checkpoint.recipeKey`, and written by people
/// as a text file, one `key: value` a line.
public struct Recipe: Codable, Hashable, Sendable {
  /// Layers redrawn afterwards, by `ckpt reinit`.
  public struct Redraw: Codable, Hashable, Sendable {
    /// Selectors, any of which takes a parameter.
    public var match: [String]
    /// Selectors that leave parameters out.
    public var exclude: [String]
    /// Rules; none means the layers' own initialisation.
    public var rules: [String]
    /// `modules` or `apply`.
    public var order: String
    /// Seed of the fresh generator.
    public var seed: String
    /// Fingerprint of the checkpoint that the tensors were copied from instead of drawn.
    public var copiedFrom: String?
  }

  /// Version of this schema.
  public var version = 1
  /// The text that PyTorch's `print(model)` shows.
  public var model: String?
  /// Lines of a side file that say what the model's text cannot show.
  public var extra: String?
  /// Argument of `torch.manual_seed`, from -2^63 to 2^64 - 1; `nil` when the values came from
  /// elsewhere, so that only redrawn tensors can be made again.
  public var seed: String? = "0"
  /// Rules applied after construction, the generator running on.
  public var rules: [String] = []
  /// Order in which the rules walk the tree: `modules` or `apply`.
  public var order = "modules"
  /// PyTorch's default dtype during construction, `float32`.
  public var dtype = "float32"
  /// Whose bytes these are: PyTorch's version and its CPU path.
  public var torch = "2.15 avx2"
  /// Redraws since, oldest first.
  public var redraws: [Redraw] = []

  /// Which of PyTorch's CPU paths the values are those of.
  public var cpuPath: CPUPath {
    get { torch.utf8.reversed().starts(with: " default".utf8.reversed()) ? .default : .avx2 }
    set { torch = "2.15 \(newValue.rawValue)" }
  }

  /// An empty recipe: no model, seed 0.
  public init() {}

  /// The recipe of a checkpoint whose values came from elsewhere, before its first redraw.
  init(redrawsOf tree: Checkpoint.Tree) throws {
    let source = try tree.model()
    (model, extra) = (source.text, source.extra)
    seed = nil
  }

  /// Decodes the JSON of a checkpoint's metadata.
  public init(json text: String) throws {
    do {
      self = try JSONDecoder().decode(Self.self, from: Data(text.utf8))
    } catch {
      throw CheckpointError(
        .malformed, "recipe: found '\(text.prefix(60))', required the JSON that ckpt init writes")
    }
    guard version == 1 else {
      throw CheckpointError(
        .unsupported, "recipe: found version \(version), this build knows version 1")
    }
  }

  /// The JSON of a checkpoint's metadata: keys sorted, one line.
  public var json: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
  }

  /// Parses a recipe file: `model: FILE`, `extra: FILE`, `seed: N`, `order: …`, `dtype: …` and RULE lines.
  ///
  /// `#` begins a comment; `loadModel` reads the file named behind `model:`, with the side file named
  /// behind `extra:`.
  /// - Throws: `CheckpointError` with the line's number.
  public init(
    text: String, loadModel: (_ file: String, _ extra: String?) throws -> Model
  ) throws {
    var seen: Set<String> = []
    var files: (model: String?, extra: String?)
    for (index, line) in text.trimmedLines.enumerated() {
      let line = line.prefix(while: { $0 != "#" }).trimmingBlanks
      if line.isEmpty { continue }
      func fail(_ message: String) -> CheckpointError {
        CheckpointError(.malformed, "line \(index + 1): \(message)")
      }
      guard let colon = line.firstIndex(of: ":") else {
        throw fail(
          "found '\(line)', required 'key: value' or a rule 'SELECTOR: PARAMETER=INITIALIZER'")
      }
      let key = line[..<colon].trimmingBlanks
      let value = line[line.index(after: colon)...].trimmingBlanks
      if ["model", "extra", "seed", "order", "dtype"].contains(key), !value.contains("=") {
        guard seen.insert(key).inserted else { throw fail("'\(key)' is given a second time") }
      }
      do {
        switch key {
        case "model" where !value.contains("="): files.model = value
        case "extra" where !value.contains("="): files.extra = value
        case "seed": seed = try Seed(value).description
        case "order": order = try Rule.Order(named: value).rawValue
        case "dtype": dtype = try Self.floatingPoint(named: value).torchName
        default: rules.append(try Rule(line).description)
        }
      } catch let error as CheckpointError {
        throw error.path == nil ? fail(error.message) : error
      }
    }
    guard let file = files.model else {
      if files.extra != nil {
        throw CheckpointError(.missing, "'extra' is given without 'model', required both")
      }
      return
    }
    let loaded = try loadModel(file, files.extra)
    (model, extra) = (loaded.text, loaded.extra)
  }

  /// Reads a recipe file, or the recipe that a checkpoint carries.
  ///
  /// A path of `-` is standard input. Names in a recipe file are relative to its folder.
  public init(file path: String) throws {
    let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
    self = try withFile(path) { file in
      guard CheckpointFormat.recognized(try FileProbe(path: file)) == nil else {
        guard let recipe = try CheckpointSource.open(file).checkpoint.recipe() else {
          throw CheckpointError(.missing, "carries no recipe, required one")
        }
        return recipe
      }
      return try Recipe(text: try readText(file)) { model, extra in
        func resolved(_ name: String) -> String { name.hasPrefix("/") ? name : folder + name }
        return try Model(file: resolved(model), extra: extra.map(resolved))
      }
    }
  }

  /// Finds one of PyTorch's CPU paths by its name.
  public static func cpuPath(named text: String) throws -> CPUPath {
    guard let cpuPath = CPUPath(rawValue: text) else {
      throw CheckpointError(
        .unsupported, "path '\(text)' of PyTorch: required avx2 or default")
    }
    return cpuPath
  }

  /// Finds a dtype that layers can be built in.
  public static func floatingPoint(named text: String) throws -> DType {
    guard let dtype = DType(named: text), ElementConversion.canEncode(dtype) else {
      throw CheckpointError(
        .unsupported, "dtype '\(text)': required float32, float64, bfloat16 or float16")
    }
    return dtype
  }
}

/// The argument of `torch.manual_seed`.
public struct Seed: Hashable, Sendable, CustomStringConvertible {
  /// As PyTorch keeps it: negative seeds are taken modulo 2^64.
  public let value: UInt64

  /// Parses a decimal integer from -2^63 to 2^64 - 1, PyTorch's range.
  public init(_ text: String) throws {
    if let value = UInt64(text) {
      self.value = value
    } else if let value = Int64(text) {
      self.value = UInt64(bitPattern: value)
    } else {
      throw CheckpointError(
        .malformed,
        "seed '\(text)': required an integer from -9223372036854775808 to 18446744073709551615")
    }
  }

  /// Takes a number.
  public init(_ value: UInt64) { self.value = value }

  public var description: String { "\(value)" }
}
