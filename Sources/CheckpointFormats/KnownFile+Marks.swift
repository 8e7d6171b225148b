import ByteIO
import TensorCore

extension KnownFile {
  /// By what a kind of file or folder is told.
  struct Mark: Sendable {
    let matches: @Sendable (FileProbe) -> Bool

    init(_ matches: @escaping @Sendable (FileProbe) -> Bool) { self.matches = matches }

    static func && (left: Self, right: Self) -> Self {
      Self { left.matches($0) && right.matches($0) }
    }

    static prefix func ! (mark: Self) -> Self { Self { !mark.matches($0) } }

    static func || (left: Self, right: Self) -> Self {
      Self { left.matches($0) || right.matches($0) }
    }

    // MARK: - Bytes

    /// These bytes at an offset.
    static func bytes(_ offset: Int, _ bytes: UInt8...) -> Self {
      Self { $0.head.dropFirst(offset).starts(with: bytes) }
    }

    /// The bytes of a text at an offset.
    static func bytes(_ offset: Int, _ text: String) -> Self {
      Self { $0.head.dropFirst(offset).starts(with: text.utf8) }
    }

    /// Nothing but zeros, in a file that is longer than what is looked at.
    static let zeros = Self { probe in
      probe.head.count >= FileProbe.headSize && probe.head.allSatisfy { $0 == 0 }
    }

    static let zip = bytes(0, 0x50, 0x4b, 0x03, 0x04)

    // MARK: - Text

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

    static let json = Self { probe in
      let text = text(probe.head)
      guard let second = text.dropFirst().first(where: { !isBlank($0) }) else { return false }
      return text.first == UInt8(ascii: "{")
        ? second == UInt8(ascii: "\"") || second == UInt8(ascii: "}")
        : text.first == UInt8(ascii: "[") && [0x7b, 0x22, 0x5b].contains(second)
    }

    /// A printed module: a class name and a parenthesis, then a line of a child.
    static let module = Self { probe in
      let text = text(probe.head)
      let name = text.prefix { isLetter($0) || (0x30...0x39).contains($0) }
      guard let first = name.first, isLetter(first) else { return false }
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
        "import ", "from ", "def ", "class ", "#include", "# -*-", "\"\"\"", "package ", "using ",
      ]
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

    /// The bytes after blanks and a byte order mark.
    private static func text(_ head: [UInt8]) -> ArraySlice<UInt8> {
      let rest = head.starts(with: [0xef, 0xbb, 0xbf]) ? head.dropFirst(3) : head[...]
      return rest.drop(while: isBlank)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0a, 0x0d].contains(byte) }

    private static func isLetter(_ byte: UInt8) -> Bool {
      (0x61...0x7a).contains(byte | 0x20) || byte == UInt8(ascii: "_")
    }

    // MARK: - Formats without a magic number

    /// A Caffe network in protobuf: its name, then layers as field 100 or 2.
    static let caffe = Self { probe in
      let head = probe.head
      guard head.count > 8, head[0] == 0x0a, head[1] > 0, head[1] < 0x80 else { return false }
      let end = 2 + Int(head[1])
      guard end + 2 <= head.count,
        head[2..<end].allSatisfy({ (0x20..<0x7f).contains($0) })
      else { return false }
      return head[end...].starts(with: [0xa2, 0x06])
    }

    /// Darknet's header: version 0.1 or 0.2, and the number of images that were seen.
    static let darknet = Self { probe in
      let head = probe.head
      guard head.count >= 20, probe.size % 4 == 0, head[..<4].allSatisfy({ $0 == 0 }) else {
        return false
      }
      return (1...2).contains(head[4]) && head[5..<8].allSatisfy { $0 == 0 } && head[8] <= 5
        && head[9..<12].allSatisfy { $0 == 0 }
    }

    /// A zip archive with a member of this name in any folder.
    static func member(_ name: String) -> Self {
      Self { probe in
        guard let archive = try? probe.archive else { return false }
        return archive.members.contains {
          $0.name.text == name || $0.name.text.hasSuffix("/" + name)
        }
      }
    }

    // MARK: - Names

    /// A name that ends so.
    static func ends(_ endings: String...) -> Self {
      Self { probe in endings.contains { probe.name.lowercased().hasSuffix($0) } }
    }

    /// A name such as `model.ckpt-100.data-00000-of-00001`.
    static let dataShard = Self { probe in
      let words = (probe.name.split(separator: ".").last ?? "").split(separator: "-")
      return words.count == 4 && words[0] == "data" && words[2] == "of"
        && words[1].count == 5 && words[3].count == 5 && Int(words[1]) != nil
        && Int(words[3]) != nil
    }

    /// A folder that holds something of this name.
    static func holds(_ name: String) -> Self {
      Self { $0.members?.contains(name) ?? false }
    }

    /// A folder that holds something whose name begins so.
    static func holds(beginning start: String) -> Self {
      Self { $0.members?.contains { $0.hasPrefix(start) } ?? false }
    }

    /// A folder that holds something whose name ends so.
    static func holds(ending: String) -> Self {
      Self { $0.members?.contains { $0.hasSuffix(ending) } ?? false }
    }
  }
}
