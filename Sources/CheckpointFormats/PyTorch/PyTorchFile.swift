import ByteIO
import TensorCore

/// An open file written by any version of `torch.save`: its pickle and its storages.
struct PyTorchFile: Sendable {
  /// What pickle and storages are in.
  enum Container: Sendable {
    /// A zip archive, and the folder in it, with its slash.
    case archive(ZipArchive, folder: String)
    /// A file in which storages are ranges.
    case file(ByteSource)
  }

  /// What pickle and storages are in.
  let container: Container
  /// The pickle of the saved value.
  let pickle: Pickle
  /// Offset of the pickle in the file; 0 if it is deflated in an archive.
  let pickleOffset: Int
  /// The storages by the keys that the pickle uses.
  var storages: [TensorName: PyTorchStorage] = [:]
  /// Tensors that the pickle refers to by persistent IDs of their own, as in the oldest files.
  var tensors: [String: PyTorchTensor] = [:]
  /// Pickles that only describe the file, with their purpose and their offset.
  var otherPickles: [(name: String, offset: Int, pickle: Pickle)] = []
  /// Names of parameters and buffers by TorchScript class.
  var stateMembers: [String: [TensorName]] = [:]
  /// Constants of TorchScript classes, by class and name.
  var scriptConstants: [String: [String: Value]] = [:]
  /// Number of tensors that are constants of a TorchScript archive's code.
  var constantCount = 0
  /// Metadata that our own writer added.
  var metadata: [String: String] = [:]
  /// The fingerprint that our own writer added.
  var fingerprint: String?
  /// What checksums cover.
  var coverage = ChecksumCoverage.none
  /// Remarks about content that is not a tensor.
  var notes: [String] = []

  /// The kinds of file that `torch.save` has written, newest first.
  enum Kind {
    /// A zip archive: since 1.6, and TorchScript.
    case archive
    /// Pickles and storages one after the other: versions 0.1.10 to 1.5.
    case stream
    /// A tar archive: before version 0.1.10.
    case tar
    /// A bare pickle, as `pickle.dump` writes it.
    case pickle
  }

  /// The kind of a file with these first bytes; `nil` if it is none of them.
  static func kind(of head: [UInt8]) -> Kind? {
    if head.starts(with: [0x50, 0x4b, 0x03, 0x04]) { return .archive }
    if PyTorchTar.recognizes(head) { return .tar }
    if PyTorchStream.recognizes(head) { return .stream }
    return PickleStream.recognizes(head) ? .pickle : nil
  }

  /// Opens a file that is being recognized; the archive's directory and the pickle are read once.
  ///
  /// - Throws: as ``open(_:)``.
  static func opened(_ probe: FileProbe) throws(CheckpointError) -> PyTorchFile {
    try probe.finding { probe throws(CheckpointError) in
      guard case .archive? = kind(of: probe.head) else { return try open(try probe.source) }
      return try CheckpointError.placing(
        PyTorchArchive.open(PyTorchArchive.opened(probe)), path: probe.path)
    }
  }

  /// Opens a file.
  ///
  /// - Throws: ``CheckpointError`` with the path.
  static func open(_ file: ByteSource) throws(CheckpointError) -> PyTorchFile {
    try CheckpointError.placing(path: file.name) { () throws(CheckpointError) in
      switch kind(of: try file.head(FileProbe.headSize)) {
      case .archive:
        return try PyTorchArchive.open(ZipArchive(file, zeroMeansNoSum: true))
      case .stream: return try PyTorchStream.open(file)
      case .tar: return try PyTorchTar.open(file)
      case .pickle: return try PickleStream.open(file)
      case nil:
        let start = String(decoding: try file.head(8), as: UTF8.self)
        throw CheckpointError(
          .malformed, "is not a PyTorch file: begins with '\(start)'", offset: 0)
      }
    }
  }
}
