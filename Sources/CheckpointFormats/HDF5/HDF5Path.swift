/// How dotted names become HDF5 paths and come back.
///
/// A component between dots is a link name. What a link name cannot hold is written with `%`: `%2F`
/// for a slash, `%25` for the sign itself, `%00` for NUL, and `%_` for nothing at all, which names
/// an empty component, or keeps the dataset `a` apart from the group `a` of `a.b`. Only files that
/// say that they are ours are read that way.
enum HDF5Path {
  /// Groups nest no deeper than this; a name with more components is one link with its dots.
  static let depthLimit = 64

  /// The link names of a tensor or module: `layer2.0.weight` → `layer2`, `0`, `weight`.
  static func links(_ name: String) -> [String] {
    let parts = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count <= depthLimit else { return [escaped(name.utf8)] }
    return parts.map { $0.isEmpty ? "%_" : escaped($0) }
  }

  /// The name that link names stand for; those of other people's files are taken as they are.
  static func name(_ links: [String], isEscaped: Bool) -> String {
    (isEscaped ? links.map(unescaped) : links).joined(separator: ".")
  }

  /// Writes `/`, `%` and NUL as `%` and two digits.
  static func escaped(_ text: some Sequence<UInt8>) -> String {
    var bytes: [UInt8] = []
    for byte in text {
      switch byte {
      case UInt8(ascii: "/"): bytes += "%2F".utf8
      case UInt8(ascii: "%"): bytes += "%25".utf8
      case 0: bytes += "%00".utf8
      default: bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Undoes ``escaped(_:)`` and drops every `%_`.
  static func unescaped(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), rest.first == UInt8(ascii: "_") {
        rest.removeFirst()
      } else if byte == UInt8(ascii: "%"), rest.count >= 2,
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        rest.removeFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
