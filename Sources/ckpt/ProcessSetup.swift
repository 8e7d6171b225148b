import ArgumentParser
import CLinux
import CheckpointKit
import Glibc
import Synchronization

/// What the process makes sure of before anything is opened.
enum ProcessSetup {
  /// Opens what the caller left closed of standard input, output and error, so that no file of
  /// ours becomes one of them and takes a note or a result.
  ///
  /// What is opened cannot be used: reading, or writing a result, says `Bad file descriptor`.
  static func openStandardStreams() {
    for (descriptor, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY)]
    where fcntl(descriptor, F_GETFD) == -1 {
      unsafe _ = open("/dev/null", mode)
    }
    if fcntl(STDERR_FILENO, F_GETFD) == -1 { unsafe _ = open("/dev/null", O_WRONLY) }
  }

  /// The arguments, where they are not the process's own.
  private static let given = Mutex<[String]?>(nil)

  /// Takes arguments that are not the process's own, before anything has asked for them.
  static func use(_ arguments: [String]) { given.withLock { $0 = arguments } }

  /// The arguments after the command's own name; one that is not UTF-8 as the text of a path, so that no
  /// byte of a file's name is lost.
  static let arguments: [String] = {
    if let given = given.withLock({ $0 }) { return given }
    var arguments: [String] = []
    for index in 1..<max(Int(CommandLine.argc), 1) {
      if let text = unsafe CommandLine.unsafeArgv[index] {
        unsafe arguments.append(String(pathOf: text))
      }
    }
    return arguments
  }()

  /// Lets the heaps of threads grow in large steps: in the usual ones of 4 KiB, a long list of tensors
  /// costs thousands of system calls.
  static func growMemoryInLargeSteps() { _ = mallopt(M_TOP_PAD, 4 << 20) }

  /// Allows as many open files as the system lets: a checkpoint may be hundreds of files, all of them open.
  static func allowManyFiles() {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }

  /// On an interrupt or a termination request, removes unfinished outputs before leaving with the
  /// status that a shell gives to the signal; a broken pipe is an error of the write.
  ///
  /// A handler wakes a thread through a pipe. Blocking the signals and waiting for them would not
  /// do: the dispatch library's main thread sits in `sigsuspend` with all signals open and dies.
  static func removeTemporariesOnSignals() {
    signal(SIGPIPE, SIG_IGN)
    guard wakeUp.read >= 0 else { return }
    unsafe startThread { _ in
      var signal: UInt8 = 0
      repeat {
        while unsafe read(wakeUp.read, &signal, 1) != 1 {}
        // A pager takes an interrupt for itself, and is left by its own key.
      } while Int32(signal) == SIGINT && Pager.isShowing
      RawTerminal.restore()
      ProgressBar.close(afterKey: Int32(signal) == SIGINT)
      CheckpointTarget.removeUnfinished()
      if crashSignals.contains(Int32(signal)) {
        StandardError().note("\(LibraryCrash.error)")
        _exit(2)
      }
      _exit(128 + Int32(signal))
    }
    for number in [SIGINT, SIGTERM, SIGHUP] where !isIgnored(number) {
      signal(number) { number in
        var byte = UInt8(truncatingIfNeeded: number)
        unsafe _ = write(wakeUp.write, &byte, 1)
      }
    }
  }

  /// Makes a crash of libhdf5 on a damaged file an error of the file, with one line and status 2; all
  /// other crashes stay what they are.
  ///
  /// The thread that crashed only waits: the one that ``removeTemporariesOnSignals()`` has started ends
  /// the process, within seconds even if the memory it needs is damaged.
  static func reportLibraryCrashes() {
    guard wakeUp.read >= 0, !LibraryCrash.isPossible else { return }
    for number in crashSignals {
      signal(number) { number in
        guard LibraryCrash.isPossible else {
          RawTerminal.restore()
          signal(number, SIG_DFL)
          raise(number)
          return
        }
        alarm(5)
        var byte = UInt8(truncatingIfNeeded: number)
        unsafe _ = write(wakeUp.write, &byte, 1)
        while true { pause() }
      }
    }
  }

  /// Ends the process where `/proc` is not mounted: Swift's runtime reads the arguments there, finds none,
  /// and its threads crash now and then.
  static func requireProc() {
    if unsafe access("/proc/self/cmdline", R_OK) == 0 { return }
    StandardError().note("/proc is not mounted here; 'mount -t proc proc /proc' mounts it")
    exit(2)
  }

  /// Makes sure that tasks can run.
  ///
  /// Without memory for its threads the dispatch library would wait for ever to get them. The stacks
  /// of those that are tried here are kept for the next.
  static func requireThreads() {
    let threads = (0..<4).map { _ in unsafe startThread { _ in nil } }
    for thread in threads { pthread_join(thread, nil) }
  }

  @discardableResult
  private static func startThread(
    _ body: @escaping @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?
  ) -> pthread_t {
    var thread = pthread_t()
    let failure = unsafe pthread_create(&thread, nil, body, nil)
    guard failure == 0 else {
      StandardError().note("no thread can be started: \(unsafe String(cString: strerror(failure)))")
      exit(2)
    }
    return thread
  }

  private static let ownThread = IOThreads(count: 1)

  /// Runs a command on a thread of its own: it opens files and waits for servers, which must not hold
  /// one of Swift's threads.
  static func run(_ command: any AsyncParsableCommand) async throws {
    nonisolated(unsafe) var command = command  // nobody else has this copy
    try await withTaskExecutorPreference(ownThread) { unsafe try await command.run() }
  }

  /// Whether whoever started the process wants a signal ignored, as `nohup` does.
  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    unsafe sigaction(number, nil, &action)
    let ignore = 1  // SIG_IGN
    return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == ignore
  }
}

/// The signals that end a process which has damaged its memory.
private let crashSignals = [SIGSEGV, SIGBUS, SIGFPE, SIGABRT]

/// The two ends of the pipe that reports signals; -1 if it could not be created.
private let wakeUp: (read: Int32, write: Int32) = {
  var ends: [Int32] = [-1, -1]
  return unsafe pipe(&ends) == 0 ? (ends[0], ends[1]) : (-1, -1)
}()
