import Dispatch
import FuzzTargets
import Glibc
import Synchronization

/// What the program calls; the target is chosen once.
private let chosen = Mutex<FuzzTarget?>(nil)

/// The function of libFuzzer that changes bytes as it likes.
public typealias Mutator = @convention(c) (UnsafeMutablePointer<UInt8>?, Int, Int) -> Int

/// Chooses the target with a name; 0 unless there is none, then all names are printed.
@_cdecl("ckpt_fuzz_choose")
public func choose(_ name: UnsafePointer<CChar>?) -> Int32 {
  let name = unsafe name.map { unsafe String(cString: $0) } ?? ""
  guard let target = FuzzTarget.named(name) else {
    for target in FuzzTarget.all { print(target.name) }
    return 1
  }
  chosen.withLock { $0 = target }
  return 0
}

/// Gives the target some bytes, and stops the process if the outcome is wrong.
@_cdecl("ckpt_fuzz_run")
public func run(_ data: UnsafePointer<UInt8>?, _ size: Int) {
  guard let target = chosen.withLock({ $0 }) else { return }
  let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
  switch target.begin(bytes) {
  case .done: return
  case .problem(let text): stop(text)
  case .unfinished(let rest):
    let done = DispatchSemaphore(value: 0)
    Task.detached {
      if let text = await target.problem(of: rest) { stop(text) }
      done.signal()
    }
    done.wait()
  }
}

private func stop(_ text: String) -> Never {
  fatalError("finding: \(text)")
}

/// Changes the bytes of an input in place and returns how many it has then.
@_cdecl("ckpt_fuzz_mutate")
public func mutate(
  _ data: UnsafeMutablePointer<UInt8>?, _ size: Int, _ limit: Int, _ seed: UInt32,
  _ mutator: Mutator
) -> Int {
  guard let target = chosen.withLock({ $0 }), let data = unsafe data else { return size }
  let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
  let made = target.mutated(bytes, seed: UInt64(seed), limit: limit) { part, limit in
    let count = part.count
    part += [UInt8](repeating: 0, count: max(limit - count, 1))
    let room = part.count
    let changed = unsafe part.withUnsafeMutableBufferPointer {
      unsafe mutator($0.baseAddress, count, room)
    }
    part.removeLast(room - changed)
  }
  for (index, byte) in made.enumerated() { unsafe data[index] = byte }
  return made.count
}
