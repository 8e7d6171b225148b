package import TensorCore

/// Which of the checkpoints in a pack is meant, as in `run.ckz@3` and `run.ckz@latest`.
package enum PackStep: Hashable, Sendable, CustomStringConvertible {
  /// One by its number, counted from 0.
  case number(Int)
  /// The last one.
  case latest

  /// How it ends a path.
  package var description: String {
    switch self {
    case .number(let number): "@\(number)"
    case .latest: "@latest"
    }
  }

  /// Divides a path that ends in the name of a step; `nil` for any other.
  package static func divided(_ path: String) -> (path: String, step: PackStep)? {
    guard let mark = path.utf8.lastIndex(of: UInt8(ascii: "@")), mark > path.startIndex else {
      return nil
    }
    let (file, name) = (String(path[..<mark]), path[path.utf8.index(after: mark)...])
    if name.utf8.elementsEqual("latest".utf8) { return (file, .latest) }
    // Only the spelling that is printed.
    guard let number = Int(name), number >= 0, String(number).utf8.elementsEqual(name.utf8) else {
      return nil
    }
    return (file, .number(number))
  }

  /// An error that a file without this step gets.
  package func error(_ code: CheckpointError.Code, _ what: String) -> CheckpointError {
    CheckpointError(code, "\(what); remove \(self)")
  }
}
