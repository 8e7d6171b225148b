import TensorCore

/// A tree as PyTorch prints it.
extension Module: CustomStringConvertible {
  /// The tree as PyTorch's `print(model)` shows it, without a final line break.
  public var description: String {
    var text = ""
    write(indent: 0, to: &text)
    return text
  }

  /// Writes the module; `indent` is the indentation of its own line, which is not written here.
  private func write(indent: Int, to text: inout String) {
    text += kind + "("
    defer { text += ")" }
    if ownChildren.isEmpty && !arguments.utf8.contains(UInt8(ascii: "\n")) {
      text += arguments
      return
    }
    let margin = "\n" + String(repeating: " ", count: indent + 2)
    if !arguments.isEmpty {
      for line in arguments.utf8.split(
        separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      {
        text += margin + String(Substring(line))
      }
    }
    var index = 0
    while index < ownChildren.count {
      let end = compressesRuns ? endOfRun(from: index) : index + 1
      let child = ownChildren[index]
      text += margin + "("
      if end - index > 1 {
        text += "\(child.name)-\(ownChildren[end - 1].name)): \(end - index) x "
      } else {
        text += child.name + "): "
      }
      if let module = child.module {
        module.write(indent: indent + 2, to: &text)
      } else {
        text += "None"
      }
      index = end
    }
    text += "\n" + String(repeating: " ", count: indent)
  }

  private func endOfRun(from start: Int) -> Int {
    var end = start + 1
    while end < ownChildren.count,
      Self.printAlike(ownChildren[start].module, ownChildren[end].module)
    {
      end += 1
    }
    return end
  }

  private static func printAlike(_ first: Module?, _ second: Module?) -> Bool {
    guard let first, let second else { return first == nil && second == nil }
    return first.kind.isSameText(second.kind) && first.arguments.isSameText(second.arguments)
      && first.ownChildren.count == second.ownChildren.count
      && zip(first.ownChildren, second.ownChildren).allSatisfy {
        $0.name.isSameText($1.name) && printAlike($0.module, $1.module)
      }
  }
}
