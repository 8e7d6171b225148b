import ByteIO
import CheckpointFormats
import TensorCore
import TestSupport

/// Pickles in their containers, and the search for dangerous names.
extension FuzzTarget {
  static let pickles: [FuzzTarget] = [
    Self("pickle") { bytes, dice in
      var members: [(name: TensorName, bytes: [UInt8])] = [
        ("archive/data.pkl", bytes), ("archive/byteorder", Array("little".utf8)),
      ]
      for number in 0..<6 {
        let name = TensorName("archive/data/\(number)")
        members.append((name, (0..<96).map { UInt8($0 * 5 & 0xff) }))
      }
      members.append((TensorName("archive/version"), Array("3\n".utf8)))
      let files = MemoryFiles(["a.pt": try ZipMutation.Members(members).bytes()])
      _ = try? PickleScan(FileProbe("a.pt", in: files.place))
      return try WholeRead("a.pt", in: files).run(&dice)
    },
    Self("bare-pickle") { bytes, dice in
      let files = MemoryFiles(["a.pkl": bytes])
      _ = try? PickleScan(FileProbe("a.pkl", in: files.place))
      return try WholeRead("a.pkl", in: files).run(&dice)
    },
    Self("scan") { bytes, _ in
      let scan = try PickleScan(FileProbe("a.pt", in: MemoryFiles(["a.pt": bytes]).place))
      for finding in scan.findings.prefix(64) { _ = finding.fullName }
      return nil
    },
    Self("distributed") { bytes, dice in
      let files = MemoryFiles([
        "d/.metadata": bytes,
        "d/__0_0.distcp": try Fixtures.bytes("pytorch/distributed/__0_0.distcp"),
        "d/__1_0.distcp": try Fixtures.bytes("pytorch/distributed/__1_0.distcp"),
      ])
      return try WholeRead("d", in: files).run(&dice)
    },
  ]
}
