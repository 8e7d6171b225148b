public import ByteIO
public import TensorCore

/// A file format: a value with functions that recognize, open, write, and verify a file.
///
/// Every format in ``all`` is held to the suite `FormatContract`: every dtype, empty and scalar
/// tensors, names kept in order, a file cut at any byte refused with an offset, two writes alike.
public struct CheckpointFormat: Sendable {
  /// What `--to` calls it.
  public let name: String
  /// File name endings, longest first, with their dot.
  public let extensions: [String]
  /// Says whether a file or a folder is of this format, by its content.
  public let recognizes: @Sendable (FileProbe) -> Bool
  /// Opens a file or a folder; tensors are read from it later, by range.
  public internal(set) var open: @Sendable (FileProbe, OpenOptions) throws -> Opened
  /// Writes a checkpoint to a new sink, which the caller commits; `nil` if the format is read-only.
  ///
  /// Throws ``TensorCore/CheckpointError`` `unsupported`, before anything is written, for what
  /// ``capabilities`` do not allow.
  public let write: (@Sendable (Checkpoint, ByteSink, WriteOptions) async throws -> Void)?
  /// Puts new bytes for some tensors into a copy of an existing file and leaves everything else as it
  /// was; `nil` if files of the format cannot be filled.
  ///
  /// What it returns is decided, and what cannot be done is refused, before anything is written.
  public internal(set) var fill: (@Sendable (Fill) throws -> FilledFiles)?
  /// What a written file can hold, and how it is written.
  public let capabilities: Capabilities
  /// Checks what reading all tensors leaves unchecked with at most `threads` tasks, and returns one
  /// error for each damaged part; `nil` if there is nothing else.
  ///
  /// Where checksums cover everything (``Opened/coverage``), it reads every byte by itself.
  /// What keeps the file from being opened at all is thrown.
  public var verify: (@Sendable (FileProbe, _ threads: Int) async throws -> [CheckpointError])?

  /// Describes a format; `write` is asked only for what the capabilities allow.
  public init(
    name: String, extensions: [String], recognizes: @escaping @Sendable (FileProbe) -> Bool,
    open: @escaping @Sendable (FileProbe, OpenOptions) throws -> Opened,
    write: (@Sendable (Checkpoint, ByteSink, WriteOptions) async throws -> Void)? = nil,
    fill: (@Sendable (Fill) throws -> FilledFiles)? = nil, capabilities: Capabilities,
    verify: (@Sendable (FileProbe, _ threads: Int) async throws -> [CheckpointError])? = nil
  ) {
    self.name = name
    self.extensions = extensions
    self.recognizes = recognizes
    self.open = open
    if let write {
      self.write = { checkpoint, sink, options in
        try capabilities.check(checkpoint, options, format: name)
        try await write(checkpoint, sink, options)
      }
    } else {
      self.write = nil
    }
    if let fill {
      self.fill = { request in
        try CheckpointError.placing(path: request.template.path) {
          let opened = try open(
            request.template, OpenOptions(key: request.key, threads: request.threads))
          return try fill(try request.resolved(in: opened))
        }
      }
    } else {
      self.fill = nil
    }
    self.capabilities = capabilities
    self.verify = verify
  }

  /// Every format, in the order in which they are asked whether they recognize a file: the first
  /// that does opens it.
  ///
  /// The order matters where two formats could take the same file: Keras's layouts are HDF5 or zip
  /// files and come before HDF5 and the zip formats; `npz` takes a zip archive whose first member is
  /// an array, and PyTorch, which comes last, also looks for bare pickles, whose beginning says
  /// little; what is only around a checkpoint follows it. All others begin with marks of their own.
  public static let all: [CheckpointFormat] = [
    .native, .keras, .hdf5, .diffusers, .safetensors, .gguf, .npz, .npy, .onnx, .flax, .tensorflow,
    .exportedProgram, .deepspeed, .consolidated, .pytorch, .packed,
  ]
}

extension CheckpointFormat {
  /// HDF5: groups are modules, datasets are parameters.
  public static let hdf5 = CheckpointFormat(
    name: "hdf5", extensions: [".hdf5", ".h5"],
    recognizes: { HDF5Checkpoint.recognizes($0.head) },
    open: { probe, _ in try HDF5Checkpoint.open(probe) },
    write: { try await HDF5Checkpoint.write($0, to: $1, $2) },
    fill: { try HDF5Filling.fill($0) },
    capabilities: HDF5Checkpoint.capabilities)
}
