import Glibc

/// What must be different in a process that was forked from one that had used this library.
///
/// Swift's mutexes know a thread by its number, which a thread asks for once. After a fork the thread that
/// goes on has another number and keeps the old one: others that wait for a mutex which it holds
/// fail, and end the process.
package enum ForkedProcess {
  private static let original = getpid()

  /// Does `body`: in a process that was forked, on a new thread, while the caller waits.
  package static func run<Result>(_ body: () -> Result) -> Result {
    if getpid() == original { return body() }
    var result: Result?
    withoutActuallyEscaping(body) { body in
      let work = Work { result = body() }
      var thread = pthread_t()
      let context = unsafe Unmanaged.passUnretained(work).toOpaque()
      let failure = unsafe pthread_create(
        &thread, nil,
        { context in
          guard let context = unsafe context else { return nil }
          unsafe Unmanaged<Work>.fromOpaque(context).takeUnretainedValue().run()
          return nil
        }, context)
      // Without a thread it is tried here: most often nobody else wants the mutex.
      if failure == 0 { pthread_join(thread, nil) } else { work.run() }
      work.body = nil
    }
    return result ?? body()
  }

  private final class Work {
    var body: (() -> Void)?

    init(_ body: @escaping () -> Void) { self.body = body }

    func run() { body?() }
  }
}
