import Strided
import TensorCore

/// A tensor as PyTorch's pickles describe it: a view of a storage.
struct PyTorchTensor: Sendable {
  let storage: PyTorchStorageReference
  /// Dtype and shape of the tensor.
  let info: TensorInfo
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
  case parts([(suffix: String, tensor: PyTorchTensor)], note: String)
  /// The part of a distributed tensor that one process has, and where it belongs.
  case local(PyTorchTensor, place: String)
  /// A tensor whose elements cannot be read, with the reason.
  case unread(String)
}
