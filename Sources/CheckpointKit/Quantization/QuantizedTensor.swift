package import TensorCore

/// A tensor whose stored numbers are codes: its values follow from scales beside them, or within
/// their blocks.
package struct QuantizedTensor: Sendable {
  /// The entry that holds the codes.
  package let codes: TensorName
  /// The entries that belong to it: scales, zero points, tables.
  package let parts: [TensorName]
  /// The scheme in a few words: `float8, scales of 128×128`.
  package let label: String
  /// Whether the codes are numbers of their element type, which the scales only multiply.
  package var areNumbers = false
  /// The values as a float32 tensor, computed as it is read.
  ///
  /// - Throws: ``CheckpointError`` `unsupported` with the reason where they are not computed here,
  ///   `malformed` where codes and scales contradict each other.
  package let values: @Sendable () throws -> Checkpoint.Entry

  /// Whether the element type says as much as the label.
  fileprivate var saysType: Bool { DType(rawValue: label) != nil }

  init(
    _ codes: Checkpoint.Entry, parts: [TensorName] = [], label: String,
    values: @escaping @Sendable () throws -> Checkpoint.Entry
  ) {
    self.codes = codes.name
    self.parts = parts
    self.label = label
    self.values = values
  }

  /// A tensor whose values are not computed, for a reason that follows its label.
  init(_ codes: Checkpoint.Entry, parts: [TensorName] = [], label: String, unknown reason: String) {
    self.init(codes, parts: parts, label: label) {
      throw CheckpointError(.unsupported, reason)
    }
  }
}

/// A way to store tensors as codes and scales.
protocol QuantizationScheme: Sendable {
  /// The quantized tensor whose codes an entry holds; `nil` if it holds none of this scheme.
  ///
  /// Reads no tensor.
  static func tensor(_ entry: Checkpoint.Entry, among others: TensorIndex) -> QuantizedTensor?
}

extension Checkpoint {
  /// The schemes, in the order in which they are asked.
  private static let schemes: [any QuantizationScheme.Type] = [
    BitsAndBytes.self, ScaledFloats.self, MXFP4Blocks.self, PackedIntegers.self, UnknownScales.self,
    GGMLBlocks.self, LoneCodes.self,
  ]

  /// The quantized tensors by the names of their codes.
  package var quantizedTensors: [TensorName: QuantizedTensor] {
    // Most checkpoints are floats alone, and then no names need be looked up.
    guard entries.indices.contains(where: mayShowCodes) else { return [:] }
    let index = TensorIndex(entries)
    var found: [TensorName: QuantizedTensor] = [:]
    for entry in entries {
      if let tensor = Self.schemes.firstNonNil({ $0.tensor(entry, among: index) }) {
        found[entry.name] = tensor
      }
    }
    return found
  }

  /// Whether an entry's type may be that of codes, or its name shows that others are: bitsandbytes keeps
  /// codes in any type, and `absmax` beside them.
  private func mayShowCodes(_ index: Int) -> Bool {
    let dtype = entries[index].info.dtype
    switch dtype.element.kind {
    case .boolean, .complex: return false
    case .floatingPoint:
      if dtype.byteWidth == 1 { return true }
      let name = entries[index].name.text
      return name.utf8.last == UInt8(ascii: "x") && name.hasSuffix("absmax")
    case .integer, .packed: return true
    }
  }
}

extension Checkpoint {
  /// The schemes of quantized tensors in a few words, by the names of codes and of scales; types that
  /// say it themselves, as those of GGUF do, are left out.
  package var quantizationLabels: [TensorName: String] {
    var labels: [TensorName: String] = [:]
    let tensors = quantizedTensors.filter { !$0.value.saysType }
    for (name, tensor) in tensors {
      for part in tensor.parts { labels[part] = "of \(name)" }
    }
    for (name, tensor) in tensors { labels[name] = tensor.label }
    return labels
  }
}

extension Sequence {
  fileprivate func firstNonNil<Result>(_ body: (Element) -> Result?) -> Result? {
    for element in self {
      if let result = body(element) { return result }
    }
    return nil
  }
}

/// The tensors of a checkpoint by name.
struct TensorIndex {
  private let entries: [Checkpoint.Entry]
  private var places: [TensorName: Int] = [:]
  /// What follows the last dot of each name.
  private var leaves: Set<TensorName> = []
  /// Those of them that scales have.
  private var scaleLeaves: [String] = []

  init(_ entries: [Checkpoint.Entry]) {
    self.entries = entries
    places.reserveCapacity(entries.count)
    for (index, entry) in entries.enumerated() {
      places[entry.name] = index
      leaves.insert(TensorName(entry.name.parentAndLeaf.leaf))
    }
    scaleLeaves = leaves.map(\.text).filter(Self.isScale).sorted()
  }

  /// Whether the last part of a name is one that scales have.
  static func isScale(_ leaf: String) -> Bool { leaf.lowercased().contains("scale") }

  /// The tensors of numbers that are named like scales of a tensor: below it, or beside it with its name,
  /// or beside the weight of a layer.
  func scales(of name: TensorName) -> [Checkpoint.Entry] {
    let (parent, leaf) = name.parentAndLeaf
    var stem = leaf
    for ending in ["_quantized", "_packed", "_int8", "_int4", "_codes", "_data"]
    where leaf.hasSuffix(ending) {
      stem = String(leaf.dropLast(ending.utf8.count))
    }
    let isWeight = ["weight", "qweight", "kernel", "W_q", "w"].contains(stem)
    return scaleLeaves.compactMap { scale -> Checkpoint.Entry? in
      if let child = child(of: name, scale) { return child }
      let isOwn =
        scale.hasPrefix(stem + "_") || scale == "scale_" + stem
        || isWeight
          && ["scale", "scales", "qscale", "weight_scale", "weight_scales"].contains(scale)
      return isOwn
        ? self[TensorName(parent.isEmpty ? scale : parent + "." + scale)] : nil
    }.filter { $0.name != name && $0.info.dtype.isFloatingPoint }
  }

  /// The tensor that is named like another, with another ending after the last dot.
  func sibling(of name: TensorName, _ leaf: String) -> Checkpoint.Entry? {
    guard leaves.contains(TensorName(leaf)) else { return nil }
    let parent = name.parentAndLeaf.parent
    return self[TensorName(parent.isEmpty ? leaf : parent + "." + leaf)]
  }

  /// The tensor below a name.
  func child(of name: TensorName, _ path: String...) -> Checkpoint.Entry? {
    guard let leaf = path.last, leaves.contains(TensorName(leaf)) else { return nil }
    return self[TensorName(([name.text] + path).joined(separator: "."))]
  }

  private subscript(name: TensorName) -> Checkpoint.Entry? { places[name].map { entries[$0] } }

  /// The tensor of a name that is the beginning of another, with an ending and without a dot between.
  func suffixed(_ name: TensorName, _ suffix: String) -> Checkpoint.Entry? {
    sibling(of: name, name.parentAndLeaf.leaf + suffix)
  }
}
