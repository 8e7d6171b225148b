import TensorCore

/// The filter pipeline of a dataset's chunks.
///
/// Source: HDF5 File Format Specification 3.0, section IV.A.2.l "The Filter Pipeline Message".
package enum HDF5Filters {
  /// Reads the filter pipeline message of a dataset, if it has one; filters are in the order in which
  /// they were applied.
  static func all(
    of header: HDF5ObjectHeader, in metadata: HDF5Metadata
  ) throws(CheckpointError) -> [HDF5Table.Filter] {
    guard let message = header.first(.filters) else { return [] }
    var body = try HDF5SharedMessages.body(of: message, in: metadata)
    let version = try body.byte()
    guard version == 1 || version == 2 else {
      throw body.malformed("filter pipeline: expected version 1 or 2, found \(version)")
    }
    let count = try body.byte()
    guard count <= 32 else { throw body.malformed("expected at most 32 filters, found \(count)") }
    if version == 1 { try body.skip(6) }
    var filters: [HDF5Table.Filter] = []
    for _ in 0..<count {
      // Version 2 leaves out the names of the library's own filters, and all padding.
      let number = try body.integer(2)
      let hasName = version == 1 || number >= 256
      let nameSize = try hasName ? body.integer(2) : 0
      try body.skip(2)  // flags: whether the filter is optional
      let valueCount = try body.integer(2)
      let filled = version == 1 ? (nameSize + 7) / 8 * 8 : nameSize
      let name = try body.bytes(filled).prefix { $0 != 0 }
      var values: [Int] = []
      for _ in 0..<valueCount { values.append(try body.integer(4)) }
      if version == 1 { try body.skip(4 * (valueCount % 2)) }
      filters.append(
        HDF5Table.Filter(
          number: number, name: known[number] ?? String(decoding: name, as: UTF8.self),
          values: values))
    }
    return filters
  }

  /// Whether the pipeline has only shuffle, gzip, and fletcher32, each at most once and in this
  /// order; such chunks are unpacked without libhdf5.
  package static func arePlain(_ filters: [HDF5Table.Filter]) -> Bool {
    let order = [HDF5Table.Filter.shuffle, HDF5Table.Filter.gzip, HDF5Table.Filter.fletcher32]
    let ranks = filters.map { order.firstIndex(of: $0.number) }
    return !ranks.contains(nil)
      && zip(ranks, ranks.dropFirst()).allSatisfy { $0 ?? 0 < $1 ?? 0 }
  }

  /// Whether chunks are unpacked without libhdf5: the pipeline is plain, or has registered filters of
  /// other projects and any of the plain ones.
  static func areOwn(_ filters: [HDF5Table.Filter]) -> Bool {
    arePlain(filters)
      || filters.allSatisfy { own.contains($0.number) }
        && filters.contains { $0.number > HDF5Table.Filter.scaleOffset }
  }

  /// Filters that are undone without libhdf5.
  static let own = [
    HDF5Table.Filter.shuffle, HDF5Table.Filter.gzip, HDF5Table.Filter.fletcher32,
    HDF5Table.Filter.lzf, HDF5Table.Filter.blosc, HDF5Table.Filter.lz4,
    HDF5Table.Filter.bitshuffle, HDF5Table.Filter.zstd,
  ]

  /// Whether chunks are read without libhdf5, though it may write them.
  static func areRead(_ filters: [HDF5Table.Filter]) -> Bool {
    filters.allSatisfy {
      own.contains($0.number) || $0.number == HDF5Table.Filter.nbit
        || $0.number == HDF5Table.Filter.scaleOffset
    }
  }

  /// Names of common filters by their number in The HDF Group's registry.
  package static let known: [Int: String] = [
    1: "gzip", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "nbit", 6: "scale-offset",
    307: "bzip2", 32000: "lzf", 32001: "blosc", 32004: "lz4", 32008: "bitshuffle", 32013: "zfp",
    32015: "zstd", 32017: "sz", 32026: "blosc2",
  ]
}
