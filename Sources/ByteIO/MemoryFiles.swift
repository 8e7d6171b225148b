import Glibc
import Synchronization
import TensorCore

/// Files in memory, a place in which checkpoints are opened and written as in a folder.
///
/// A name may have slashes in it and is then also found in a folder of this place. How often each
/// file was opened is counted.
public final class MemoryFiles: Sendable {
  private struct File {
    var bytes: [UInt8]
    var openCount = 0
  }

  /// Files by their names, which are compared as bytes.
  private let files: Mutex<[TensorName: File]>

  /// Holds files by their names.
  public init(_ files: [String: [UInt8]] = [:]) {
    var content: [TensorName: File] = [:]
    for (name, bytes) in files { content[TensorName(name)] = File(bytes: bytes) }
    self.files = Mutex(content)
  }

  /// The place where these files are; errors show `memory:` before their names.
  public var place: Place {
    Place(prefix: "memory:") { [self] name throws(CheckpointError) in
      try open(name)
    } list: { [self] folder throws(CheckpointError) in
      let start = folder.isEmpty || folder.hasSuffix("/") ? folder : folder + "/"
      return names(after: start)
    } create: { [self] name, replacing throws(CheckpointError) in
      try create(name, replacing: replacing)
    }
  }

  /// The content of a file; `nil` if there is none of this name.
  public func bytes(of name: String) -> [UInt8]? { files.withLock { $0[TensorName(name)]?.bytes } }

  /// How often a file was opened.
  public func openCount(of name: String) -> Int {
    files.withLock { $0[TensorName(name)]?.openCount ?? 0 }
  }

  private func open(_ name: String) throws(CheckpointError) -> ByteSource? {
    let path = "memory:" + name
    let bytes = files.withLock { files in
      files[TensorName(name)]?.openCount += 1
      return files[TensorName(name)]?.bytes
    }
    if let bytes { return ByteSource(bytes, name: path) }
    let start = name.isEmpty || name.hasSuffix("/") ? name : name + "/"
    guard names(after: start).isEmpty else { return nil }
    throw .system(ENOENT, nil, path: path)
  }

  /// A sink whose bytes become the file's on commit.
  private func create(_ name: String, replacing: Bool) throws(CheckpointError) -> ByteSink {
    let path = "memory:" + name
    if !replacing, bytes(of: name) != nil { throw ReplacedFile.exists(path) }
    return ByteSink.memory(name: path) { [self] bytes throws(CheckpointError) in
      let isKept = files.withLock { files in
        if !replacing, files[TensorName(name)] != nil { return true }
        files[TensorName(name)] = File(bytes: bytes)
        return false
      }
      if isKept { throw ReplacedFile.exists(path) }
    }
  }

  /// The names of the files and folders in a folder.
  private func names(after start: String) -> [String] {
    let names = files.withLock { $0.keys.map(\.text) }
    let rests = names.filter { $0.utf8.starts(with: start.utf8) }.map {
      TensorName(
        String(decoding: $0.utf8.dropFirst(start.utf8.count).prefix { $0 != 0x2f }, as: UTF8.self))
    }
    return Set(rests).map(\.text)
  }
}
