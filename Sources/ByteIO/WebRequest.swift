import CCurl
import Glibc
import ParallelWork
import Synchronization
import TensorCore

/// Requests bytes of a file on a web server, one request at a time, over a persistent connection.
///
/// Uses libcurl with its default settings: proxies from environment variables, verified
/// certificates, and `~/.netrc` for servers that require a name and a password.
@safe
struct WebRequest: ~Copyable {
  private let handle: UnsafeMutableRawPointer?

  /// Idle requests, with their connections.
  static var pool: Pool<WebRequest> {
    pools.withLock { pools in
      if let (process, pool) = pools.last, process == getpid() { return pool }
      let pool = Pool(capacity: 16) { WebRequest() }
      pools.append((getpid(), pool))
      return pool
    }
  }

  /// By process: connections that were made before a fork are its parent's, and are left alone.
  private static let pools = Mutex<[(process: pid_t, pool: Pool<WebRequest>)]>([])

  /// A server's response.
  struct Answer {
    /// Number of bytes received.
    var count = 0
    /// Whether the server sent more bytes than requested; the rest is dropped.
    var isTooLong = false
    /// HTTP status, 206 for partial content; 0 if there was no response.
    var status = 0
    /// libcurl's error message, if any.
    var failure: String?
    /// Header field `Content-Range`, if there is one that can be read.
    var contentRange: ContentRange?
    /// Header field `ETag`.
    var entityTag: String?
    /// Header field `Last-Modified`.
    var lastModified: String?
    /// Whether the content is several parts, each with its range.
    var isMultipart = false
    /// Header field `Content-Encoding`, if bytes were packed for sending.
    var encoding: String?
  }

  init() {
    unsafe handle = WebRequest.obstacle == nil ? curl_easy_init() : nil
  }

  deinit {
    if let handle = unsafe handle { unsafe curl_easy_cleanup(handle) }
  }

  /// Why no request can be made, if none can: the library is loaded for the first one.
  static let obstacle: CheckpointError? = {
    do throws(CheckpointError) {
      try unsafe SystemLibrary.load(["libcurl.so.4"], package: "libcurl4") {
        unsafe ckpt_curl_find($0)
      }
      let code = curl_global_init(Int(CURL_GLOBAL_DEFAULT))
      guard code == CURLE_OK else {
        return CheckpointError(
          .system, "libcurl cannot be started: \(unsafe String(cString: curl_easy_strerror(code)))")
      }
      return nil
    } catch {
      return error
    }
  }()

  /// Requests the bytes in `range` and stores the response in `target`.
  ///
  /// With `entityTag`, the server responds with 412 if the content no longer has this `ETag`.
  func get(
    _ url: String, _ range: Range<Int>, entityTag: String?, into target: inout MutableRawSpan
  ) -> Answer {
    guard let handle = unsafe handle else {
      return Answer(failure: "libcurl cannot allocate memory")
    }
    // Ranges count the bytes that are sent: of a compressed answer they would be other bytes.
    var fields = unsafe curl_slist_append(nil, "Accept-Encoding: identity")
    if let entityTag { unsafe fields = curl_slist_append(fields, "If-Match: \(entityTag)") }
    defer { unsafe curl_slist_free_all(fields) }
    unsafe ckpt_curl_set_text(handle, CURLOPT_URL, url.systemPath)
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
      var destination = unsafe Destination(memory: memory)
      let code = unsafe withUnsafeMutablePointer(to: &destination) { destination in
        unsafe ckpt_curl_set_writer(
          handle,
          { bytes, size, count, context in
            guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
            let destination = unsafe context.assumingMemoryBound(to: Destination.self)
            return unsafe destination.pointee.take(bytes, size * count)
          }, destination)
        return unsafe curl_easy_perform(handle)
      }
      var answer = unsafe Answer(count: destination.count, isTooLong: destination.isTooLong)
      answer.status = unsafe ckpt_curl_status(handle)
      if code != CURLE_OK, !answer.isTooLong {
        answer.failure = unsafe String(cString: curl_easy_strerror(code))
      }
      answer.contentRange = unsafe Self.field("Content-Range", of: handle)
        .flatMap { ContentRange($0) }
      answer.entityTag = unsafe Self.field("ETag", of: handle)
      answer.lastModified = unsafe Self.field("Last-Modified", of: handle)
      answer.isMultipart =
        unsafe Self.field("Content-Type", of: handle)?.lowercased().hasPrefix("multipart/") ?? false
      answer.encoding = unsafe Self.field("Content-Encoding", of: handle)
        .flatMap { $0.lowercased() == "identity" ? nil : $0 }
      return answer
    }
  }

  /// A header field of the last response; `nil` if it is there more than once.
  private static func field(_ name: String, of handle: UnsafeMutableRawPointer) -> String? {
    var field: UnsafeMutablePointer<curl_header>?
    guard unsafe curl_easy_header(handle, name, 0, UInt32(CURLH_HEADER), -1, &field) == CURLHE_OK
    else { return nil }
    return unsafe field.flatMap {
      unsafe $0.pointee.amount == 1 ? String(cString: $0.pointee.value) : nil
    }
  }

  /// The destination of the bytes received.
  @unsafe
  private struct Destination {
    let memory: UnsafeMutableRawBufferPointer
    var count = 0
    var isTooLong = false

    init(memory: UnsafeMutableRawBufferPointer) { unsafe self.memory = memory }

    /// Stores bytes and returns how many; returning fewer than given ends the transfer.
    mutating func take(_ bytes: UnsafeMutablePointer<CChar>, _ length: Int) -> Int {
      // A server that ignores ranges sends the whole file; refusing bytes ends the transfer at
      // once.
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
