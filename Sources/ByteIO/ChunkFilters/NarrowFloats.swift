import CKernels

/// The filters `f32`, `f16`, and `bf16`: floats that came from a narrower type, in that type.
///
/// All arithmetic is on the bits of floats, so that the result does not depend on the processor.
package enum NarrowFloats {
  /// The narrower type; the raw value is the filter's name.
  package enum Kind: String, CaseIterable, Sendable {
    /// float32, of float64.
    case f32
    /// float16, of float32.
    case f16
    /// bfloat16, of float32.
    case bf16

    /// Bytes of a word before the filter.
    package var wideWidth: Int { self == .f32 ? 8 : 4 }
    /// Bytes of a word after it.
    package var narrowWidth: Int { wideWidth / 2 }
  }

  /// Writes all words in the narrower type if each can be restored bit for bit.
  ///
  /// Zeros of both signs, subnormals, and infinities can. NaNs cannot, except in bfloat16, where they
  /// are like any other word. `target` has room for half the bytes of `words`, or more.
  ///
  /// - Returns: Whether all words fit; if not, what is in `target` is undefined.
  package static func narrow(
    _ words: RawSpan, _ kind: Kind, into target: inout MutableRawSpan
  ) -> Bool {
    let count = words.byteCount / kind.wideWidth
    precondition(
      words.byteCount % kind.wideWidth == 0 && target.byteCount >= words.byteCount / 2,
      "\(words.byteCount) bytes of \(kind.wideWidth)-byte words into \(target.byteCount) bytes")
    return unsafe words.withUnsafeBytes { words in
      unsafe target.withUnsafeMutableBytes { target in
        switch kind {
        case .f32: unsafe ckpt_narrow_f32(words.baseAddress, target.baseAddress, count)
        case .f16: unsafe ckpt_narrow_f16(words.baseAddress, target.baseAddress, count)
        case .bf16: unsafe ckpt_narrow_bf16(words.baseAddress, target.baseAddress, count)
        }
      }
    }
  }

  /// Writes all words in the wider type; NaNs keep their sign and payload.
  ///
  /// `target` must have twice the size of `words`.
  package static func widen(_ words: RawSpan, _ kind: Kind, into target: inout MutableRawSpan) {
    let count = words.byteCount / kind.narrowWidth
    precondition(
      words.byteCount % kind.narrowWidth == 0 && target.byteCount / 2 == words.byteCount
        && target.byteCount % 2 == 0,
      "\(words.byteCount) bytes of \(kind.narrowWidth)-byte words into \(target.byteCount) bytes")
    unsafe words.withUnsafeBytes { words in
      unsafe target.withUnsafeMutableBytes { target in
        switch kind {
        case .f32: unsafe ckpt_widen_f32(words.baseAddress, target.baseAddress, count)
        case .f16: unsafe ckpt_widen_f16(words.baseAddress, target.baseAddress, count)
        case .bf16: unsafe ckpt_widen_bf16(words.baseAddress, target.baseAddress, count)
        }
      }
    }
  }
}
