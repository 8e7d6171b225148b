import ByteIO
import TensorCore

/// The attributes of a TorchScript archive's modules that belong to their state.
///
/// The archive's source code has two lists for each class, `__parameters__` and `__buffers__`. It is
/// searched for these; nothing in it is run.
///
/// Source: torch 2.15 `csrc/jit/serialization/python_print.cpp`.
enum TorchScriptClasses {
  /// Largest source file that is searched, in bytes.
  private static let maxSize = 16 << 20

  /// A class of the source code.
  private struct Class {
    let name: String
    var members: [TensorName] = []
    var constants: [String: Value] = [:]
  }

  /// For each class that a pickle names and the archive describes: the names of its parameters and
  /// buffers, in the order of `state_dict()`, and its constants, `in_features : Final[int] = 4`.
  static func members(
    of pickle: Pickle, in archive: ZipArchive, folder: String
  ) throws(CheckpointError) -> (
    members: [String: [TensorName]], constants: [String: [String: Value]]
  ) {
    var members: [String: [TensorName]] = [:]
    var constants: [String: [String: Value]] = [:]
    var searched: Set<String> = []
    for global in pickle.globals
    where global.module.hasPrefix("__torch__") && searched.insert(global.module).inserted {
      // Class `__torch__.a.b.C` is declared in `code/__torch__/a/b.py`.
      let path = folder + "code/" + global.module.replacing(".", with: "/") + ".py"
      guard let member = archive.member(named: TensorName(path)) else { continue }
      let text = try archive.bytes(member, limit: maxSize)
      for found in classes(text) {
        members[global.module + "." + found.name] = found.members
        constants[global.module + "." + found.name] = found.constants
      }
    }
    return (members, constants)
  }

  private static func classes(_ text: [UInt8]) -> [Class] {
    var classes: [Class] = []
    for line in text.split(separator: UInt8(ascii: "\n")) {
      if line.starts(with: "class ".utf8) {
        let name = line.dropFirst(6).prefix { $0 != UInt8(ascii: "(") && $0 != UInt8(ascii: ":") }
        classes.append(Class(name: String(decoding: name, as: UTF8.self)))
      } else if !classes.isEmpty,
        line.starts(with: "  __parameters__ = [".utf8)
          || line.starts(with: "  __buffers__ = [".utf8)
      {
        // The names are between quotes.
        let parts = line.split(separator: UInt8(ascii: "\""), omittingEmptySubsequences: false)
        for part in stride(from: 1, to: parts.count - 1, by: 2) {
          classes[classes.count - 1].members.append(
            TensorName(String(decoding: parts[part], as: UTF8.self)))
        }
      } else if !classes.isEmpty, line.count < 200,
        let (name, value) = PythonConstant.definition(String(decoding: line, as: UTF8.self))
      {
        classes[classes.count - 1].constants[name] = value
      }
    }
    return classes
  }
}
