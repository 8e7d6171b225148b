import ByteIO
import TensorCore

/// A TensorFlow checkpoint: an index of tensors, and the files that hold their elements.
///
/// Source: tensorflow 2.21, `core/protobuf/tensor_bundle.proto`, `core/util/tensor_bundle`.
struct TensorBundle: Sendable {
  /// A tensor as the index describes it (`BundleEntryProto`).
  struct Entry: Sendable {
    let key: [UInt8]
    var type = 1
    var sizes: [Int] = []
    var shard = 0
    var range = 0..<0
    /// CRC-32C of the stored bytes, masked.
    var checksum: UInt32 = 0
    /// The slices that make up the tensor, if it is divided: where each begins, and its sizes; -1
    /// stands for all of a dimension.
    var slices: [(starts: [Int], sizes: [Int])] = []
  }

  /// Tensors and slices in the order of their keys.
  let entries: [Entry]
  private let indices: [[UInt8]: Int]
  /// Whether elements have their most significant byte first.
  let isBigEndian: Bool
  /// The files with the elements, by number.
  let shards: [Int: ByteSource]

  /// Largest number of dimensions (`TensorShape::MaxDimensions`).
  private static let maxRank = 254
  private static let maxShards = 100_000

  /// Reads an index, and opens the files that have the elements of its tensors.
  init(_ probe: FileProbe) throws(CheckpointError) {
    let source = try probe.source
    var table = SortedTable(source)
    var header: (shards: Int, isBigEndian: Bool)?
    var entries: [Entry] = []
    for (key, value) in try table.read() {
      let message = ProtobufReader(ByteSource(value, name: source.name))
      do throws(CheckpointError) {
        // The empty key comes first. In the first version it has a message, and values follow in the
        // same file (`core/util/saved_tensor_slice.proto`).
        if key.isEmpty, value.first == 0x0a {
          throw CheckpointError(
            .unsupported,
            "is a TensorFlow checkpoint of version 1 (one file), which ckpt does not read; load it with "
              + "tf.train.load_checkpoint and save the arrays with numpy.savez")
        } else if key.isEmpty {
          header = try Self.header(message)
        } else {
          entries.append(try Self.entry(key, message))
        }
      } catch {
        throw CheckpointError(
          error.code, error.message,
          tensor: key.isEmpty ? nil : String(decoding: key, as: UTF8.self))
      }
    }
    guard let header, (1...Self.maxShards).contains(header.shards) else {
      throw CheckpointError(.malformed, "expected a header with the number of files, found none")
    }
    self.entries = entries
    isBigEndian = header.isBigEndian
    var indices: [[UInt8]: Int] = [:]
    for (index, entry) in entries.enumerated() { indices[entry.key] = index }
    self.indices = indices
    var shards: [Int: ByteSource] = [:]
    let neighbors = probe.neighbors
    for entry in entries where entry.slices.isEmpty {
      guard (0..<header.shards).contains(entry.shard) else {
        throw CheckpointError(
          .malformed, "expected a file below \(header.shards), found \(entry.shard)",
          tensor: String(decoding: entry.key, as: UTF8.self))
      }
      if shards[entry.shard] == nil {
        let name = Self.shardName(of: probe.name, entry.shard, header.shards)
        do throws(CheckpointError) {
          shards[entry.shard] = try neighbors.open(name)
        } catch {
          // The tensors in it are left out one by one.
          guard Rescue.current != nil else { throw error }
        }
      }
    }
    self.shards = shards
  }

  /// `a.index` → `a.data-00000-of-00002`.
  private static func shardName(of index: String, _ shard: Int, _ count: Int) -> String {
    let stem = index.hasSuffix(".index") ? String(index.dropLast(6)) : index
    return "\(stem).data\(ShardPlan.suffix(shard, of: count))"
  }

  /// The entry with a key.
  func entry(for key: [UInt8]) -> Entry? { indices[key].map { entries[$0] } }

  /// The stored bytes of an entry.
  func data(of entry: Entry) throws(CheckpointError) -> ByteSource {
    guard let shard = shards[entry.shard] else {
      throw CheckpointError(.malformed, "its file \(entry.shard) is unknown")
    }
    guard entry.range.upperBound <= shard.size else {
      throw CheckpointError(
        .malformed,
        "expected \(entry.range.count) bytes at byte \(entry.range.lowerBound), but the file has "
          + "\(shard.size)", path: shard.name)
    }
    return try shard.part(entry.range)
  }

  // MARK: - Messages

  private static func header(
    _ message: ProtobufReader
  ) throws(CheckpointError) -> (shards: Int, isBigEndian: Bool) {
    var reader = message
    var header = (shards: 0, isBigEndian: false)
    while let field = try reader.next() {
      if field.number == 1 { header.shards = try field.signed }
      if field.number == 2 { header.isBigEndian = try field.integer == 1 }
    }
    return header
  }

  private static func entry(
    _ key: [UInt8], _ message: ProtobufReader
  ) throws(CheckpointError) -> Entry {
    var reader = message
    var entry = Entry(key: key)
    var (offset, size) = (0, 0)
    while let field = try reader.next() {
      switch field.number {
      case 1: entry.type = Int(try field.integer & 0xffff_ffff)
      case 2: entry.sizes = try sizes(try reader.message(field))
      case 3: entry.shard = Int(try field.integer & 0xffff_ffff)
      case 4: offset = try field.signed
      case 5: size = try field.signed
      case 6:
        if case .fixed32(let sum) = field.content { entry.checksum = sum }
      case 7: entry.slices.append(try slice(try reader.message(field)))
      default: break
      }
    }
    guard offset >= 0, size >= 0, offset < Shape.limit, size < Shape.limit else {
      throw CheckpointError(.malformed, "found \(size) bytes at byte \(offset), beyond any file")
    }
    entry.range = offset..<offset + size
    return entry
  }

  /// The sizes in a `TensorShapeProto`.
  private static func sizes(_ message: ProtobufReader) throws(CheckpointError) -> [Int] {
    var reader = message
    var sizes: [Int] = []
    while let field = try reader.next() {
      guard field.number == 2 else {
        if field.number == 3, try field.integer != 0 {
          throw CheckpointError(.malformed, "expected a shape, found an unknown one")
        }
        continue
      }
      guard sizes.count < maxRank else {
        throw CheckpointError(.malformed, "expected at most \(maxRank) dimensions, found more")
      }
      var dimension = try reader.message(field)
      var size = 0
      while let field = try dimension.next() {
        if field.number == 1 { size = try field.signed }
      }
      sizes.append(size)
    }
    return sizes
  }

  /// A `TensorSliceProto`: one extent for each dimension.
  private static func slice(
    _ message: ProtobufReader
  ) throws(CheckpointError) -> (starts: [Int], sizes: [Int]) {
    var reader = message
    var slice: (starts: [Int], sizes: [Int]) = ([], [])
    while let field = try reader.next() {
      guard field.number == 1, slice.starts.count < maxRank else { continue }
      var extent = try reader.message(field)
      var (start, size) = (0, -1)
      while let field = try extent.next() {
        if field.number == 1 { start = try field.signed }
        if field.number == 2 { size = try field.signed }
      }
      slice.starts.append(start)
      slice.sizes.append(size)
    }
    return slice
  }
}
