import HDF5
import TensorCore

/// The layout of a checkpoint in an HDF5 file, decided before anything is written.
///
/// A group is a module, a dataset a parameter: `layer2.0.weight` is `/layer2/0/weight`. Groups are
/// made first, in the order of the modules, then datasets in the order of the entries. Read back
/// with each group's datasets before its subgroups, that is the order of `state_dict()`; where it
/// is not the order of the entries, the root's attribute `order` gives each dataset's index.
struct HDF5Layout {
  /// Value of the root's attribute `format` in files that we write.
  static let formatName = "ckpt"
  /// Value of the root's attribute `version`, and the newest that is read.
  static let version = 1
  /// Attributes of groups that are not metadata.
  static let reserved = ["format", "version", "kind", "arguments", "order"]
  /// Attribute of a dataset that names the type of opaque elements, as in Keras 3.
  static let elementName = "dtype"

  /// Whether a file says that it is of this layout.
  static func isOurs(_ table: HDF5Table) -> Bool {
    table.groups.first?.attributes.value("format") == .text(formatName)
  }

  /// A group to make, its parent before it; the root is first.
  struct Group {
    let path: [String]
    var attributes: [HDF5Attribute] = []
    fileprivate var datasets: [Int] = []
    fileprivate var children: [Int] = []
    fileprivate var childLinks: Set<TensorName> = []
  }

  /// Where an entry goes.
  struct Dataset {
    let path: [String]
    /// Index of the earlier entry to whose dataset this is a second link.
    let linkTarget: Int?
    /// Values that belong to it.
    var attributes: [HDF5Attribute] = []
  }

  private(set) var groups = [Group(path: [])]
  /// One for each entry.
  private(set) var datasets: [Dataset] = []
  private var groupIndex: [TensorName: Int] = ["": 0]

  /// Lays out a checkpoint.
  ///
  /// - Throws: ``CheckpointError`` `malformed` for a duplicate module or tensor.
  init(_ checkpoint: Checkpoint) throws {
    try addModules(checkpoint.modules)
    try checkpoint.checkNames()
    addEntries(checkpoint.entries)
    var root = [
      HDF5Attribute("format", .text(Self.formatName)),
      HDF5Attribute("version", .integer(Self.version)),
    ]
    root += addValues(of: checkpoint)
    let order = walk()
    if order != Array(datasets.indices) { root.append(HDF5Attribute("order", .integers(order))) }
    groups[0].attributes = root + groups[0].attributes
  }

  /// Gives values to the groups and datasets to which they belong, and returns the root's.
  private mutating func addValues(of checkpoint: Checkpoint) -> [HDF5Attribute] {
    let all = checkpoint.values(withModules: false) { HDF5Values.stored($0.value) != nil }
    var root: [HDF5Attribute] = []
    var places: [TensorName: Int] = [:]
    for (index, entry) in checkpoint.entries.enumerated() { places[entry.name] = index }
    for named in all.sorted(by: { TensorName($0.name) < TensorName($1.name) }) {
      guard let value = HDF5Values.stored(named.value) else { continue }
      let name = named.name.utf8
      if let mark = name.lastIndex(of: HDF5Values.mark), mark != name.startIndex {
        let owner = String(named.name[..<mark])
        let leaf = String(named.name[name.index(after: mark)...])
        let attribute = HDF5Attribute(
          leaf == Self.elementName ? "%_" + leaf : Self.attributeName(leaf), value)
        let path = HDF5Path.links(owner).map { "/" + $0 }.joined()
        if let place = places[TensorName(owner)], datasets[place].linkTarget == nil {
          datasets[place].attributes.append(attribute)
          continue
        }
        if let group = groupIndex[TensorName(path)] {
          groups[group].attributes.append(attribute)
          continue
        }
      }
      root.append(HDF5Attribute(Self.attributeName(named.name), value))
    }
    return root
  }

  private mutating func addModules(_ modules: [ModuleLabel]) throws {
    var seen: Set<TensorName> = []
    for module in modules {
      guard seen.insert(TensorName(module.path)).inserted else {
        throw CheckpointError(.malformed, "there are two modules named '\(module.path)'")
      }
      let index = group(module.path.isEmpty ? [] : HDF5Path.links(module.path))
      groups[index].attributes.append(HDF5Attribute("kind", Self.value(module.kind)))
      if !module.arguments.isEmpty {
        groups[index].attributes.append(HDF5Attribute("arguments", Self.value(module.arguments)))
      }
    }
  }

  private mutating func addEntries(_ entries: [Checkpoint.Entry]) {
    var position: [TensorName: Int] = [:]
    let paths = entries.map { HDF5Path.links($0.name.text) }
    // All groups first: datasets must not use their link names.
    let parents = paths.map { group($0.dropLast()) }
    for (index, entry) in entries.enumerated() {
      position[entry.name] = index
      let leaf = paths[index][paths[index].count - 1]
      // A group holds one link per name, so a tensor named like a module gets the escaped name
      // `leaf%_`.
      let isTaken = groups[parents[index]].childLinks.contains(TensorName(leaf))
      groups[parents[index]].datasets.append(index)
      var target = entry.alias.flatMap { position[$0] }
      if let found = target {
        target = entries[found].info == entry.info ? datasets[found].linkTarget ?? found : nil
      }
      if target == index { target = nil }
      datasets.append(
        Dataset(path: paths[index].dropLast() + [isTaken ? leaf + "%_" : leaf], linkTarget: target))
    }
  }

  /// The group at a path, made with its parents if it is new.
  private mutating func group(_ path: some Collection<String>) -> Int {
    var current = 0
    var key = ""
    for (depth, link) in path.enumerated() {
      key += "/" + link
      if let known = groupIndex[TensorName(key)] {
        current = known
        continue
      }
      groups.append(Group(path: Array(path.prefix(depth + 1))))
      let new = groups.count - 1
      groupIndex[TensorName(key)] = new
      groups[current].children.append(new)
      groups[current].childLinks.insert(TensorName(link))
      current = new
    }
    return current
  }

  /// The names that a group will hold, datasets before groups.
  func links(of group: Group) -> [String] {
    group.datasets.compactMap { datasets[$0].path.last }
      + group.children.compactMap { groups[$0].path.last }
  }

  /// The entries as a reader meets them.
  private func walk() -> [Int] {
    var order: [Int] = []
    var pending = [0]
    while let group = pending.popLast() {
      order += groups[group].datasets
      pending += groups[group].children.reversed()
    }
    return order
  }

  // MARK: - Text in attributes

  /// A text as an attribute's value: one with a NUL, which HDF5's text cannot hold, as its UTF-8.
  static func value(_ text: String) -> HDF5Value {
    text.utf8.contains(0) ? .integers(text.utf8.map(Int.init)) : .text(text)
  }

  /// Undoes ``value(_:)``; `nil` for values that are not text.
  static func text(_ value: HDF5Value?) -> String? {
    switch value {
    case .text(let text): text
    case .integers(let bytes):
      bytes.allSatisfy { (0...255).contains($0) }
        ? String(decoding: bytes.map { UInt8($0) }, as: UTF8.self) : nil
    default: nil
    }
  }

  /// The root's attribute for a key of the metadata.
  static func attributeName(_ name: String) -> String {
    name.isEmpty || reserved.contains(name) ? "%_" + name : HDF5Path.escaped(name.utf8)
  }
}
