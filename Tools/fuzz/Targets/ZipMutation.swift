import ByteIO
import TensorCore
import TestSupport

/// Changes to what is in a zip archive, which is then written anew with the right sums.
enum ZipMutation {
  /// The members of an archive.
  struct Members {
    private(set) var members: [(name: TensorName, bytes: [UInt8])]

    /// Largest member that is read.
    private static let maxSize = 1 << 17

    /// `nil` for what is not an archive of small members.
    init?(_ file: [UInt8]) {
      guard let archive = try? ZipArchive(ByteSource(file, name: "a"), zeroMeansNoSum: true),
        let members = try? archive.members.map({
          (name: $0.name, bytes: try archive.bytes($0, limit: Self.maxSize))
        })
      else { return nil }
      self.members = members
    }

    init(_ members: [(name: TensorName, bytes: [UInt8])]) { self.members = members }

    /// Puts other bytes into a member.
    mutating func replace(_ name: TensorName, by bytes: [UInt8]) {
      for index in members.indices where members[index].name == name {
        members[index].bytes = bytes
      }
    }

    /// Changes one member, or leaves one out, or moves one.
    mutating func change(_ dice: inout SplitMix, limit: Int, _ change: FuzzTarget.Change) {
      let index = dice.below(members.count)
      switch dice.below(16) {
      case 0: members.remove(at: index)
      case 1: members.swapAt(index, dice.below(members.count))
      default: change(&members[index].bytes, members[index].bytes.count + limit)
      }
    }

    /// The archive.
    func bytes() throws -> [UInt8] { try MemoryFiles.archive(members.map { ($0.name, $0.bytes) }) }
  }

  /// Changes a member of an archive.
  @Sendable static func changed(
    _ bytes: [UInt8], _ dice: inout SplitMix, _ change: FuzzTarget.Change
  ) throws -> [UInt8]? {
    guard var members = Members(bytes), !members.members.isEmpty else { return nil }
    members.change(&dice, limit: 256, change)
    return try members.bytes()
  }
}
