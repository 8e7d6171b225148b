/// Classes and functions by which a pickle can run code, reach files or the network, or hide what it does.
///
/// One line each: names with their modules, where `*` stands for everything in a module, and the reason.
/// What is not here is not thereby harmless.
enum DangerousNames {
  // swift-format-ignore
  private static let list: [(names: String, reason: String)] = [
    ("os.* posix.* nt.* posixpath.* ntpath.* commands.* popen2.* _posixsubprocess.*", "reaches the operating system (commands, files, processes)"),
    ("subprocess.* pty.* _aix_support.* _osx_support.* platform.popen platform._syscmd_file platform._syscmd_ver uuid._get_command_stdout uuid._popen psutil.Popen mailcap.* pexpect.* fabric.* invoke.* plumbum.* sh.* _winapi.* win32api.* win32com.* win32process.* winreg.* _winreg.* msvcrt.*", "runs commands"),
    ("asyncio.* multiprocessing.* concurrent.* ray.* dask.* distributed.* threading.* _thread.* signal.* sched.* atexit.*", "starts processes or threads, or runs functions later"),
    ("builtins.eval builtins.exec builtins.compile builtins.execfile builtins.apply __builtin__.eval __builtin__.exec __builtin__.compile __builtin__.execfile __builtin__.apply six.exec_ six.moves.* past.builtins.* past.builtins.misc.* future.utils.exec_ sympy.sympify sympy.core.sympify.* sympy.parsing.* sympy.S numexpr.* fire.* jinja2.* mako.* IPython.* ipykernel.* _xxsubinterpreters.* _interpreters.* _xxinterpreters.* _testcapi.* _testinternalcapi.* rlcompleter.* modulefinder.*", "runs Python code"),
    ("builtins.getattr builtins.setattr builtins.delattr builtins.vars builtins.globals builtins.locals builtins.dir builtins.hasattr __builtin__.getattr __builtin__.setattr __builtin__.delattr __builtin__.vars __builtin__.globals __builtin__.locals", "reaches any attribute, and so any function"),
    ("builtins.__import__ __builtin__.__import__ builtins.reload __builtin__.reload importlib.* _frozen_importlib.* _frozen_importlib_external.* imp.* _imp.* hydra.* pkgutil.* zipimport.* runpy.* site.* ensurepip.* venv.* pip.* _pip.* pip._internal.*", "imports or installs code"),
    ("builtins.open __builtin__.open __builtin__.file builtins.file io.open io.FileIO io.open_code _io.open _io.FileIO _io.open_code codecs.open _pyio.open _pyio.FileIO _pyio.open_code wave.open wave.Wave_write sunau.open aifc.open mailbox.* fsspec.* h5py.File h5py._hl.files.File netCDF4.Dataset tempfile.* pathlib.Path.write_text pathlib.Path.write_bytes fileinput.* linecache.* glob.*", "opens files"),
    ("builtins.breakpoint builtins.input builtins.help builtins.map builtins.filter builtins.memoryview builtins.type builtins.super __builtin__.input __builtin__.raw_input __builtin__.map __builtin__.filter", "calls functions, or makes classes"),
    ("builtins.exit builtins.quit __builtin__.exit __builtin__.quit", "ends the program"),
    ("functools.partial functools.partialmethod functools.reduce functools.singledispatch itertools.starmap itertools.accumulate", "calls a function that its arguments name"),
    ("operator.attrgetter operator.itemgetter operator.methodcaller operator.call _operator.attrgetter _operator.itemgetter _operator.methodcaller _operator.call", "reaches attributes or calls methods by name"),
    ("sys.* inspect.* gc.* ctypes.* _ctypes.* cffi.* _cffi_backend.* mmap.*", "reaches the interpreter or its memory"),
    ("types.FunctionType types.CodeType types.LambdaType types.MethodType types.ModuleType types.new_class types.DynamicClassAttribute new.function new.code", "makes functions of bytes"),
    ("marshal.* code.InteractiveInterpreter code.InteractiveConsole code.interact code.compile_command codeop.* compileall.* py_compile.* ast.* symtable.* dis.*", "makes or runs code"),
    ("pickle.* _pickle.* cPickle.* pickletools.* copyreg.add_extension copyreg.pickle copy_reg.add_extension dill.* cloudpickle.* jsonpickle.* shelve.* dbm.* joblib.load joblib.numpy_pickle.load joblib.externals.cloudpickle.* joblib.externals.loky.* sklearn.externals.* klepto.* srsly.* mlflow.* paddle.load paddle.hub.* paddle.jit.load paddle.framework.io.* pandas.read_pickle pandas.io.pickle.read_pickle", "loads another pickle"),
    ("torch.load torch.serialization.load torch.hub.* torch.jit.load torch.jit.script torch.jit.CompilationUnit torch.jit._serialization.load torch.save torch.serialization.save torch.from_file torch._C._VariableFunctions.from_file torch._C._VariableFunctionsClass.from_file torch.UntypedStorage.from_file torch.storage.UntypedStorage.from_file torch.export.load torch.export.save torch.compile torch.jit.unsupported_tensor_ops.* torch._C._import_ir_module torch._C._import_ir_module_from_buffer torch.jit.save torch.ops.load_library torch.classes.load_library torch.package.*", "loads code or another file"),
    ("torch.utils.cpp_extension.* torch.utils.collect_env.* torch.utils.bottleneck.* torch.utils.model_dump.* torch.utils.data.datapipes.utils.decoder.* torch.utils._config_module.* torch._inductor.* torch._dynamo.* torch.fx.experimental.symbolic_shapes.* torch.fx.graph_module._forward_from_src torch.fx.graph_module._exec_with_source torch.distributed.rpc.* torch.distributed.elastic.* torch.distributed.run.* torch.distributed.launch.* torch.distributed.launcher.* torch.utils.benchmark.* torch.testing._internal.* torch.multiprocessing.*", "runs code or commands"),
    ("numpy.testing.* numpy.f2py.* numpy.distutils.* numpy.load numpy.lib.npyio.load numpy.lib._npyio_impl.load numpy.save numpy.savetxt numpy.fromfile numpy.genfromtxt numpy.loadtxt numpy.lib.npyio.* numpy.lib._npyio_impl.* numpy.lib._datasource.* numpy.lib.format.open_memmap numpy.core.records.fromfile numpy.memmap.__new__ numpy.ctypeslib.load_library numpy.lib.utils.* numpy.compat.*", "runs code, or reads and writes files"),
    ("timeit.* cProfile.* profile.* trace.* bdb.* pdb.* doctest.* unittest.* pytest.* _pytest.* test.support.* test.libregrtest.* pydoc.* cgitb.* idlelib.* lib2to3.* _pyrepl.* tkinter.* turtle.* turtledemo.* antigravity.* this.*", "runs code that its arguments name"),
    ("distutils.* setuptools.* pkg_resources.* Cython.* pyximport.* numba.*", "builds or runs code"),
    ("socket.* _socket.* ssl.* urllib.* urllib2.* http.* httplib.* requests.* aiohttp.* httpx.* ftplib.* smtplib.* poplib.* imaplib.* telnetlib.* nntplib.* xmlrpc.* socketserver.* wsgiref.* paramiko.* webbrowser.* websockets.* dns.*", "reaches the network"),
    ("shutil.* sqlite3.* zipfile.* tarfile.* gzip.open gzip.GzipFile bz2.open bz2.BZ2File _bz2.* lzma.open lzma.LZMAFile scipy.io.* joblib.dump joblib.numpy_pickle.dump safetensors.numpy.save_file safetensors.torch.save_file safetensors.tensorflow.save_file safetensors.flax.save_file safetensors.numpy.load_file safetensors.torch.load_file safetensors.safe_open pathlib.Path.unlink", "reads, writes, or removes files"),
    ("logging.config.* logging.FileHandler logging.handlers.* configparser.* yaml.* ruamel.*", "loads a configuration that can name functions, or writes files"),
    ("weakref.finalize contextlib.ExitStack contextlib.AsyncExitStack contextlib.contextmanager contextlib.asynccontextmanager contextlib._GeneratorContextManager contextlib._AsyncGeneratorContextManager contextlib._GeneratorContextManagerBase contextlib._BaseExitStack contextlib.ContextDecorator contextlib.closing contextlib.aclosing contextlib.redirect_stdout contextlib.redirect_stderr contextlib.chdir string.Formatter string.Template tracemalloc.* faulthandler.* cmd.* readline.* getpass.* keyring.* crypt.* pwd.* grp.* resource.* fcntl.* termios.* select.* selectors.*", "reaches the system, or runs functions later"),
    ("pandas.eval pandas.core.computation.* sklearn.utils._testing.* nltk.* transformers.pipeline transformers.pipelines.* datasets.load_dataset datasets.load.* transformers.dynamic_module_utils.*", "loads or runs code"),
    ("pandas.io.api.* pandas.io.clipboard.* pandas.io.clipboards.* pandas.io.common.* pandas.io.excel.* pandas.io.feather_format.* pandas.io.gbq.* pandas.io.html.* pandas.io.iceberg.* pandas.io.json.* pandas.io.orc.* pandas.io.parquet.* pandas.io.parsers.* pandas.io.pickle.* pandas.io.pytables.* pandas.io.sas.* pandas.io.spss.* pandas.io.sql.* pandas.io.stata.* pandas.io.xml.*", "reads or writes files, addresses, or the clipboard"),
    ("pandas.read_csv pandas.read_table pandas.read_fwf pandas.read_json pandas.read_html pandas.read_xml pandas.read_excel pandas.read_hdf pandas.read_parquet pandas.read_feather pandas.read_orc pandas.read_sas pandas.read_spss pandas.read_sql pandas.read_sql_table pandas.read_sql_query pandas.read_gbq pandas.read_stata pandas.read_clipboard pandas.ExcelFile pandas.ExcelWriter pandas.HDFStore pandas.to_pickle", "reads or writes files, addresses, or the clipboard"),
    ("huggingface_hub.* tensorflow.io.* tensorflow.python.lib.io.* tensorflow.python.framework.load_library.* tensorflow.load_library tensorflow.load_op_library tensorflow.compat.v1.load_op_library tensorflow.compat.v1.load_library tensorflow.saved_model.* tensorflow.python.saved_model.load.* tensorflow.py_function tensorflow.numpy_function tensorflow.python.ops.script_ops.*", "reads or writes files, or loads libraries"),
    ("keras.models.load_model keras.models.model_from_json keras.models.model_from_config keras.saving.* keras.src.saving.* keras.src.legacy.saving.* keras.src.models.model.model_from_json keras.src.export.* keras.saving_lib.* keras.engine.saving.* tf_keras.models.load_model tf_keras.src.saving.* tensorflow.keras.models.load_model tensorflow.python.keras.saving.*", "loads models, whose Lambda layers hold code"),
    ("keras.layers.Lambda keras.layers.core.lambda_layer.* keras.src.layers.core.lambda_layer.* keras.utils.get_file keras.utils.data_utils.* keras.src.utils.file_utils.* keras.utils.python_utils.* keras.src.utils.python_utils.* keras.utils.generic_utils.func_load keras.src.utils.jax_layer.* keras.src.utils.torch_utils.* tf_keras.layers.Lambda tensorflow.keras.layers.Lambda tensorflow.keras.utils.get_file", "runs code that it is given, or downloads files"),
  ]

  /// Names that are dangerous only where the pickle calls them: files also hold them as classes of arrays,
  /// and whole graphs are pickled as calls of the last one.
  // swift-format-ignore
  static let called: [String: String] = [
    "numpy.memmap": "opens files", "numpy.core.memmap.memmap": "opens files", "numpy._core.memmap.memmap": "opens files",
    "torch.fx.graph_module.reduce_graph_module": "runs the Python code that the pickle holds",
    "torch.fx.graph_module.reduce_deploy_graph_module": "runs the Python code that the pickle holds",
    "torch.fx.graph_module.reduce_package_graph_module": "runs the Python code that the pickle holds",
  ]

  /// Names without `*`, and modules with it.
  private static let (names, modules): ([String: String], [String: String]) = {
    var names: [String: String] = [:]
    var modules: [String: String] = [:]
    for (line, reason) in list {
      for name in line.split(separator: " ") {
        if name.hasSuffix(".*") {
          modules[String(name.dropLast(2))] = reason
        } else {
          names[String(name)] = reason
        }
      }
    }
    return (names, modules)
  }()

  /// Names in those modules that only make data; whole modules and graphs of PyTorch hold some of them.
  private static let harmless: Set<String> = [
    "ast.literal_eval", "os.PathLike", "sys.intern", "contextlib.nullcontext", "inspect._empty",
    "inspect.Parameter", "inspect._ParameterKind", "inspect.Signature",
    "http.HTTPStatus", "http.HTTPMethod",
    "torch.multiprocessing.reductions.rebuild_storage_empty",
  ]

  /// Classes in those modules that only keep what they are given, as compiled modules hold them
  /// (`torch.compile`); dangerous only where the pickle also calls what they make.
  // swift-format-ignore
  static let keepers: Set<String> = [
    "torch._dynamo.eval_frame.OptimizedModule", "torch._dynamo.eval_frame.OptimizeContext",
    "torch._dynamo.convert_frame.CatchErrorsWrapper", "torch._dynamo.convert_frame.ConvertFrame",
    "torch._dynamo.convert_frame.ConvertFrameAssert", "torch._dynamo.convert_frame.ConvertFrameBox",
    "torch._dynamo.repro.after_dynamo.WrapBackendDebug", "torch._dynamo.hooks.Hooks",
  ]
  /// The module of compilers; dangerous only where the pickle calls one.
  static let compilers = "torch._dynamo.backends."

  /// Why a name is dangerous; `nil` if it is not in the list.
  ///
  /// A name with dots is looked up as Python resolves it: attribute after attribute, through modules
  /// that other modules have imported.
  static func reason(_ module: String, _ name: String) -> String? {
    let components = (module + "." + name).split(separator: ".", omittingEmptySubsequences: false)
      .map(String.init)
    // Where a module is reached through others, what counts is the end of the path.
    let starts = name.utf8.contains(UInt8(ascii: ".")) ? Array(components.indices) : [0]
    for start in starts {
      for end in stride(from: components.count, to: start, by: -1) {
        let path = components[start..<end].joined(separator: ".")
        if end == components.count, harmless.contains(path) { break }
        if let reason = names[path] { return reason }
        if end < components.count, let reason = modules[path] { return reason }
      }
    }
    return nil
  }

  /// Functions that take a pickle or a file of PyTorch as bytes.
  static func loadsBytes(_ name: String) -> Bool {
    name.hasSuffix(".loads") || name.hasSuffix("._load_from_bytes") || name.hasSuffix("._loads")
  }
}
