import ByteIO
import JSONText
import ParallelWork
import TensorCore

/// bitsandbytes: codes of 4 bits beside `NAME.absmax` and `NAME.quant_state.bitsandbytes__nf4` (or
/// `fp4`), and rows of int8 beside `SCB`.
///
/// Source: bitsandbytes 0.50 `functional.py`, `QuantState` and `get_4bit_type`, and
/// `backends/default/ops.py`; a value is the float32 product of a table's entry and its block's scale.
enum BitsAndBytes: QuantizationScheme {
  static func tensor(_ entry: Checkpoint.Entry, among others: TensorIndex) -> QuantizedTensor? {
    if let scales = others.sibling(of: entry.name, "SCB"), entry.info.dtype == .int8 {
      return rows(entry, scales, among: others)
    }
    guard let absmax = others.child(of: entry.name, "absmax") else { return nil }
    let more = ["quant_map", "nested_absmax", "nested_quant_map"].compactMap {
      others.child(of: entry.name, $0)
    }
    for (kind, table) in [("nf4", nf4), ("fp4", fp4)] {
      guard let state = others.child(of: entry.name, "quant_state", "bitsandbytes__" + kind) else {
        continue
      }
      let parts = ([absmax, state] + more).map(\.name)
      return QuantizedTensor(entry, parts: parts, label: "bitsandbytes \(kind.uppercased())") {
        let state = try QuantState(of: state)
        let scales = try BlockScales(
          absmax, state, others.child(of: entry.name, "nested_absmax"),
          table: others.child(of: entry.name, "nested_quant_map"))
        return try values(of: entry, state, scales, table)
      }
    }
    // Without a state, only codes with their table are bitsandbytes'.
    guard entry.info.dtype == .uint8, others.child(of: entry.name, "quant_map") != nil else {
      return nil
    }
    return QuantizedTensor(
      entry, parts: ([absmax] + more).map(\.name), label: "bitsandbytes",
      unknown: "there is no '\(entry.name).quant_state.bitsandbytes__nf4' or '…fp4' beside it, "
        + "which states its shape and blocks")
  }

  /// LLM.int8(): each row has its largest magnitude in `SCB`, which 127 stands for.
  private static func rows(
    _ entry: Checkpoint.Entry, _ scales: Checkpoint.Entry, among others: TensorIndex
  ) -> QuantizedTensor {
    let format = others.sibling(of: entry.name, "weight_format")
    let parts = [scales.name] + [format?.name].compactMap { $0 }
    return QuantizedTensor(entry, parts: parts, label: "bitsandbytes int8, a scale per row") {
      let shape = entry.info.shape
      guard shape.count == 2, scales.info.shape.elementCount == shape[0],
        scales.info.dtype == .float32
      else {
        throw CheckpointError(
          .unsupported,
          "expected a matrix and \(shape.first ?? 0) scales of F32, found shape \(shape) and '\(scales.name)' of \(scales.info.dtype.rawValue) \(scales.info.shape)"
        )
      }
      if let format, try format.bytes().contains(where: { $0 != 0 }) {
        throw CheckpointError(.unsupported, "its '\(format.name)' is not 0, which is row by row")
      }
      let grid = ScaleGrid(shape, blocks: [1, max(shape[1], 1)], of: scales)
      return try .computed(entry.name, shape: shape) { elements in
        var values = try entry.singles(elements)
        try grid.multiply(&values, at: elements.lowerBound)
        // 1/127, rounded to float32.
        for index in values.indices { values[index] *= 7.874015718698502e-3 }
        return values
      }
    }
  }

  private static func values(
    of codes: Checkpoint.Entry, _ state: QuantState, _ scales: BlockScales, _ table: [Float]
  ) throws -> Checkpoint.Entry {
    let count = state.shape.elementCount
    guard codes.info.byteCount >= (count + 1) / 2 else {
      throw CheckpointError(
        .malformed,
        "expected \((count + 1) / 2) bytes of codes for shape \(state.shape), "
          + "found \(codes.info.byteCount)")
    }
    let size = state.blockSize
    return try .computed(codes.name, shape: state.shape) { elements in
      if elements.isEmpty { return [] }
      let bytes = try codes.bytes(elements.lowerBound / 2..<(elements.upperBound + 1) / 2)
      let blocks = elements.lowerBound / size..<(elements.upperBound - 1) / size + 1
      let factors = try scales.factors(blocks)
      let first = elements.lowerBound / 2
      return elements.map { index in
        let byte = bytes[index / 2 - first]
        // Of two codes in a byte, the first is in the high bits.
        return table[Int(index % 2 == 0 ? byte >> 4 : byte & 15)]
          * factors[index / size - blocks.lowerBound]
      }
    }
  }

  private static let nf4: [Float] = [
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
    -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725,
    0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
    0.7229568362236023, 1.0,
  ]

  private static let fp4: [Float] = [
    0, 0.0625, 8, 12, 4, 6, 2, 3, 0, -0.0625, -8, -12, -4, -6, -2, -3,
  ].map { $0 / 12 }
}

/// The scales of 4-bit blocks; nested ones are codes themselves.
private struct BlockScales {
  private let absmax: Checkpoint.Entry
  private let nested: (absmax: Checkpoint.Entry, table: [Float], size: Int, offset: Float)?

  init(
    _ absmax: Checkpoint.Entry, _ state: QuantState, _ nested: Checkpoint.Entry?,
    table: Checkpoint.Entry?
  ) throws {
    let blocks = Self.blocks(state.shape.elementCount, of: state.blockSize)
    try Self.check(absmax, count: blocks, nested == nil ? .float32 : .uint8)
    self.absmax = absmax
    guard let nested else {
      self.nested = nil
      return
    }
    guard let table, let size = state.nestedBlockSize, let offset = state.nestedOffset else {
      throw CheckpointError(.malformed, "its scales are nested, but not described")
    }
    try Self.check(table, count: 256, .float32)
    try Self.check(nested, count: Self.blocks(blocks, of: size), .float32)
    self.nested = (nested, try table.singles(0..<256), size, offset)
  }

  /// How many blocks of any size above 0 hold `count` elements.
  private static func blocks(_ count: Int, of size: Int) -> Int {
    count == 0 ? 0 : (count - 1) / size + 1
  }

  private static func check(_ entry: Checkpoint.Entry, count: Int, _ dtype: DType) throws {
    guard entry.info.elementCount == count, entry.info.dtype == dtype else {
      throw CheckpointError(
        .malformed,
        "expected \(count) elements of \(dtype.rawValue) in '\(entry.name)', found "
          + "\(entry.info.elementCount) of \(entry.info.dtype.rawValue)")
    }
  }

  func factors(_ blocks: Range<Int>) throws -> [Float] {
    guard let nested else { return try absmax.singles(blocks) }
    let codes = try absmax.bytes(blocks)
    let outer = blocks.lowerBound / nested.size..<(blocks.upperBound - 1) / nested.size + 1
    let scales = try nested.absmax.singles(outer)
    return zip(blocks, codes).map { block, code in
      nested.table[Int(code)] * scales[block / nested.size - outer.lowerBound] + nested.offset
    }
  }
}

/// What a tensor `quant_state.bitsandbytes__…` says, which is JSON in bytes.
private struct QuantState {
  let shape: Shape
  let blockSize: Int
  let nestedBlockSize: Int?
  let nestedOffset: Float?

  private static let maxSize = 1 << 16

  init(of entry: Checkpoint.Entry) throws {
    guard entry.info.dtype == .uint8, entry.info.byteCount <= Self.maxSize else {
      throw CheckpointError(.malformed, "'\(entry.name)' is not a short text")
    }
    let text = String(decoding: try entry.bytes(), as: UTF8.self)
    let state = try JSONValue(text)
    guard state.members != nil else {
      throw CheckpointError(.malformed, "'\(entry.name)' is not a JSON object")
    }
    func size(_ value: JSONValue?) throws -> Int {
      guard let size = value?.integer, size > 0 else {
        throw CheckpointError(.malformed, "'\(entry.name)' does not state a block size above 0")
      }
      return size
    }
    guard let sizes = state["shape"], sizes.elements != nil else {
      throw CheckpointError(.malformed, "'\(entry.name)' does not state a shape")
    }
    guard let shape = sizes.integers else {
      throw CheckpointError(.malformed, "'\(entry.name)' does not state a shape of integers")
    }
    self.shape = try TensorInfo(dtype: .float32, shape: shape).shape
    blockSize = try size(state["blocksize"])
    nestedBlockSize = try state["nested_blocksize"].map { try size($0) }
    nestedOffset = state["nested_offset"]?.number.map { Float($0) }
  }
}
