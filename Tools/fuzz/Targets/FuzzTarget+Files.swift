import ByteIO
import CheckpointFormats
import HDF5
import TensorCore
import TestSupport

/// Files of every format but our own, read from end to end.
extension FuzzTarget {
  /// A file of this name, read as commands do; the fixtures in `beside` are in the same folder.
  private static func file(
    _ name: String, as file: String, beside: [String: String] = [:], mutation: Mutation? = nil
  ) -> Self {
    Self(name, mutation: mutation) { bytes, dice in
      try WholeRead(file, in: files(bytes, as: file, beside: beside)).run(&dice)
    }
  }

  private static func files(
    _ bytes: [UInt8], as file: String, beside: [String: String]
  ) throws -> MemoryFiles {
    var contents = [file: bytes]
    for (name, fixture) in beside { contents[name] = try Fixtures.bytes(fixture) }
    return MemoryFiles(contents)
  }

  /// The same of a file with sums, which are corrected as errors name them.
  private static func summedFile(
    _ name: String, as file: String, beside: [String: String] = [:]
  ) -> Self {
    Self(name) { bytes, dice in
      var (bytes, tries) = (bytes, 0)
      while true {
        do {
          guard !needsLibrary(bytes) else { return nil }
          return try WholeRead(file, in: files(bytes, as: file, beside: beside)).run(&dice)
        } catch let error as CheckpointError {
          guard tries < 16, error.mendSum(in: &bytes) else { throw error }
          tries += 1
        }
      }
    }
  }

  /// Whether bytes are an HDF5 file of which libhdf5 reads a part; it crashes on damaged ones, which
  /// the command reports (`LibraryCrash`).
  private static func needsLibrary(_ bytes: [UInt8]) -> Bool {
    guard let file = try? HDF5File(ByteSource(bytes, name: "a.h5")) else { return false }
    let datasets = file.table.datasets + file.table.others.compactMap(\.packed?.bytes)
    return datasets.contains { if case .library = $0.storage { true } else { false } }
  }

  /// Archives, raw and with members that are changed in their places.
  static let archives: [FuzzTarget] = [
    file("pytorch", as: "a.pt", mutation: ZipMutation.changed),
    file("npz", as: "a.npz", mutation: ZipMutation.changed),
    Self("keras", mutation: ZipMutation.changed) { bytes, dice in
      let members = ZipMutation.Members(bytes)?.members ?? []
      guard !members.contains(where: { needsLibrary($0.bytes) }) else { return nil }
      return try WholeRead("a.keras", in: MemoryFiles(["a.keras": bytes])).run(&dice)
    },
    file("exported", as: "a.pt2", mutation: ZipMutation.changed),
    Self("zip") { bytes, _ in
      let archive = try ZipArchive(ByteSource(bytes, name: "a.zip"))
      for member in archive.members.prefix(32) where member.size <= 1 << 16 {
        let whole = try archive.bytes(member, limit: 1 << 16)
        try archive.verify(member)
        guard member.size > 1 else { continue }
        let half = try [UInt8](count: member.size / 2) { target throws(CheckpointError) in
          try archive.read(member, at: member.size / 2 - 1, into: &target)
        }
        guard whole.dropFirst(member.size / 2 - 1).starts(with: half) else {
          throw Finding("half of '\(member.name)' differs from the whole")
        }
      }
      return nil
    },
    file("tar", as: "a.tar"), file("legacy", as: "a.pt"), file("compressed", as: "a.gz"),
  ]

  /// Files with structures of their own.
  static let structures: [FuzzTarget] = [
    summedFile("hdf5", as: "a.h5"), file("gguf", as: "a.gguf"),
    summedFile(
      "tensorflow", as: "types.index",
      beside: ["types.data-00000-of-00001": "tensorflow/types.data-00000-of-00001"]),
    file("onnx", as: "a.onnx", beside: ["external.data": "onnx/external.data"]),
    file("flax", as: "a.msgpack"), file("safetensors", as: "a.safetensors"),
    file("npy", as: "a.npy"),
    file(
      "shard-index", as: "model.safetensors.index.json",
      beside: [
        "model-00001-of-00002.safetensors":
          "safetensors/sharded/model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors":
          "safetensors/sharded/model-00002-of-00002.safetensors",
      ]),
    Self("keras-config") { bytes, dice in
      var archive = ZipMutation.Members(try Fixtures.bytes("keras/net.keras"))
      archive?.replace("config.json", by: bytes)
      let whole = try archive?.bytes() ?? bytes
      return try WholeRead("a.keras", in: MemoryFiles(["a.keras": whole])).run(&dice)
    },
  ]
}

extension CheckpointError {
  /// Corrects the sum of a block that this error complains about, so that readers come to the damage
  /// itself; returns whether the error was about a sum that could be found.
  fileprivate func mendSum(in bytes: inout [UInt8]) -> Bool {
    let numbers = message.split { !$0.isNumber }.suffix(2).map { UInt32($0) }
    guard message.hasPrefix("expected checksum ") || message.hasPrefix("expected CRC-32C "),
      numbers.count == 2, let start = offset, let stated = numbers[0], let found = numbers[1]
    else { return false }
    let wanted = (0..<4).map { UInt8(truncatingIfNeeded: stated >> (8 * $0)) }
    guard
      let index = (start..<max(start, bytes.count - 3)).first(where: {
        bytes[$0..<$0 + 4].elementsEqual(wanted)
      })
    else { return false }
    for byte in 0..<4 { bytes[index + byte] = UInt8(truncatingIfNeeded: found >> (8 * byte)) }
    return true
  }
}
