import ByteIO
import TensorCore

extension Checkpoint {
  /// Key under which formats that hold only text keep the module tree.
  static let modulesKey = "ckpt.modules"

  /// Metadata with the module tree in it, for formats that hold only text.
  var metadataWithModules: [String: String] {
    if modules.isEmpty { return metadata }
    var text = CanonicalJSON()
    text.append("[")
    text.append(list: modules) { text, module in
      text.append("[")
      text.append(list: [module.path, module.kind, module.arguments]) { $0.append(string: $1) }
      text.append("]")
    }
    text.append("]")
    var all = metadata
    all[Self.modulesKey] = String(decoding: text.bytes, as: UTF8.self)
    return all
  }

  /// Takes the module tree out of metadata that has it; a text that is none is left and noted.
  mutating func takeModulesFromMetadata() {
    guard let text = metadata[Self.modulesKey] else { return }
    do {
      modules = try Self.modules(Array(text.utf8))
      metadata[Self.modulesKey] = nil
    } catch {
      notes.append("metadata '\(Self.modulesKey)' is no module tree; left as it is")
    }
  }

  private static func modules(_ text: [UInt8]) throws(CheckpointError) -> [ModuleLabel] {
    var scanner = IndexScanner(text)
    let labels = try scanner.moduleLabels()
    try scanner.expectEnd()
    return labels
  }
}

extension IndexScanner {
  /// A list of labels, each `["path","kind","arguments"]`.
  mutating func moduleLabels() throws(CheckpointError) -> [ModuleLabel] {
    var labels: [ModuleLabel] = []
    try expect("[")
    try list(endingWith: "]") { scanner throws(CheckpointError) in
      try scanner.expect("[")
      let path = try scanner.string()
      try scanner.expect(",")
      let kind = try scanner.string()
      try scanner.expect(",")
      let arguments = try scanner.string()
      try scanner.expect("]")
      labels.append(ModuleLabel(path: path, kind: kind, arguments: arguments))
    }
    return labels
  }
}
