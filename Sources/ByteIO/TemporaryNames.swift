import Glibc
import Synchronization
import TensorCore

/// The names of this process's temporary files: random, so that nobody can predict them and no
/// leftover file is in the way.
enum TemporaryNames {
  private static let state = Mutex<(paths: Set<String>, isEnded: Bool)>(([], false))
  /// Held while several files take their names, which a signal must not interrupt.
  private static let naming = Mutex(())
  /// How many names are tried when each is taken.
  private static let maxTries = 16

  /// Has `create` make a file with a random name in the directory of `path`; it answers -1 and
  /// sets `errno` when it cannot.
  ///
  /// - Throws: ``CheckpointError`` with the system's words.
  static func make(
    besides path: String, _ operation: String, shownAs shownName: String,
    named random: (String) -> String = random(besides:), _ create: (String) -> Int32
  ) throws(CheckpointError) -> String {
    var number = EEXIST
    for _ in 0..<maxTries where number == EEXIST || number == EINTR {
      let name = random(path)
      // The name is there and known, or neither: a signal's thread misses none.
      number = state.withLock { state in
        if state.isEnded { return ECANCELED }
        if create(name) == -1 { return errno }
        state.paths.insert(name)
        return 0
      }
      if number == 0 { return name }
    }
    throw .system(number, operation, path: shownName)
  }

  /// Takes a name over that another rank has made, to remove it with the file.
  static func adopt(_ path: String) { state.withLock { _ = $0.paths.insert(path) } }

  /// Removes a name, if it is still there.
  static func remove(_ path: String) {
    state.withLock { state in
      if state.paths.remove(path) != nil { Folder.remove(path) }
    }
  }

  /// Removes all names and gives no more, when no files are taking theirs.
  static func removeAll() {
    naming.withLock { _ in
      state.withLock { state in
        for path in state.paths { Folder.remove(path) }
        state = ([], true)
      }
    }
  }

  /// Gives several files their names; a signal that ends the process waits until that is done.
  static func uninterrupted<Result>(
    _ body: () throws(CheckpointError) -> Result
  ) throws(CheckpointError) -> Result {
    try naming.withLock { _ throws(CheckpointError) in try body() }
  }

  /// Lets a name that was made stay.
  static func keep(_ path: String) { state.withLock { _ = $0.paths.remove(path) } }

  /// `a/b` → `a/.b.ckpt-tmp-` and 16 random digits.
  static func random(besides path: String) -> String {
    let (directory, name) = Place.divided(path)
    return directory + "." + shortened(name, for: ".ckpt-tmp-\(digits)")
  }

  /// `a/b` → `a/.b.ckpt-old-` and 16 random digits, for a file that may be put back.
  static func old(besides path: String) -> String {
    let (directory, name) = Place.divided(path)
    return directory + "." + shortened(name, for: ".ckpt-old-\(digits)")
  }

  /// `a/b.safetensors` → `a/b.ckpt-`, 16 random digits, and `.safetensors`: a name that every reader takes.
  static func variant(of path: String) -> String {
    let (directory, name) = Place.divided(path)
    let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) ?? name.endIndex
    return directory + shortened(String(name[..<dot]), for: ".ckpt-\(digits)\(name[dot...])")
  }

  private static var digits: String {
    String(UInt64.random(in: 1 << 60...UInt64.max), radix: 16)
  }

  /// A name of a directory entry has at most 255 bytes, and one may come before it.
  private static func shortened(_ name: String, for ending: String) -> String {
    var start = name[...]
    while !start.isEmpty, start.utf8.count + ending.utf8.count + 1 > 255 {
      start = start.dropLast()
    }
    return start + ending
  }
}
