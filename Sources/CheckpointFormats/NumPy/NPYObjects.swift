import ByteIO
import TensorCore

/// What an array of Python's objects holds: NumPy stores the array's pickle after the header.
///
/// Source: numpy 2.4, `lib/format.py` (`write_array`).
struct NPYObjects {
  /// The tensors among the objects.
  let entries: [Checkpoint.Entry]
  /// The other objects; `nil` if there are only tensors.
  let value: Value?
  /// Remarks, one sentence each.
  let notes: [String]

  /// Reads the array that `source` is, naming tensors after it; `nil` if it holds no objects.
  ///
  /// - Throws: ``CheckpointError`` when the pickle cannot be read.
  init?(_ source: ByteSource, named name: String) throws(CheckpointError) {
    guard let start = try Self.pickleOffset(in: source) else { return nil }
    (entries, value, notes) = try PickleStream.open(source, at: start).everything(named: name)
  }

  /// Where the pickle of an array begins; `nil` if the array holds no objects.
  static func pickleOffset(in source: ByteSource) throws(CheckpointError) -> Int? {
    do throws(CheckpointError) {
      let (fields, _, length) = try NPYHeader.fields(size: source.size) {
        range throws(CheckpointError) in
        try source.bytes(range)
      }
      // NumPy reads them whatever byte order stands before the letter.
      return fields.description.hasSuffix("O") ? length : nil
    } catch {
      guard error.code == .unsupported else { throw error }
      return nil
    }
  }
}

extension Opened {
  /// Adds what an array of objects holds; its values are under the array's name, or, without one, under
  /// their own if it is a dictionary.
  mutating func add(_ objects: NPYObjects, of name: TensorName?) {
    checkpoint.entries += objects.entries
    notes += objects.notes.map { note in name.map { "\($0): \(note)" } ?? note }
    switch (objects.value, name) {
    case (nil, _): break
    case (let value?, let name?): checkpoint.values.append(Checkpoint.Named(name.text, value))
    case (.dictionary(let members)?, nil):
      checkpoint.values += members.map { Checkpoint.Named($0.name, $0.value) }
    case (let value?, nil):
      checkpoint.values.append(Checkpoint.Named(NPY.name.text, value))
    }
  }
}

extension Fill {
  /// Refuses tensors that are inside an array of objects: their bytes are in a pickle.
  func refuseObjects(besides known: Set<TensorName>) throws(CheckpointError) {
    guard let name = tensors.keys.filter({ !known.contains($0) }).min() else { return }
    throw CheckpointError(
      .unsupported,
      "is inside an array of objects, where it cannot be replaced; write the tensors to another "
        + "format with ckpt convert", tensor: name.text)
  }
}
