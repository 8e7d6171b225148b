import ByteIO
public import TensorCore

/// What is known of a file or a folder before any format has opened it, to tell formats apart.
public struct FileProbe: Sendable {
  /// Where it is.
  public let path: String
  /// The first bytes, at most ``headSize``; none of a folder.
  public let head: [UInt8]
  /// Size of the file in bytes; 0 for a folder.
  public let size: Int
  /// Names in the folder, sorted by bytes; `nil` for a file.
  public let members: [String]?

  /// Keeps a file on a web server open from here to the format, so that it is asked once.
  private let file: InputFile?

  /// How much of a file's beginning is looked at, in bytes.
  public static let headSize = 4096

  /// Looks at what stands at a path.
  ///
  /// - Throws: ``CheckpointError`` when it is neither a file nor a folder that can be read.
  public init(path: String) throws(CheckpointError) {
    self.path = path
    members = try Folder.names(in: path)
    if members != nil {
      (head, size, file) = ([], 0, nil)
    } else {
      let file = try InputFile(path: path)
      head = try file.head(Self.headSize)
      size = file.size
      self.file = file
    }
  }

  /// Names of the files that stand in the folder and end so; none for a file.
  public func members(endingIn ending: String) -> [String] {
    (members ?? []).filter { $0.hasSuffix(ending) }
  }

  /// The path of a member of the folder.
  public func path(of member: String) -> String {
    path.hasSuffix("/") ? path + member : path + "/" + member
  }
}
