import Glibc

/// How many threads work unless a caller says otherwise.
public enum Threads {
  /// The processors that are online, at least 1; no result depends on the number of threads.
  public static let available = max(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), 1)
}
