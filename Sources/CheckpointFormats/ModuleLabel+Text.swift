import ByteIO
import JSONText
import TensorCore

/// The module tree as metadata, for formats that have only text.
extension Checkpoint {
  /// Key under which formats that hold only text keep the module tree.
  static let modulesKey = "ckpt.modules"

  /// Metadata with the module tree in it, for formats that hold only text.
  var metadataWithModules: [String: String] {
    if modules.isEmpty { return metadata }
    var json = JSONWriter()
    json.modules(modules)
    var all = metadata
    all[Self.modulesKey] = json.text
    return all
  }
}

extension Opened {
  /// Takes the module tree out of metadata that has it; a text that is none is left and noted.
  mutating func takeModulesFromMetadata() {
    let key = Checkpoint.modulesKey
    guard let text = checkpoint.metadata[key] else { return }
    do {
      checkpoint.modules = try Self.modules(Array(text.utf8))
      checkpoint.metadata[key] = nil
    } catch {
      notes.append("metadata '\(key)' is not a module tree; left as it is")
    }
  }

  private static func modules(_ text: [UInt8]) throws(CheckpointError) -> [ModuleLabel] {
    var scanner = JSONScanner(text, spelling: .canonical)
    let labels = try scanner.moduleLabels()
    try scanner.end()
    return labels
  }
}

extension JSONWriter {
  /// An array of labels, each `["path","kind","arguments"]`.
  mutating func modules(_ modules: [ModuleLabel]) {
    array { json in
      for module in modules { json.strings([module.path, module.kind, module.arguments]) }
    }
  }
}

extension JSONScanner {
  /// A canonical array of labels, each `["path","kind","arguments"]`.
  mutating func moduleLabels() throws(CheckpointError) -> [ModuleLabel] {
    var labels: [ModuleLabel] = []
    try array { scanner throws(CheckpointError) in
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
