import TestSupport
import Testing

/// The commands of the article *Trust* by which a checkpoint is signed and verified.
@Suite struct SigningTests {
  private let place: Workplace

  init() throws {
    place = try Workplace()
    try place.makeArticle("net.ckz", "--seed", "1")
  }

  private static let hasProgram =
    (try? CommandRun(shell: "command -v ssh-keygen").status == 0) ?? false

  @Test(.enabled(if: hasProgram, "ssh-keygen is not installed"))
  func `a manifest that OpenSSH signs holds in every format`() throws {
    let signed = try place.shell(
      """
      set -e
      ssh-keygen -q -t ed25519 -N '' -f id -C me@example.com
      ckpt hash --algorithm sha256 --manifest net.ckz > net.manifest
      ssh-keygen -Y sign -f id -n ckpt net.manifest
      echo "me@example.com $(cat id.pub)" > allowed_signers
      ckpt convert net.ckz net.pt
      """)
    try #require(signed.status == 0, "\(signed.errors)")
    func verify(_ file: String) throws -> Int {
      try place.shell(
        """
        ssh-keygen -Y verify -f allowed_signers -I me@example.com -n ckpt -s net.manifest.sig < net.manifest &&
          ckpt hash --algorithm sha256 --check net.manifest \(file)
        """
      ).status
    }
    #expect(try verify("net.ckz") == 0 && verify("net.pt") == 0)
    try place.makeArticle("other.pt", "--seed", "2")
    #expect(try verify("other.pt") == 1)
    _ = try place.shell("echo >> net.manifest")
    #expect(try verify("net.pt") == 255)
  }

  @Test func `a tensor that a manifest does not list is not taken for a part of it`() throws {
    let run = try place.shell(
      "ckpt hash --manifest net.ckz | grep -v layer1.bias > part; ckpt hash --quiet --check part net.ckz"
    )
    #expect(run.status == 1)
    #expect(run.output == "layer1.bias: FAILED not listed\n")
    #expect(run.errors.contains("WARNING: 1 tensor is not listed"))
  }
}
