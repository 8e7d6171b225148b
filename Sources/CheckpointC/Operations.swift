public import CCkpt
import CheckpointCommand
import Glibc
import ParallelWork
import TensorCore

/// Runs commands of the program for callers of the interface.
private enum Operation {
  /// Runs a command and hands its report to the caller; a path is never taken for an option.
  static func run(
    _ call: OpaquePointer?, _ command: [String], _ options: [String], paths: [String] = [],
    _ report: UnsafeMutablePointer<UnsafeMutablePointer<ckpt_report>?>
  ) throws {
    let call = unsafe Call.at(call)
    let arguments =
      command + call.threadOptions(options) + options + (paths.isEmpty ? [] : ["--"])
      + paths
    let progress = call.progress
    let found = try call.run { try await Embedded.run(arguments, progress: progress) }
    let copy = UnsafeMutablePointer<ckpt_report>.allocate(capacity: 1)
    unsafe copy.initialize(
      to: ckpt_report(
        status: found.status, document: CTexts.copy(found.document),
        notes: CTexts.copy(found.notes)))
    unsafe report.pointee = unsafe copy
  }

  /// Runs a command that reads one file and prints JSON.
  static func read(
    _ call: OpaquePointer?, _ command: String, _ path: UnsafePointer<CChar>,
    _ options: UnsafePointer<UnsafePointer<CChar>?>?,
    _ report: UnsafeMutablePointer<UnsafeMutablePointer<ckpt_report>?>
  ) -> UnsafeMutablePointer<ckpt_error>? {
    unsafe CErrors.value {
      unsafe try run(
        call, [command, "--json"], CTexts.list(options), paths: [CTexts.path(path)], report)
    }
  }
}

@c @implementation
public func ckpt_report_free(_ report: UnsafeMutablePointer<ckpt_report>?) {
  guard let report = unsafe report else { return }
  unsafe report.pointee.document.deallocate()
  unsafe report.pointee.notes.deallocate()
  unsafe report.deallocate()
}

@c @implementation
public func ckpt_run(
  _ call: OpaquePointer?, _ arguments: UnsafePointer<UnsafePointer<CChar>?>,
  _ report: UnsafeMutablePointer<UnsafeMutablePointer<ckpt_report>?>
) -> UnsafeMutablePointer<ckpt_error>? {
  unsafe CErrors.value {
    let list = unsafe CTexts.list(arguments)
    unsafe try Operation.run(call, Array(list.prefix(1)), Array(list.dropFirst()), report)
  }
}

@c @implementation
public func ckpt_init(
  _ call: OpaquePointer?, _ model: UnsafePointer<CChar>, _ output: UnsafePointer<CChar>,
  _ options: UnsafePointer<UnsafePointer<CChar>?>?,
  _ report: UnsafeMutablePointer<UnsafeMutablePointer<ckpt_report>?>
) -> UnsafeMutablePointer<ckpt_error>? {
  unsafe CErrors.value {
    unsafe try Operation.run(
      call, ["init", "--output=\(CTexts.path(output))"], CTexts.list(options),
      paths: [CTexts.path(model)], report)
  }
}

@c @implementation
public func ckpt_reinit(
  _ call: OpaquePointer?, _ path: UnsafePointer<CChar>, _ output: UnsafePointer<CChar>?,
  _ options: UnsafePointer<UnsafePointer<CChar>?>?,
  _ report: UnsafeMutablePointer<UnsafeMutablePointer<ckpt_report>?>
) -> UnsafeMutablePointer<ckpt_error>? {
  unsafe CErrors.value {
    let output = unsafe output.map { unsafe ["--output=\(CTexts.path($0))"] } ?? []
    unsafe try Operation.run(
      call, ["reinit", "--json"] + output, CTexts.list(options), paths: [CTexts.path(path)],
      report)
  }
}

@c @implementation
public func ckpt_diff(
  _ call: OpaquePointer?, _ first: UnsafePointer<CChar>, _ second: UnsafePointer<CChar>,
  _ options: UnsafePointer<UnsafePointer<CChar>?>?,
  _ report: UnsafeMutablePointer<UnsafeMutablePointer<ckpt_report>?>
) -> UnsafeMutablePointer<ckpt_error>? {
  unsafe CErrors.value {
    unsafe try Operation.run(
      call, ["diff", "--json"], CTexts.list(options),
      paths: [CTexts.path(first), CTexts.path(second)], report)
  }
}

@c @implementation
public func ckpt_verify(
  _ call: OpaquePointer?, _ path: UnsafePointer<CChar>,
  _ options: UnsafePointer<UnsafePointer<CChar>?>?,
  _ report: UnsafeMutablePointer<UnsafeMutablePointer<ckpt_report>?>
) -> UnsafeMutablePointer<ckpt_error>? {
  unsafe Operation.read(call, "verify", path, options, report)
}

@c @implementation
public func ckpt_find_seed(
  _ call: OpaquePointer?, _ path: UnsafePointer<CChar>,
  _ options: UnsafePointer<UnsafePointer<CChar>?>?,
  _ report: UnsafeMutablePointer<UnsafeMutablePointer<ckpt_report>?>
) -> UnsafeMutablePointer<ckpt_error>? {
  unsafe Operation.read(call, "find-seed", path, options, report)
}

@c @implementation
public func ckpt_hash(
  _ call: OpaquePointer?, _ path: UnsafePointer<CChar>,
  _ options: UnsafePointer<UnsafePointer<CChar>?>?,
  _ report: UnsafeMutablePointer<UnsafeMutablePointer<ckpt_report>?>
) -> UnsafeMutablePointer<ckpt_error>? {
  unsafe Operation.read(call, "hash", path, options, report)
}

@c @implementation
public func ckpt_convert(
  _ call: OpaquePointer?, _ path: UnsafePointer<CChar>, _ output: UnsafePointer<CChar>,
  _ options: UnsafePointer<UnsafePointer<CChar>?>?,
  _ report: UnsafeMutablePointer<UnsafeMutablePointer<ckpt_report>?>
) -> UnsafeMutablePointer<ckpt_error>? {
  unsafe CErrors.value {
    unsafe try Operation.run(
      call, ["convert", "--json"], CTexts.list(options),
      paths: [CTexts.path(path), CTexts.path(output)], report)
  }
}

@c @implementation
public func ckpt_main(_ argc: Int32, _ argv: UnsafePointer<UnsafePointer<CChar>?>) -> Never {
  let arguments = unsafe Array(CTexts.list(argv).dropFirst())
  _ = try? CallingThread.run { await Ckpt.main(with: arguments) }
  // The program has ended the process.
  exit(2)
}
