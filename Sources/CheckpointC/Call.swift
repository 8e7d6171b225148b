public import CCkpt
import CheckpointCommand
import Glibc
import ParallelWork
import Synchronization

/// How an operation is run, and how it is ended.
final class Call: Sendable {
  private struct State {
    var threads: Int?
    var progress: Embedded.Progress?
    var isCancelled = false
    var running: [Int: @Sendable () -> Void] = [:]
    var count = 0
  }

  private let state = Mutex(State())

  /// The call that a pointer stands for; a new one for NULL.
  static func at(_ pointer: OpaquePointer?) -> Call {
    unsafe pointer.map {
      unsafe Unmanaged<Call>.fromOpaque(UnsafeRawPointer($0)).takeUnretainedValue()
    } ?? Call()
  }

  var threads: Int {
    get {
      state.withLock { $0.threads } ?? Threads.available
    }
    set { state.withLock { $0.threads = min(max(newValue, 1), 1024) } }
  }

  /// The option of the number of threads, unless there is one among `options` or it is the default.
  func threadOptions(_ options: [String]) -> [String] {
    guard let threads = state.withLock({ $0.threads }), !options.contains("--threads") else {
      return []
    }
    return ["--threads", "\(threads)"]
  }

  var progress: Embedded.Progress? {
    get { state.withLock { $0.progress } }
    set { state.withLock { $0.progress = newValue } }
  }

  /// Does the work on the calling thread and those that it starts.
  func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
    var number = 0
    defer { state.withLock { [number] in $0.running[number] = nil } }
    return try CallingThread.run(body) { cancel in
      let isCancelled = state.withLock { state in
        state.count += 1
        number = state.count
        state.running[number] = cancel
        return state.isCancelled
      }
      if isCancelled { cancel() }
    }
  }

  /// Throws if the call was cancelled.
  func check() throws { if state.withLock({ $0.isCancelled }) { throw CancellationError() } }

  func cancel() {
    let running = state.withLock { state in
      state.isCancelled = true
      return Array(state.running.values)
    }
    for cancel in running { cancel() }
  }
}

@c @implementation
public func ckpt_call_new() -> OpaquePointer {
  unsafe OpaquePointer(Unmanaged.passRetained(Call()).toOpaque())
}

@c @implementation
public func ckpt_call_free(_ call: OpaquePointer?) {
  guard let call = unsafe call else { return }
  ForkedProcess.run { unsafe Unmanaged<Call>.fromOpaque(UnsafeRawPointer(call)).release() }
}

@c @implementation
public func ckpt_call_set_threads(_ call: OpaquePointer, _ threads: UInt32) {
  let call = unsafe Call.at(call)
  ForkedProcess.run { call.threads = Int(threads) }
}

@c @implementation
public func ckpt_call_set_progress(
  _ call: OpaquePointer, _ progress: ckpt_progress?, _ context: UnsafeMutableRawPointer?
) {
  nonisolated(unsafe) let context = unsafe context  // the caller's, for its own function
  let call = unsafe Call.at(call)
  var function: Embedded.Progress?
  if let progress = unsafe progress {
    function = { done, total in unsafe progress(context, UInt64(done), UInt64(total)) }
  }
  ForkedProcess.run { call.progress = function }
}

@c @implementation
public func ckpt_call_cancel(_ call: OpaquePointer) {
  let call = unsafe Call.at(call)
  ForkedProcess.run { call.cancel() }
}
