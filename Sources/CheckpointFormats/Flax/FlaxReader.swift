import ByteIO
import TensorCore

/// Reads the nested dictionaries of a Flax file: arrays become tensors named by the dotted path of
/// their keys, everything else becomes values.
struct FlaxReader {
  private let source: ByteSource
  private var cursor: ByteCursor
  private var room = ValueRoom()
  private var nested: NestedNames
  private var opened = Opened(Checkpoint(entries: []))
  private var names: Set<TensorName> = []
  private var narrowed = NarrowNotes()

  /// What a file that is one array alone calls it.
  private static let bareName = "tensor"
  /// Largest key, in bytes.
  private static let maxKeyBytes = 1 << 16
  /// Largest text or bytes value that is read.
  private static let maxValueBytes = 1 << 26

  init(_ source: ByteSource) {
    self.source = source
    cursor = ByteCursor(source)
    nested = NestedNames(size: source.size)
  }

  /// Reads the whole file.
  mutating func contents() throws(CheckpointError) -> Opened {
    let first = try MessagePack.read(&cursor)
    if case .extended(Flax.arrayType, let range) = first {
      if let value = try array(range, Self.bareName, 0) {
        opened.checkpoint.values.append(Checkpoint.Named(Self.bareName, value))
      }
      return try finished(after: "the array")
    }
    guard case .map(let count) = first else {
      throw CheckpointError(
        .unsupported, "expected a dictionary of arrays, found \(first.kind)", offset: 0)
    }
    var keys: Set<TensorName> = []
    for _ in 0..<count {
      let (key, text) = try key(&keys)
      if let value = try value(at: text, depth: 1) {
        opened.checkpoint.values.append(Checkpoint.Named(key.name, value))
      }
    }
    return try finished(after: "the dictionary")
  }

  private mutating func finished(after what: String) throws(CheckpointError) -> Opened {
    guard cursor.isAtEnd else {
      throw CheckpointError(
        .malformed, "expected the end of the file after \(what), found \(cursor.rest) bytes",
        offset: cursor.position)
    }
    opened.notes += narrowed.notes
    return opened
  }

  // MARK: - Dictionaries

  private mutating func key(
    _ keys: inout Set<TensorName>
  ) throws(CheckpointError) -> (member: Value.Member, text: String) {
    let start = cursor.position
    let key: Value
    switch try MessagePack.read(&cursor) {
    case .text(let range) where range.count <= Self.maxKeyBytes:
      key = .text(try text(range, at: start))
    case .integer(let number): key = .integer(number)
    case let other:
      throw CheckpointError(
        .malformed, "expected a key of at most \(Self.maxKeyBytes) bytes here, found \(other.kind)",
        offset: start)
    }
    let member = Value.Member(key, .null)
    guard keys.insert(TensorName(member.name)).inserted else {
      throw CheckpointError(
        .malformed, "two members have the key '\(member.name.shortened(to: 80))'", offset: start)
    }
    return (member, member.name)
  }

  private func text(_ range: Range<Int>, at start: Int) throws(CheckpointError) -> String {
    guard let text = String(validating: try source.bytes(range), as: UTF8.self) else {
      throw CheckpointError(.malformed, "expected UTF-8, found other bytes", offset: start)
    }
    return text
  }

  /// What an item is besides tensors; `nil` if nothing is left of it.
  private mutating func value(at path: String, depth: Int) throws(CheckpointError) -> Value? {
    let start = cursor.position
    guard depth <= Value.maxDepth else {
      throw CheckpointError(
        .unsupported, "dictionaries are nested deeper than \(Value.maxDepth) levels", offset: start)
    }
    let item = try MessagePack.read(&cursor)
    guard room.take() else {
      throw CheckpointError(
        .unsupported,
        "holds more than \(Budget.current.maxValues) values; pass --allow-large to read it",
        offset: start)
    }
    try nested.charge(path)
    switch item {
    case .null: return .null
    case .bool(let value): return .bool(value)
    case .integer(let number): return .integer(number)
    case .large(let number): return .opaque("int", [.init("digits", .text("\(number)"))])
    case .real(let number): return .real(number)
    case .text(let range):
      if range.count > Self.maxValueBytes { return .unread("a text of \(range.count) bytes") }
      return .text(try text(range, at: start))
    case .bytes(let range):
      if range.count > Self.maxValueBytes { return .unread("\(range.count) bytes") }
      return .bytes(try source.bytes(range))
    case .array(let count): return try list(count, path, depth)
    case .map(let count):
      let begin = cursor
      if let value = try dictionary(count, path, depth) { return value.value }
      cursor = begin
      try addChunked(count, path)
      return nil
    case .extended(Flax.arrayType, let range): return try array(range, path, start)
    case .extended(Flax.complexType, let range): return try complex(range)
    case .extended(Flax.scalarType, let range):
      return try FlaxArray(source, range).scalar() ?? .unread("a scalar of another type")
    case .extended(let type, let range):
      return .unread("an extension of type \(type) with \(range.count) bytes")
    }
  }

  private mutating func list(
    _ count: Int, _ path: String, _ depth: Int
  ) throws(CheckpointError) -> Value? {
    var elements: [Value] = []
    var isPlain = count == 0
    for index in 0..<count {
      let value = try value(at: "\(path).\(index)", depth: depth + 1)
      if value != nil { isPlain = true }
      elements.append(value ?? .tensor)
    }
    return isPlain ? .list(elements) : nil
  }

  /// The members that are not tensors, if there are any; `nil` for an array in chunks.
  private mutating func dictionary(
    _ count: Int, _ path: String, _ depth: Int
  ) throws(CheckpointError) -> (value: Value?, Void)? {
    let tensors = opened.checkpoint.entries.count
    var members: [Value.Member] = []
    var keys: Set<TensorName> = []
    for _ in 0..<count {
      let (member, text) = try key(&keys)
      if text == Flax.chunkedKey {
        // Whatever came before is a part of the array.
        for entry in opened.checkpoint.entries[tensors...] { names.remove(entry.name) }
        opened.checkpoint.entries.removeSubrange(tensors...)
        return nil
      }
      if let value = try value(at: "\(path).\(text)", depth: depth + 1) {
        members.append(Value.Member(member.key, value))
      }
    }
    return (members.isEmpty ? nil : .dictionary(members), ())
  }

  private func complex(_ range: Range<Int>) throws(CheckpointError) -> Value {
    var part = cursor.part(range)
    guard case .array(2) = try MessagePack.read(&part),
      case .real(let real) = try MessagePack.read(&part),
      case .real(let imaginary) = try MessagePack.read(&part)
    else {
      throw CheckpointError(
        .malformed, "expected the two parts of a complex number here", offset: range.lowerBound)
    }
    return .opaque("complex", [.init("real", .real(real)), .init("imag", .real(imaginary))])
  }

  // MARK: - Arrays

  private mutating func array(
    _ range: Range<Int>, _ path: String, _ start: Int
  ) throws(CheckpointError) -> Value? {
    try CheckpointError.placing(tensor: path, offset: start) { () throws(CheckpointError) in
      let array = try FlaxArray(source, range)
      return try add(array.type, array.shape, [array.data], path)
    }
  }

  /// Adds a tensor; answers what stands for one of a type that is not read.
  private mutating func add(
    _ type: String, _ shape: [Int], _ ranges: [Range<Int>], _ path: String
  ) throws(CheckpointError) -> Value? {
    let name = TensorName(path)
    let narrow = Flax.narrow[type]
    guard let dtype = narrow?.dtype ?? Flax.dtypes.first(where: { $0.torchName == type }) else {
      opened.notes.append(
        "'\(name)' is an array of type '\(type.shortened(to: 40))', which is not read; left out")
      return .unread("an array of type \(type.shortened(to: 40))")
    }
    let info = try TensorInfo(dtype: dtype, shape: shape)
    let data = try source.joined(ranges)
    guard data.size == info.byteCount else {
      throw CheckpointError(
        .malformed,
        "expected \(info.byteCount) bytes for shape \(info.shape) of \(dtype.rawValue), found "
          + "\(data.size)")
    }
    try names.add(tensor: name)
    if let narrow { narrowed.add(narrow, name) }
    opened.checkpoint.entries.append(
      Checkpoint.Entry(name: name, info: info) { range, target in
        if let narrow {
          try narrow.read(range, into: &target, from: data)
        } else {
          try data.read(at: range.lowerBound, into: &target)
        }
      })
    return nil
  }

  /// Reads a dictionary that stands for one array: its shape and its flat chunks, in dictionaries
  /// with the keys `0`, `1`, and so on (`_chunk`, `_unchunk`).
  private mutating func addChunked(_ count: Int, _ path: String) throws(CheckpointError) {
    let start = cursor.position
    try CheckpointError.placing(tensor: path, offset: start) { () throws(CheckpointError) in
      var shape: [Int]?
      var chunks: [FlaxArray]?
      var keys: Set<TensorName> = []
      for _ in 0..<count {
        switch try key(&keys).text {
        case Flax.chunkedKey: _ = try MessagePack.read(&cursor)
        case "shape":
          shape = try numbered { item throws(CheckpointError) -> Int? in
            guard case .integer(let size) = item else { return nil }
            return size
          }
        case "chunks":
          chunks = try numbered { [source] item throws(CheckpointError) -> FlaxArray? in
            guard case .extended(Flax.arrayType, let range) = item else { return nil }
            return try FlaxArray(source, range)
          }
        case let other:
          throw CheckpointError(
            .malformed, "expected shape and chunks, found '\(other.shortened(to: 80))'")
        }
      }
      guard let shape, let chunks, let first = chunks.first,
        chunks.allSatisfy({ $0.type == first.type })
      else {
        throw CheckpointError(.malformed, "expected a shape, and chunks of one type, found others")
      }
      if let value = try add(first.type, shape, chunks.map(\.data), path) {
        opened.checkpoint.values.append(Checkpoint.Named(path, value))
      }
    }
  }

  /// The items of a dictionary with the keys `0`, `1`, …, in their order.
  private mutating func numbered<Item>(
    _ read: (MessagePack) throws(CheckpointError) -> Item?
  ) throws(CheckpointError) -> [Item] {
    let start = cursor.position
    guard case .map(let count) = try MessagePack.read(&cursor) else {
      throw CheckpointError(
        .malformed, "expected a dictionary with the keys 0, 1, …", offset: start)
    }
    var items: [Int: Item] = [:]
    var keys: Set<TensorName> = []
    for _ in 0..<count {
      guard let index = Int(try key(&keys).text), (0..<count).contains(index),
        let item = try read(try MessagePack.read(&cursor))
      else {
        throw CheckpointError(
          .malformed, "expected the keys 0, 1, … with one kind of item", offset: start)
      }
      items[index] = item
    }
    return (0..<count).compactMap { items[$0] }
  }
}
