import JSONText
import TensorCore

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
