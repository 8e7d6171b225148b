package import Ranks
import Synchronization
public import TensorCore

/// How many values became infinite while tensors were rounded to a narrower type.
public final class OverflowCount: Sendable {
  /// By tensor, then by the offset of a range, so that what is read twice counts once.
  private let counts = Mutex<[TensorName: [Int: Int]]>([:])

  /// Starts with none.
  public init() {}

  fileprivate func set(_ count: Int, for name: TensorName, at offset: Int) {
    counts.withLock { counts in
      if count > 0 || counts[name]?[offset] != nil { counts[name, default: [:]][offset] = count }
    }
  }

  /// Adds what the other ranks have counted; every rank calls this.
  package func gather(from ranks: Ranks) throws {
    if ranks.size == 1 { return }
    var record = RecordWriter()
    let own = counts.withLock { $0 }
    record.add(own.values.map(\.count).saturatedSum())
    for (name, ranges) in own {
      for (offset, count) in ranges {
        record.add(name.text)
        record.add(offset)
        record.add(count)
      }
    }
    for part in try ranks.exchange("overflows", record.bytes) {
      var reader = RecordReader(part)
      for _ in 0..<reader.integer() {
        let (name, offset) = (TensorName(reader.text()), reader.integer())
        set(reader.integer(), for: name, at: offset)
      }
    }
  }

  /// The tensors with such values, sorted by name, and how many each has.
  public var tensors: [(name: TensorName, count: Int)] {
    counts.withLock { counts in
      counts.map { (name: $0.key, count: $0.value.values.saturatedSum()) }
        .sorted { $0.name < $1.name }
    }
  }
}

extension Checkpoint.Entry {
  /// The tensor with its values rounded to another floating-point type as they are read.
  ///
  /// To nearest even, as PyTorch's `Tensor.to`; NaN stays NaN; too large becomes infinite, which
  /// `overflows` is called.
  public func cast(
    to dtype: DType, overflows: OverflowCount? = nil
  ) throws(CheckpointError) -> Checkpoint.Entry {
    let source = self
    let info = try TensorInfo(dtype: dtype, shape: info.shape)
    return Checkpoint.Entry(name: name, info: info, alias: alias) { range, target in
      let old = source.info.dtype.byteWidth
      try target.fillElements(range, width: dtype.byteWidth) { elements, rounded in
        var input = ChunkBuffer(capacity: elements.count * old)
        let bytes = try source.read(elements.lowerBound * old, elements.count * old, using: &input)
        let count = ElementConversion.convert(
          bytes, from: source.info.dtype, to: dtype, into: &rounded)
        overflows?.set(count, for: source.name, at: range.lowerBound)
      }
    }
  }
}
