import ByteIO
import TensorCore

/// Where pickles are: in files of PyTorch, archives, arrays of objects, and one after another.
extension PickleScan {
  /// Largest pickle that is searched, in bytes.
  private static let maxSize = 24 << 20

  /// Reads whatever a source is.
  mutating func read(
    _ file: ByteSource, as name: String, at start: Int?, depth: Int
  ) throws(CheckpointError) {
    let head = try file.head(FileProbe.headSize)
    if head.starts(with: NPYHeader.magic) {
      return try readObjects(file, as: name, at: start, depth: depth)
    }
    switch PyTorchFile.kind(of: head) {
    case .archive: try readArchive(file, as: name, at: start, depth: depth)
    case .stream, .tar:
      do throws(CheckpointError) {
        let opened = try PyTorchFile.open(file)
        for (purpose, offset, pickle) in opened.otherPickles {
          add(pickle, as: name + purpose, at: start.map { $0 + offset }, depth: depth)
        }
        add(
          opened.pickle, as: name + "object", at: start.map { $0 + opened.pickleOffset },
          tensors: opened.tensors, depth: depth)
      } catch {
        // What such a file should be does not matter for what Python would run of it.
        try readPickles(file, 0..<file.size, as: name + "pickle", at: start, depth: depth)
        if findings.allSatisfy({ $0.danger == nil }), depth == 0 { throw error }
      }
    case .pickle, nil:
      if head.dropFirst(257).starts(with: "ustar".utf8) {
        return try readTar(file, as: name, at: start, depth: depth)
      }
      try readPickles(
        file, 0..<file.size, as: name.isEmpty ? "pickle" : name, at: start, depth: depth)
    }
  }

  /// Reads a source if it begins like something that holds pickles.
  mutating func readIfPickled(
    _ file: ByteSource, as name: String, at start: Int?, depth: Int
  ) throws(CheckpointError) {
    let head = try file.head(FileProbe.headSize)
    let isPickled =
      head.starts(with: NPYHeader.magic) || PyTorchFile.kind(of: head) != nil
      || head.dropFirst(257).starts(with: "ustar".utf8)
    if isPickled { try read(file, as: name, at: start, depth: depth) }
  }

  /// One pickle after another.
  private mutating func readPickles(
    _ file: ByteSource, _ range: Range<Int>, as name: String, at start: Int?, depth: Int
  ) throws(CheckpointError) {
    var stream = PickleStream(file, range)
    var number = 1
    while stream.position < range.upperBound {
      let position = stream.position
      let (pickle, error) = try stream.nextPart(maxSize: Self.maxSize)
      let label = number == 1 ? name : "\(name) \(number)"
      // Numbers and text that are not a pickle may look like the beginning of one.
      let isUseful = pickle.globals.contains { DangerousNames.reason($0.module, $0.name) != nil }
      if error == nil || isUseful {
        add(pickle, as: label, at: start.map { $0 + position }, depth: depth)
      }
      if let error {
        if number == 1 {
          guard isUseful else { throw error }
          unread.append("\(label): at byte \(error.offset ?? 0): \(error.message)")
        } else if isUseful {
          unread.append("\(label): at byte \(error.offset ?? 0): \(error.message)")
        } else {
          notes.append(
            "\(range.upperBound - position) bytes after \(name) \(number - 1) are not a pickle")
        }
        return
      }
      number += 1
    }
    if number == 1 {
      throw CheckpointError(.malformed, "the pickle is truncated", offset: range.lowerBound)
    }
  }

  /// The pickle of an array of objects.
  private mutating func readObjects(
    _ file: ByteSource, as name: String, at start: Int?, depth: Int
  ) throws(CheckpointError) {
    let fields: NPYDictionary.Fields
    let length: Int
    do throws(CheckpointError) {
      (fields, _, length) = try NPYHeader.fields(size: file.size) { range throws(CheckpointError) in
        try file.bytes(range)
      }
    } catch {
      if error.code == .unsupported { return }
      throw error
    }
    guard fields.description.hasSuffix("O") else { return }
    try readPickles(
      file, length..<file.size, as: name.isEmpty ? "array" : name, at: start, depth: depth)
  }

  // MARK: - Archives

  private mutating func readArchive(
    _ file: ByteSource, as prefix: String, at start: Int?, depth: Int
  ) throws(CheckpointError) {
    let archive: ZipArchive
    do throws(CheckpointError) {
      archive = try ZipArchive(file, zeroMeansNoSum: true)
    } catch {
      // Other readers compare less, and may see other members.
      unread.append("\(prefix.isEmpty ? "archive" : prefix): \(error.message)")
      return try readLoosely(file, as: prefix, at: start, depth: depth)
    }
    var isDamaged = false
    for member in archive.members where member.size > 1 {
      let name = prefix + member.name.text
      let count = min(member.size, FileProbe.headSize)
      let head = try? [UInt8](count: count) { target throws(CheckpointError) in
        try archive.read(member, at: 0, into: &target)
      }
      guard let head else {
        unread.append("\(name): is damaged")
        isDamaged = true
        continue
      }
      let isNamed = name.hasSuffix(".pkl") || name.hasSuffix(".pickle")
      guard isNamed || Self.mayBePickle(head, isStorage: name.contains("/data/")) else { continue }
      if depth >= Self.maxDepth {
        unread.append("\(name): archives are nested too deeply")
        continue
      }
      let position = member.method == .stored ? start.map { $0 + member.dataOffset } : nil
      let before = findings.count
      do throws(CheckpointError) {
        let stored = try archive.file(of: member)
        let content: ByteSource
        if let stored { content = stored } else { content = try archive.unpacked(member) }
        let isInner = head.starts(with: [0x50, 0x4b])
        try read(
          content, as: isInner ? name + "/" : name, at: position, depth: isInner ? depth + 1 : depth
        )
      } catch {
        // A storage whose numbers only look like a pickle is one.
        if !isNamed, name.contains("/data/"), findings.count == before { continue }
        unread.append(
          "\(name): \(position.map { "at byte \($0 + (error.offset ?? 0)): " } ?? "")\(error.message)"
        )
        isDamaged = true
      }
    }
    // Other readers do not compare checksums.
    if isDamaged { try readLoosely(file, as: prefix, at: start, depth: depth) }
  }

  private static func mayBePickle(_ head: [UInt8], isStorage: Bool) -> Bool {
    if isStorage { return head.count > 2 && head[0] == 0x80 && (2...5).contains(head[1]) }
    return head.starts(with: NPYHeader.magic) || PyTorchFile.kind(of: head) != nil
  }

  private mutating func readTar(
    _ file: ByteSource, as prefix: String, at start: Int?, depth: Int
  ) throws(CheckpointError) {
    for (name, range) in try PyTorchTar.ranges(in: file).sorted(by: { $0.key < $1.key }) {
      guard depth < Self.maxDepth else { return }
      let part = try file.part(range)
      reading(prefix + name) { scan throws(CheckpointError) in
        try scan.readIfPickled(
          part, as: prefix + name, at: start.map { $0 + range.lowerBound }, depth: depth + 1)
      }
    }
  }

  /// Members found by their local headers alone, whatever their flags, sums, and the directory say.
  private mutating func readLoosely(
    _ file: ByteSource, as prefix: String, at start: Int?, depth: Int
  ) throws(CheckpointError) {
    let bytes = try file.head(Self.maxSize)
    var position = 0
    var count = 0
    while position + 30 < bytes.count, count < 10_000, depth < Self.maxDepth {
      guard bytes[position] == 0x50,
        bytes[position..<position + 4].elementsEqual([0x50, 0x4b, 3, 4])
      else {
        position += 1
        continue
      }
      count += 1
      let method = bytes.littleEndian(UInt16.self, at: position + 8)
      let nameSize = Int(bytes.littleEndian(UInt16.self, at: position + 26))
      let data = position + 30 + nameSize + Int(bytes.littleEndian(UInt16.self, at: position + 28))
      guard data < bytes.count else { return }
      let name =
        prefix + String(decoding: bytes[position + 30..<position + 30 + nameSize], as: UTF8.self)
      position += 30 + nameSize
      var content = bytes[data...]
      if method == 8 {
        content = Self.inflated(content)[...]
      }
      guard PickleStream.recognizes(Array(content.prefix(256))) else { continue }
      let inner = ByteSource(Array(content), name: file.name)
      var stream = PickleStream(inner)
      guard let (pickle, error) = try? stream.nextPart(maxSize: Self.maxSize) else { continue }
      add(pickle, as: name, at: method == 0 ? start.map { $0 + data } : nil, depth: depth)
      if let error { unread.append("\(name): \(error.message)") }
    }
  }

  /// What a deflate stream holds, up to 4 MiB and as far as it is sound.
  private static func inflated(_ stream: ArraySlice<UInt8>) -> [UInt8] {
    var made: [UInt8] = []
    guard var inflater = try? Inflater() else { return [] }
    var rest = stream
    while !inflater.isAtEnd, made.count < 4 << 20 {
      let input = Array(rest.prefix(1 << 16))
      var step = (taken: 0, made: 0)
      let block = try? [UInt8](count: 1 << 16) { target throws(CheckpointError) in
        step = try inflater.unpack(input.rawBytes, into: &target)
      }
      guard let block, step.taken + step.made > 0 else { break }
      made += block.prefix(step.made)
      rest = rest.dropFirst(step.taken)
    }
    return made
  }
}
