import ArgumentParser
import CheckpointKit

extension CompletionKind {
  /// The names of the tensors in the files that the command line has so far, and of the modules around them.
  static var tensorNames: CompletionKind {
    .custom { words, _, prefix in
      var names: [String] = []
      var seen: Set<TensorName> = []
      for word in words.dropFirst(2) where !word.hasPrefix("-") && !word.contains("://") {
        let options = OpenOptions(threads: 1, readsValues: false)
        guard let source = try? CheckpointSource.open(word, options: options) else { continue }
        for entry in source.checkpoint.entries {
          guard let next = entry.name.component(after: prefix), next.isPlain else { continue }
          if seen.insert(TensorName(next)).inserted { names.append(next) }
          if names.count == maxNames { return names }
        }
      }
      return names
    }
  }

  /// More than these help nobody.
  private static let maxNames = 1000
}

extension TensorName {
  /// The name as far as the first dot after a prefix, or all of it; `nil` if it does not begin with the prefix.
  fileprivate func component(after prefix: String) -> String? {
    guard text.utf8.starts(with: prefix.utf8) else { return nil }
    let rest = text.utf8.dropFirst(prefix.utf8.count)
    guard let dot = rest.firstIndex(of: UInt8(ascii: ".")) else { return text }
    return String(text[..<text.utf8.index(after: dot)])
  }
}

extension String {
  /// Whether no shell takes a character of it for something else.
  fileprivate var isPlain: Bool {
    utf8.allSatisfy { byte in
      let scalar = Unicode.Scalar(byte)
      return scalar.properties.isAlphabetic && scalar.isASCII || (0x30...0x39).contains(byte)
        || "._-/".utf8.contains(byte)
    }
  }
}
