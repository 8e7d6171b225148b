import ByteIO
import TensorCore

/// Where pickles are: in files of PyTorch, archives, arrays of objects, and one after another.
extension PickleScan {
  /// Part of a damaged archive that is searched for members, in bytes.
  private static let maxSearched = 24 << 20

  /// Reads whatever a source is.
  mutating func read(
    _ file: ByteSource, as name: String, at start: Int?, depth: Int
  ) throws(CheckpointError) {
    let head = try file.head(FileProbe.headSize)
    if head.starts(with: NPYHeader.magic) {
      return try readObjects(file, as: name, at: start, depth: depth)
    }
    if let kind = CompressedFile(head: head) {
      guard depth < Self.maxDepth else {
        return unread.append("\(name): compressed files are nested too deeply")
      }
      let limit = Budget.current.limit(of: .unpackedFiles, size: file.size)
      let inner = try kind.unpacked(file, limit: limit)
      guard charge(inner.size) else { return }
      return try readIfPickled(inner, as: name, at: nil, depth: depth + 1)
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
      if Self.isTar(head) {
        return try readTar(file, as: name, at: start, depth: depth)
      }
      let isFile = name.isEmpty || name.hasSuffix("/")
      try readPickles(
        file, 0..<file.size, as: isFile ? name + "pickle" : name, at: start, depth: depth)
    }
  }

  private static func isTar(_ head: [UInt8]) -> Bool {
    head.dropFirst(257).starts(with: "ustar".utf8)
  }

  /// Whether a file with these first bytes is a pickle or one that may contain pickles.
  static func mayHoldPickles(_ head: [UInt8]) -> Bool {
    head.starts(with: NPYHeader.magic) || PyTorchFile.kind(of: head) != nil || isTar(head)
      || CompressedFile(head: head) != nil
  }

  /// Reads a source if it begins like something that holds pickles.
  mutating func readIfPickled(
    _ file: ByteSource, as name: String, at start: Int?, depth: Int
  ) throws(CheckpointError) {
    if Self.mayHoldPickles(try file.head(FileProbe.headSize)) {
      try read(file, as: name, at: start, depth: depth)
    }
  }

  /// One pickle after another.
  private mutating func readPickles(
    _ file: ByteSource, _ range: Range<Int>, as name: String, at start: Int?, depth: Int
  ) throws(CheckpointError) {
    var stream = PickleStream(file, range)
    var number = 1
    while stream.position < range.upperBound {
      let position = stream.position
      guard charge(0) else { return }
      var (pickle, error) = try stream.nextPart()
      let label = number == 1 ? name : "\(name) \(number)"
      if pickle.globals.contains(where: JoblibArray.describes) {
        // joblib passes over the bytes of arrays, which Python itself would take for opcodes.
        if error == nil || Self.isDangerous(pickle) {
          add(pickle, as: label, at: start.map { $0 + position }, depth: depth)
        }
        stream.position = position
        (pickle, error) = try stream.nextPart(readsArrays: true)
      }
      // Numbers and text that are not a pickle may look like the beginning of one.
      let isUseful = Self.isDangerous(pickle)
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

  private static func isDangerous(_ pickle: Pickle) -> Bool {
    pickle.globals.contains { DangerousNames.reason($0.module, $0.name) != nil }
  }

  /// The pickle of an array of objects.
  private mutating func readObjects(
    _ file: ByteSource, as name: String, at start: Int?, depth: Int
  ) throws(CheckpointError) {
    guard let first = try NPYObjects.pickleOffset(in: file) else { return }
    try readPickles(
      file, first..<file.size, as: name.isEmpty || name.hasSuffix("/") ? name + "array" : name,
      at: start, depth: depth)
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
      let head: [UInt8]
      do throws(CheckpointError) {
        head = try [UInt8](count: count) { target throws(CheckpointError) in
          try archive.read(member, at: 0, into: &target)
        }
      } catch {
        unread.append("\(name): \(error.code == .unsupported ? error.message : "is damaged")")
        isDamaged = true
        continue
      }
      let isNamed = name.hasSuffix(".pkl") || name.hasSuffix(".pickle")
      guard isNamed || Self.mayBePickle(head, isStorage: name.contains("/data/")) else { continue }
      if depth >= Self.maxDepth {
        unread.append("\(name): archives are nested too deeply")
        continue
      }
      guard charge(member.method == .stored ? 0 : member.size) else { return }
      let position = member.method == .stored ? start.map { $0 + member.dataOffset } : nil
      let before = findings.count
      let content: ByteSource
      do throws(CheckpointError) {
        let stored = try archive.file(of: member)
        if let stored { content = stored } else { content = try archive.unpacked(member) }
      } catch {
        unread.append("\(name): \(error.message)")
        isDamaged = true
        continue
      }
      do throws(CheckpointError) {
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
      guard depth < Self.maxDepth, charge(0) else { return }
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
    var position = 0
    while depth < Self.maxDepth, let header = try Self.localHeader(in: file, from: position) {
      let bytes = try file.bytes(header..<min(header + (1 << 17), file.size))
      position = header + 4
      guard bytes.count >= 30 else { return }
      let method = bytes.littleEndian(UInt16.self, at: 8)
      let nameEnd = 30 + Int(bytes.littleEndian(UInt16.self, at: 26))
      let data = header + nameEnd + Int(bytes.littleEndian(UInt16.self, at: 28))
      guard data < file.size else { continue }
      let name = prefix + String(decoding: bytes[30..<min(nameEnd, bytes.count)], as: UTF8.self)
      var content = try file.part(data..<file.size)
      if method == 8 {
        let made = Self.inflated(content)
        guard charge(made.count) else { return }
        content = ByteSource(made, name: file.name)
      }
      guard PickleStream.recognizes(try content.head(256)) else { continue }
      var stream = PickleStream(content)
      do throws(CheckpointError) {
        let (pickle, error) = try stream.nextPart()
        guard charge(pickle.end.saturated(times: 8)) else { return }
        add(pickle, as: name, at: method == 0 ? start.map { $0 + data } : nil, depth: depth)
        if let error { unread.append("\(name): \(error.message)") }
      } catch {
        unread.append("\(name): \(error.message)")
      }
    }
  }

  /// The offset of the next local header of a zip archive in the part of a file that is searched.
  private static func localHeader(
    in file: ByteSource, from start: Int
  ) throws(CheckpointError) -> Int? {
    let end = min(file.size, maxSearched)
    var position = start
    while position + 4 <= end {
      let bytes = try file.bytes(position..<min(position + (1 << 16), end))
      for index in 0..<bytes.count - 3 where bytes[index] == 0x50 {
        if bytes[index + 1] == 0x4b, bytes[index + 2] == 3, bytes[index + 3] == 4 {
          return position + index
        }
      }
      position += bytes.count - 3
    }
    return nil
  }

  /// What a deflate stream holds, up to 4 MiB and as far as it is sound.
  private static func inflated(_ stream: ByteSource) -> [UInt8] {
    var made: [UInt8] = []
    guard var inflater = try? Inflater() else { return [] }
    var position = 0
    while !inflater.isAtEnd, made.count < 4 << 20 {
      let end = min(position + (1 << 16), stream.size)
      guard let input = try? stream.bytes(position..<end) else { break }
      var step = (taken: 0, made: 0)
      let block = try? [UInt8](count: 1 << 16) { target throws(CheckpointError) in
        step = try inflater.unpack(input.rawBytes, into: &target)
      }
      guard let block, step.taken + step.made > 0 else { break }
      made += block.prefix(step.made)
      position += step.taken
    }
    return made
  }
}
