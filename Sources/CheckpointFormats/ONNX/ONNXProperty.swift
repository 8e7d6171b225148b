import ByteIO
import TensorCore

/// What a model says about itself, entry by entry.
enum ONNXProperty {
  /// An operator set (`OperatorSetIdProto`): its domain and version.
  static func version(_ message: ProtobufReader) throws(CheckpointError) -> Value.Member {
    var reader = message
    var (domain, version) = ("", 0)
    while let field = try reader.next() {
      if field.number == 1 { domain = try reader.text(field) }
      if field.number == 2 { version = try field.signed }
    }
    return Value.Member(domain.isEmpty ? "ai.onnx" : domain, .integer(version))
  }

  /// A key and its value (`StringStringEntryProto`).
  static func text(_ message: ProtobufReader) throws(CheckpointError) -> Value.Member {
    let (key, value) = try ONNXTensor.pair(message)
    return Value.Member(key, .text(value))
  }
}
