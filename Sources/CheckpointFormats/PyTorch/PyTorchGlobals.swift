import TensorCore

/// The classes and functions of PyTorch and Python that the reader recognizes by their exact names.
///
/// Nothing is imported or called: a name in a list here only determines how its arguments are read.
enum PyTorchGlobals {
  /// Classes that behave like dictionaries.
  static let mappings: Set<String> = [
    "collections.OrderedDict", "collections.defaultdict", "collections.Counter",
  ]

  /// Functions whose arguments describe one tensor.
  static let tensorMakers: Set<String> = [
    "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_tensor_v3", "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state", "torch._utils._rebuild_qtensor",
    "torch._utils._rebuild_sparse_tensor", "torch._utils._rebuild_meta_tensor_no_storage",
    "torch._utils._rebuild_device_tensor_from_cpu_tensor", "torch._tensor._rebuild_from_type_v2",
    "torch._tensor._rebuild_from_type", "torch.tensor._rebuild_from_type",
    "torch.nn.parameter.Parameter", "torch.autograd.variable.Variable",
  ]

  /// Functions that make tensors of an unsupported kind.
  static let unreadTensorMakers: Set<String> = [
    "torch._utils._rebuild_wrapper_subclass", "torch._utils._rebuild_nested_tensor",
    "torch._utils._rebuild_device_tensor_from_numpy",
  ]

  /// Other names that occur in checkpoints and stand for plain values.
  private static let values: Set<String> = [
    "torch.Size", "torch.device", "torch.Tensor", "torch.nn.parameter.Buffer",
    "torch.serialization._get_layout", "torch._utils._get_layout", "torch.per_tensor_affine",
    "torch.qint8", "torch.quint8", "torch.qint32",
    "torch.per_channel_affine", "torch.contiguous_format", "torch.preserve_format",
    "torch.strided", "torch.storage.UntypedStorage", "torch.storage.TypedStorage",
    "torch.storage._load_from_bytes", "torch._C._from_legacy_storage",
    "torch.jit._pickle.build_intlist", "torch.jit._pickle.build_tensorlist",
    "torch.jit._pickle.build_doublelist", "torch.jit._pickle.build_boollist",
    "torch.jit._pickle.build_tensor_from_id", "torch.jit._pickle.restore_type_tag",
    "__builtin__.set", "builtins.set", "__builtin__.list", "builtins.list", "__builtin__.dict",
    "builtins.dict", "__builtin__.frozenset", "builtins.frozenset", "builtins.bytearray",
    "builtins.complex", "_codecs.encode", "argparse.Namespace", "pathlib.PosixPath",
    "datetime.timedelta", "datetime.datetime", "collections.deque",
    "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar",
    "numpy.dtype", "numpy.ndarray", "numpy.matrix", "numpy.matrixlib.defmatrix.matrix",
    "numpy.memmap", "numpy.core.memmap.memmap", "numpy._core.memmap.memmap", "numpy.recarray",
    "numpy.rec.recarray", "numpy.record", "numpy.ma.MaskedArray", "numpy.ma.core.MaskedArray",
    "builtins.tuple", "__builtin__.tuple", "builtins.bytes", "__builtin__.bytes",
    "__builtin__.bytearray",
    "torch.distributed.tensor.DTensor", "torch.distributed.tensor.api.DTensor",
    "torch.distributed._tensor.api.DTensor", "torch.distributed.device_mesh.DeviceMesh",
    "torch.distributed.tensor._dtensor_spec.DTensorSpec",
    "torch.distributed.tensor._dtensor_spec.TensorMeta",
    "torch.distributed.tensor._dtensor_spec.ShardOrderEntry",
    "torch.distributed._tensor.placement_types.DTensorSpec",
    "torch.distributed._tensor.placement_types.TensorMeta",
    "torch.distributed._tensor.placement_types.Shard",
    "torch.distributed._tensor.placement_types.Replicate",
    "torch.distributed.tensor.placement_types.Shard",
    "torch.distributed.tensor.placement_types.Replicate",
    "torch.distributed.tensor.placement_types.Partial",
    "torch.distributed._mesh_layout._MeshLayout", "torch.distributed._mesh_layout._FlatLayout",
    "copyreg._reconstructor", "copy_reg._reconstructor", "builtins.object",
    "__builtin__.object",
    "torch.distributed.checkpoint.metadata.Metadata",
    "torch.distributed.checkpoint.metadata.TensorStorageMetadata",
    "torch.distributed.checkpoint.metadata.BytesStorageMetadata",
    "torch.distributed.checkpoint.metadata.TensorProperties",
    "torch.distributed.checkpoint.metadata.ChunkStorageMetadata",
    "torch.distributed.checkpoint.metadata.MetadataIndex",
    "torch.distributed.checkpoint.metadata.StorageMeta",
    "torch.distributed.checkpoint.metadata._MEM_FORMAT_ENCODING",
    "torch.distributed.checkpoint.filesystem._StorageInfo",
    "torch.distributed.checkpoint.planner.SavePlan",
  ]

  /// Whether the reader expects this name in checkpoints; says nothing about what calling it would do.
  static func isRecognized(_ global: Pickle.Global) -> Bool {
    let name = global.fullName
    return values.contains(name) || mappings.contains(name) || tensorMakers.contains(name)
      || unreadTensorMakers.contains(name) || storage(global) != nil || dtype(global) != nil
      || isTensorClass(global) || PickledArray.isMaker(global) || isNumPyClass(global)
  }

  /// Whether it is a class of NumPy's random states, or an element type of ml_dtypes.
  private static func isNumPyClass(_ global: Pickle.Global) -> Bool {
    if global.module == "ml_dtypes" {
      return dtypes[global.name] != nil
    }
    return isRandomState(global)
  }

  /// Whether it makes a random generator of NumPy, whose arrays are its state and no tensors.
  static func isRandomState(_ global: Pickle.Global) -> Bool {
    if global.module == "numpy.random._pickle" || global.module == "numpy.random" {
      return ["__randomstate_ctor", "__generator_ctor", "__bit_generator_ctor"].contains(
        global.name)
    }
    if global.name.hasPrefix("__pyx_unpickle_"), global.module.hasPrefix("numpy.random.") {
      return true
    }
    return [
      "numpy.random._mt19937.MT19937", "numpy.random._pcg64.PCG64",
      "numpy.random._pcg64.PCG64DXSM", "numpy.random._philox.Philox",
      "numpy.random._sfc64.SFC64", "numpy.random.bit_generator.SeedSequence",
      "numpy.random.mtrand.RandomState",
    ].contains(global.fullName)
  }

  /// Whether it is a class of PyTorch's own modules, which label a tree and are not called.
  static func isModuleClass(_ global: Pickle.Global) -> Bool {
    guard global.name.first?.isUppercase == true, !global.name.contains(".") else {
      return ["torch.fx.graph_module.reduce_graph_module"].contains(global.fullName)
    }
    return ["torch.nn.", "torch.ao.nn.", "__torch__."].contains { global.module.hasPrefix($0) }
      || global.module == "__torch__" || global.fullName == "torch.ScriptObject"
  }

  /// Whether it is one of the former tensor classes per element type, such as `FloatTensor`.
  private static func isTensorClass(_ global: Pickle.Global) -> Bool {
    ["torch", "torch.cuda"].contains(global.module) && global.name.hasSuffix("Tensor")
      && storages[global.name.dropLast("Tensor".count) + "Storage"] != nil
  }

  /// The element type of a storage class; `nil` if it is not one.
  static func storage(_ global: Pickle.Global) -> StorageType? {
    switch global.module {
    case "torch", "torch.cuda": storages[global.name]
    case "torch.storage": global.name == "UntypedStorage" ? .untyped : nil
    default: nil
    }
  }

  /// The elements of a storage: numbers of a dtype, or bytes.
  enum StorageType: Hashable {
    case typed(DType)
    case untyped

    var byteWidth: Int { if case .typed(let dtype) = self { dtype.byteWidth } else { 1 } }
  }

  /// The storage classes that are written; all types without one have untyped storages.
  private static let plainStorages: [String: DType] = [
    "DoubleStorage": .float64, "FloatStorage": .float32, "HalfStorage": .float16,
    "BFloat16Storage": .bfloat16, "LongStorage": .int64, "IntStorage": .int32,
    "ShortStorage": .int16, "CharStorage": .int8, "ByteStorage": .uint8, "BoolStorage": .bool,
    "ComplexFloatStorage": .complex64, "ComplexDoubleStorage": .complex128,
  ]

  private static let storages: [String: StorageType] = plainStorages.mapValues { .typed($0) }
    .merging([
      "QInt8Storage": .typed(.int8), "QUInt8Storage": .typed(.uint8),
      "QInt32Storage": .typed(.int32), "UntypedStorage": .untyped,
    ]) { first, _ in first }

  /// The storage class of a dtype; newer dtypes have none.
  static func storageName(_ dtype: DType) -> String? {
    plainStorages.first { $0.value == dtype }?.key
  }

  /// Whether PyTorch has tensors of a dtype.
  static func canWrite(_ dtype: DType) -> Bool { dtypes[dtype.torchName] != nil }

  /// The dtype with this name in PyTorch, such as `torch.float8_e4m3fn`.
  static func dtype(_ global: Pickle.Global) -> DType? {
    global.module == "torch" ? dtypes[global.name] : nil
  }

  private static let dtypes: [String: DType] = {
    var dtypes: [String: DType] = [:]
    for dtype in DType.allCases {
      if let name = dtype.element.torchName { dtypes[name] = dtype }
    }
    return dtypes
  }()
}
