import TensorCore

/// The code that `print` shows below the tree of a graph module, which reads what the tree does not
/// show: `p = self.p`, `layers_0_p = getattr(self.layers, "0").p`.
///
/// Source: PyTorch 2.15 `torch/fx/graph.py`, `_format_target`; `torch/fx/graph_module.py`, `__str__`.
extension PastedText {
  /// What the code after an offset assigns to variables, as attributes from the model itself on.
  func pathsRead(from offset: Int) -> [[String]] {
    guard let start = find("def forward(self", from: offset) else { return [] }
    let isGraph = find("print_readable()", from: start.upperBound) != nil
    var paths: [[String]] = []
    var end = start.upperBound
    while let found = find("self", from: end) {
      end = found.upperBound
      guard let (path, target) = assignment(of: found),
        isGraph || Self.isSpelling(of: path, target)
      else { continue }
      paths.append(path)
    }
    return paths
  }

  private func find(_ text: String, from offset: Int) -> Range<Int>? {
    let wanted = Array(text.utf8)
    var rest = bytes[offset...]
    while let first = rest.firstIndex(of: wanted[0]) {
      if bytes[first...].starts(with: wanted) { return first..<(first + wanted.count) }
      rest = bytes[(first + 1)...]
    }
    return nil
  }

  /// The attributes that follow a `self`, and the variable that they are assigned to; `nil` if
  /// nothing but attributes is assigned.
  private func assignment(of word: Range<Int>) -> (path: [String], target: String)? {
    var start = word.lowerBound
    var calls = 0
    let call = Array("getattr(".utf8)
    while bytes[..<start].suffix(call.count) == call[...] {
      start -= call.count
      calls += 1
    }
    while start > 0, bytes[start - 1].isBlank { start -= 1 }
    guard start > 0, bytes[start - 1] == UInt8(ascii: "=") else { return nil }
    start -= 1
    while start > 0, bytes[start - 1].isBlank { start -= 1 }
    let end = start
    while start > 0, bytes[start - 1].isWord { start -= 1 }
    var path: [String] = []
    var index = word.upperBound
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: ".") {
        let name = bytes[(index + 1)...].prefix { $0.isWord }
        guard !name.isEmpty else { return nil }
        path.append(text(name.indices))
        index = name.endIndex
      } else if calls > 0, bytes[index...].starts(with: ", \"".utf8),
        let end = quoteEnd(index + 2), end + 1 < bytes.count,
        bytes[end + 1] == UInt8(ascii: ")")
      {
        path.append(text((index + 3)..<end))
        index = end + 2
        calls -= 1
      } else {
        break
      }
    }
    let next = index < bytes.count ? bytes[index] : UInt8(ascii: "\n")
    guard !path.isEmpty, start < end, next == UInt8(ascii: ";") || next <= UInt8(ascii: " ")
    else { return nil }
    return (path, text(start..<end))
  }

  /// Whether a graph names a variable after what is assigned to it, as people seldom do.
  private static func isSpelling(of path: [String], _ target: String) -> Bool {
    func letters(_ text: String) -> [UInt8] {
      text.lowercased().utf8.filter { $0.isWord && $0 != UInt8(ascii: "_") }
    }
    return letters(target).starts(with: letters(path.joined()))
  }
}

extension Module {
  /// Notes that the tensor at a path is mentioned, unless it is there or the path is a module's.
  mutating func mention(_ path: ArraySlice<String>) {
    guard let name = path.first else { return }
    if let index = ownChildren.firstIndex(where: { $0.name.isSameText(name) }) {
      ownChildren[index].module?.mention(path.dropFirst())
    } else if !["_in_spec", "_out_spec"].contains(name), !owns(tensor: name),
      !mentioned.contains(name)
    {
      mentioned.append(name)
    }
  }

  /// Names of own tensors that the text mentions and neither it nor a side file gives.
  var missing: [String] {
    let absent = mentioned.filter { !owns(tensor: $0) }
    // `name=Parameter containing:`, in a text that is not that of a list of parameters.
    let mark = "Parameter containing:"
    guard !(layer is ParameterCollection), base != "Module",
      ownParameters.count <= layer?.parameters.count ?? 0, Array(arguments.utf8).holds(mark),
      let found = arguments.firstRange(of: mark)
    else { return absent }
    let before = Array(arguments[..<found.lowerBound].utf8.reversed().drop { !$0.isWord })
    let name = before.prefix { $0.isWord }.reversed()
    return absent + [name.isEmpty ? "a parameter" : String(decoding: name, as: UTF8.self)]
  }
}
