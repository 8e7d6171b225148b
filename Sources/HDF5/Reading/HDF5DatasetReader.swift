import TensorCore

/// Describes datasets from their object headers.
enum HDF5DatasetReader {
  /// Largest chunk that is decoded, in bytes.
  static let chunkLimit = 1 << 30

  /// A dataset is a tensor, or a value, or left out with a note.
  enum Found {
    case tensor(HDF5Table.Dataset)
    /// Its content, under no name, its attributes, and the chunks from which the content is read later.
    case value(HDF5Attribute, [HDF5Attribute], HDF5Table.PackedStrings? = nil)
  }

  /// Whether an object header belongs to a dataset.
  static func isDataset(_ header: HDF5ObjectHeader) -> Bool {
    header.has(.datatype) && header.has(.dataspace)
  }

  /// Describes a dataset without reading its elements; `path` is called only for a tensor, `resolve`
  /// for the addresses of a virtual dataset's sources.
  static func describe(
    _ header: HDF5ObjectHeader, path: () -> [String], in metadata: HDF5Metadata,
    resolve: (_ path: String) throws(CheckpointError) -> UInt64?
  ) throws(CheckpointError) -> Found {
    guard let typeMessage = header.first(.datatype), let spaceMessage = header.first(.dataspace),
      let layoutMessage = header.first(.layout)
    else {
      throw CheckpointError(
        .malformed, "dataset has no data layout message",
        offset: try? metadata.offset(of: header.address))
    }
    let layout = try HDF5DataLayout(layoutMessage.body)
    let attributes = try HDF5StoredAttributes.all(of: header, in: metadata)
    let type = try HDF5Datatype(try HDF5SharedMessages.body(of: typeMessage, in: metadata))
    let space = try HDF5Dataspace(try HDF5SharedMessages.body(of: spaceMessage, in: metadata))
    guard let shape = space.shape else { return .value(HDF5Attribute("", .none), attributes) }
    if MATLABArray.isEmpty(attributes) {
      return try MATLABArray.empty(header, layout, type, shape, attributes, path, metadata)
    }
    let (number, inner) = type.flattened
    guard let element = HDF5Element(number, named: attributes.elementName) else {
      let packed = try packedStrings(header, layout, type, shape, space, metadata)
      return .value(try value(of: layout, type, shape, metadata), attributes, packed)
    }
    let info = try TensorInfo(dtype: element.dtype, shape: shape + inner)
    let filters = try HDF5Filters.all(of: header, in: metadata)
    // The bytes are those of other datasets (a layout of class 3, IV.A.2.i), in other files
    // (IV.A.2.h), or in this one.
    let storage: HDF5Table.Storage
    var sources: [HDF5Table.VirtualSource] = []
    if case .virtual(let address, let index) = layout {
      (storage, sources) = try HDF5VirtualSources.all(
        address, index: index, of: info, in: metadata, resolve: resolve)
    } else if header.has(.externalFiles) {
      storage = .refused("its bytes are in other files (external storage), which are not opened")
    } else {
      storage = try self.storage(layout, element, type, info, space, filters, metadata)
    }
    var own: HDF5Table.Storage?
    if case .library = storage {
      own = try ownStorage(layout, element, type, info, space, filters, metadata)
    }
    var layoutBody = layoutMessage.body
    let layoutVersion = try layoutBody.byte()
    let shown: HDF5Table.Layout =
      switch layout {
      case .compact: .compact
      case .chunked(let sizes, _, _, _): .chunked(sizes.dropLast() + inner)
      case .contiguous, .virtual: .contiguous
      }
    // A fill value matters only where elements may never have been written.
    var fill: [UInt8] = []
    switch own ?? storage {
    case .unwritten, .chunks, .virtual:
      fill = try HDF5FillValue.bytes(header, of: element, size: type.size, in: metadata)
    case .plain, .library, .refused: break
    }
    var swapWidth = 1
    if case .swapped(let width) = element.form { swapWidth = width }
    return .tensor(
      HDF5Table.Dataset(
        path: path(), address: header.address, info: info, storage: storage, filters: filters,
        attributes: attributes, layout: shown, layoutVersion: layoutVersion,
        isConverted: element.form == .converted, swapWidth: swapWidth, own: own, bits: element.bits,
        elementSize: inner.isEmpty ? nil : type.size, innerRank: inner.count, fill: fill,
        sources: sources, remark: HDF5Element.remark(number)))
  }

  /// How elements are read without libhdf5 that are written through it; `nil` where it reads them too.
  private static func ownStorage(
    _ layout: HDF5DataLayout, _ element: HDF5Element, _ type: HDF5Datatype, _ info: TensorInfo,
    _ space: HDF5Dataspace, _ filters: [HDF5Table.Filter], _ metadata: HDF5Metadata
  ) throws(CheckpointError) -> HDF5Table.Storage? {
    guard element.form != .converted || element.bits != nil, type.flattened.sizes.isEmpty,
      HDF5Filters.areRead(filters)
    else { return nil }
    switch layout {
    case .compact(let bytes):
      return try plain(bytes.offset, info, end: bytes.offset + bytes.remaining)
    case .contiguous(nil): return .unwritten
    case .contiguous(let address?):
      return try plain(try metadata.offset(of: address), info, end: metadata.fileSize)
    case .chunked(let sizes, let index, let sizeWidth, let sparesEdges):
      if case .none = index { return .unwritten }
      return .chunks(
        HDF5Table.Chunks(
          shape: try TensorInfo(dtype: info.dtype, shape: Array(sizes.dropLast())).shape,
          maxSizes: space.maxSizes, index: index, sizeWidth: sizeWidth, sparesEdges: sparesEdges))
    case .virtual: return nil
    }
  }

  /// The content of a dataset whose elements are not numbers, as far as it is read: strings that are
  /// not in chunks.
  private static func value(
    of layout: HDF5DataLayout, _ type: HDF5Datatype, _ shape: [Int], _ metadata: HDF5Metadata
  ) throws(CheckpointError) -> HDF5Attribute {
    switch (layout, type.kind) {
    case (.compact(var bytes), .text), (.compact(var bytes), .variableText):
      return try HDF5ValueReader.attribute("", type, shape, &bytes, in: metadata)
    case (.contiguous(let address?), .text), (.contiguous(let address?), .variableText):
      guard let count = HDF5ValueReader.byteCount(type, shape), count <= HDF5Metadata.blockLimit
      else { break }
      var bytes = try metadata.cursor(at: address, count: count)
      return try HDF5ValueReader.attribute("", type, shape, &bytes, in: metadata)
    default: break
    }
    return HDF5Attribute("", .other(HDF5Element.text(type)))
  }

  /// The chunks of a dataset of strings; `nil` for any other, and where the chunks are not read here.
  private static func packedStrings(
    _ header: HDF5ObjectHeader, _ layout: HDF5DataLayout, _ type: HDF5Datatype, _ shape: [Int],
    _ space: HDF5Dataspace, _ metadata: HDF5Metadata
  ) throws(CheckpointError) -> HDF5Table.PackedStrings? {
    guard case .chunked(let sizes, let index, let sizeWidth, let sparesEdges) = layout,
      type.isString, !shape.contains(0), HDF5ValueReader.byteCount(type, shape) != nil,
      sizes.count == shape.count + 1, sizes.last == type.size, !sizes.contains(0)
    else { return nil }
    let filters = try HDF5Filters.all(of: header, in: metadata)
    guard HDF5Filters.areOwn(filters),
      let chunk = try? TensorInfo(dtype: .uint8, shape: sizes), chunk.byteCount <= chunkLimit
    else { return nil }
    let info = try TensorInfo(dtype: .uint8, shape: shape + [type.size])
    var storage = HDF5Table.Storage.unwritten
    if case .none = index {
    } else {
      storage = .chunks(
        HDF5Table.Chunks(
          shape: chunk.shape, maxSizes: space.maxSizes + [type.size], index: index,
          sizeWidth: sizeWidth, sparesEdges: sparesEdges))
    }
    let bytes = HDF5Table.Dataset(
      path: [], address: header.address, info: info, storage: storage, filters: filters,
      attributes: [], layout: .chunked(sizes), elementSize: type.size, innerRank: 1)
    return HDF5Table.PackedStrings(bytes: bytes, type: type, shape: shape)
  }

  private static func storage(
    _ layout: HDF5DataLayout, _ element: HDF5Element, _ type: HDF5Datatype, _ info: TensorInfo,
    _ space: HDF5Dataspace, _ filters: [HDF5Table.Filter], _ metadata: HDF5Metadata
  ) throws(CheckpointError) -> HDF5Table.Storage {
    let inner = type.flattened.sizes
    if !inner.isEmpty, element.form == .converted {
      return .refused("has arrays of numbers of an unusual layout, which are not read")
    }
    // Types that need more than a byte swap are read through libhdf5, in boxes of any shape.
    let whole = [Int](repeating: 1, count: info.shape.count)
    switch layout {
    case .compact(let bytes):
      if element.form == .converted { return .library(chunk: whole) }
      return try plain(bytes.offset, info, end: bytes.offset + bytes.remaining)
    case .contiguous(nil):
      return element.form == .converted ? .library(chunk: whole) : .unwritten
    case .contiguous(let address?):
      if element.form == .converted { return .library(chunk: whole) }
      return try plain(try metadata.offset(of: address), info, end: metadata.fileSize)
    case .chunked(let sizes, let index, let sizeWidth, let sparesEdges):
      return try chunks(sizes, element, type, info, filters) { shape in
        if case .none = index { return .unwritten }
        return .chunks(
          HDF5Table.Chunks(
            shape: shape, maxSizes: space.maxSizes + inner, index: index, sizeWidth: sizeWidth,
            sparesEdges: sparesEdges))
      }
    case .virtual:
      return .refused("is a virtual dataset: its bytes are in other datasets, which are not read")
    }
  }

  /// Storage as one run of bytes, which must lie before `end`.
  private static func plain(
    _ offset: Int, _ info: TensorInfo, end: Int
  ) throws(CheckpointError) -> HDF5Table.Storage {
    guard offset <= end, info.byteCount <= end - offset else {
      throw CheckpointError(
        .malformed, "expected \(info.byteCount) bytes, found \(max(end - offset, 0))",
        offset: offset)
    }
    return .plain(offset: offset)
  }

  private static func chunks(
    _ sizes: [Int], _ element: HDF5Element, _ type: HDF5Datatype, _ info: TensorInfo,
    _ filters: [HDF5Table.Filter], _ chunks: (Shape) -> HDF5Table.Storage
  ) throws(CheckpointError) -> HDF5Table.Storage {
    let areOwn = HDF5Filters.areOwn(filters) && element.form != .converted
    for filter in filters where !areOwn && !HDF5Library.knows(filter: filter.number) {
      return .refused(
        "filter \(filter.number) (\(filter.name)) is not supported; "
          + "write the file again with gzip or without a filter")
    }
    let elements = type.flattened.sizes
    if !areOwn, !elements.isEmpty {
      return .refused("has arrays in chunks with filters that are only read with other elements")
    }
    guard sizes.count + elements.count == info.shape.count + 1, sizes.last == type.size,
      !sizes.contains(0)
    else {
      throw CheckpointError(
        .malformed,
        "chunk shape \(sizes) does not match a dataset of shape \(info.shape) "
          + "with \(type.size) bytes per element")
    }
    let inner = sizes.dropLast() + elements
    guard let chunk = try? TensorInfo(dtype: info.dtype, shape: inner),
      chunk.byteCount <= chunkLimit
    else { return .refused("chunks of shape \(inner) have more than \(chunkLimit) bytes") }
    let shape = chunk.shape
    if !areOwn { return .library(chunk: inner) }
    return chunks(shape)
  }
}
