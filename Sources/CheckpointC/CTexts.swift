import Glibc
import TensorCore

/// Texts that cross the interface.
enum CTexts {
  /// A copy for the caller, who frees it; it ends at the first zero byte of the text.
  static func copy(_ text: String) -> UnsafeMutablePointer<CChar> {
    let bytes = text.utf8CString
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    for (index, byte) in bytes.enumerated() { unsafe copy[index] = byte }
    return unsafe copy
  }

  /// A copy of a path, whose bytes need not be UTF-8.
  static func copy(path: String) -> UnsafeMutablePointer<CChar> {
    let bytes = path.systemPath
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    for (index, byte) in bytes.enumerated() { unsafe copy[index] = byte }
    return unsafe copy
  }

  /// A path of the caller.
  static func path(_ text: UnsafePointer<CChar>) -> String { unsafe String(pathOf: text) }

  /// A list that ends with NULL.
  static func list(_ list: UnsafePointer<UnsafePointer<CChar>?>?) -> [String] {
    guard var next = unsafe list else { return [] }
    var texts: [String] = []
    while let text = unsafe next.pointee {
      unsafe texts.append(String(pathOf: text))
      unsafe next += 1
    }
    return texts
  }
}
