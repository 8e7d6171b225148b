import ByteIO
import TensorCore

/// The ONNX format as a value.
extension CheckpointFormat {
  /// ONNX models: the initializers of the graph and of the graphs in it, and the tensors of `Constant`
  /// nodes, read-only; the graph itself is not read.
  ///
  /// Source: github.com/onnx/onnx, `onnx.proto3`, IR version 13.
  public static let onnx = CheckpointFormat(
    name: "onnx", extensions: [".onnx"],
    recognizes: { ONNX.recognizes($0) },
    open: { probe, _ in try ONNX.open(probe) },
    capabilities: Capabilities(dtypes: ONNX.types.values))
}

/// Numbers of fields and types of the format.
enum ONNX {
  /// Dtypes by `TensorProto.DataType`.
  static let types: [Int: DType] = [
    1: .float32, 2: .uint8, 3: .int8, 4: .uint16, 5: .int16, 6: .int32, 7: .int64, 9: .bool,
    10: .float16, 11: .float64, 12: .uint32, 13: .uint64, 14: .complex64, 15: .complex128,
    16: .bfloat16, 17: .float8e4m3, 18: .float8e4m3fnuz, 19: .float8e5m2, 20: .float8e5m2fnuz,
    23: .float4e2m1, 24: .float8e8m0, 27: .float6e2m3, 28: .float6e3m2,
  ]
  /// Integers of less than a byte by `TensorProto.DataType`.
  static let narrow: [Int: NarrowIntegers] = [
    21: NarrowIntegers(bits: 4, isSigned: false, perByte: 2),
    22: NarrowIntegers(bits: 4, isSigned: true, perByte: 2),
    25: NarrowIntegers(bits: 2, isSigned: false, perByte: 4),
    26: NarrowIntegers(bits: 2, isSigned: true, perByte: 4),
  ]
  /// `TensorProto.DataType` of texts.
  static let stringType = 8

  /// Largest number of dimensions.
  static let maxRank = 64

  /// The fields of a `ModelProto`, with whether each is an integer.
  private static let modelFields: [Int: Bool] = [
    1: true, 2: false, 3: false, 4: false, 5: true, 6: false, 7: false, 8: false, 14: false,
    20: false, 25: false, 26: false,
  ]
  /// Most fields that are looked at to recognize a file.
  private static let maxFields = 1000

  /// Whether a file begins with the fields of a model: the version first, then others up to the graph.
  static func recognizes(_ candidate: FileProbe) -> Bool {
    // The version's tag, and a version of one byte.
    guard candidate.head.count > 4, candidate.head[0] == 0x08, (1..<64).contains(candidate.head[1]),
      let source = candidate.file
    else { return false }
    var reader = ProtobufReader(source)
    for _ in 0..<maxFields {
      let field: ProtobufReader.Field
      do throws(CheckpointError) {
        guard let next = try reader.next() else { return false }
        field = next
      } catch {
        // The graph's own length may reach beyond the end of a file that was cut.
        return error.offset.map { isGraph(at: $0, candidate) } ?? false
      }
      guard let isInteger = modelFields[field.number] else { return false }
      switch field.content {
      case .number where isInteger: continue
      case .bytes(let range) where !isInteger:
        if field.number == 7 { return true }
        // A producer's name; in the message that begins a SavedModel this is a graph.
        if field.number == 2, range.count > 1000 { return false }
      default: return false
      }
    }
    return false
  }

  /// Whether the bytes before an offset, which follow a graph's tag, are the length of the graph.
  private static func isGraph(at offset: Int, _ candidate: FileProbe) -> Bool {
    guard offset <= candidate.head.count else { return false }
    let start = candidate.head[..<offset].lastIndex(of: 0x3a) ?? 0
    return start > 0 && offset - start <= 6
  }

  static func open(_ probe: FileProbe) throws(CheckpointError) -> Opened {
    var model = ONNXModel(try probe.source, in: probe.neighbors)
    do throws(CheckpointError) {
      try model.read()
      return model.opened
    } catch {
      throw error.damage(to: "the ONNX model is damaged or cut", path: probe.path)
    }
  }
}
