/// The checksum of HDF5 metadata in version 2 and later structures.
enum HDF5Checksum {
  /// Bob Jenkins's `hashlittle` of 2006 with the initial value 0.
  ///
  /// Source: HDF5 File Format Specification, appendix "Hash function"; lookup3.c, public domain.
  static func lookup3(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var a = 0xdead_beef &+ UInt32(truncatingIfNeeded: bytes.count)
    var (b, c) = (a, a)
    func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 {
      word << count | word >> (32 - count)
    }
    var offset = bytes.startIndex
    func word(_ start: Int) -> UInt32 {
      var value: UInt32 = 0
      for index in 0..<4 where start + index < bytes.endIndex {
        value |= UInt32(bytes[start + index]) << UInt32(8 * index)
      }
      return value
    }
    // All but the last 1 to 12 bytes go through `mix`; the rest, padded with zeros, through `final`.
    while bytes.endIndex - offset > 12 {
      a &+= word(offset)
      b &+= word(offset + 4)
      c &+= word(offset + 8)
      // Each line is one step of `mix`, such as a -= c; a ^= rot(c, 4); c += b. Both parts of a tuple
      // are computed before either is assigned, so c is the old one in both.
      (a, c) = ((a &- c) ^ rotated(c, 4), c &+ b)
      (b, a) = ((b &- a) ^ rotated(a, 6), a &+ c)
      (c, b) = ((c &- b) ^ rotated(b, 8), b &+ a)
      (a, c) = ((a &- c) ^ rotated(c, 16), c &+ b)
      (b, a) = ((b &- a) ^ rotated(a, 19), a &+ c)
      (c, b) = ((c &- b) ^ rotated(b, 4), b &+ a)
      offset += 12
    }
    // Only an empty input leaves nothing for `final`.
    if offset == bytes.endIndex { return c }
    a &+= word(offset)
    b &+= word(offset + 4)
    c &+= word(offset + 8)
    c = (c ^ b) &- rotated(b, 14)
    a = (a ^ c) &- rotated(c, 11)
    b = (b ^ a) &- rotated(a, 25)
    c = (c ^ b) &- rotated(b, 16)
    a = (a ^ c) &- rotated(c, 4)
    b = (b ^ a) &- rotated(a, 14)
    c = (c ^ b) &- rotated(b, 24)
    return c
  }
}
