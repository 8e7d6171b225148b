import ByteIO
import JSONText
import TensorCore

/// A copy of a zip archive in which bytes of some members are new; texts are recorded in a member of
/// our own.
struct ArchiveCopy: Sendable {
  /// The replaced members' contents, one after the other.
  var contents: PatchedCopy
  private var copy: ZipCopy
  private let archive: ZipArchive
  /// Members of which some bytes stay.
  private var kept: [ZipMember] = []
  /// Whether every offset in the copy is what it was.
  let keepsSize: Bool

  /// A copy in which these members get new bytes, which ``contents`` says.
  ///
  /// `texts` are set in the member of our own in a folder, given with its slash.
  init(
    of archive: ZipArchive, replacing members: [ZipMember], recording texts: [String: String] = [:],
    in folder: String = ""
  ) throws(CheckpointError) {
    self.archive = archive
    let old = try ArchiveTexts.read(archive, folder: folder)
    let new = old.merging(texts) { _, new in new }
    let name = TensorName(folder + ArchiveTexts.memberName)
    let own = archive.member(named: name)
    keepsSize = new == old && members.allSatisfy { $0.method == .stored }
    guard new != old else {
      copy = try ZipCopy(of: archive, replacing: members)
      contents = PatchedCopy(of: copy.contents)
      return
    }
    copy = try ZipCopy(of: archive, replacing: members + (own.map { [$0] } ?? []))
    contents = PatchedCopy(of: copy.contents)
    let bytes = ArchiveTexts.bytes(new)
    if let own {
      try copy.resize(own, to: bytes.count)
      contents.replace(copy.range(of: own), with: bytes)
    } else {
      copy.add(name, bytes)
    }
  }

  /// Where a replaced member's content begins in ``contents``.
  func start(of member: ZipMember) -> Int { copy.range(of: member).lowerBound }

  /// Says that some bytes of a replaced member stay: its old CRC-32 is checked before it gets a new
  /// one, which would hide damage.
  mutating func keepsSome(of member: ZipMember) { kept.append(member) }

  /// Renews the fingerprint that the archive carries.
  mutating func setFingerprint(_ fingerprint: Fingerprint?) {
    copy.note = fingerprint?.description
  }

  /// Puts another content, of any size, in place of a member's.
  mutating func replace(_ member: ZipMember, with content: ByteSource) throws(CheckpointError) {
    try copy.resize(member, to: content.size)
    contents.replace(copy.range(of: member), with: content)
  }

  /// Writes the copy; `threads` tasks read the tensors.
  func write(to sink: ByteSink, threads: Int) async throws {
    for member in kept { try archive.verify(member) }
    try await copy.write(to: sink) { try await contents.write(to: $0, threads: threads) }
  }
}

/// The member for texts that archives of other programs have no other place for: a JSON object of
/// strings, which those programs ignore.
enum ArchiveTexts {
  static let memberName = "ckpt.json"
  /// Largest text, in bytes.
  private static let maxSize = 64 << 20

  /// The texts of an archive; `folder` is given with its slash.
  static func read(
    _ archive: ZipArchive, folder: String = ""
  ) throws(CheckpointError) -> [String: String] {
    guard let member = archive.member(named: TensorName(folder + memberName)) else { return [:] }
    var scanner = JSONScanner(try archive.bytes(member, limit: maxSize), spelling: .canonical)
    var texts: [String: String] = [:]
    try scanner.object { scanner, key, _ throws(CheckpointError) in
      texts[key] = try scanner.string()
    }
    try scanner.end()
    return texts
  }

  /// The member's content.
  static func bytes(_ texts: [String: String]) -> [UInt8] {
    var json = JSONWriter()
    json.object { $0.members(texts) }
    return json.bytes
  }
}
