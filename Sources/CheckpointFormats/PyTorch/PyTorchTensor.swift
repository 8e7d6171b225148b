import Strided
import TensorCore

/// A tensor as PyTorch's pickles describe it: a view of a storage.
struct PyTorchTensor: Sendable {
  let storage: PyTorchStorageReference
  /// Dtype and shape of the tensor.
  var info: TensorInfo
  /// The positions of its elements in the storage.
  let layout: StridedLayout
  /// The operation that is applied to elements as they are read.
  var change = ElementChange.none

  /// Equal for two tensors that are tied.
  struct Identity: Hashable {
    let storage: PyTorchStorageReference
    let info: TensorInfo
    let layout: StridedLayout
    let change: ElementChange
  }

  var identity: Identity {
    Identity(storage: storage, info: info, layout: layout, change: change)
  }
}

/// A reference to a storage.
struct PyTorchStorageReference: Hashable, Sendable {
  /// Name of the storage's record.
  let key: String
  /// Size in bytes of an element, by the storage's class.
  let elementWidth: Int
  /// Size of the storage in bytes.
  let byteCount: Int
  /// Offset in bytes inside another storage, of which this one is a part (old files only).
  var viewOffset = 0
  /// The bytes of a storage that has no record and is in the pickle.
  var pickled: Pickled?

  /// Elements in a pickle.
  struct Pickled: Hashable, Sendable {
    let bytes: PickledBytes
    /// Whether their most significant byte comes first.
    let isBigEndian: Bool
  }
}

/// An operation that PyTorch postpones until elements are used.
struct ElementChange: Hashable, Sendable {
  /// The elements are complex conjugates.
  var isConjugate = false
  /// The elements are negated.
  var isNegative = false

  static let none = ElementChange()
}

/// The result of decoding a tensor of a pickle.
enum PyTorchValue {
  case tensor(PyTorchTensor)
  /// A tensor that PyTorch stores as several, each with a suffix for its name (or an empty one).
  ///
  /// `numbers` are what the pickle itself holds of it: a scale, a shape.
  case parts(
    [(suffix: String, tensor: PyTorchTensor)], numbers: [(suffix: String, PickledNumbers)],
    note: String)
  /// The part of a distributed tensor that one process has, and where it belongs.
  case local(PyTorchTensor, place: String)
  /// A tensor whose elements cannot be read, with the reason.
  case unread(String)
}

/// Numbers that a pickle holds and that are a tensor all the same: they go along when it is converted.
enum PickledNumbers {
  /// One number, as a tensor without dimensions.
  case real(Double)
  /// One integer, as a tensor without dimensions.
  case integer(Int)
  /// A list of integers, as a tensor of one dimension.
  case integers([Int])

  /// Element type and shape.
  ///
  /// - Throws: ``CheckpointError`` for more integers than a tensor has.
  func info() throws(CheckpointError) -> TensorInfo {
    switch self {
    case .real: try TensorInfo(dtype: .float64, shape: [])
    case .integer: try TensorInfo(dtype: .int64, shape: [])
    case .integers(let numbers): try TensorInfo(dtype: .int64, shape: [numbers.count])
    }
  }

  /// The elements, little-endian.
  var bytes: [UInt8] {
    let words: [UInt64] =
      switch self {
      case .real(let number): [number.bitPattern]
      case .integer(let number): [UInt64(bitPattern: Int64(number))]
      case .integers(let numbers): numbers.map { UInt64(bitPattern: Int64($0)) }
      }
    return words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
  }
}
