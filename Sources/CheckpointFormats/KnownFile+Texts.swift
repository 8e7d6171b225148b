import ByteIO
import TensorCore

/// Texts by which files are told.
extension KnownFile.Mark {
  /// A text that begins so, after blanks and a byte order mark.
  static func text(_ start: String) -> Self { Self { text($0.head).starts(with: start.utf8) } }

  /// A text that begins so, in letters of either case.
  static func markup(_ starts: String...) -> Self {
    Self { probe in
      let text = text(probe.head).prefix(64).map { byte in
        (0x41...0x5a).contains(byte) ? byte | 0x20 : byte
      }
      return starts.contains { text.starts(with: $0.utf8) }
    }
  }

  /// A text that is in the first bytes.
  static func contains(_ part: String) -> Self {
    let part = Array(part.utf8)
    return Self { probe in
      let head = probe.head
      guard head.count >= part.count, let first = part.first else { return false }
      return (0...head.count - part.count).contains { start in
        head[start] == first && head[start..<start + part.count].elementsEqual(part)
      }
    }
  }

  /// A page that has one of these tags among its first bytes, in letters of either case.
  static func tags(_ tags: String...) -> Self {
    Self { probe in
      let text = String(decoding: text(probe.head), as: UTF8.self).lowercased()
      return tags.contains { text.contains($0) }
    }
  }

  /// A short text that begins with one of these answers of a server, in letters of either case, after
  /// the number of an error.
  static func answer(_ phrases: String...) -> Self {
    Self { probe in
      guard probe.size <= FileProbe.headSize, !text(probe.head).contains(0) else { return false }
      let text = String(decoding: text(probe.head).prefix(200), as: UTF8.self).lowercased()
      if text.hasPrefix("error code:") { return true }
      var rest = Substring(text)
      for start in ["http/1.0 ", "http/1.1 ", "http/2 ", "error: ", "error ", "status: "]
      where rest.hasPrefix(start) {
        rest = rest.dropFirst(start.count)
      }
      let digits = rest.prefix(while: \.isNumber)
      if let code = Int(digits), (300...599).contains(code) {
        rest = rest.dropFirst(3).drop { ": -.\r\n".contains($0) }
        if rest.isEmpty { return true }
      }
      return phrases.contains { phrase in
        rest.hasPrefix(phrase) && rest.dropFirst(phrase.count).first?.isLetter != true
      }
    }
  }

  /// An error of Python without its traceback: `RuntimeError: …`.
  static let exception = Self { probe in
    let line = text(probe.head).prefix { $0 != UInt8(ascii: "\n") }
    let name = line.prefix { $0.isLetter || $0 == UInt8(ascii: ".") }
    guard line.dropFirst(name.count).first == UInt8(ascii: ":") else { return false }
    let text = String(decoding: name, as: UTF8.self)
    return ["Error", "Exception", "Warning", "Interrupt"].contains { text.hasSuffix($0) }
      && text != "Error"
  }

  /// Lines that name an epoch and a loss.
  static let log = Self { probe in
    let text = String(decoding: text(probe.head), as: UTF8.self).lowercased()
    return !text.utf8.contains(0) && text.contains("epoch") && text.contains("loss")
  }

  /// Vectors of words: two numbers, then words with their vectors, as word2vec writes them.
  static let word2vec = Self { probe in
    let lines = text(probe.head).split(separator: 0x0a, maxSplits: 1)
    guard lines.count == 2 else { return false }
    let numbers = lines[0].split(separator: 0x20)
    return numbers.count == 2
      && numbers.allSatisfy { $0.count < 12 && $0.allSatisfy(\.isDigit) }
      && lines[1].prefix(200).contains(0x20)
  }

  /// Vectors of words in text, as GloVe writes them: on each line a word, then numbers.
  static let wordVectors = Self { probe in
    let lines = text(probe.head).split(separator: 0x0a).prefix(2)
    return lines.count == 2
      && lines.allSatisfy { line in
        let words = String(decoding: line, as: UTF8.self).split(separator: " ").dropFirst()
        return words.count >= 4 && words.dropLast().allSatisfy { Double($0) != nil }
      }
  }

  /// A table in text: at least three lines with the same number of commas.
  static let commas = Self { probe in
    let text = text(probe.head)
    guard !text.contains(0) else { return false }
    let lines = text.split(separator: 0x0a).prefix(8)
    let counts = Set(
      (probe.size > probe.head.count ? lines.prefix(3) : lines).map { line in
        line.count { $0 == UInt8(ascii: ",") }
      })
    return lines.count >= 3 && counts.count == 1 && counts.first.map { $0 > 0 } == true
  }

  /// YAML: each of the first lines is a key with a colon, a comment, a list's item, or indented.
  static let yaml = Self { probe in
    let text = text(probe.head)
    guard !text.contains(0) else { return false }
    let lines = text.split(separator: 0x0a).prefix(6).dropLast(probe.size > 4096 ? 1 : 0)
    return lines.count > 1
      && lines.allSatisfy { line in
        guard let first = line.first else { return true }
        if first == 0x20 || first == UInt8(ascii: "#") || line.starts(with: "- ".utf8) {
          return true
        }
        let key = line.prefix { $0.isLetter || $0.isDigit || $0 == 0x2d }
        let rest = line.dropFirst(key.count).drop { $0 == 0x0d }
        return !key.isEmpty && rest.first == UInt8(ascii: ":")
          && [nil, 0x20, 0x0d].contains(rest.dropFirst().first)
      }
  }

  static let json = Self { probe in
    let text = text(probe.head)
    guard let second = text.dropFirst().first(where: { !$0.isSpace }) else { return false }
    return text.first == UInt8(ascii: "{")
      ? second == UInt8(ascii: "\"") || second == UInt8(ascii: "}")
      : text.first == UInt8(ascii: "[") && [0x7b, 0x22, 0x5b].contains(second)
  }

  /// A printed module: a class name and a parenthesis, then a line of a child.
  static let module = Self { probe in
    let text = text(probe.head)
    let name = text.prefix { $0.isLetter || $0.isDigit }
    guard let first = name.first, first.isLetter else { return false }
    return text.dropFirst(name.count).starts(with: "(\n  (".utf8)
  }

  /// A recipe: a line that names a model, and another of a recipe's lines.
  static let recipe =
    (line("model: ") || line("construct "))
    && (line("seed: ") || line("order: ") || line("dtype: ") || line("skip ") || contains("="))
    && !line("import ")

  /// A text with a line that begins so.
  private static func line(_ start: String) -> Self { text(start) || contains("\n" + start) }

  /// Lines that Python, C, or YAML begins with.
  static let source = Self { probe in
    let text = text(probe.head)
    guard !text.contains(0) else { return false }
    let starts = [
      "import ", "from ", "def ", "class ", "#include", "# -*-", "package ", "using ", "local ",
      "require '", "require \"",
    ]
    if ["\"\"\"", "'''", "r\"\"\""].contains(where: { text.starts(with: $0.utf8) }) { return true }
    let lines = text.split(separator: UInt8(ascii: "\n"))
    // A sentence may also begin with one of these words.
    if starts.contains(where: { text.starts(with: $0.utf8) }), let first = lines.first,
      let last = first.last, last != UInt8(ascii: "."), lines.count > 1
    {
      return true
    }
    return lines.dropFirst().contains { line in
      ["import torch", "from torch", "import tensorflow", "import numpy", "def forward("]
        .contains { line.starts(with: $0.utf8) }
    }
  }

  /// The bytes after blanks and a byte order mark; of UTF-16, the low halves.
  private static func text(_ head: [UInt8]) -> ArraySlice<UInt8> {
    var rest = head[...]
    if head.starts(with: [0xef, 0xbb, 0xbf]) {
      rest = head.dropFirst(3)
    } else if head.starts(with: [0xff, 0xfe]) || head.starts(with: [0x3c, 0, 0x21, 0])
      || head.starts(with: [0x3c, 0, 0x68, 0])
    {
      rest = stride(from: head.first == 0xff ? 2 : 0, to: head.count, by: 2).map { head[$0] }[...]
    } else if head.starts(with: [0xfe, 0xff]) || head.starts(with: [0, 0x3c, 0]) {
      rest = stride(from: head.first == 0xfe ? 3 : 1, to: head.count, by: 2).map { head[$0] }[...]
    }
    return rest.drop(while: \.isSpace)
  }
}
