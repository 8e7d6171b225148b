import Glibc
import Ranks

/// The terminal that results go to.
enum Terminal {
  /// Columns and lines of standard output; `nil` where it is not a terminal, and nothing is shortened.
  ///
  /// Asked once, before a pager may take its place.
  static let size: (columns: Int, lines: Int)? =
    StandardOutput.isTerminal ? size(of: STDOUT_FILENO) : nil

  /// The size of a terminal that a descriptor is open on, 80 columns and 24 lines if it does not know.
  static func size(of descriptor: Int32) -> (columns: Int, lines: Int) {
    var size = winsize()
    let result = unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size)
    guard result == 0, size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  /// Columns that a line may take; `nil` for any number.
  static var columns: Int? { size?.columns }
}
