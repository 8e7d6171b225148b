import Glibc
import Synchronization
import TensorCore

/// The names of this process's temporary files: random, so that nobody can predict them and no
/// leftover file is in the way.
enum TemporaryNames {
  private static let state = Mutex<(paths: Set<String>, isEnded: Bool)>(([], false))
  /// How many names are tried when each is taken.
  private static let maxTries = 16

  /// Has `create` make a file with a random name in the directory of `path`; it answers -1 and
  /// sets `errno` when it cannot.
  ///
  /// - Throws: ``CheckpointError`` with the system's words.
  static func make(
    besides path: String, _ operation: String, shownAs shownName: String,
    _ create: (String) -> Int32
  ) throws(CheckpointError) -> String {
    var number = EEXIST
    for _ in 0..<maxTries where number == EEXIST || number == EINTR {
      let name = random(besides: path)
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
      if state.paths.remove(path) != nil { unsafe unlink(path.systemPath) }
    }
  }

  /// Removes all names and gives no more.
  static func removeAll() {
    state.withLock { state in
      for path in state.paths { unsafe unlink(path.systemPath) }
      state = ([], true)
    }
  }

  /// `a/b` → `a/.b.ckpt-tmp-` and 16 random digits.
  private static func random(besides path: String) -> String {
    let (directory, name) = Place.divided(path)
    let digits = String(UInt64.random(in: 1 << 60...UInt64.max), radix: 16)
    let ending = ".ckpt-tmp-\(digits)"
    // A name of a directory entry has at most 255 bytes.
    var start = name[...]
    while start.utf8.count + ending.utf8.count + 1 > 255 { start = start.dropLast() }
    return "\(directory).\(start)\(ending)"
  }
}
