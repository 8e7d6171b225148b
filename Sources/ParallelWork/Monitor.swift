import Glibc

/// State that several threads change and wait for: a mutex with a condition variable.
@safe
final class Monitor<State>: @unchecked Sendable {  // the mutex guards everything
  private var state: State
  /// Threads that wait and were not woken, and those that were woken and have not noticed yet.
  private var (waiting, woken) = (0, 0)
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init(_ state: State) {
    self.state = state
    unsafe pthread_mutex_init(mutex, nil)
    unsafe pthread_cond_init(condition, nil)
  }

  deinit {
    unsafe pthread_cond_destroy(condition)
    unsafe pthread_mutex_destroy(mutex)
    unsafe condition.deallocate()
    unsafe mutex.deallocate()
  }

  /// Lets `body` change the state; nobody is woken.
  func withLock<Result>(_ body: (inout State) -> Result) -> Result {
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    return body(&state)
  }

  /// Calls `body` until it gives a value, and waits between two calls until it is woken.
  func wait<Result>(for body: (inout State) -> Result?) -> Result {
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    while true {
      if let result = body(&state) { return result }
      waiting += 1
      unsafe pthread_cond_wait(condition, mutex)
      // Whoever returns may not be the one that was signaled, but the sums stay right. A broadcast
      // or a spurious wake-up counts nobody as woken.
      if woken > 0 { woken -= 1 } else { waiting -= 1 }
    }
  }

  /// Wakes one waiting thread, and returns whether there was one; call it while holding the lock.
  func wakeOne() -> Bool {
    guard waiting > 0 else { return false }
    (waiting, woken) = (waiting - 1, woken + 1)
    unsafe pthread_cond_signal(condition)
    return true
  }

  /// Wakes all threads that wait.
  func wakeAll() { unsafe pthread_cond_broadcast(condition) }
}

/// Starts a thread that ends with `body`; false if the system gives none.
func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
  let box = unsafe Unmanaged.passRetained(ThreadBody(body))
  var thread = pthread_t()
  let status = unsafe pthread_create(
    &thread, nil,
    { argument in
      if let argument = unsafe argument {
        unsafe Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().body()
      }
      return nil
    }, box.toOpaque())
  guard status == 0 else {
    unsafe box.release()
    return false
  }
  pthread_detach(thread)
  return true
}

private final class ThreadBody: Sendable {
  let body: @Sendable () -> Void

  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
