import CheckpointFormats
import FoundationEssentials
import TensorCore
import TestSupport
import Testing

@Suite struct PickleScanTests {
  private typealias P = PickleSample
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func scan(_ name: String) throws -> PickleScan {
    try PickleScan(Fixtures.path("pytorch/" + name))
  }

  @Test func `an unrecognized name is listed with its tensors`() throws {
    let scan = try scan("custom.pt")
    #expect(scan.pickles == ["custom/data.pkl"])
    let unknown = scan.findings.filter { !$0.isRecognized }
    #expect(unknown.map(\.fullName) == ["__main__.Custom"])
    #expect(unknown[0].tensors == ["custom.inside"])
    let bytes = try Fixtures.bytes("pytorch/custom.pt")
    let place = try #require(unknown[0].fileOffset)
    #expect(bytes[place...].starts(with: "c__main__\nCustom\n".utf8))
    #expect(scan.findings.filter(\.isRecognized).flatMap(\.tensors) == [])
  }

  @Test func `a whole module depends on its classes`() throws {
    let scan = try scan("module.pt")
    let root = try #require(scan.findings.first { $0.fullName == "__main__.Net" })
    #expect(!root.isRecognized && root.tensors.count == 14)
    let norm = try #require(scan.findings.first { $0.name == "BatchNorm1d" })
    #expect(!norm.isRecognized && norm.tensors.count == 5)
    #expect(norm.tensors.filter { !$0.text.hasPrefix("first.norm") } == [])
  }

  @Test(arguments: [
    ("protocol2.pt", 1), ("protocol5.pt", 1), ("legacy.pt", 5), ("old.tar.pt", 7),
    ("deflated.pt", 1), ("script.pt", 2), ("distributed", 11),
  ])
  func `files of every kind are scanned`(name: String, pickles: Int) throws {
    let scan = try scan(name)
    #expect(scan.pickles.count == pickles, "\(scan.pickles)")
    #expect(!scan.findings.isEmpty)
    if name != "script.pt" {
      #expect(scan.findings.filter { !$0.isRecognized }.map(\.fullName) == [])
    }
  }

  @Test func `a pickle alone and what follows it are scanned`() throws {
    let call = Array("cos\nsystem\n(S'true'\ntR.".utf8)
    let path = try folder.write(call + call + [1, 2, 3], to: "a.pkl")
    let scan = try PickleScan(path)
    #expect(scan.findings.map(\.fullName) == ["os.system", "os.system"])
    #expect(scan.findings.map(\.fileOffset) == [0, call.count])
    #expect(scan.notes == ["3 bytes after pickle 2 are not a pickle"])
  }

  @Test func `a name is recognized only in its exact spelling`() throws {
    let names = [
      ("torch._utils", "_rebuild_tensor_v2", true), ("torch", "_utils._rebuild_tensor_v2", false),
      ("torch._Utils", "_rebuild_tensor_v2", false), ("torch", "FloatStorage", true),
      ("torch.jit", "load", false), ("builtins", "eval", false), ("torch", "float33", false),
    ]
    for (module, name, isRecognized) in names {
      let pickle: [UInt8] =
        [0x80, 4] + P.text(module) + P.text(name) + [0x93, 0x30] + P.emptyDictionary + P.stop
      let scan = try PickleScan(folder.write(pickle, to: "a.pkl"))
      #expect(scan.findings.map(\.isRecognized) == [isRecognized], "\(module) \(name)")
    }
  }

  @Test func `what hides in other members is found`() throws {
    let hidden = P.proto + P.global("os", "system") + P.stop
    let path = try P.archive(
      P.dictionary(("w", P.tensor())),
      more: [("x/extra/notes.txt", hidden), ("x/more.pkl", hidden)],
      in: folder)
    let unknown = try PickleScan(path).findings.filter { !$0.isRecognized }
    #expect(unknown.map(\.pickle) == ["x/extra/notes.txt", "x/more.pkl"])
  }

  // MARK: - Dangerous names

  private static let call = Array("cos\nsystem\n(S'true'\ntR.".utf8)

  @Test(arguments: [
    ("os", "system"), ("posix", "system"), ("nt", "system"), ("subprocess", "Popen"),
    ("builtins", "eval"), ("builtins", "exec"), ("builtins", "getattr"), ("builtins", "__import__"),
    ("__builtin__", "eval"), ("operator", "attrgetter"), ("_operator", "methodcaller"),
    ("functools", "partial"), ("importlib", "import_module"), ("runpy", "_run_code"),
    ("pty", "spawn"), ("socket", "create_connection"), ("shutil", "rmtree"),
    ("webbrowser", "open"), ("numpy.testing._private.utils", "runstring"), ("torch", "load"),
    ("torch.hub", "load"), ("torch.jit", "load"), ("pip._internal", "main"),
    ("timeit", "timeit"), ("code", "InteractiveInterpreter"), ("codeop", "compile_command"),
    ("cProfile", "run"), ("pydoc", "pipepager"), ("idlelib.pyshell", "ModifiedInterpreter.runcode"),
    ("doctest", "debug_script"), ("asyncio.unix_events", "_UnixSubprocessTransport._start"),
    ("bdb", "Bdb.run"), ("logging.config", "listen"), ("ctypes", "CDLL"),
    ("types", "FunctionType"), ("marshal", "loads"), ("torch.serialization", "os.system"),
    ("contextlib", "ExitStack"), ("pandas.io.clipboard", "paste"), ("pandas", "read_csv"),
    ("keras.src.saving.keras_saveable", "KerasSaveable._unpickle_model"),
    ("torch.jit.unsupported_tensor_ops", "execWrapper"),
    ("torch.fx.graph_module", "reduce_graph_module"), ("numpy", "memmap"), ("torch", "save"),
    ("_xxsubinterpreters", "run_string"), ("mailcap", "findmatch"), ("sympy", "sympify"),
    ("sympy.parsing.sympy_parser", "parse_expr"), ("psutil", "Popen"), ("torch", "from_file"),
    ("gzip", "GzipFile"), ("joblib.numpy_pickle", "dump"), ("h5py", "File"), ("six", "exec_"),
    ("hydra.utils", "instantiate"), ("torch.utils.benchmark", "Timer"), ("_frozen_importlib", "x"),
    ("tensorflow.saved_model", "load"), ("scipy.io", "savemat"), ("fsspec", "open"),
    ("keras.models", "load_model"), ("keras.src.layers.core.lambda_layer", "Lambda"),
  ])
  func `a name that is known to run code is dangerous`(module: String, name: String) throws {
    let pickle = P.global(module, name) + P.emptyTuple + P.reduce + P.stop
    let finding = try #require(try PickleScan(folder.write(pickle, to: "a.pkl")).findings.first)
    #expect(finding.danger != nil && !finding.isRecognized)
  }

  @Test(arguments: [
    "custom.pt", "module.pt", "protocol2.pt", "legacy.pt", "old.tar.pt", "script.pt",
  ])
  func `what torch writes is not dangerous`(name: String) throws {
    #expect(try scan(name).findings.filter { $0.danger != nil }.map(\.fullName) == [])
  }

  @Test(arguments: [
    ("inspect", "_empty"), ("contextlib", "nullcontext"), ("test", "Net"), ("code", "Net"),
    ("torch._dynamo.eval_frame", "OptimizedModule"), ("contextlib", "suppress"),
    ("keras.src.callbacks.history", "History"), ("keras.src.layers.core.dense", "Dense"),
    ("keras.src.optimizers.adam", "Adam"), ("pandas.io.formats.style", "Styler"),
  ])
  func `a name of data or of a user's own module is not dangerous`(
    module: String, name: String
  ) throws {
    let pickle = P.global(module, name) + P.emptyTuple + P.reduce + P.stop
    let finding = try #require(try PickleScan(folder.write(pickle, to: "a.pkl")).findings.first)
    #expect(finding.danger == nil && !finding.isRecognized)
  }

  @Test(arguments: ["__setstate__", "__reduce_ex__"])
  func `a compiler that becomes a method which Python calls is dangerous`(key: String) throws {
    // collections.UserDict() with the compiler as an attribute, and then with another state.
    let compiler = P.global("torch._dynamo.backends.debugging", "eager")
    let object = P.global("collections", "UserDict") + P.emptyTuple + P.reduce
    let inDictionary = P.emptyDictionary + P.text(key) + compiler + [0x73]
    let inPairs =
      P.global("collections", "OrderedDict") + [0x5d] + P.text(key) + compiler + [0x86, 0x61, 0x85]
      + P.reduce
    for state in [inDictionary, inPairs] {
      let pickle = [0x80, 4] + object + state + [0x62] + P.text("state") + [0x62] + P.stop
      let findings = try PickleScan(folder.write(pickle, to: "a.pkl")).findings
      let finding = try #require(findings.first { $0.name == "eager" })
      #expect(finding.danger != nil)
    }
    let plain =
      [0x80, 4] + object + P.emptyDictionary + P.text("backend") + compiler + [0x73, 0x62]
    let findings = try PickleScan(folder.write(plain + P.stop, to: "a.pkl")).findings
    #expect(findings.first { $0.name == "eager" }?.danger == nil)
  }

  @Test func `a harmless name does not cover what is reached through it`() throws {
    let pickle = [0x80, 4] + P.text("ast") + P.text("literal_eval.__globals__") + [0x93] + P.stop
    #expect(try PickleScan(folder.write(pickle, to: "a.pkl")).findings.first?.danger != nil)
  }

  @Test(arguments: [
    ("torch.nn.modules.normalization", "LayerNorm", 0), ("os", "system", 2),
    ("functools", "partial", 1),
  ])
  func `a partial function is as dangerous as what it calls`(
    module: String, name: String, dangerous: Int
  ) throws {
    let partial = P.global("functools", "partial") + P.tuple(P.global(module, name)) + P.reduce
    let scan = try PickleScan(folder.write(partial + P.stop, to: "a.pkl"))
    #expect(scan.findings.count { $0.danger != nil } == dangerous)
  }

  private static let tanh =
    P.global("builtins", "getattr")
    + P.tuple(P.global("torch._C", "_VariableFunctionsClass"), P.text("tanh")) + P.reduce
  private static let net = P.global("nets", "Net") + P.emptyTuple + [0x81]

  static let plain: [(String, [UInt8])] = [
    ("a function of torch", tanh), ("a class of array", P.global("numpy", "memmap")),
    (
      "a method of an object",
      P.global("builtins", "getattr") + P.tuple(net, P.text("hook")) + P.reduce
    ),
    (
      "a partial function of torch", P.global("functools", "partial") + P.tuple(tanh) + P.reduce
    ),
    ("an item", P.global("operator", "itemgetter") + P.tuple(P.int(1)) + P.reduce),
    ("a status", P.global("http", "HTTPStatus") + P.tuple(P.int(200)) + P.reduce),
  ]

  @Test(arguments: plain)
  func `a function that is only kept is not dangerous`(name: String, value: [UInt8]) throws {
    let scan = try PickleScan(folder.write(P.proto + value + P.stop, to: "a.pkl"))
    #expect(scan.findings.filter { $0.danger != nil }.map(\.fullName) == [], "\(name)")
  }

  private static func attribute(_ owner: [UInt8], _ name: String) -> [UInt8] {
    P.global("builtins", "getattr") + P.tuple(owner, P.text(name)) + P.reduce
  }

  static let reached: [(String, [UInt8])] = [
    ("called", tanh + P.tuple(P.int(1)) + P.reduce),
    ("of a module", attribute(P.global("torch.serialization", "os"), "system")),
    ("of a dangerous class", attribute(P.global("subprocess", "Popen"), "communicate")),
    ("special", attribute(net, "__init__")),
    ("of a function", attribute(P.global("torch", "tanh"), "name")),
    (
      "called through partial",
      P.global("functools", "partial")
        + P.tuple(attribute(P.global("pathlib", "PosixPath"), "write_bytes")) + P.reduce
        + P.emptyTuple + P.reduce
    ),
    (
      "an item of a call",
      P.global("operator", "itemgetter") + P.tuple(P.int(1)) + P.reduce + P.tuple(net) + P.reduce
    ),
    ("kept itself", P.tuple(tanh, P.global("builtins", "getattr"))),
  ]

  @Test(arguments: reached)
  func `an attribute that may be anything is dangerous`(name: String, value: [UInt8]) throws {
    let scan = try PickleScan(folder.write(P.proto + value + P.stop, to: "a.pkl"))
    #expect(scan.findings.contains { $0.danger != nil }, "\(name)")
  }

  @Test(arguments: ["frame.pkl", "pipeline.joblib", "history.pkl"])
  func `what pandas, scikit-learn, and Keras write is not dangerous`(name: String) throws {
    let scan = try PickleScan(Fixtures.path("pickles/\(name)"))
    #expect(!scan.findings.isEmpty && scan.unread.isEmpty)
    #expect(scan.findings.filter { $0.danger != nil }.map(\.fullName) == [])
  }

  @Test func `a compiled module is not dangerous, a call of a compiler is`() throws {
    let scan = try PickleScan(Fixtures.path("pytorch/compiled.pt"))
    #expect(scan.findings.contains { $0.fullName == "torch._dynamo.backends.debugging.eager" })
    #expect(scan.findings.filter { $0.danger != nil }.map(\.fullName) == [])
    let folder = try TemporaryFolder()
    for (text, isDangerous) in [
      ("ctorch._dynamo.backends.debugging\neager\n.", false),
      ("ctorch._dynamo.backends.debugging\ntorch.os.system\n.", true),
      ("ctorch._dynamo.backends.debugging\neager\n(tR.", true),
      ("ctorch._dynamo.hooks\nHooks\n(tR.", false),
      ("ctorch._dynamo.convert_frame\nConvertFrame\n(tR(tR.", true),
      ("ctorch._dynamo.convert_frame\ncompile_frame\n(tR.", true),
    ] {
      let scan = try PickleScan(folder.write(Array(text.utf8), to: "a.pkl"))
      #expect(scan.findings.contains { $0.danger != nil } == isDangerous, "\(text)")
    }
  }

  // MARK: - joblib

  @Test func `a pickle of joblib is scanned to its end`() throws {
    let path = Fixtures.path("pickles/arrays.joblib")
    let scan = try PickleScan(path)
    #expect(scan.unread.isEmpty && scan.findings.allSatisfy { $0.danger == nil })
    #expect(scan.findings.last?.fullName == "numpy._core.multiarray._reconstruct")
    let called = try Fixtures.bytes("pickles/arrays.joblib").dropLast() + Self.call
    let end = try PickleScan(folder.write(Array(called), to: "called.joblib"))
    #expect(end.findings.contains { $0.fullName == "os.system" && $0.danger != nil })
  }

  @Test func `what joblib takes for an array hides nothing from other readers`() throws {
    let type = P.global("numpy", "dtype") + P.tuple(P.text("u1")) + P.reduce
    let state =
      P.emptyDictionary + P.text("shape") + P.tuple(P.int(Self.call.count)) + [0x73]
      + P.text("dtype") + type + [0x73]
    let array =
      P.global("joblib.numpy_pickle", "NumpyArrayWrapper") + P.emptyTuple + [0x81] + state + [0x62]
    let scan = try PickleScan(folder.write(P.proto + array + Self.call + P.stop, to: "a.pkl"))
    #expect(scan.findings.contains { $0.fullName == "os.system" && $0.danger != nil })
  }

  // MARK: - Work

  @Test func `the number of pickles that are searched is bounded`() throws {
    let tiny = P.proto + P.none + P.stop
    let bytes = [[UInt8]](repeating: tiny, count: 400_000).joined()
    let scan = try PickleScan(folder.write(Array(bytes), to: "a.pkl"))
    #expect(scan.pickles.count < 200_000)
    #expect(scan.unread.count == 1 && scan.unread[0].hasPrefix("the rest: more than "))
  }

  @Test func `a file that holds no pickle is called what it is`() throws {
    let error = #expect(throws: CheckpointError.self) {
      try PickleScan(folder.write([0x89, 0x50, 0x4e, 0x47, 1, 2], to: "a.pkl"))
    }
    #expect(error?.message == "is a PNG image, not a checkpoint")
  }

  @Test func `what is called with what is reported`() throws {
    let scan = try PickleScan(folder.write(Self.call, to: "a.pkl"))
    #expect(scan.findings[0].calls == ["os.system('true')"])
  }

  private static func joined(_ parts: [UInt8]...) -> [UInt8] { Array(parts.joined()) }

  static let hidden: [(String, [UInt8])] = [
    ("inst", Array("(S'true'\nios\nsystem\n.".utf8)),
    (
      "popped",
      joined(
        P.proto, P.mark, P.global("os", "system"), P.text("true"), [0x6f, 0x30], P.none, P.stop)
    ),
    ("cut", Array(call.dropLast())),
    ("broken", joined(Array(call.dropLast()), [0xff])),
    (
      "loads",
      joined(
        P.global("pickle", "loads"), [0x28, 0x43, UInt8(call.count)], call, [0x74], P.reduce,
        P.stop)
    ),
    ("bytes", joined(P.proto, [0x43, UInt8(call.count + 2)], P.proto, call, P.stop)),
    ("second", joined(P.proto, P.none, P.stop, call)),
    (
      "memo",
      joined(
        [0x80, 4], P.text("os"), [0x94, 0x30], P.text("system"),
        [0x94, 0x30, 0x68, 0, 0x68, 1, 0x93], P.emptyTuple, P.reduce, P.stop)
    ),
  ]

  @Test(arguments: hidden)
  func `a call is found wherever it hides`(name: String, pickle: [UInt8]) throws {
    let scan = try PickleScan(folder.write(pickle, to: "a.pkl"))
    #expect(scan.findings.contains { $0.fullName == "os.system" && $0.danger != nil })
    #expect(scan.unread.isEmpty != ["cut", "broken"].contains(name))
  }

  @Test func `an archive that other readers read differently is searched all the same`() throws {
    let path = try P.archive(
      P.dictionary(("w", P.tensor())), more: [("x/notes.txt", P.proto + Self.call)], in: folder)
    var bytes = try folder.bytes(of: String(path.split(separator: "/").last ?? ""))
    // The flag of encryption, in the first local header only.
    bytes[6] |= 1
    let scan = try PickleScan(folder.write(bytes, to: "flag.zip"))
    #expect(scan.findings.contains { $0.danger != nil })
    #expect(!scan.unread.isEmpty)
  }

  @Test(arguments: [
    "safetensors/shapes.safetensors", "gguf/values.gguf", "native/stock.ckz", "hdf5/flat.h5",
    "onnx/raw.onnx", "flax/model.msgpack", "numpy/lone.npy",
  ])
  func `a checkpoint of a format without pickles holds none`(file: String) throws {
    let scan = try PickleScan(Fixtures.path(file))
    #expect(scan.pickles.isEmpty && scan.unread.isEmpty && scan.notes == ["contains no pickle"])
  }

  @Test func `a pickle in a folder is named by its file`() throws {
    try folder.write(Self.call, to: "a.pkl")
    #expect(try PickleScan(folder.path).pickles == ["a.pkl/pickle"])
  }

  @Test func `folders inside a folder are searched`() throws {
    try folder.write(Array("{}".utf8), to: "model_index.json")
    try FileManager.default.createDirectory(
      atPath: folder.file("vae"), withIntermediateDirectories: false)
    try folder.write(Self.call, to: "vae/diffusion_pytorch_model.bin")
    let scan = try PickleScan(folder.path)
    #expect(scan.pickles == ["vae/diffusion_pytorch_model.bin/pickle"])
    #expect(scan.findings.contains { $0.danger != nil })
  }

  @Test func `a file that is not a pickle is an error`() throws {
    #expect(throws: CheckpointError.self) { try PickleScan(folder.write([], to: "none")) }
    #expect(throws: CheckpointError.self) {
      try PickleScan(folder.write(Array("plain text".utf8), to: "text"))
    }
    let page = #expect(throws: CheckpointError.self) {
      try PickleScan(folder.write(Array("<!DOCTYPE html><html>".utf8), to: "page.pt"))
    }
    #expect(page?.message.hasPrefix("is an HTML page") == true)
    try folder.remove("page.pt")
    #expect(throws: CheckpointError.self) { try PickleScan(folder.path) }
  }
}
