/// The members of an archive that are partly unpacked, the latest last.
struct ZipInflations {
  /// Largest number of them, of which one may be of another method than deflate: it may need 128 MiB.
  private static let limit = 4

  /// Those that are kept.
  var kept: [ZipInflation] = []
  /// Indices of those that were unpacked at any time.
  private(set) var known: Set<Int> = []

  /// Adds one, and drops the least recently used.
  mutating func add(_ inflation: ZipInflation) {
    if inflation.member.method != .deflated { kept.removeAll { $0.member.method != .deflated } }
    if kept.count == Self.limit { kept.removeFirst() }
    kept.append(inflation)
    known.insert(inflation.member.index)
  }
}
