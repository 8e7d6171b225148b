public import CCkpt
import CheckpointCommand
import ParallelWork
import TensorCore

/// Errors as values.
enum CErrors {
  /// Does `body`; its error is the result.
  static func value(of body: () throws -> Void) -> UnsafeMutablePointer<ckpt_error>? {
    unsafe ForkedProcess.run {
      do {
        try body()
        return nil
      } catch {
        return unsafe make(error)
      }
    }
  }

  private static func make(_ error: any Error) -> UnsafeMutablePointer<ckpt_error> {
    switch error {
    case let error as CheckpointError:
      unsafe allocate(
        code(error.code), message: error.description, reason: error.message.escapingControls, error)
    case let error as Embedded.UsageError:
      unsafe allocate(CKPT_USAGE, message: error.message, reason: error.message)
    case is CancellationError:
      unsafe allocate(CKPT_CANCELLED, message: "cancelled", reason: "cancelled")
    default: unsafe allocate(CKPT_SYSTEM, message: "\(error)", reason: "\(error)")
    }
  }

  private static func code(_ code: CheckpointError.Code) -> Int {
    switch code {
    case .system: CKPT_SYSTEM
    case .malformed: CKPT_MALFORMED
    case .unsupported: CKPT_UNSUPPORTED
    case .mismatched: CKPT_MISMATCHED
    case .missing: CKPT_MISSING
    }
  }

  private static func allocate(
    _ code: Int, message: String, reason: String, _ error: CheckpointError? = nil
  ) -> UnsafeMutablePointer<ckpt_error> {
    let copy = UnsafeMutablePointer<ckpt_error>.allocate(capacity: 1)
    unsafe copy.initialize(
      to: ckpt_error(
        code: Int32(code), system_number: error?.systemNumber ?? 0,
        offset: Int64(error?.offset ?? -1), message: CTexts.copy(message),
        reason: CTexts.copy(reason),
        path: error?.path.map { unsafe UnsafePointer(CTexts.copy(path: $0)) },
        tensor: error?.tensor.map { unsafe UnsafePointer(CTexts.copy($0)) }))
    return unsafe copy
  }
}

@c @implementation
public func ckpt_error_free(_ error: UnsafeMutablePointer<ckpt_error>?) {
  guard let error = unsafe error else { return }
  unsafe error.pointee.message.deallocate()
  unsafe error.pointee.reason.deallocate()
  unsafe error.pointee.path?.deallocate()
  unsafe error.pointee.tensor?.deallocate()
  unsafe error.deallocate()
}

@c @implementation
public func ckpt_text_free(_ text: UnsafeMutablePointer<CChar>?) { unsafe text?.deallocate() }

@c @implementation
public func ckpt_abi_version() -> UInt32 { UInt32(CKPT_ABI_VERSION) }
