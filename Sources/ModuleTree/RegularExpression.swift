internal import CPCRE2
package import TensorCore

/// A regular expression in the syntax of Perl and Python, matched by PCRE2 within limits.
///
/// Expressions come from the recipes of other people's files, so none may take long or much memory:
/// one that goes back too often on a name throws. Texts are matched scalar by scalar; `\d` and `\w` are
/// those of Unicode, as in Python.
@safe
package final class RegularExpression: @unchecked Sendable {  // its code never changes
  /// The text of the expression.
  package let pattern: String
  /// What errors call it.
  private let title: String
  private let code: OpaquePointer
  private let steps: MatchingSteps

  /// Nesting of groups up to which compiling recurses.
  private static let maxDepth: UInt32 = 250
  /// Longest text of an expression, in bytes.
  private static let maxByteCount = 1 << 16
  /// Memory for places to go back to, in KiB; each takes about 100 bytes.
  private static let maxMemory: UInt32 = 16 << 10

  /// Compiles an expression, which errors call `title`.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `malformed` with PCRE2's reason and the offset in bytes;
  ///   `unsupported` where PCRE2 is not installed.
  package init(
    _ pattern: String, title: String, ignoresCase: Bool = false
  ) throws(CheckpointError) {
    if let obstacle = Self.obstacle { throw obstacle }
    self.pattern = pattern
    self.title = title.shortened(to: 200)
    steps = MatchingSteps.shared ?? MatchingSteps()
    var options = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C
    if ignoresCase { options |= PCRE2_CASELESS }
    guard let context = unsafe pcre2_compile_context_create_8(nil) else {
      throw CheckpointError(.system, "no memory for a regular expression")
    }
    defer { unsafe pcre2_compile_context_free_8(context) }
    unsafe pcre2_set_parens_nest_limit_8(context, Self.maxDepth)
    unsafe pcre2_set_max_pattern_length_8(context, Self.maxByteCount)
    unsafe pcre2_set_newline_8(context, UInt32(PCRE2_NEWLINE_LF))
    var (failure, offset): (Int32, Int) = (0, 0)
    let bytes = pattern.utf8Span.span
    let code = unsafe bytes.withUnsafeBufferPointer { bytes in
      unsafe pcre2_compile_8(
        bytes.baseAddress, bytes.count, options, &failure, &offset, context)
    }
    guard let code = unsafe code else {
      throw CheckpointError(
        .malformed,
        "\(self.title) is not a regular expression: \(Self.message(failure)) at offset \(offset)")
    }
    unsafe self.code = code
  }

  deinit { unsafe pcre2_code_free_8(code) }

  /// Why nothing can be matched, if nothing can: the library is loaded for the first expression.
  private static let obstacle: CheckpointError? = {
    do throws(CheckpointError) {
      try unsafe SystemLibrary.load(["libpcre2-8.so.0"], package: "libpcre2-8-0") {
        unsafe ckpt_pcre2_find($0)
      }
      return nil
    } catch {
      return CheckpointError(error.code, "a regular expression \(error.message)")
    }
  }()

  /// Number of groups, the whole match left out.
  package var groupCount: Int {
    var count: UInt32 = 0
    unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_CAPTURECOUNT), &count)
    return Int(count)
  }

  /// The number of the group that has a name.
  package func group(named name: String) -> Int? {
    // A name with a NUL in it would end there.
    guard !name.utf8.contains(0) else { return nil }
    let number = unsafe name.withCString { name in
      unsafe name.withMemoryRebound(to: UInt8.self, capacity: 1) {
        unsafe pcre2_substring_number_from_name_8(code, $0)
      }
    }
    return number > 0 ? Int(number) : nil
  }

  /// Where a text matches: a range of UTF-8 offsets for the match and for each group that took part.
  package typealias Match = [Range<Int>?]

  /// Whether the expression is found anywhere in a text.
  ///
  /// - Throws: as ``matches(in:all:)``.
  package func isFound(in text: String) throws(CheckpointError) -> Bool {
    try !matches(in: text, all: false).isEmpty
  }

  /// The first match, or all that do not overlap, as `sed` finds them: an empty one is none where
  /// another has just ended.
  ///
  /// - Throws: ``TensorCore/CheckpointError`` `unsupported` when it takes too many steps or too much
  ///   memory.
  package func matches(in text: String, all: Bool) throws(CheckpointError) -> [Match] {
    guard steps.chargeName(of: text.utf8.count) else {
      throw refusal(text, "looks too often at long names")
    }
    guard let search = unsafe Search(code) else {
      throw CheckpointError(.system, "no memory to match \(title)")
    }
    var matches: [Match] = []
    var (start, options): (Int, UInt32) = (0, 0)
    while let match = try first(in: text, from: start, options, search) {
      // By `\K` a match can lie before the place where its search began, which would find it for ever.
      if let range = match.first ?? nil, !matches.isEmpty,
        range.lowerBound < start || range.upperBound <= start
      {
        break
      }
      matches.append(match)
      guard all, let end = match.first??.upperBound else { break }
      (start, options) = (end, PCRE2_NOTEMPTY_ATSTART)
    }
    return matches
  }

  /// The first match from an offset on; more steps are taken, and charged, only where few are not enough.
  private func first(
    in text: String, from start: Int, _ options: UInt32, _ search: borrowing Search
  ) throws(CheckpointError) -> Match? {
    var limit = MatchingSteps.free
    while true {
      switch search.run(text, from: start, options, limit: limit) {
      case .found(let match): return match
      case .none: return nil
      case .failure(let code): throw refusal(text, Self.message(code))
      case .limit: break
      }
      guard limit < MatchingSteps.most else {
        throw refusal(text, "takes more than \(limit) steps (match limit)")
      }
      limit *= 10
      guard steps.charge(limit, byteCount: text.utf8.count) else {
        throw refusal(text, "takes more than \(MatchingSteps.total) steps in all (match limit)")
      }
    }
  }

  private func refusal(_ text: String, _ reason: String) -> CheckpointError {
    CheckpointError(
      .unsupported,
      "\(title) \(reason) on the name '\(text.shortened(to: 200))'; write a simpler expression")
  }

  /// PCRE2's words for one of its error codes.
  private static func message(_ code: Int32) -> String {
    if code == PCRE2_ERROR_HEAPLIMIT { return "takes more than 16 MiB of memory (heap limit)" }
    if code == PCRE2_ERROR_DEPTHLIMIT { return "goes too deep (depth limit)" }
    var text = [UInt8](repeating: 0, count: 256)
    let count = unsafe pcre2_get_error_message_8(code, &text, text.count)
    return count > 0
      ? String(decoding: text.prefix(Int(count)), as: UTF8.self) : "PCRE2's error \(code)"
  }

  /// Memory of searches, one after another.
  @safe
  private struct Search: ~Copyable {
    enum Outcome {
      case found(Match), none, limit
      case failure(Int32)
    }

    private let code: OpaquePointer
    private let data: OpaquePointer
    private let context: OpaquePointer

    init?(_ code: OpaquePointer) {
      guard let data = unsafe pcre2_match_data_create_from_pattern_8(code, nil) else { return nil }
      guard let context = unsafe pcre2_match_context_create_8(nil) else {
        unsafe pcre2_match_data_free_8(data)
        return nil
      }
      unsafe (self.code, self.data, self.context) = (code, data, context)
      unsafe pcre2_set_heap_limit_8(context, RegularExpression.maxMemory)
      unsafe pcre2_set_depth_limit_8(context, UInt32(MatchingSteps.most))
    }

    deinit {
      unsafe pcre2_match_context_free_8(context)
      unsafe pcre2_match_data_free_8(data)
    }

    func run(_ text: String, from start: Int, _ options: UInt32, limit: Int) -> Outcome {
      unsafe pcre2_set_match_limit_8(context, UInt32(limit))
      let bytes = text.utf8Span.span
      let count = unsafe bytes.withUnsafeBufferPointer { bytes in
        unsafe pcre2_match_8(
          code, bytes.baseAddress, bytes.count, start, options, data, context)
      }
      switch count {
      case PCRE2_ERROR_NOMATCH: return .none
      case PCRE2_ERROR_MATCHLIMIT: return .limit
      case ..<0: return .failure(count)
      default: break
      }
      guard let offsets = unsafe pcre2_get_ovector_pointer_8(data) else { return .none }
      var match: Match = []
      for group in 0..<Int(count) {
        let (lower, upper) = unsafe (offsets[2 * group], offsets[2 * group + 1])
        // Groups that took no part have the largest offsets, which are negative here.
        match.append(lower >= 0 && lower <= upper ? lower..<upper : nil)
      }
      return .found(match)
    }
  }
}
