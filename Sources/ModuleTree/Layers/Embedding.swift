/// A table of rows looked up by index; `weight` is `[rows, columns]`.
///
/// The whole table is drawn from N(0, 1), then the padding row is set to zero.
/// Source: PyTorch 2.15 `torch/nn/modules/sparse.py`, classes `Embedding` and `EmbeddingBag`.
public struct Embedding: Layer {
  /// Rows of the table.
  package let rows: Int
  /// Length of a row.
  package let columns: Int
  /// Row that stays zero, if there is one.
  package let paddingIndex: Int?
  /// How a bag's rows are combined, `mean`, `sum` or `max`; `nil` for a plain embedding.
  package let bagMode: String?

  /// Describes `nn.Embedding(rows, columns, padding_idx=…)`; a negative index counts from the end.
  public init(_ rows: Int, _ columns: Int, paddingIndex: Int? = nil) {
    self.init(rows, columns, paddingIndex: paddingIndex, bagMode: nil)
  }

  package init(_ rows: Int, _ columns: Int, paddingIndex: Int?, bagMode: String?) {
    self.rows = rows
    self.columns = columns
    // PyTorch prints, and zeroes, the index counted from the front.
    self.paddingIndex = paddingIndex.map { $0 < 0 ? $0 + rows : $0 }
    self.bagMode = bagMode
  }

  public var kind: String { bagMode == nil ? "Embedding" : "EmbeddingBag" }

  public var arguments: String {
    var text = "\(rows), \(columns)"
    if let bagMode { text += ", mode='\(bagMode)'" }
    if let paddingIndex { text += ", padding_idx=\(paddingIndex)" }
    return text
  }

  public var parameters: [Parameter] {
    [
      Parameter(
        "weight", shape: [rows, columns],
        initializer: .normal(paddingIndex: paddingIndex))
    ]
  }
}

/// `nn.EmbeddingBag`.
public struct EmbeddingBag: ModuleConvertible {
  /// The bag as a node of a tree.
  public let module: Module

  /// Describes `nn.EmbeddingBag(rows, columns, mode=…, padding_idx=…)`.
  public init(_ rows: Int, _ columns: Int, mode: String = "mean", paddingIndex: Int? = nil) {
    module = Embedding(rows, columns, paddingIndex: paddingIndex, bagMode: mode).module
  }
}

extension Embedding: PrintedLayer {
  package static let classes: [String: [String]] = ["Embedding": [], "EmbeddingBag": []]

  package static func prints(_ printed: PrintedModule) -> Bool {
    printed.shows(
      2...2, [],
      optional: [
        "padding_idx", "max_norm", "norm_type", "scale_grad_by_freq", "sparse",
        "mode", "include_last_offset",
      ])
  }

  package init(printed: PrintedModule) throws(ArgumentError) {
    let arguments = printed.arguments
    let rows = try arguments.size(at: 0, called: "num_embeddings")
    let columns = try arguments.size(at: 1, called: "embedding_dim")
    var padding: Int?
    if let text = arguments.text("padding_idx"), text != "None" {
      padding = try arguments.size("padding_idx")
    }
    if let padding, padding >= rows {
      throw ArgumentError(
        offset: 0, message: "expected a row below \(rows), found padding_idx=\(padding)")
    }
    let mode = arguments.text("mode") ?? "mean"
    self.init(
      rows, columns, paddingIndex: padding,
      bagMode: printed.kind == "EmbeddingBag" ? mode.filter { $0 != "'" } : nil)
  }

  package static let suggestions = ["Embedding"]

  package static func likelyClass(of printed: PrintedModule) -> String? {
    guard printed.has(positional: 2), !printed.has(positional: 2, "kernel_size", "stride"),
      !printed.has(positional: 2, "eps", "affine")
    else { return nil }
    let kind = printed.kind
    return kind.hasSuffix("Embedding") || kind.hasSuffix("Embeddings") ? "Embedding" : nil
  }

  package static func inferred(from tensors: OwnTensors) -> [Embedding] {
    guard let weight = tensors.shape("weight"), weight.count == 2, tensors.shape("bias") == nil
    else { return [] }
    return [nil, "mean"].map {
      Embedding(weight[0], weight[1], paddingIndex: nil, bagMode: $0)
    }
  }

  package func likelihood(moduleName name: String) -> Likelihood {
    guard bagMode == nil else { return name.contains("bag") ? .named : .rare }
    let isNamed =
      name.hasPrefix("emb") || ["emb", "embedding", "embeddings"].contains { name.hasSuffix($0) }
      || ["embed_tokens", "tok_embed", "wte", "wpe"].contains(name)
    return isNamed ? .named : .possible
  }
}
