import ByteIO
import TensorCore

/// A file of `torch.save` of any age, opened: what its pickle says and where its storages are.
struct PyTorchFile {
  /// Where the file is, for errors.
  let path: String
  /// The pickle of what was saved.
  let pickle: Pickle
  /// Where the pickle begins in the file; 0 for one in an archive that is deflated.
  let pickleOffset: Int
  /// The storages by the names that the pickle gives them.
  var storages: [TensorName: PyTorchStorage] = [:]
  /// Tensors that the pickle refers to by names of their own, as the oldest files do.
  var tensors: [String: PyTorchTensor] = [:]
  /// Pickles that only describe the file, with what they are for and where they begin.
  var otherPickles: [(name: String, offset: Int, pickle: Pickle)] = []
  /// For classes of TorchScript the names of parameters and buffers.
  var stateMembers: [String: [TensorName]] = [:]
  /// Text that our own writer added.
  var metadata: [String: String] = [:]
  /// What the file holds that no tensor shows.
  var notes: [String] = []

  /// The ways in which `torch.save` wrote files, newest first.
  enum Kind {
    /// A zip archive: since 1.6, and TorchScript.
    case archive
    /// Pickles and storages one after the other: 0.1.10 to 1.5.
    case stream
    /// A tar archive: before 0.1.10.
    case tar
    /// A pickle and nothing else, which `torch.save` never wrote.
    case pickle
  }

  /// What begins like which kind.
  static func kind(of head: [UInt8]) -> Kind? {
    if head.starts(with: [0x50, 0x4b, 0x03, 0x04]) { return .archive }
    if PyTorchTar.recognizes(head) { return .tar }
    if PyTorchStream.recognizes(head) { return .stream }
    guard head.count >= 2, head[0] == 0x80, (2...5).contains(head[1]) else { return nil }
    return .pickle
  }

  /// Opens a file.
  ///
  /// - Throws: ``CheckpointError`` with the path.
  static func open(_ path: String) throws(CheckpointError) -> PyTorchFile {
    do throws(CheckpointError) {
      let file = try Place.open(path: path)
      switch kind(of: try file.head(FileProbe.headSize)) {
      case .archive:
        return try PyTorchArchive.open(ZipArchive(file, zeroMeansNoSum: true))
      case .stream: return try PyTorchStream.open(file)
      case .tar: return try PyTorchTar.open(file)
      case .pickle:
        throw CheckpointError(
          .unsupported, "a pickle without torch.save's frame; load it in Python and save it again",
          offset: 0)
      case nil:
        throw CheckpointError(.malformed, "no file of torch.save begins like this", offset: 0)
      }
    } catch {
      throw error.adding(path: path)
    }
  }
}
