import Strided
import TensorCore

/// A tensor as PyTorch's pickles describe it: a view of a storage.
struct PyTorchTensor: Sendable {
  /// The storage that it is a view of.
  let storage: PyTorchStorageReference
  /// Element type and shape, those of the result.
  let info: TensorInfo
  /// Where its elements lie in the storage.
  let layout: StridedLayout
  /// What must be done to elements as they are read.
  var change = ElementChange.none

  /// What makes two tensors one tied tensor.
  struct Identity: Hashable {
    let storage: PyTorchStorageReference
    let info: TensorInfo
    let layout: StridedLayout
    let change: ElementChange
  }

  /// Equal for tensors that are one.
  var identity: Identity {
    Identity(storage: storage, info: info, layout: layout, change: change)
  }
}

/// A storage as tensors name it.
struct PyTorchStorageReference: Hashable, Sendable {
  /// Name of its record.
  let key: String
  /// Bytes of an element, as the storage counts them.
  let elementWidth: Int
  /// Its bytes.
  let byteCount: Int
  /// In old files a storage may be a part of another: how many bytes into it.
  var viewOffset = 0
}

/// What PyTorch leaves to be done when elements are used.
struct ElementChange: Hashable, Sendable {
  /// The complex conjugate is meant.
  var isConjugate = false
  /// The negative is meant.
  var isNegative = false

  static let none = ElementChange()
}

/// What stands for a tensor in a pickle.
enum PyTorchValue {
  /// A tensor.
  case tensor(PyTorchTensor)
  /// One that PyTorch stores as several, each under its name or a name of its own behind it.
  case parts([(suffix: String, tensor: PyTorchTensor)], note: String)
  /// One without elements that can be read, and why.
  case unread(String)
}
