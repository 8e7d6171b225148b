import JSONText
package import TensorCore

/// The names of files in an index, which change while a set of files takes the place of another.
package enum ShardNames {
  /// The index with other names for some of its files; all else stays, to the byte.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `malformed` when it is not an index.
  package static func replaced(
    _ names: [String: String], in index: [UInt8]
  ) throws(CheckpointError) -> [UInt8] {
    if names.isEmpty { return index }
    let names = Dictionary(keepingFirst: names.map { (TensorName($0.key), $0.value) })
    var result: [UInt8] = []
    var end = 0
    try eachFile(of: index) { name, range in
      guard let new = names[TensorName(name)] else { return }
      var json = JSONWriter()
      json.string(new)
      result += index[end..<range.lowerBound] + json.bytes
      end = range.upperBound
    }
    return result + index[end...]
  }

  /// The files that an index names and that are numbered as `--shard-size` numbers those of `name`, or have the
  /// names that they have meanwhile; empty for what is not an index.
  ///
  /// `model.safetensors` has `model-00001-of-00003.safetensors` and `model-00001-of-00003.ckpt-….safetensors`.
  package static func shards(of name: String, in index: [UInt8]) -> [String] {
    let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) ?? name.endIndex
    var found: Set<TensorName> = []
    try? eachFile(of: index) { file, _ in
      if isShard(file, of: String(name[..<dot]), ending: String(name[dot...])) {
        found.insert(TensorName(file))
      }
    }
    return found.sorted().map(\.text)
  }

  /// Whether a name is a stem, `-1-of-2`, perhaps `.ckpt-` and digits, and an ending.
  private static func isShard(_ name: String, of stem: String, ending: String) -> Bool {
    let bytes = Array(name.utf8)
    guard bytes.starts(with: stem.utf8), bytes.reversed().starts(with: ending.utf8.reversed()),
      bytes.count >= stem.utf8.count + ending.utf8.count
    else { return false }
    var rest = bytes.dropFirst(stem.utf8.count).dropLast(ending.utf8.count)
    func takesWord(_ word: String) -> Bool {
      guard rest.starts(with: word.utf8) else { return false }
      rest = rest.dropFirst(word.utf8.count)
      return true
    }
    func takesDigits(_ isDigit: (UInt8) -> Bool) -> Bool {
      let count = rest.prefix(while: isDigit).count
      rest = rest.dropFirst(count)
      return count > 0
    }
    let isDecimal: (UInt8) -> Bool = { (0x30...0x39).contains($0) }
    guard takesWord("-"), takesDigits(isDecimal), takesWord("-of-"), takesDigits(isDecimal) else {
      return false
    }
    if rest.isEmpty { return true }
    return takesWord(".ckpt-") && takesDigits { isDecimal($0) || (0x61...0x66).contains($0) }
      && rest.isEmpty
  }

  /// Calls `body` with each name of a file in the `weight_map`, and where it stands.
  private static func eachFile(
    of index: [UInt8], _ body: (String, Range<Int>) -> Void
  ) throws(CheckpointError) {
    var scanner = JSONScanner(index)
    try scanner.object { scanner, key, _ throws(CheckpointError) in
      guard key.utf8.elementsEqual("weight_map".utf8) else { return try scanner.skip() }
      try scanner.object { scanner, _, _ throws(CheckpointError) in
        _ = scanner.next()
        let start = scanner.position
        let name = try scanner.string()
        body(name, start..<scanner.position)
      }
    }
  }
}
