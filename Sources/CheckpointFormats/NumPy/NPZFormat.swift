import ByteIO
import ParallelWork
import TensorCore

/// The `.npz` format as a value.
extension CheckpointFormat {
  /// Arrays in a zip archive, as `numpy.savez` and `numpy.savez_compressed` store them.
  public static let npz = CheckpointFormat(
    name: "npz", extensions: [".npz"],
    recognizes: { NPZ.recognizes($0) },
    open: { probe, _ in try NPZ.open(try probe.archive) },
    write: { try await NPZ.write($0, to: $1, options: $2) },
    fill: { try NPZ.fill($0) },
    capabilities: Capabilities(
      dtypes: NPYHeader.dtypes, keepsTies: false, keepsModules: false, values: []
    ).seenByNumPy.asMembers,
    verify: { probe, _ in try NPZ.damage(try probe.archive) })
}

/// Reading and writing of archives of arrays.
enum NPZ {
  static let ending = ".npy"
  private static let localMark = Array("PK\u{3}\u{4}".utf8)
  private static let endMark = Array("PK\u{5}\u{6}".utf8)

  /// Whether the first member of an archive is an array by its name or its content, or there is none.
  static func recognizes(_ candidate: FileProbe) -> Bool {
    let head = candidate.head
    if head.starts(with: endMark) { return candidate.size == 22 }
    guard head.starts(with: localMark), head.count > 30 else { return false }
    let length = Int(head.littleEndian(UInt16.self, at: 26))
    // A name may be longer than the part of the file that was read.
    if head.count >= 30 + length {
      if head[30..<30 + length].suffix(ending.utf8.count).elementsEqual(ending.utf8) { return true }
      let start = 30 + length + Int(head.littleEndian(UInt16.self, at: 28))
      if head.dropFirst(start).starts(with: NPYHeader.magic) { return true }
    }
    guard candidate.name.lowercased().hasSuffix(".npz"), let archive = try? candidate.archive
    else { return false }
    return arrays(in: archive).contains { $0.name != nil }
  }

  /// The members of an archive; those that are arrays have a name: their own without `.npy`, or, as
  /// `numpy.load` has it, any name if the content is an array.
  static func arrays(
    in archive: ZipArchive
  ) -> [(member: ZipMember, name: TensorName?)] {
    var arrays: [(member: ZipMember, name: TensorName?)] = []
    var bareNames: Set<TensorName> = []
    for member in archive.members where !isNamedArray(member) {
      // What cannot be read may be one, and is named when it is opened.
      let isArray = (try? isArray(member, in: archive)) ?? true
      if isArray { bareNames.insert(member.name) }
    }
    for member in archive.members {
      guard isNamedArray(member) else {
        arrays.append((member, bareNames.contains(member.name) ? member.name : nil))
        continue
      }
      let name = TensorName(String(member.name.text.dropLast(ending.count)))
      arrays.append((member, bareNames.contains(name) ? member.name : name))
    }
    return arrays
  }

  private static func isNamedArray(_ member: ZipMember) -> Bool {
    member.name.text.utf8.suffix(ending.utf8.count).elementsEqual(ending.utf8)
  }

  private static func isArray(
    _ member: ZipMember, in archive: ZipArchive
  ) throws(CheckpointError) -> Bool {
    guard member.size >= NPYHeader.magic.count else { return false }
    return try [UInt8](count: NPYHeader.magic.count) { target throws(CheckpointError) in
      try archive.read(member, at: 0, into: &target)
    } == NPYHeader.magic
  }

  static func open(_ archive: ZipArchive) throws -> Opened {
    var opened = Opened(Checkpoint(entries: []))
    var room = ValueRoom()
    for (member, name) in arrays(in: archive) {
      guard let name else {
        opened.addUnread(
          member.name.text, "a member that is not an array",
          note: "member '\(member.name)' is not an array; left out")
        continue
      }
      do {
        try add(member, named: name, in: archive, to: &opened, &room)
      } catch let error as CheckpointError where error.code == .malformed {
        // A damaged member never blocks the others.
        let reason = "is damaged: \(error.offset.map { "at byte \($0): " } ?? "")\(error.message)"
        opened.leaveOut(name, reason)
      }
    }
    opened.coverage = .tensors
    opened.carry(archive.note)
    return opened
  }

  private static func add(
    _ member: ZipMember, named name: TensorName, in archive: ZipArchive, to opened: inout Opened,
    _ room: inout ValueRoom
  ) throws {
    let header: NPYHeader
    do throws(CheckpointError) {
      header = try self.header(of: member, named: name, in: archive)
    } catch {
      guard error.code == .unsupported else { throw error }
      do throws(CheckpointError) {
        if let objects = try objects(of: member, named: name, in: archive) {
          return opened.add(objects, of: name)
        }
      } catch {
        return opened.leaveOut(name, error.message)
      }
      guard let value = try value(of: member, named: name, in: archive, &room) else {
        return opened.leaveOut(name, error.message)
      }
      opened.checkpoint.values.append(Checkpoint.Named(name.text, value))
      return
    }
    let array = try NPYArray(header, materialize: { try archive.materialize(member) }) {
      offset, target in
      try archive.read(member, at: header.length + offset, into: &target)
    }
    opened.checkpoint.entries.append(array.entry(named: name))
    if header.isGuess { opened.notes.append("tensor '\(name)': \(NPY.guess)") }
  }

  static func header(
    of member: ZipMember, named name: TensorName, in archive: ZipArchive
  ) throws(CheckpointError) -> NPYHeader {
    try placing(member, name, archive) { read throws(CheckpointError) in
      try NPYHeader(size: member.size, read: read)
    }
  }

  /// The strings of an array that is not a tensor; `nil` if it is something else.
  private static func value(
    of member: ZipMember, named name: TensorName, in archive: ZipArchive, _ room: inout ValueRoom
  ) throws(CheckpointError) -> Value? {
    do throws(CheckpointError) {
      return try placing(member, name, archive) { read throws(CheckpointError) in
        try NPYText.value(size: member.size, in: &room, read: read)
      }
    } catch {
      // A structured type.
      guard error.code == .unsupported else { throw error }
      return nil
    }
  }

  /// What an array of objects holds; `nil` if it is something else.
  private static func objects(
    of member: ZipMember, named name: TensorName, in archive: ZipArchive
  ) throws(CheckpointError) -> NPYObjects? {
    let source: ByteSource
    if let stored = try archive.file(of: member) {
      try archive.verify(member)
      source = stored
    } else {
      source = ByteSource(try archive.bytes(member, limit: Pickle.maxSize), name: archive.path)
    }
    return try placing(member, name, archive) { _ throws(CheckpointError) in
      try NPYObjects(source, named: name.text)
    }
  }

  private typealias Reader = (_ range: Range<Int>) throws(CheckpointError) -> [UInt8]

  /// Lets `body` read a member; errors get their place in the file.
  private static func placing<Result>(
    _ member: ZipMember, _ name: TensorName, _ archive: ZipArchive,
    _ body: (Reader) throws(CheckpointError) -> Result
  ) throws(CheckpointError) -> Result {
    do throws(CheckpointError) {
      return try body { range throws(CheckpointError) in
        try [UInt8](count: range.count) { target throws(CheckpointError) in
          try archive.read(member, at: range.lowerBound, into: &target)
        }
      }
    } catch {
      // Offsets in a deflated member are none in the file.
      var placed = error
      if error.path == nil {
        placed.offset =
          member.method == .stored ? error.offset.map { $0 + member.dataOffset } : member.dataOffset
      }
      throw placed.adding(path: archive.path, tensor: name.text)
    }
  }

  /// Reads every member and checks its CRC-32; answers each damaged one's error.
  static func damage(_ archive: ZipArchive) throws -> [CheckpointError] {
    _ = try open(archive)
    return arrays(in: archive).compactMap { member, name in
      archive.damage(to: member)?.adding(tensor: name?.text)
    }
  }

  /// Writes an archive of stored members, in the order of the tensors.
  static func write(_ checkpoint: Checkpoint, to sink: ByteSink, options: WriteOptions) async throws
  {
    let entries = checkpoint.entries
    var writer = ZipWriter(sink)
    let digests = TensorDigests(count: entries.count)
    let stream = TensorStream(
      entries, threads: options.threads, ranks: sink.ranks, sum: { Checksum.crc32($0) })
    try await stream.forEachChunk(digesting: digests) { chunk, bytes in
      let entry = entries[chunk.tensor]
      if chunk.offset == 0 {
        let header = try NPYHeader.bytes(entry.info)
        let member = TensorName(entry.name.text + ending)
        try CheckpointError.placing(tensor: entry.name.text) {
          try writer.begin(member, size: header.count + entry.info.byteCount)
        }
        try writer.append(header.rawBytes)
      }
      try writer.append(bytes, count: chunk.count, sum: chunk.sum)
      if chunk.offset + chunk.count == entry.info.byteCount { try writer.end() }
    }
    try writer.finish(note: try checkpoint.fingerprint { digests[$0] }.description)
  }
}

extension Capabilities {
  /// With the limits of zip members' names, to which the ending is added.
  fileprivate var asMembers: Capabilities {
    var copy = self
    copy.maxNameBytes = ZipWriter.maxNameBytes - NPZ.ending.utf8.count
    copy.allowsNUL = false
    return copy
  }
}
