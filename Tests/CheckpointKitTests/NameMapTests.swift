import CheckpointKit
import TensorCore
import Testing

@Suite struct NameMapTests {
  @Test(arguments: [
    (#"s/^module\.//"#, "module.a.w", "a.w"), (#"s/^module\.//"#, "a.module.w", "a.module.w"),
    (#"s/a/b/"#, "aa", "ba"), (#"s/a/b/g"#, "aaca", "bbcb"), (#"s/A/b/gi"#, "aA", "bb"),
    (#"s|(\w+)\.(\w+)|\2.\1|"#, "x.y", "y.x"), (#"s/w/[&]/"#, "a.w", "a.[w]"),
    (#"s/\./\//g"#, "a.b.c", "a/b/c"), (#"s/x*/-/g"#, "ab", "-a-b-"), (#"s/w/\&/"#, "w", "&"),
    (#"s/(?P<layer>l\d)\.(\w)/\g<2>.${layer}/"#, "l7.w", "w.l7"), ("s/(a)(b)?/$1$2-/", "ac", "a-c"),
    ("s/a/$$/", "a", "$$"), ("s/x*/-/g", "abxd", "-a-b-d-"), ("s/é*/-/g", "aé日", "-a-日-"),
    (#"s/\b/|/g"#, "a.b", "|a|.|b|"), (#"s/(?<=a)b/c/g"#, "abab", "acac"), ("s/^/n./", "w", "n.w"),
    ("s/(a)|b/[$1]/g", "ab", "[a][]"), (#"s/a/\$1/"#, "a", "$1"), (#"s/(.)/\10/"#, "a", "a0"),
  ])
  func `a substitution renames as sed does`(text: String, old: String, new: String) throws {
    var map = NameMap()
    try map.add(substitution: text)
    #expect(try map.renaming()(TensorName(old)).text == new)
  }

  @Test(arguments: [
    "", "s", "y/a/b/", "s/a/b", "s/a/b/x", "s/(/b/", "sxaxbx", #"s/a/\1/"#, "s/a/$2/", "s/a/${n}/",
    "s/(a)/${1/",
    #"s/a/\g<x>/"#, "s/(a)/$99999999999999999999/",
  ])
  func `anything else is refused`(text: String) {
    var map = NameMap()
    let error = #expect(throws: CheckpointError.self) { try map.add(substitution: text) }
    #expect(error?.message.contains("substitution '\(text)'") == true)
  }

  @Test func `names do not grow without end`() throws {
    var map = NameMap()
    for _ in 0..<12 { try map.add(substitution: "s/./&&&&&&&&&&&&&&&&/g") }
    let renaming = map.renaming()
    let error = #expect(throws: CheckpointError.self) { try renaming(TensorName("ab")) }
    #expect(error?.message.contains("expected names of at most 65535 bytes") == true)
  }
}
