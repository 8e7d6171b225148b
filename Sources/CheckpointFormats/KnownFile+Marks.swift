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

    /// Nothing but zeros.
    static let blank = Self { probe in
      !probe.head.isEmpty && probe.head.allSatisfy { $0 == 0 } && probe.size == probe.head.count
    }

    static let zip = bytes(0, 0x50, 0x4b, 0x03, 0x04)

    /// A zip archive that has no directory at its end.
    static let cutZip = zip && Self { (try? $0.archive) == nil }

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

    /// A matrix of MATLAB 4: its type, its sizes, whether it is complex, and its name.
    static let matlab4 = Self { probe in
      let head = probe.head
      guard head.count >= 22 else { return false }
      let numbers = stride(from: 0, to: 20, by: 4).map { head.littleEndian(UInt32.self, at: $0) }
      let length = Int(numbers[4])
      guard numbers[0] <= 52, numbers[0] % 10 <= 2, numbers[0] / 10 <= 5, numbers[3] <= 1,
        numbers[1] < 1 << 24, numbers[2] < 1 << 24, (2...64).contains(length),
        head.count >= 20 + length, head[19 + length] == 0
      else { return false }
      return head[20..<19 + length].allSatisfy { $0.isLetter || $0.isDigit }
    }

    /// A model of SentencePiece: its first piece, with a score.
    static let sentencePiece = Self { probe in
      let head = probe.head
      guard head.count > 8, head[0] == 0x0a, head[2] == 0x0a, head[1] > head[3] else {
        return false
      }
      let end = 4 + Int(head[3])
      return head.count > end && head[end] == 0x15 && head[4] >= 0x20
    }

    /// A tensor of ONNX in a file of its own: sizes, a type, then a name or elements.
    static let onnxTensor = Self { probe in
      var rest = probe.head[...]
      while rest.first == 0x08 {
        rest = rest.dropFirst().drop { $0 >= 0x80 }.dropFirst()
      }
      guard rest.first == 0x10, rest.count > 2 else { return false }
      return (1...30).contains(rest[rest.startIndex + 1])
        && [0x22, 0x2a, 0x32, 0x3a, 0x42, 0x4a].contains(rest[rest.startIndex + 2])
    }

    /// A model of Core ML: a version, and a description that begins with an input.
    static let coreML = Self { probe in
      let head = probe.head
      guard head.count > 8, head[0] == 0x08, (2...20).contains(head[1]), head[2] == 0x12 else {
        return false
      }
      return head[3...].drop { $0 >= 0x80 }.dropFirst().first == 0x0a
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

    /// A folder that holds nothing but folders named by numbers, as Orbax numbers its steps.
    static let steps = Self { probe in
      guard let names = probe.members?.filter({ !$0.hasPrefix(".") }), !names.isEmpty else {
        return false
      }
      return names.allSatisfy { name in name.allSatisfy(\.isNumber) }
    }

    /// A folder that holds something whose name ends so.
    static func holds(ending: String) -> Self {
      Self { $0.members?.contains { $0.hasSuffix(ending) } ?? false }
    }
  }
}
