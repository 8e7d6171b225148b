import ByteIO
import CheckpointFormats
import TensorCore
import TestSupport
import Testing

/// Pickles that nobody means well with: each is refused in one line, or read exactly.
@Suite struct PyTorchHostileTests {
  private typealias P = PickleSample
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open(
    _ pickle: [UInt8], storages: [String: Int] = ["0": 24], more: [(TensorName, [UInt8])] = []
  ) throws -> Opened {
    try CheckpointFormat.pytorch.open(
      P.archive(pickle, storages: storages, more: more, in: folder))
  }

  private func refusal(
    _ pickle: [UInt8], storages: [String: Int] = ["0": 24], _ name: String = "",
    at location: SourceLocation = #_sourceLocation
  ) -> String {
    let error = #expect(throws: CheckpointError.self, "\(name)", sourceLocation: location) {
      for entry in try open(pickle, storages: storages).entries { _ = try entry.allBytes() }
    }
    return error?.description ?? ""
  }

  /// As torch 2.15 writes `.metadata`, but for the sizes, whose product overflows beside the 0.
  @Test(arguments: [
    [1 << 62, 1 << 62, 0], [0, 1 << 62, 1 << 62], [1 << 62, 0, 1 << 62], [3, 0, 5],
  ])
  func `a distributed tensor without elements has sizes that can be multiplied`(
    sizes: [Int]
  ) throws {
    let module = "torch.distributed.checkpoint.metadata"
    func object(_ name: String, _ state: [UInt8]) -> [UInt8] {
      P.global(module, name) + P.emptyTuple + [0x81] + state + [0x62]
    }
    func fields(_ items: [(String, [UInt8])]) -> [UInt8] {
      P.emptyDictionary + items.flatMap { P.text($0.0) + $0.1 + [0x73] }
    }
    let size = P.global("torch", "Size") + P.tuple(P.tuple(sizes.map(P.int))) + P.reduce
    let tensor = object(
      "TensorStorageMetadata",
      fields([
        ("properties", object("TensorProperties", P.tuple(P.global("torch", "float32")))),
        ("size", size), ("chunks", [0x5d]),
      ]))
    let metadata = object(
      "Metadata",
      fields([
        ("state_dict_metadata", fields([("w", tensor)])), ("storage_data", P.emptyDictionary),
      ]))
    try folder.write(P.proto + metadata + P.stop, to: ".metadata")
    try folder.write([], to: "__0_0.distcp")
    if sizes == [3, 0, 5] {
      let entry = try #require(try CheckpointFormat.pytorch.open(folder.path).entries.first)
      #expect(entry.info.shape == sizes)
      #expect(try entry.allBytes().isEmpty)
      return
    }
    let error = #expect(throws: CheckpointError.self) {
      try CheckpointFormat.pytorch.open(folder.path)
    }
    let text = error?.description ?? ""
    #expect(
      text.hasSuffix("overflow: shape \(sizes) of F32 reaches 2^62 bytes, zeros left out"),
      "\(text)")
  }

  @Test func `a sample made by hand is read`() throws {
    let entry = try #require(try open(P.dictionary(("w", P.tensor()))).entries.first)
    #expect(entry.name == "w" && entry.info.shape == [2, 3])
    #expect(try entry.allBytes() == noise(24, seed: 1))
  }

  @Test func `calls of the system are not made and are told`() throws {
    let command = P.text("touch /tmp/ckpt-canary")
    let calls: [String: [UInt8]] = [
      "protocol 0": Array("cos\nsystem\n(S'true'\ntR.".utf8),
      "GLOBAL": P.proto + P.global("os", "system") + P.tuple(command) + P.reduce + P.stop,
      "STACK_GLOBAL": [0x80, 4] + P.text("os") + P.text("system") + [0x93]
        + P.tuple(command) + P.reduce + P.stop,
      "INST": P.proto + P.mark + command + [0x69] + Array("os\nsystem\n".utf8) + P.stop,
      "OBJ": P.proto + P.mark + P.global("os", "system") + command + [0x6f] + P.stop,
      "NEWOBJ": P.proto + P.global("os", "system") + P.tuple(command) + [0x81] + P.stop,
      "NEWOBJ_EX": P.proto + P.global("os", "system") + P.tuple(command) + P.emptyDictionary
        + [0x92] + P.stop,
      "BUILD": P.proto + P.global("os", "system") + P.emptyTuple + [0x81] + P.emptyDictionary
        + [0x62] + P.stop,
    ]
    for (name, pickle) in calls {
      let text = refusal(pickle, name)
      #expect(text.contains("'os.system' at byte"), "\(name): \(text)")
    }
    for code in [[0x82, 1], [0x83, 1, 0], [0x84, 1, 0, 0, 0]] as [[UInt8]] {
      #expect(refusal(P.proto + code + P.stop).contains("copyreg extension"))
    }
    // Beside a tensor it is a value without meaning.
    let call = P.global("os", "system") + P.tuple(command) + P.reduce
    let checkpoint = try open(P.dictionary(("w", P.tensor()), ("x", call)))
    #expect(checkpoint.entries.count == 1)
    #expect(checkpoint.notes.contains { $0.contains("'os.system' at byte") })
  }

  @Test func `every opcode alone ends without a crash`() {
    let tails: [[UInt8]] = [[0x2e], [UInt8](repeating: 0xff, count: 8) + P.stop]
    let heads: [[UInt8]] = [[], P.none + P.mark + P.none + P.none]
    for code in UInt8.min...UInt8.max {
      for tail in tails {
        for head in heads {
          let pickle: [UInt8] = P.proto + head + [code] + tail
          do { #expect(try open(pickle).entries.isEmpty) } catch is CheckpointError {} catch {
            Issue.record("\(code): \(error)")
          }
        }
      }
    }
  }

  @Test func `lengths beyond the pickle reserve nothing`() {
    let lengths: [(code: [UInt8], width: Int)] = [
      ([0x54], 4), ([0x58], 4), ([0x42], 4), ([0x8b], 4), ([0x8a], 1), ([0x55], 1), ([0x43], 1),
      ([0x8c], 1), ([0x8d], 8), ([0x8e], 8), ([0x95], 8), ([0x96], 8),
    ]
    for (code, width) in lengths {
      for length: UInt64 in [200, 1 << 31 - 1, 1 << 32 - 1, 1 << 63, .max] {
        _ = refusal(P.proto + code + P.little(length).prefix(width) + P.none + P.stop, "\(code)")
      }
    }
  }

  @Test func `the memo gives only what it has`() throws {
    for code in [[0x68, 5], [0x6a, 5, 0, 0, 0], Array("g5\n".utf8)] as [[UInt8]] {
      #expect(refusal(P.proto + code + P.stop).contains("memo"))
    }
    let far = P.proto + P.emptyDictionary + [0x72, 0xff, 0xff, 0xff, 0xff] + P.stop
    #expect(try open(far).entries.isEmpty)
  }

  @Test func `deep, doubled and circular values do no harm`() throws {
    let depth = 100_000
    func times(_ count: Int, _ code: UInt8) -> [UInt8] { [UInt8](repeating: code, count: count) }
    let key = P.text("k") + P.emptyDictionary
    let keys: [UInt8] = Array([[UInt8]](repeating: key, count: depth).joined())
    let lists: [UInt8] = times(depth, 0x5d) + times(depth - 1, 0x61)
    let tuples: [UInt8] = P.none + times(depth, 0x85)
    let dictionaries: [UInt8] = P.emptyDictionary + keys + times(depth, 0x73)
    let nests = [lists, tuples, dictionaries]
    for nest in nests {
      #expect(try open(P.dictionary(("w", P.tensor()), ("n", nest))).entries.count == 1)
    }
    // A tensor at the bottom of a deep nest, and one that is reached in 2^30 ways.
    let deep = P.tensor() + times(2000, 0x85)
    #expect(refusal(P.dictionary(("n", deep))).contains("nested"))
    let doublings: [UInt8] = Array([[UInt8]](repeating: [0x32, 0x86], count: 30).joined())
    let doubled = P.tensor() + doublings
    #expect(refusal(P.dictionary(("n", doubled))).contains("nested"))
    let harmless = P.none + doublings
    #expect(try open(P.dictionary(("w", P.tensor()), ("n", harmless))).entries.count == 1)
    // A dictionary that holds itself.
    let circle = P.proto + P.emptyDictionary + [0x71, 0] + P.text("me") + [0x68, 0, 0x73]
    #expect(try open(circle + P.stop).entries.isEmpty)
    let held = try open(circle + P.text("w") + P.tensor() + [0x73] + P.stop)
    #expect(held.entries.map(\.name) == ["w"])
    #expect(held.notes == ["'me' refers back to what contains it and is not read again"])
  }

  @Test func `one tensor under more names than a pickle has room for is refused`() throws {
    // Values that nobody needs make a pickle look as if it had room for many tensors.
    let filling = [UInt8]([0x4d, 1, 1]).repeated(100_000)
    let doublings: [UInt8] = Array([[UInt8]](repeating: [0x32, 0x86], count: 25).joined())
    let names = P.tuple(filling) + [0x30] + P.dictionary(("n", P.tensor() + doublings)).dropFirst(2)
    #expect(refusal(P.proto + names).contains("or in too many ways"))
    // A name of 60,000 bytes, a thousand times.
    let long = P.text(String(repeating: "n", count: 60_000)) + [0x71, 1, 0x30]
    let nested = [UInt8]([0x7d, 0x68, 1]).repeated(900)
    let deep = long + nested + P.tensor() + [UInt8](repeating: 0x73, count: 900)
    #expect(refusal(P.proto + deep + P.stop).contains("or in too many ways"))
  }

  @Test func `names of classes beyond any checkpoint's are refused, a repeated one is one`() throws
  {
    var many = P.mark
    for number in 0...65_536 { many += P.global("m", String(number, radix: 36)) }
    #expect(
      refusal(P.dictionary(("n", many + [0x74]))).hasSuffix(
        "the pickle names more than 65536 classes and functions"))
    let repeated = P.mark + P.global("m", "f").repeated(70_000) + [0x74]
    let checkpoint = try open(P.dictionary(("w", P.tensor()), ("n", repeated)))
    #expect(checkpoint.notes.count == 1)
    #expect(checkpoint.notes[0].hasPrefix("1 unrecognized class or function: 'm.f' at byte"))
  }

  @Test func `arguments of another kind are refused by the tensor's name`() {
    let good = [
      P.storage(), P.int(0), P.tuple(P.int(2), P.int(3)), P.tuple(P.int(3), P.int(1)), [0x89],
      P.orderedDictionary,
    ]
    for maker in [
      "_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_qtensor",
      "_rebuild_sparse_tensor", "_rebuild_parameter", "_rebuild_meta_tensor_no_storage",
    ] {
      for count in 0...7 {
        for wrong in [P.none, P.text("0"), P.emptyDictionary, P.int(-1)] {
          for place in 0..<min(count, 4) {
            var arguments = Array((good + [P.none, P.none])[..<count])
            arguments[place] = wrong
            let pickle = P.dictionary(
              ("the tensor", P.global("torch._utils", maker) + P.tuple(arguments) + P.reduce))
            // A meta tensor has no elements, whatever its arguments.
            if maker == "_rebuild_meta_tensor_no_storage" { continue }
            let text = refusal(pickle, "\(maker) \(count) \(place)")
            #expect(text.contains("'the tensor'") && text.contains("at byte"), "\(text)")
          }
        }
      }
    }
  }

  @Test func `a view that leaves its storage is refused by name`() {
    func view(_ offset: Int, _ shape: [Int], _ strides: [Int]) -> [UInt8] {
      P.dictionary(
        (
          "view",
          P.tensor(
            offset: P.int(offset), shape: P.tuple(shape.map(P.int)),
            strides: P.tuple(strides.map(P.int)))
        ))
    }
    let views: [(Int, [Int], [Int])] = [
      (1, [2, 3], [3, 1]), (6, [1], [1]), (-1, [1], [1]), (0, [3, 3], [3, 1]), (0, [2], [1 << 62]),
      (0, [2], [6]), (0, [2, 3], [1]), (0, [2], [-1]), (0, [-1], [1]), (0, [1 << 62, 4], [0, 0]),
      (1 << 62, [1], [1]), (0, [Int](repeating: 1, count: 65), [Int](repeating: 1, count: 65)),
    ]
    for (offset, shape, strides) in views {
      let text = refusal(view(offset, shape, strides), "\(offset) \(shape) \(strides)")
      #expect(text.contains("tensor 'view'"), "\(text)")
    }
  }

  @Test func `a storage larger or smaller than its record`() throws {
    for count in [7, -1, 1 << 62, 1 << 61] {
      let pickle = P.dictionary(("w", P.tensor(P.storage(count: P.int(count)))))
      #expect(refusal(pickle).contains("tensor 'w'"), "\(count)")
    }
    // A record with more bytes is as torch takes it.
    let entries = try open(P.dictionary(("w", P.tensor())), storages: ["0": 40]).entries
    #expect(try entries[0].allBytes() == Array(noise(40, seed: 1)[..<24]))
    let text = refusal(P.dictionary(("w", P.tensor())), storages: [:])
    #expect(text.contains("storage '0' is not in the file"))
  }

  @Test func `names of storages are not paths`() {
    for key in ["../version", "", "0/../0", "a/b", "..", "a\\b"] {
      let pickle = P.dictionary(("w", P.tensor(P.storage(key: key))))
      #expect(refusal(pickle).contains("tensor 'w'"), "\(key)")
    }
  }

  @Test func `an expanded tensor of 4 TB costs nothing to list`() throws {
    let million = P.int(1_000_000)
    let tensor = P.tensor(
      shape: P.tuple(million, million), strides: P.tuple(P.int(0), P.int(0)))
    let entry = try #require(try open(P.dictionary(("w", tensor))).entries.first)
    #expect(entry.info.byteCount == 4_000_000_000_000)
    let first = Array(noise(24, seed: 1)[..<4])
    #expect(try entry.bytes(3_999_999_999_992..<4_000_000_000_000) == first + first)
  }

  @Test func `byte orders are little, big or refused`() throws {
    let pickle = P.dictionary(("w", P.tensor()))
    let little = noise(24, seed: 1)
    let big = stride(from: 0, to: 24, by: 4).flatMap { little[$0..<$0 + 4].reversed() }
    for (order, bytes) in [("little", little), ("big", big)] {
      let checkpoint = try open(pickle, more: [("x/byteorder", Array(order.utf8))])
      #expect(try checkpoint.entries[0].allBytes() == bytes)
    }
    #expect(throws: CheckpointError.self) {
      try open(pickle, more: [("x/byteorder", Array("junk".utf8))])
    }
  }

  @Test func `two archives in one are refused`() {
    let pickle = P.dictionary(("w", P.tensor()))
    let error = #expect(throws: CheckpointError.self) {
      try open(pickle, more: [("y/data.pkl", pickle)])
    }
    #expect(error?.message.contains("data.pkl") == true)
  }

  @Test func `a pickle without tensors is not a checkpoint`() throws {
    let path = try folder.write(P.dictionary(("w", P.none)), to: "bare.pt")
    let error = #expect(throws: CheckpointError.self) { try CheckpointFormat.pytorch.open(path) }
    #expect(error?.message == "contains no tensor")
  }

  @Test func `a second pickle after the first is ignored`() throws {
    let pickle = P.dictionary(("w", P.tensor()))
    #expect(try open(pickle + Array("cos\nsystem\n(S'true'\ntR.".utf8)).entries.count == 1)
  }

  @Test func `keys that are one name are two tensors`() throws {
    let inner = P.emptyDictionary + P.text("b") + P.tensor() + [0x73]
    let pickle = P.dictionary(("t", P.tensor()), ("a", inner), ("a.b", P.tensor()))
    let opened = try open(pickle)
    #expect(opened.entries.map(\.name) == ["t", "a.b", "a.b (2)"])
    #expect(
      opened.notes.contains("two tensors have the name 'a.b': the second is called 'a.b (2)'"))
  }

  @Test func `a million values without sense are refused or read in bounded memory`() {
    for code: [UInt8] in [[0x5d], [0x28], [0x4e], [0x29, 0x94], [0x4b, 1, 0x32]] {
      let body = Array([[UInt8]](repeating: code, count: 1_000_000).joined())
      _ = try? open(P.proto + body + P.stop)
    }
  }
}

extension Collection<UInt8> {
  fileprivate func repeated(_ count: Int) -> [UInt8] {
    Array(repeatElement(Array(self), count: count).joined())
  }
}
