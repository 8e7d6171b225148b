import CheckpointKit

/// A tensor of one file, or a pair of tensors of two.
struct BrowserItem: Sendable {
  /// Name in the first file, else in the second.
  let name: TensorName
  let first: Checkpoint.Entry?
  let second: Checkpoint.Entry?

  /// What is known of a pair before a byte is read.
  var outlook: BrowserMark {
    guard let first else { return .added }
    guard let second else { return .removed }
    if first.info.shape != second.info.shape { return .reshaped }
    if first.info.dtype != second.info.dtype { return .retyped }
    if let mine = first.storedDigest, let theirs = second.storedDigest {
      return mine == theirs ? .identical : .changed
    }
    return .unknown
  }

  /// The tensor that is shown where there is only one.
  var shown: Checkpoint.Entry? { first ?? second }
}

/// What became of a tensor between two files.
enum BrowserMark: UInt8, Sendable, CaseIterable {
  /// Not compared yet.
  case unknown
  case identical, changed, added, removed, reshaped, retyped
  /// Only one file has it, tied there to a tensor that both have.
  case tied
  /// One of the two cannot be read.
  case unreadable

  /// Whether the two files differ in it.
  var isDifference: Bool {
    switch self {
    case .unknown, .identical, .tied: false
    case .changed, .added, .removed, .reshaped, .retyped, .unreadable: true
    }
  }

  /// The character that stands before the name.
  var symbol: String {
    switch self {
    case .unknown: "·"
    case .identical: " "
    case .changed, .reshaped, .retyped: "~"
    case .added: "+"
    case .removed: "-"
    case .tied: "="
    case .unreadable: "!"
    }
  }

  var style: TextStyle {
    switch self {
    case .unknown: .dim
    case .identical, .tied: .plain
    case .changed: .color(.yellow)
    case .added: .color(.green)
    case .removed, .unreadable: .color(.red)
    case .reshaped, .retyped: .color(.cyan)
    }
  }
}

/// What is browsed: one checkpoint, or two that are compared.
struct BrowserContent: Sendable {
  /// A file, as the first row and the title show it.
  struct File: Sendable {
    var name: String
    var format: String
    /// What the file says beyond its tensors, one line each, control characters escaped.
    var remarks: [String] = []
  }

  let files: [File]
  /// The first file's tensors in their order, then those that only the second has.
  let items: BrowserItems
  /// Classes of the first file's modules, where it carries a tree.
  let labels: [TensorName: ModuleLabel]

  var isComparison: Bool { files.count > 1 }

  /// Browses one checkpoint.
  init(_ file: File, _ checkpoint: Checkpoint) {
    files = [file]
    items = BrowserItems(checkpoint.entries)
    labels = Self.labels(of: checkpoint)
  }

  /// Compares two; `partners` are the names in the second that differ from those in the first.
  init(
    _ file: File, _ checkpoint: Checkpoint, _ other: File, _ second: Checkpoint,
    partners: [TensorName: TensorName] = [:]
  ) {
    files = [file, other]
    labels = Self.labels(of: checkpoint)
    items = BrowserItems(checkpoint.entries, second.entries, partners: partners)
  }

  private static func labels(of checkpoint: Checkpoint) -> [TensorName: ModuleLabel] {
    Dictionary(
      checkpoint.modules.map { (TensorName($0.path), $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The marks before any tensor is read; those of one file alone say nothing.
  var outlooks: [BrowserMark] {
    guard isComparison else { return [BrowserMark](repeating: .identical, count: items.count) }
    // A name that only one file has is not missing from the other if it is tied to one that both have.
    var shared: [Set<TensorName>] = [[], []]
    for item in items {
      guard let first = item.first, let second = item.second else { continue }
      shared[0].formUnion([first.name, first.alias ?? first.name])
      shared[1].formUnion([second.name, second.alias ?? second.name])
    }
    return items.map { item in
      if item.second == nil, let first = item.first,
        shared[0].contains(first.alias ?? first.name)
      {
        return .tied
      }
      if item.first == nil, let second = item.second,
        shared[1].contains(second.alias ?? second.name)
      {
        return .tied
      }
      return item.outlook
    }
  }
}
