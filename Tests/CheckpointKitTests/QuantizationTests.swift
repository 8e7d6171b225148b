import ByteIO
@testable import CheckpointKit
import ParallelWork
import TensorCore
import TestSupport
import Testing

/// Quantized tensors, against the values that the libraries compute (`Fixtures/schemes`).
@Suite struct QuantizationTests {
  static let computed = [
    "blocks.gguf", "float8.safetensors", "mxfp4.safetensors", "bitsandbytes.safetensors",
  ]

  private func opened(_ name: String) throws -> Opened {
    try CheckpointSource.open(Fixtures.path("schemes/" + name)).opened
  }

  private func cast(_ name: String, _ dtype: DType, match: [String] = []) throws -> Checkpoint {
    var conversion = Conversion(try Selection(match: match))
    conversion.dtype = dtype
    return try conversion.applied(to: opened(name)).checkpoint
  }

  private func values(_ name: String) throws -> Checkpoint {
    let stem = name.prefix { $0 != "." }
    return try opened(stem + "-values.safetensors").checkpoint
  }

  /// The bytes of a float32 tensor, all NaNs the same.
  private func bytes(_ entry: Checkpoint.Entry) throws -> [UInt8] {
    var bytes = try entry.bytes()
    for offset in stride(from: 0, to: bytes.count, by: 4)
    where Float(bitPattern: bytes.littleEndian(UInt32.self, at: offset)).isNaN {
      for index in 0..<4 { bytes[offset + index] = 0xff }
    }
    return bytes
  }

  @Test(arguments: computed)
  func `float32 values have the library's bits`(name: String) throws {
    let found = try cast(name, .float32).entries
    let expected = Dictionary(
      uniqueKeysWithValues: try values(name).entries.map { ($0.name, $0) })
    #expect(Set(found.map(\.name)) == Set(expected.keys))
    for entry in found {
      let other = try #require(expected[entry.name], "\(entry.name)")
      #expect(entry.info == other.info, "\(entry.name)")
      #expect(try bytes(entry) == bytes(other), "\(entry.name)")
    }
  }

  @Test(arguments: computed, [DType.bfloat16, .float16, .float64])
  func `other types are rounded from float32`(name: String, dtype: DType) throws {
    let expected = Dictionary(
      uniqueKeysWithValues: try values(name).entries.map { ($0.name, $0) })
    for entry in try cast(name, dtype).entries {
      let other = try #require(expected[entry.name]).cast(to: dtype)
      #expect(entry.info == other.info)
      var (left, right): ([Double], [Double]) = ([], [])
      let (mine, theirs) = (try entry.bytes(), try other.bytes())
      ElementConversion.decode(mine.rawBytes, as: dtype, into: &left)
      ElementConversion.decode(theirs.rawBytes, as: dtype, into: &right)
      #expect(zip(left, right).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }, "\(entry.name)")
    }
  }

  @Test(arguments: computed)
  func `any range has the bytes that it has in the whole`(name: String) throws {
    var random = SplitMix(seed: 5)
    for entry in try cast(name, .float32).entries + cast(name, .bfloat16).entries {
      let whole = try entry.bytes()
      for _ in 0..<40 {
        let start = Int(random.next() % UInt64(whole.count))
        let end = start + Int(random.next() % UInt64(min(whole.count - start, 3000) + 1))
        #expect(try entry.bytes(start..<end) == Array(whole[start..<end]), "\(entry.name)")
      }
    }
  }

  @Test func `a selected tensor is computed with scales that are not selected`() throws {
    let found = try cast("float8.safetensors", .float32, match: ["odd.weight"]).entries
    #expect(found.map(\.name) == ["odd.weight"])
    let other = try #require(
      try values("float8.safetensors").entries.first { $0.name == "odd.weight" })
    #expect(try bytes(#require(found.first)) == bytes(other))
  }

  @Test func `the note on what was computed names three kinds of scales`() throws {
    var conversion = Conversion(Selection())
    conversion.dtype = .float32
    let notes = try conversion.applied(to: opened("float8.safetensors")).notes
    let note = try #require(notes.first { $0.hasPrefix("dequantized 13 tensors to float32 (") })
    #expect(note.contains("more kinds)") && note.split(separator: ";").count == 4, "\(note)")
  }

  @Test func `codes of the type that is wanted stay with their scales`() throws {
    var conversion = Conversion(try Selection(match: ["odd.*"]))
    conversion.dtype = .float8e4m3
    let input = try opened("float8.safetensors")
    let result = try conversion.applied(to: input)
    #expect(Set(result.checkpoint.entries.map(\.info.dtype)) == [.float8e4m3, .float32])
    #expect(result.notes.allSatisfy { !$0.hasPrefix("dequantized") })
  }

  @Test(arguments: ["gptq.*", "awq.*", "packed.*"])
  func `values of an unknown scheme are refused, and cast as stored with --raw`(match: String)
    throws
  {
    var conversion = Conversion(try Selection(match: [match]))
    conversion.dtype = .float16
    let input = try opened("unknown.safetensors")
    let error = #expect(throws: CheckpointError.self) { try conversion.applied(to: input) }
    #expect(error?.code == .unsupported && error?.message.contains("--raw") == true)
    conversion.castsStored = true
    let types = Set(try conversion.applied(to: input).checkpoint.entries.map(\.info.dtype))
    #expect(types.isSubset(of: [.int32, .int64, .float16]))
  }

  /// Names and types of the tensors of one layer, as libraries write them.
  static let layers: [[(String, DType)]] = [
    [("q", .int8), ("q.q_scale", .float64), ("q.q_zero_point", .int64)],
    [("q", .uint8), ("q.q_per_channel_scales", .float64)],
    [("l.weight", .uint32), ("l.scales", .float16), ("l.biases", .float16)],
    [("l.qweight", .int8), ("l.weight_scales", .float16)],
    [("l.B", .int32), ("l.s", .float16)], [("l.weight", .int8), ("l.scale", .float32)],
    [("l.weight_int8", .int8), ("l.weight_scale", .float32)],
    [("l.weight", .uint8), ("l.scales", .float16), ("l.zeros", .float16)],
    [("l.weight", .float8e4m3), ("l.weight_qscale", .float32)],
    [("w_quantized", .int8), ("w_scale", .float32), ("w_zero_point", .int8)],
  ]

  private func layer(_ tensors: [(String, DType)]) throws -> Checkpoint {
    Checkpoint(
      entries: try tensors.map { try Checkpoint.Entry(noise: TensorName($0.0), $0.1, [4, 4]) })
  }

  @Test(arguments: layers)
  func `scales are never cast apart from codes`(tensors: [(String, DType)]) throws {
    var conversion = Conversion(Selection())
    conversion.dtype = .bfloat16
    let input = Opened(try layer(tensors))
    let error = #expect(throws: CheckpointError.self) { try conversion.applied(to: input) }
    #expect(error?.code == .unsupported && error?.message.contains("--raw") == true)
    conversion.castsStored = true
    _ = try conversion.applied(to: input)
  }

  @Test func `what stands beside integers without scaling them is cast`() throws {
    var conversion = Conversion(Selection())
    conversion.dtype = .bfloat16
    let plain: [(String, DType)] = [
      ("logit_scale", .float32), ("ids", .int32), ("n.weight", .float32), ("n.scale", .float32),
      ("n.count", .int64), ("mask", .uint8), ("f.weight", .float8e4m3),
    ]
    let types = try conversion.applied(to: Opened(layer(plain))).checkpoint.entries.map(
      \.info.dtype)
    #expect(types == [.bfloat16, .int32, .bfloat16, .bfloat16, .int64, .uint8, .bfloat16])
  }

  @Test func `one shard of scaled values is not cast alone`() throws {
    var conversion = Conversion(Selection())
    conversion.dtype = .float32
    let codes = try layer([("l.weight", .float8e4m3)])
    let scales = try layer([("l.weight_scale", .float32)])
    let plain = try layer([("l.weight", .float16), ("logit_scale", .float16)])
    let name = "m/model-00001-of-00002.safetensors"
    for checkpoint in [codes, scales] {
      let error = #expect(throws: CheckpointError.self) {
        try conversion.refuseLoneShard(checkpoint, named: name)
      }
      #expect(error?.message.contains("give their folder") == true)
      try conversion.refuseLoneShard(checkpoint, named: "m/model.safetensors")
      try conversion.refuseLoneShard(checkpoint, named: "model-00001-of-00001.safetensors")
    }
    try conversion.refuseLoneShard(plain, named: name)
    conversion.castsStored = true
    try conversion.refuseLoneShard(codes, named: name)
  }

  @Test func `schemes are labeled`() throws {
    let labels = try opened("unknown.safetensors").checkpoint.quantizationLabels
    #expect(labels["gptq.qweight"] == "GPTQ, 4 bits")
    #expect(labels["awq.qweight"] == "AWQ, 4 bits")
    #expect(labels["packed.weight_packed"] == "compressed-tensors")
    #expect(labels["gptq.g_idx"] == "of gptq.qweight")
    let floats = try opened("float8.safetensors").checkpoint.quantizationLabels
    #expect(floats["odd.weight"] == "float8, scales of 128×3")
    #expect(floats["rows.weight"] == "float8, a scale per row")
    #expect(floats["lone.weight"] == "float8, one scale")
    #expect(floats["plain.weight"] == nil)
    #expect(try opened("mxfp4.safetensors").checkpoint.quantizationLabels.count == 2)
    #expect(try opened("blocks.gguf").checkpoint.quantizationLabels.isEmpty)
  }

  @Test(arguments: [
    ([300, 200], [3, 2], "scales of 128×128"), ([300, 200], [300, 1], "a scale per row"),
    ([4, 4], [1, 1], "one scale"), ([256, 256], [4, 4], "scales of 64×64"),
    ([5, 7], [5], "a scale per row"), ([2, 300], [2, 3], "scales of 1×128"), ([6], [], "one scale"),
  ])
  func `blocks follow from the shapes`(shape: [Int], scales: [Int], label: String) throws {
    let labels = try Checkpoint(entries: [
      .init(
        memory: "w", .float8e4m3, shape, [UInt8](repeating: 0, count: shape.reduce(1, *))),
      .init(memory: "w_scale", [Float](repeating: 0, count: scales.reduce(1, *)), shape: scales),
    ]).quantizationLabels
    #expect(labels["w"] == "float8, " + label)
  }

  @Test(arguments: [[2, 3], [7, 2], [0, 1], [300, 200, 1]])
  func `scales that do not divide the shape are refused`(scales: [Int]) throws {
    let input = try Checkpoint(entries: [
      .init(memory: "w", .float8e4m3, [300, 200], [UInt8](repeating: 0, count: 60000)),
      .init(memory: "w_scale", [Float](repeating: 0, count: scales.reduce(1, *)), shape: scales),
    ])
    var conversion = Conversion(Selection())
    conversion.dtype = .bfloat16
    let error = #expect(throws: CheckpointError.self) { try conversion.applied(to: Opened(input)) }
    #expect(error?.tensor == "w")
  }

  @Test(arguments: [
    #"{"blocksize": 0, "shape": [2, 32]}"#,
    #"{"blocksize": 64, "shape": [4611686018427387904, 4]}"#,
    #"{"blocksize": 64, "shape": [-1, 4]}"#, #"{"blocksize": 64}"#, "[]", "{",
    #"{"blocksize": 9223372036854775807, "shape": [9223372036854775807]}"#,
    #"{"blocksize": 64, "shape": [2, 33]}"#, #"{"blocksize": 3, "shape": [2, 32]}"#,
  ])
  func `a state that contradicts its tensors is refused`(state: String) throws {
    let text = Array(state.utf8)
    let input = try Checkpoint(entries: [
      .init(memory: "w", .uint8, [32, 1], [UInt8](repeating: 0, count: 32)),
      .init(memory: "w.absmax", [1]),
      .init(memory: "w.quant_state.bitsandbytes__nf4", .uint8, [text.count], text),
    ])
    var conversion = Conversion(Selection())
    conversion.dtype = .float32
    #expect(throws: CheckpointError.self) { try conversion.applied(to: Opened(input)) }
  }

  @Test func `one block may be larger than any tensor`() throws {
    let text = Array(#"{"blocksize": 9223372036854775807, "shape": [2, 32]}"#.utf8)
    let input = try Checkpoint(entries: [
      .init(memory: "w", .uint8, [32, 1], [UInt8](repeating: 0xf7, count: 32)),
      .init(memory: "w.absmax", [2]),
      .init(memory: "w.quant_state.bitsandbytes__nf4", .uint8, [text.count], text),
    ])
    var conversion = Conversion(Selection())
    conversion.dtype = .float32
    let entries = try conversion.applied(to: Opened(input)).checkpoint.entries
    #expect(entries.map(\.info.shape.sizes) == [[2, 32]])
    #expect(try entries[0].bytes(0..<8).littleEndian(UInt32.self, at: 0) == Float(2).bitPattern)
  }

  @Test(arguments: [(DType.int8, 64), (.int16, 32), (.int32, 16), (.int64, 8)])
  func `bits are counted in whatever integers they are packed into`(
    dtype: DType, columns: Int
  ) throws {
    let bytes = [UInt8](repeating: 0, count: 2 * columns * dtype.byteWidth)
    let labels = try Checkpoint(entries: [
      .init(memory: "a.qweight", dtype, [2, columns], bytes),
      .init(memory: "a.scales", .float32, [1, 128], [UInt8](repeating: 0, count: 512)),
    ]).quantizationLabels
    #expect(labels["a.qweight"] == "AWQ, 4 bits")
  }

  @Test func `tensors without elements are labeled, however large their sizes are`() throws {
    let labels = try Checkpoint(entries: [
      .init(memory: "a.qweight", .int32, [0, 1 << 59], []),
      .init(memory: "a.scales", .float32, [0, 1 << 59], []),
      .init(memory: "a.g_idx", .int32, [0], []),
      .init(memory: "b.weight", .float8e4m3, [0, 1 << 60], []),
      .init(memory: "b.weight_scale", .float32, [0, 1 << 53], []),
    ]).quantizationLabels
    #expect(labels["a.qweight"] == "GPTQ")
    #expect(labels["b.weight"] != nil)
  }

  @Test func `what is tied to codes or scales keeps its stored numbers`() throws {
    let codes: [UInt8] = [0x38, 0x40]  // 1 and 2
    let input = try Checkpoint(entries: [
      .init(memory: "a.weight", .float8e4m3, [2], codes),
      .init(memory: "a.weight_scale", [4]),
      .init(memory: "tied", .float8e4m3, [2], codes, alias: "a.weight"),
      .init(memory: "other", .float32, [1], [0, 0, 0x80, 0x40], alias: "a.weight_scale"),
    ])
    var conversion = Conversion(Selection())
    conversion.dtype = .float32
    let result = try conversion.applied(to: Opened(input))
    let entries = result.checkpoint.entries
    #expect(entries.map(\.name) == ["a.weight", "tied", "other"])
    #expect(entries.allSatisfy { $0.alias == nil })
    #expect(try entries.map { try $0.singles(0..<1)[0] } == [4, 1, 4])
    #expect(result.notes.contains { $0.hasPrefix("'tied' was tied to the codes of 'a.weight'") })
  }

  @Test func `a name alone does not make a tensor quantized`() throws {
    let input = try Checkpoint(entries: [
      .init(memory: "norm", [1, 2]), .init(memory: "norm.absmax", [2]),
      .init(memory: "scales", [1]), .init(memory: "g_idx", [1]), .init(memory: "codes", [1]),
      .init(memory: "codebooks", [1]), .init(memory: "weight", [1]), .init(memory: "scale", [1]),
      .init(memory: "qweight", [1]), .init(memory: "W_q", [1]), .init(memory: "zero", [1]),
    ])
    #expect(input.quantizationLabels.isEmpty)
    var conversion = Conversion(Selection())
    conversion.dtype = .bfloat16
    let entries = try conversion.applied(to: Opened(input)).checkpoint.entries
    #expect(entries.allSatisfy { $0.info.dtype == .bfloat16 })
  }
}
