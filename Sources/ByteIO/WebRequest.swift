import CCurl
import Glibc
import ParallelWork
import TensorCore

/// One request at a time for bytes of a file on a web server, over a connection that is kept.
///
/// Made by libcurl, with its usual settings: proxies by environment variables, certificates
/// checked, `~/.netrc` for servers that want a name and a password.
@safe
struct WebRequest: ~Copyable {
  private let handle: UnsafeMutableRawPointer?

  /// Requests that are not at work, with their connections.
  static let pool = Pool(capacity: 16) { WebRequest() }

  /// What a server answered.
  struct Answer {
    /// Bytes that came.
    var count = 0
    /// Whether more came than were asked for; the rest was not taken.
    var isTooLong = false
    /// Status of HTTP, 206 for a part; 0 if none came.
    var status = 0
    /// What libcurl says went wrong, if anything did.
    var failure: String?
    /// Field `Content-Range`.
    var contentRange: String?
    /// Field `ETag`, if it is a strong one: the mark of this very content.
    var mark: String?
  }

  init() {
    _ = WebRequest.isPrepared
    unsafe handle = curl_easy_init()
  }

  deinit { unsafe curl_easy_cleanup(handle) }

  private static let isPrepared = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  /// Asks for bytes `range` and puts what comes into `target`, at most that.
  ///
  /// With `mark` the server answers 412 if the content is not the marked one any more.
  func get(
    _ url: String, _ range: Range<Int>, mark: String?, into target: inout MutableRawSpan
  ) -> Answer {
    guard let handle = unsafe handle else { return Answer(failure: "no memory for a request") }
    var fields = unsafe curl_slist_append(nil, "Accept-Encoding: identity")
    if let mark { unsafe fields = curl_slist_append(fields, "If-Match: \(mark)") }
    defer { unsafe curl_slist_free_all(fields) }
    unsafe ckpt_curl_set_text(handle, CURLOPT_URL, url)
    unsafe ckpt_curl_set_text(handle, CURLOPT_RANGE, "\(range.lowerBound)-\(range.upperBound - 1)")
    unsafe ckpt_curl_set_list(handle, CURLOPT_HTTPHEADER, fields)
    unsafe ckpt_curl_set_text(handle, CURLOPT_USERAGENT, "ckpt")
    unsafe ckpt_curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https")
    unsafe ckpt_curl_set_text(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https")
    for (option, value) in [
      (CURLOPT_FOLLOWLOCATION, 1), (CURLOPT_MAXREDIRS, 10), (CURLOPT_NOSIGNAL, 1),
      (CURLOPT_CONNECTTIMEOUT, 30), (CURLOPT_LOW_SPEED_LIMIT, 1), (CURLOPT_LOW_SPEED_TIME, 60),
      (CURLOPT_NETRC, Int(CURL_NETRC_OPTIONAL.rawValue)),
    ] {
      unsafe ckpt_curl_set_number(handle, option, value)
    }
    return unsafe target.withUnsafeMutableBytes { memory in
      var place = unsafe Place(memory: memory)
      let code = unsafe withUnsafeMutablePointer(to: &place) { place in
        unsafe ckpt_curl_set_writer(
          handle,
          { bytes, size, count, context in
            guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
            let place = unsafe context.assumingMemoryBound(to: Place.self)
            return unsafe place.pointee.take(bytes, size * count)
          }, place)
        return unsafe curl_easy_perform(handle)
      }
      var answer = unsafe Answer(count: place.count, isTooLong: place.isTooLong)
      answer.status = unsafe ckpt_curl_status(handle)
      if code != CURLE_OK, !answer.isTooLong {
        answer.failure = unsafe String(cString: curl_easy_strerror(code))
      }
      answer.contentRange = unsafe Self.field("Content-Range", of: handle)
      answer.mark = unsafe Self.field("ETag", of: handle).flatMap {
        $0.hasPrefix("\"") ? $0 : nil
      }
      return answer
    }
  }

  /// A field of the last answer.
  private static func field(_ name: String, of handle: UnsafeMutableRawPointer) -> String? {
    var field: UnsafeMutablePointer<curl_header>?
    guard unsafe curl_easy_header(handle, name, 0, UInt32(CURLH_HEADER), -1, &field) == CURLHE_OK
    else { return nil }
    return unsafe field.map { unsafe String(cString: $0.pointee.value) }
  }

  /// Where bytes go as they come.
  @unsafe
  private struct Place {
    let memory: UnsafeMutableRawBufferPointer
    var count = 0
    var isTooLong = false

    init(memory: UnsafeMutableRawBufferPointer) { unsafe self.memory = memory }

    /// Takes bytes and answers how many; fewer than came end the transfer.
    mutating func take(_ bytes: UnsafeMutablePointer<CChar>, _ length: Int) -> Int {
      guard unsafe length <= memory.count - count else {
        unsafe isTooLong = true
        return 0
      }
      if let start = unsafe memory.baseAddress {
        unsafe (start + count).copyMemory(from: bytes, byteCount: length)
      }
      unsafe count += length
      return length
    }
  }
}
