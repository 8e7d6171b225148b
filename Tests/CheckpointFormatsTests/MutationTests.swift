import ByteIO
import CheckpointFormats
import FoundationEssentials
import ParallelWork
import TensorCore
import TestSupport
import Testing

/// Files of every format with a few bytes changed, at places that are the same at every run: each
/// is read or refused in one line.
///
/// `CKPT_MUTATIONS` says how many changes are tried for each file; `Tools/check --long` tries many.
@Suite struct MutationTests {
  static let count = ProcessInfo.processInfo.environment["CKPT_MUTATIONS"].flatMap(Int.init) ?? 60

  /// A sound file, and whether a member of the archive that it is may be changed in its place, with
  /// a new sum: a reader of archives refuses nearly all else.
  static let files: [(String, Bool)] = [
    ("safetensors/dtypes.safetensors", false), ("safetensors/shapes.safetensors", false),
    ("pytorch/protocol2.pt", false), ("pytorch/protocol2.pt", true), ("pytorch/views.pt", true),
    ("pytorch/custom.pt", true), ("pytorch/script.pt", true), ("pytorch/legacy.pt", false),
    ("pytorch/old.tar.pt", false), ("pytorch/deflated.pt", false),
    ("numpy/shapes.npz", false), ("numpy/shapes.npz", true), ("numpy/compressed.npz", false),
    ("numpy/columns.npy", false), ("gguf/types.gguf", false), ("gguf/values.gguf", false),
    ("native/stock.ckz", false), ("keras/net.keras", false), ("keras/net.keras", true),
    ("keras/whole.h5", false), ("hdf5/gzip-shuffle.h5", false), ("hdf5/latest.h5", false),
    ("flax/state.msgpack", false), ("flax/chunks.msgpack", false), ("onnx/typed.onnx", false),
    ("onnx/graphs.onnx", false), ("exported/net.pt2", false), ("exported/net.pt2", true),
    ("exported/old.pt2", true),
  ]

  /// Bytes of tensors that are read of a mutated file, which may claim to have very many.
  private static let maxBytes = 1 << 20

  @Test(arguments: files)
  func `a changed file is read and filled, or refused in one line`(
    file: String, inside: Bool
  ) async throws {
    let folder = try TemporaryFolder()
    let members = inside ? try Self.members(file) : [(name: "", bytes: try Fixtures.bytes(file))]
    let ending = String(file.split(separator: ".").last ?? "")
    for number in 0..<Self.count {
      var random = SplitMix(seed: UInt64(number) &* 1_000_003 &+ UInt64(file.utf8.count))
      var changed = members
      let place = random.below(changed.count)
      Mutation.change(&changed[place].bytes, &random)
      let path = folder.file("a.\(ending)")
      try? folder.remove("a.\(ending)")
      if inside {
        try Self.write(changed, to: path)
      } else {
        try folder.write(changed[0].bytes, to: "a.\(ending)")
      }
      do {
        try await Self.read(path)
      } catch let error as CheckpointError {
        let text = error.description
        #expect(!text.utf8.contains(0x0a) && !text.utf8.contains(0x1b), "\(number): \(text)")
        #expect(text.utf8.count <= 400 + path.utf8.count, "\(number): \(text)")
      }
    }
  }

  private static func read(_ path: String) async throws {
    let format = CheckpointFormat.recognized(try FileProbe(path: path))
    guard let format = format ?? CheckpointFormat.named(byEndingOf: path) else { return }
    let checkpoint = try format.open(path, OpenOptions())
    var buffer = ChunkBuffer()
    var left = maxBytes
    for entry in checkpoint.entries where left > 0 {
      let count = min(entry.info.byteCount, buffer.capacity, left)
      left -= count
      _ = try entry.read(entry.info.byteCount - count, count, using: &buffer)
    }
    // A copy with the tensors that were there; formats that write through a library have tests of
    // their own.
    guard ["pytorch", "npz", "safetensors", "gguf", "npy", "ckz"].contains(format.name),
      try checkpoint.checkpoint.total().byteCount <= maxBytes
    else { return }
    var own: [TensorName: Checkpoint.Entry] = [:]
    for entry in checkpoint.entries { own[entry.name] = entry }
    _ = try await format.filled(
      FileProbe(path: path), with: own, metadata: [Checkpoint.recipeKey: "{}"])
  }

  private static func members(_ file: String) throws -> [(name: String, bytes: [UInt8])] {
    let archive = try ZipArchive(Place.open(path: Fixtures.path(file)), zeroMeansNoSum: true)
    return try archive.members.map { ($0.name.text, try archive.bytes($0, limit: 1 << 20)) }
  }

  private static func write(_ members: [(name: String, bytes: [UInt8])], to path: String) throws {
    let archive = try MemoryFiles.archive(members.map { (TensorName($0.name), $0.bytes) })
    let output = try ByteSink.local(path, replacing: true)
    try output.append(archive.rawBytes)
    try output.commit()
  }
}

/// One change of some bytes: flipped bits, numbers at their limits, a cut, or pieces moved about.
private enum Mutation {
  private static let limits: [UInt64] = [
    0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff,
    0x7fff_ffff_ffff_ffff, 0x8000_0000_0000_0000, .max, .max - 7,
  ]

  static func change(_ bytes: inout [UInt8], _ random: inout SplitMix) {
    guard !bytes.isEmpty else { return bytes.append(UInt8(random.below(256))) }
    // Beginnings are headers: half of all changes are there.
    let reach = random.below(2) == 0 ? min(bytes.count, 256) : bytes.count
    let place = random.below(reach)
    let length = min(1 + random.below(random.below(4) == 0 ? 300 : 12), bytes.count - place)
    switch random.below(9) {
    case 0, 1: bytes[place] ^= 1 << UInt8(random.below(8))
    case 2: bytes[place] = UInt8(random.below(256))
    case 3, 4: set(&bytes, place, width: 1 << random.below(4), limits[random.below(limits.count)])
    case 5: bytes.removeSubrange(place..<place + length)
    case 6: bytes.insert(contentsOf: bytes[place..<place + length], at: random.below(bytes.count))
    case 7:
      let other = random.below(bytes.count - length + 1)
      bytes.replaceSubrange(place..<place + length, with: bytes[other..<other + length])
    default: bytes.removeLast(bytes.count - place)
    }
    if random.below(3) == 0 { change(&bytes, &random) }
  }

  private static func set(_ bytes: inout [UInt8], _ place: Int, width: Int, _ number: UInt64) {
    for byte in 0..<min(width, bytes.count - place) {
      bytes[place + byte] = UInt8(truncatingIfNeeded: number >> UInt64(8 * byte))
    }
  }
}
