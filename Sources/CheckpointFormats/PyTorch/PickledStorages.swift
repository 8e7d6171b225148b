import ByteIO
import Synchronization
import TensorCore

/// Storages that are in bytes of a pickle as files of their own: `pickle.dump` of a tensor writes each
/// storage as `torch.save` wrote files before 1.6.
///
/// Source: torch 2.15 `storage.py` (`TypedStorage.__reduce__`, `_load_from_bytes`).
final class PickledStorages: Sendable {
  private typealias Found = (PyTorchStorageReference, PyTorchGlobals.StorageType)

  /// Those that were read, by their bytes, which many tensors may share.
  private let known = Mutex<[PickledBytes: Found]>([:])

  /// The storage that a value is; `nil` for another value.
  ///
  /// - Throws: ``CheckpointError`` when the bytes are not such a file.
  func storage(
    _ reference: Pickle.Reference, in pickle: Pickle
  ) throws(CheckpointError) -> (PyTorchStorageReference, PyTorchGlobals.StorageType)? {
    guard let object = pickle.object(reference),
      pickle.callee(object)?.fullName == "torch.storage._load_from_bytes",
      let argument = pickle.elements(object.arguments)?.first,
      let bytes = pickle.pickledBytes(argument)
    else { return nil }
    if let found = known.withLock({ $0[bytes] }) { return found }
    let found = try Self.read(bytes, in: pickle)
    known.withLock { $0[bytes] = found }
    return found
  }

  private static func read(
    _ bytes: PickledBytes, in pickle: Pickle
  ) throws(CheckpointError) -> Found {
    let file = try PyTorchStream.open(pickle.content(bytes, name: pickle.source.name))
    let decoder = PyTorchTensorDecoder(pickle: file.pickle, isNested: true)
    let (storage, type) = try decoder.storage(file.pickle.root)
    guard let stored = file.storages[TensorName(storage.key)],
      case .range(let range) = stored.location,
      storage.viewOffset <= range.count, storage.byteCount <= range.count - storage.viewOffset
    else {
      throw CheckpointError(
        .malformed, "storage '\(storage.key)' is not in the bytes that describe it")
    }
    let reference = PyTorchStorageReference(
      key: storage.key, elementWidth: storage.elementWidth, byteCount: storage.byteCount,
      viewOffset: range.lowerBound + storage.viewOffset,
      pickled: PyTorchStorageReference.Pickled(bytes: bytes, isBigEndian: stored.isBigEndian))
    return (reference, type)
  }
}
