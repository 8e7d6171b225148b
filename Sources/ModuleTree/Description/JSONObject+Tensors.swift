import FoundationEssentials
import JSONText
import TensorCore

/// Values of a model description that describe tensors.
extension JSONObject {
  /// The element type of a key; `nil` if it is missing.
  func dtype(_ key: String) throws(CheckpointError) -> DType? {
    guard let text = try text(key) else { return nil }
    guard let dtype = DType(named: text) else {
      throw expected("a dtype such as float32 or int64", at: key)
    }
    return dtype
  }

  /// The shape of a key, checked to be a tensor's; `nil` if it is missing.
  func shape(_ key: String, of dtype: DType?) throws(CheckpointError) -> [Int]? {
    guard let shape = try counts(key) else { return nil }
    do throws(CheckpointError) {
      _ = try TensorInfo(dtype: dtype ?? .float64, shape: shape)
    } catch {
      throw self.error(key, error.message)
    }
    return shape
  }

  /// The initializer of a key; `nil` if it is missing or `null`.
  func initializer(_ key: String) throws(CheckpointError) -> (any Initializer)? {
    guard let text = try text(key) else { return nil }
    do {
      return try InitializerText.parse(text)
    } catch {
      throw self.error(key, "\(key) '\(text)', \(error.message)")
    }
  }

  /// The bytes of a key, in Base64; `nil` if it is missing.
  func data(_ key: String) throws(CheckpointError) -> [UInt8]? {
    guard let text = try text(key) else { return nil }
    // Foundation also accepts bits that no encoder writes.
    guard let data = Data(base64Encoded: text), data.base64EncodedString() == text else {
      throw expected("Base64 with padding (RFC 4648, section 4)", at: key)
    }
    return Array(data)
  }
}
