import ByteIO
import CheckpointKit
import Synchronization
import TensorCore
import TestSupport
import Testing

/// What every format that is written must hold: its files carry their fingerprint, and damage is found.
@Suite struct FingerprintTests {
  static let formats = CheckpointFormat.all.filter { $0.write != nil }
  static let carriers = formats.filter { !["ckz", "npy"].contains($0.name) }

  /// Tensors of several types, one without elements, and a tied one where the format has several.
  private func checkpoint(for format: CheckpointFormat) throws -> Checkpoint {
    let first = try Checkpoint.Entry(noise: "embed.weight", .float32, [5, 7])
    if format.capabilities.holdsOneTensor { return Checkpoint(entries: [first]) }
    return Checkpoint(
      entries: [
        first, try .init(noise: "bias", .float16, [3], seed: 1),
        try .init(noise: "empty", .float32, [0, 4]),
        try .init(noise: "count", .int64, [], seed: 2),
        try .init(noise: "head.weight", .float32, [5, 7], alias: "embed.weight"),
      ], metadata: format.capabilities.values.isEmpty ? [:] : ["note": "kept"])
  }

  /// The bytes of a file, written where bytes can be put anywhere or into a pipe.
  private func bytes(
    of checkpoint: Checkpoint, _ format: CheckpointFormat, isPipe: Bool = false, threads: Int = 2
  ) async throws -> [UInt8] {
    let received = Received()
    var options = WriteOptions()
    options.threads = threads
    let sink =
      isPipe
      ? ByteSink(name: "pipe") { bytes, _ throws(CheckpointError) in
        received.append(bytes)
      } commit: {
      }
      : ByteSink.memory(name: "file") { bytes throws(CheckpointError) in
        received.bytes.withLock { $0 = bytes }
      }
    try await format.write?(checkpoint, sink, options)
    try sink.commit()
    return received.bytes.withLock { $0 }
  }

  private final class Received: Sendable {
    let bytes = Mutex<[UInt8]>([])

    func append(_ part: RawSpan) {
      let copy = unsafe part.withUnsafeBytes { unsafe Array($0) }
      bytes.withLock { $0 += copy }
    }
  }

  private func probe(_ bytes: [UInt8], _ format: CheckpointFormat) throws -> FileProbe {
    let name = "a" + format.extensions[0]
    return try FileProbe(name, in: MemoryFiles([name: bytes]).place)
  }

  private func manifest(_ bytes: [UInt8], _ format: CheckpointFormat) async throws -> String {
    let source = try CheckpointSource.open(try probe(bytes, format))
    return try await Manifest(of: source.checkpoint, threads: 1, trustingStored: false).text
  }

  @Test(arguments: formats)
  func `a flipped bit in any tensor is found`(_ format: CheckpointFormat) async throws {
    let checkpoint = try checkpoint(for: format)
    let whole = try await bytes(of: checkpoint, format)
    let intact = try await manifest(whole, format)
    let found = try await Integrity(of: probe(whole, format), threads: 1)
    #expect(found.damage.isEmpty)
    let extents: [String: Integrity.Extent] = ["ckz": .everyByte, "npy": .structure]
    #expect(found.extent == extents[format.name, default: .everyTensor])
    var changes = 0
    for index in whole.indices {
      var damaged = whole
      damaged[index] ^= 1 << UInt8(index % 8)
      let text = try? await manifest(damaged, format)
      if text == intact { continue }
      changes += 1
      if format.capabilities.holdsOneTensor { continue }
      let integrity = try? await Integrity(of: probe(damaged, format), threads: 1)
      #expect(integrity == nil || integrity?.damage.isEmpty == false, "byte \(index)")
    }
    let sizes = checkpoint.entries.filter { $0.alias == nil }.map(\.info.byteCount)
    #expect(changes >= sizes.reduce(0, +))
  }

  /// The value was computed by hand with the package blake3 of PyPI: see ``ManifestTests``.
  @Test(arguments: carriers)
  func `a file carries the fingerprint that b3sum gives`(_ format: CheckpointFormat) async throws {
    let checkpoint = Checkpoint(entries: [
      try .init(memory: "b.weight", [1, 2], shape: [1, 2]), try .init(memory: "a\nb\\", [0]),
      try .init(memory: "n", .int64, [], [3, 0, 0, 0, 0, 0, 0, 0]),
    ])
    for threads in [1, 3] {
      let whole = try await bytes(of: checkpoint, format, threads: threads)
      let opened = try CheckpointSource.open(try probe(whole, format)).opened
      #expect(
        opened.fingerprints.map(\.text)
          == ["blake3:cc02c51f45a01c622e291630ebf2db1859314587f59cdd06ed5356557d25b773"])
      #expect(opened.checkpoint.metadata.isEmpty)
    }
  }

  @Test(arguments: carriers)
  func `the fingerprint of tensors in many pieces does not depend on the threads`(
    _ format: CheckpointFormat
  ) async throws {
    let checkpoint = Checkpoint(
      entries: try (0..<3).map {
        try .init(noise: TensorName("t\($0)"), .float32, [(1 << 19) * $0 + 5], seed: UInt64($0))
      })
    let first = try await bytes(of: checkpoint, format, threads: 1)
    #expect(try await bytes(of: checkpoint, format, threads: 5) == first)
    let integrity = try await Integrity(of: probe(first, format), threads: 2)
    #expect(integrity.damage.isEmpty && integrity.means.contains("fingerprint"))
  }

  @Test(arguments: formats)
  func `a pipe gets the same bytes, except where the fingerprint comes before the tensors`(
    _ format: CheckpointFormat
  ) async throws {
    let checkpoint = try checkpoint(for: format)
    let file = try await bytes(of: checkpoint, format)
    let pipe = try await bytes(of: checkpoint, format, isPipe: true)
    guard ["safetensors", "gguf"].contains(format.name) else {
      #expect(pipe == file)
      return
    }
    let opened = try CheckpointSource.open(try probe(pipe, format)).opened
    #expect(opened.fingerprints.isEmpty)
    #expect(try await manifest(pipe, format) == manifest(file, format))
    let integrity = try await Integrity(of: probe(pipe, format), threads: 1)
    #expect(integrity.damage.isEmpty)
    #expect(integrity.summary == "structure only: \(format.name) has no checksums")
  }

  @Test(arguments: carriers)
  func `a fingerprint of other tensors, of no form, or of another algorithm is reported`(
    _ format: CheckpointFormat
  ) async throws {
    let whole = try await bytes(of: try checkpoint(for: format), format)
    let text = try #require(
      try CheckpointSource.open(try probe(whole, format)).opened.fingerprints.first?.text)
    let last: Character = text.last == "0" ? "1" : "0"
    let cases: [(String, String?)] = [
      (String(text.dropLast()) + String(last), "expected tensors of fingerprint"),
      (String(text.dropLast()) + "g", "expected a fingerprint of the form blake3:HEX, found"),
      ("sha256:" + text.dropFirst(7), nil),
    ]
    for (new, message) in cases {
      var changed = whole.replacing(Array(text.utf8), with: Array(new.utf8))
      #expect(changed != whole)
      var found: Integrity?
      // HDF5 has checksums over its structures as well.
      for _ in 0..<8 where found == nil {
        do {
          found = try await Integrity(of: probe(changed, format), threads: 1)
        } catch let error as CheckpointError {
          try #require(error.mendChecksum(in: &changed), "\(error)")
        }
      }
      let integrity = try #require(found)
      if let message {
        #expect(integrity.damage.first?.message.hasPrefix(message) == true, "\(new)")
      } else {
        #expect(integrity.damage.isEmpty)
        #expect(!integrity.means.contains("fingerprint"))
        if integrity.extent == .structure {
          #expect(integrity.summary == "structure only: unknown fingerprint algorithm 'sha256'")
        }
      }
    }
  }
}

extension [UInt8] {
  /// The bytes with the first occurrence of others replaced.
  fileprivate func replacing(_ old: [UInt8], with new: [UInt8]) -> [UInt8] {
    guard let start = indices.first(where: { self[$0...].starts(with: old) }) else { return self }
    return Array(self[..<start]) + new + Array(self[(start + old.count)...])
  }
}
