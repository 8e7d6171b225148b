import CheckpointFormats
import CheckpointKit
import JSONText
import ModuleTree
import TensorCore
import TestSupport

/// Texts that people and files hold: models, rules, recipes, selectors, JSON.
extension FuzzTarget {
  /// A small model of several classes.
  private static let model = """
    Net(
      (conv): Conv2d(3, 4, kernel_size=(3, 3), stride=(1, 1))
      (norm): BatchNorm2d(4, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)
      (blocks): ModuleList(
        (0-1): 2 x Linear(in_features=4, out_features=4, bias=True)
      )
      (attn): MultiheadAttention(
        (out_proj): NonDynamicallyQuantizableLinear(in_features=4, out_features=4, bias=True)
      )
      (fc): Linear(in_features=4, out_features=2, bias=True)
    )
    """

  private static func text(_ name: String, _ read: @escaping @Sendable (String) throws -> Void)
    -> Self
  {
    Self(name, maxMessage: .max) { bytes, _ in
      try read(String(decoding: bytes, as: UTF8.self))
      return nil
    }
  }

  /// Plans a recipe and reads the beginnings of some tensors.
  private static func draw(_ recipe: Recipe) throws {
    let checkpoint = try recipe.plan().checkpoint
    for entry in checkpoint.entries.prefix(8) where entry.info.byteCount <= 1 << 14 {
      _ = try WholeRead.bytes(of: entry, 0..<min(entry.info.byteCount, 256))
    }
  }

  /// Prints a model and reads its other form, which must be the same model.
  private static func print(_ model: Model) throws {
    let module = model.module
    _ = module.description
    let tensors = module.stateDict()
    guard tensors.count <= 1000 else { return }
    let json = try module.json()
    let again: Model
    do {
      again = try Model(text: json)
    } catch {
      throw Finding("its own description is refused: \(error)")
    }
    let (one, other) = (tensors, again.module.stateDict())
    guard one.map(\.name) == other.map(\.name), one.map(\.shape) == other.map(\.shape) else {
      throw Finding("its own description has other tensors")
    }
  }

  /// The value that a text holds, written again; `nil` if it holds none.
  private static func exactJSON(_ bytes: [UInt8]) -> [UInt8]? {
    var room = ValueRoom()
    guard let value = Value(exact: String(decoding: bytes, as: UTF8.self), in: &room) else {
      return nil
    }
    var writer = JSONWriter()
    writer.exact(value)
    return writer.bytes
  }

  static let texts: [FuzzTarget] = [
    Self("json") { bytes, _ in
      if let written = exactJSON(bytes) {
        guard let again = exactJSON(written) else {
          throw Finding("a value is written as what is refused")
        }
        guard again == written else { throw Finding("a value is not written as it was read") }
      }
      _ = try JSONValue(String(decoding: bytes, as: UTF8.self))
      return nil
    },
    text("printed") { try print(Model(text: $0)) },
    text("description") { text in
      let model = try Model(text: text)
      try print(model)
      var recipe = Recipe()
      recipe.model = model
      try draw(recipe)
    },
    text("side-file") { try print(Model(text: model, extra: $0)) },
    text("recipe") { text in
      try draw(
        Recipe(text: text) { _, extra in try Model(text: model, extra: extra.map { _ in "" }) })
    },
    text("recipe-json") { text in
      let recipe = try Recipe(json: text)
      let again = try recipe.json
      guard try Recipe(json: again).json == again else {
        throw Finding("a recipe is not written as it was read")
      }
      try draw(recipe)
    },
    text("rule") { text in
      _ = try Rule(text)
      try draw(Recipe(text: "model: m\nseed: 1\n" + text) { _, _ in try Model(text: model) })
    },
    text("selector") { text in
      let selector = try Selector(text)
      let again = try Selector(selector.description)
      if again.description != selector.description {
        throw Finding("'\(selector.description)' is read as '\(again.description)'")
      }
      var recipe = Recipe()
      recipe.model = try Model(text: model)
      let checkpoint = try recipe.plan().checkpoint
      _ = try Selection(match: [selector]).entries(of: checkpoint)
    },
    text("rename") { text in
      var map = NameMap()
      for line in text.split(separator: "\n").prefix(4) { try map.add(substitution: String(line)) }
      let rename = map.renaming()
      for name in ["a.b.c", "h.10.w", "é-1"] { _ = try rename(TensorName(name)) }
    },
    text("slice") { text in
      for shape in [[], [3], [2, 0, 4], [5, 6, 7]] as [[Int]] {
        _ = try? TensorSlice(text, of: Shape(shape))
      }
    },
    text("skip") { _ = try Skip($0) },
  ]
}
