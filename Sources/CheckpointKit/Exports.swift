@_exported public import ByteIO
@_exported public import CheckpointFormats
@_exported public import ModuleTree
@_exported public import ParallelWork
@_exported public import TensorCore
@_exported public import TorchRandom
