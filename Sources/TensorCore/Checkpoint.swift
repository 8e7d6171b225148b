/// An ordered list of named, typed tensors whose bytes can be read by range, and the values stored
/// alongside them.
///
/// Nothing is loaded: an entry is a description and one closure that reads bytes `lo..<hi`.
public struct Checkpoint: Sendable {
  /// One tensor of a checkpoint.
  public struct Entry: Sendable {
    /// Reads bytes `range` of the tensor (row-major, little-endian) into a span of just that size.
    public typealias Reader =
      @Sendable (_ range: Range<Int>, _ target: inout MutableRawSpan) throws -> Void

    /// Dotted name, as `state_dict()` spells it.
    public var name: TensorName
    /// Element type, shape and size.
    public let info: TensorInfo
    /// The earlier entry whose bytes these are, when the two are one tied tensor.
    public var alias: TensorName?
    /// BLAKE3 of the tensor's bytes, when the source has it without reading them.
    public var storedDigest: Digest?
    /// Chaining values of its chunks of 1 MiB, 32 bytes each, as ``TreeDigest`` merges them; empty
    /// if the source does not have them, or for at most one chunk.
    package var chainingValues: [UInt8] = []
    /// What the file says about the elements and the type does not, in a few words for a listing:
    /// `enumeration: cat=0, dog=1`.
    package var remark: String?
    /// Preferred read size in bytes; reads of this size that start at its multiples are fastest.
    ///
    /// Chunks are then unpacked directly into the destination, and other data stay in the processor's
    /// cache. Any other range gives the same bytes, more slowly.
    public var preferredReadSize = 1 << 18
    /// What errors of reading call the file, unless they name one.
    package var path: String?
    private let reader: Reader

    /// Creates an entry; `reader` must be safe to call from several tasks at once, and is only given
    /// ranges inside `info.byteCount`.
    public init(
      name: TensorName, info: TensorInfo, alias: TensorName? = nil, storedDigest: Digest? = nil,
      reader: @escaping Reader
    ) {
      self.name = name
      self.info = info
      self.alias = alias
      self.storedDigest = storedDigest
      self.reader = reader
    }

    /// Reads bytes `range` of the tensor into `target`, which must have just that size.
    ///
    /// - Throws: ``CheckpointError`` carrying the tensor's name.
    public func read(_ range: Range<Int>, into target: inout MutableRawSpan) throws {
      precondition(
        range.lowerBound >= 0 && range.upperBound <= info.byteCount, "range outside tensor")
      precondition(target.byteCount == range.count, "the span's size differs from the range's")
      if range.isEmpty { return }
      try CheckpointError.placing(path: path, tensor: name.text) {
        try reader(range, &target)
      }
    }

    /// Whether chaining values show that bytes `range` are those of another entry; `false` if there are
    /// none.
    package func isKnown(toEqual other: Self, in range: Range<Int>) -> Bool {
      let chunks = range.lowerBound >> 20..<(range.upperBound + 0xf_ffff) >> 20
      let start = chunks.lowerBound.saturated(times: TreeDigest.valueSize)
      let bytes = start..<chunks.upperBound.saturated(times: TreeDigest.valueSize)
      guard !range.isEmpty, info.byteCount == other.info.byteCount,
        bytes.upperBound <= min(chainingValues.count, other.chainingValues.count)
      else { return false }
      return chainingValues[bytes] == other.chainingValues[bytes]
    }

    /// Cuts bytes into parts that chaining values show to equal another entry's, and others.
    package func parts(
      _ range: Range<Int>, against other: Self
    ) -> [(bytes: Range<Int>, isKnown: Bool)] {
      if chainingValues.isEmpty || other.chainingValues.isEmpty { return [(range, false)] }
      var parts: [(bytes: Range<Int>, isKnown: Bool)] = []
      var start = range.lowerBound
      while start < range.upperBound {
        let end = min((start / TreeDigest.chunkSize + 1) * TreeDigest.chunkSize, range.upperBound)
        let isKnown = isKnown(toEqual: other, in: start..<end)
        if let last = parts.last, last.isKnown == isKnown {
          parts[parts.count - 1].bytes = last.bytes.lowerBound..<end
        } else {
          parts.append((start..<end, isKnown))
        }
        start = end
      }
      return parts
    }

    /// The same elements in the same order, under another shape of as many elements; not an alias.
    ///
    /// - Throws: ``CheckpointError`` `mismatched` when the numbers of elements differ.
    package func reshaped(_ shape: [Int]) throws(CheckpointError) -> Self {
      if info.shape == shape { return self }
      let new = try TensorInfo(dtype: info.dtype, shape: shape)
      guard new.elementCount == info.elementCount else {
        throw CheckpointError(
          .mismatched, "expected a shape that can be viewed as \(shape), found \(info.shape)",
          tensor: name.text)
      }
      var copy = Self(name: name, info: new, reader: reader)
      copy.path = path
      return copy
    }

    /// The same tensor, read through `body`, which is given the range, the target and the reader.
    public func wrappingReader(
      _ body: @escaping @Sendable (Range<Int>, inout MutableRawSpan, Reader) throws -> Void
    ) -> Self {
      let inner = reader
      var copy = Self(name: name, info: info, alias: alias, storedDigest: storedDigest) {
        range, target in try body(range, &target, inner)
      }
      copy.preferredReadSize = preferredReadSize
      copy.remark = remark
      copy.path = path
      return copy
    }
  }

  /// Tensors in file order, which for our own files is `state_dict()` order.
  public var entries: [Entry]
  /// The module tree in pre-order, as labels; empty when the source carries none.
  public var modules: [ModuleLabel]
  /// Paths at which a module stands that also stands at an earlier one, where the source tells.
  package var sharedModules: [TensorName: TensorName] = [:]
  /// Whether the tensors are those of pickled modules, whose classes and other state are not read.
  package var hasPickledModules = false
  /// Whether names are dotted paths of nested dictionaries, which a file that nests may have again.
  public var isNested = false
  /// Tensors of the file that cannot be read and are not among the entries, with the reason: selecting
  /// one by name is an error.
  package var leftOut: [TensorName: String] = [:]
  /// What the file holds besides tensors and module tree, by name, in the file's order.
  ///
  /// Names are unique. Some belong to this project and are not the file's own: ``ownValues``.
  public var values: [Named]

  /// A value and its name, the first component of its address.
  public struct Named: Sendable, Equatable {
    /// The name, compared as UTF-8 bytes.
    public let name: String
    /// The value.
    public var value: Value

    /// Names a value.
    public init(_ name: String, _ value: Value) {
      self.name = name
      self.value = value
    }

    public static func == (left: Self, right: Self) -> Bool {
      left.name.utf8.elementsEqual(right.name.utf8) && left.value == right.value
    }
  }

  /// Metadata key of the recipe (JSON) from which the values can be made again.
  public static let recipeKey = "recipe"
  /// Metadata key of the list of steps (JSON) that made this checkpoint.
  public static let provenanceKey = "provenance"

  /// Makes a checkpoint of its parts; `metadata` are texts that follow the values, sorted by name.
  public init(
    entries: [Entry], modules: [ModuleLabel] = [], values: [Named] = [],
    metadata: [String: String] = [:]
  ) {
    self.entries = entries
    self.modules = modules
    self.values = values
    if !metadata.isEmpty { self.metadata.merge(metadata) { _, new in new } }
  }
}

extension Checkpoint {
  /// The tensor of this name, looked for one after another; `nil` if there is none.
  public subscript(name: TensorName) -> Entry? { entries.first { $0.name == name } }

  /// Separates tensors of these names from all that they are tied to; the others stay tied.
  public mutating func untie(_ names: Set<TensorName>) {
    var firsts: [TensorName: TensorName] = [:]
    for index in entries.indices {
      let name = entries[index].name
      if names.contains(name) {
        entries[index].alias = nil
      } else if let original = entries[index].alias, names.contains(original) {
        entries[index].alias = firsts[original]
        if firsts[original] == nil { firsts[original] = name }
      }
    }
  }
}

/// One node of a module tree as PyTorch prints it: where it is, what class, and what text.
///
/// Storage keeps labels as they are; only `ModuleTree` gives them a meaning.
public struct ModuleLabel: Hashable, Sendable {
  /// Dotted path; empty for the root.
  public let path: String
  /// Class name as printed, `Linear`; `None` for an attribute that holds no module.
  public let kind: String
  /// `extra_repr`, possibly of several lines joined by `\n`; empty when there is none.
  public let arguments: String

  /// Makes a label of its three texts.
  public init(path: String, kind: String, arguments: String) {
    self.path = path
    self.kind = kind
    self.arguments = arguments
  }
}
