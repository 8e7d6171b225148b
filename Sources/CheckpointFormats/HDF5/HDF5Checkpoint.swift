import ByteIO
import HDF5
import TensorCore

/// Checkpoints in HDF5, ours and everyone's: `.h5`, `.hdf5`.
///
/// Written as `HDF5Layout` says. Read from any file whose datasets are numbers: path
/// components are joined with dots, so that a flat dataset `layer2.0.weight` keeps its name and a
/// nested one gets it.
enum HDF5Checkpoint {
  /// Says whether a superblock's signature is at one of the offsets where it may be.
  static func recognizes(_ head: [UInt8]) -> Bool {
    HDF5Superblock.offsets(within: head.count).contains {
      head[$0...].starts(with: HDF5Superblock.signature)
    }
  }

  /// Everything but types whose elements have no bytes of their own.
  static let capabilities = Capabilities(
    dtypes: DType.computable, values: [.null, .bool, .integer, .real, .text, .list],
    compressions: Set([.planes] + (1...9).map { .gzip(level: $0) }))

  /// Opens a file.
  static func open(_ probe: FileProbe) throws -> Opened {
    let tensors = try HDF5Tensors.opened(probe)
    return try CheckpointError.placing(path: probe.path) { try contents(of: tensors) }
  }

  private static func contents(of tensors: HDF5Tensors) throws -> Opened {
    let table = tensors.table
    let root = table.groups.first?.attributes ?? []
    let isOurs = HDF5Layout.isOurs(table)
    if isOurs, case .integer(let version)? = root.value("version"), version > HDF5Layout.version {
      throw CheckpointError(
        .unsupported, "expected layout version \(HDF5Layout.version), found \(version)")
    }
    var notes = table.notes
    guard !table.datasets.isEmpty || isOurs else {
      let text = table.others.first.map {
        "/\($0.path.joined(separator: "/")) holds text; left out"
      }
      let seen = (notes.first ?? text).map { "; \($0)" } ?? ""
      throw CheckpointError(.missing, "contains no numeric dataset\(seen)")
    }
    if let program = MATLABArray.writer(of: table) {
      notes.append(
        "was written by \(program), whose axes are in the opposite order: [2, 3] is 3×2 there")
    }
    let others = try tensors.others()
    for (known, read) in zip(table.others, others) where known.packed != nil {
      guard case .other(let what) = read.content.value else { continue }
      notes.append("/\(read.path.joined(separator: "/")) holds \(what); left out")
    }
    var datasets = table.datasets
    if isOurs, case .integers(let order)? = root.value("order") {
      if let ordered = arranged(datasets, order) {
        datasets = ordered
      } else {
        notes.append(
          "attribute 'order' does not match the datasets; tensors are in the order of their groups")
      }
    }
    let readable = datasets.filter { $0.refusal == nil }
    var opened = Opened(
      Checkpoint(
        entries: try entries(readable, of: tensors, isOurs: isOurs),
        modules: isOurs ? modules(table) : [],
        values: HDF5Values.all(table, datasets, others, isOurs: isOurs)))
    opened.notes = notes
    for dataset in datasets {
      guard let reason = dataset.refusal else { continue }
      opened.leaveOut(name(of: dataset, isOurs: isOurs), reason)
    }
    opened.restoreFromTexts()
    opened.takeFingerprint()
    return opened
  }

  /// The datasets in the order given, or `nil` if it is not a permutation.
  private static func arranged(
    _ datasets: [HDF5Table.Dataset], _ order: [Int]
  ) -> [HDF5Table.Dataset]? {
    guard order.count == datasets.count else { return nil }
    var arranged = [HDF5Table.Dataset?](repeating: nil, count: datasets.count)
    for (dataset, index) in zip(datasets, order) {
      guard arranged.indices.contains(index), arranged[index] == nil else { return nil }
      arranged[index] = dataset
    }
    return arranged.compactMap { $0 }
  }

  private static func entries(
    _ datasets: [HDF5Table.Dataset], of tensors: HDF5Tensors, isOurs: Bool
  ) throws -> [Checkpoint.Entry] {
    var names: Set<TensorName> = []
    var first: [UInt64: TensorName] = [:]
    names.reserveCapacity(datasets.count)
    first.reserveCapacity(datasets.count)
    return try datasets.map { dataset in
      let name = name(of: dataset, isOurs: isOurs)
      guard names.insert(name).inserted else {
        throw CheckpointError(
          .malformed,
          "two datasets have this name, one of them /\(dataset.path.joined(separator: "/"))",
          tensor: name.text)
      }
      // Equal addresses are two hard links to one dataset.
      let alias = first[dataset.address]
      if alias == nil { first[dataset.address] = name }
      return tensors.entry(name, dataset, alias: alias)
    }
  }

  /// The name of a dataset's tensor.
  static func name(of dataset: HDF5Table.Dataset, isOurs: Bool) -> TensorName {
    TensorName(HDF5Path.name(dataset.path, isEscaped: isOurs))
  }

  private static func modules(_ table: HDF5Table) -> [ModuleLabel] {
    table.groups.compactMap { group in
      guard let kind = HDF5Layout.text(group.attributes.value("kind")) else { return nil }
      return ModuleLabel(
        path: HDF5Path.name(group.path, isEscaped: true), kind: kind,
        arguments: HDF5Layout.text(group.attributes.value("arguments")) ?? "")
    }
  }
}
