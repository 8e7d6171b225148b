import TestSupport
import Testing

/// Servers whose answers do not hold what was requested: each is refused, never taken for the file.
@Suite struct RemoteRangeTests {
  /// Serves `a.safetensors`; the folder in the address says what is wrong with answers to requests
  /// that begin past byte 0, or with all.
  private static let server = """
    import http.server, os, pathlib, re, threading
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            mode, name = self.path.strip("/").split("/")
            data = pathlib.Path("a.safetensors").read_bytes()
            low, high = map(int, re.fullmatch(r"bytes=(\\d+)-(\\d+)", self.headers["Range"]).groups())
            high = min(high, len(data) - 1)
            first, total, later = low, len(data), low > 0
            fields, body = {"ETag": '"1"'}, None
            if mode == "empty":
                return self.answer(416, b"", {"Content-Range": "bytes */0"})
            if mode == "gone" and later:
                return self.answer(416, b"", {"Content-Range": "bytes */10"})
            if mode == "whole" and later:
                return self.answer(200, data, {})
            if mode == "moved" and later:
                return self.answer(302, b"", {"Location": "/longer/x"})
            if mode == "shifted" and later:
                first -= 1
            if mode == "start":
                first += 1
            if mode == "small" and later:
                first, total, low, high = 0, 100, 0, 99
            if mode == "longer":
                total += 1
            if mode == "unknown":
                total = "*"
            if mode == "mark" and later:
                fields["ETag"] = '"2"'
            if mode == "weak":
                fields["ETag"] = 'W/"%d"' % later
            if mode == "dates":
                fields = {"Last-Modified": "Mon, 02 Jan 2023 00:00:0%d GMT" % later}
            if mode == "packed" and later:
                fields["Content-Encoding"] = "gzip"
            body = data[first:first + high - low + 1]
            fields["Content-Range"] = "bytes %d-%d/%s" % (first, first + len(body) - 1, total)
            if mode == "claim" and later:
                fields["Content-Range"] = "bytes %d-%d/%d" % (low, high, len(data))
                body = body[:-1]
            if mode == "parts":
                fields["Content-Type"] = "multipart/byteranges; boundary=X"
            if mode == "silent":
                del fields["Content-Range"]
            if mode == "odd":
                fields["Content-Range"] = "bytes %d-%d/%d" % (high, low, total)
            self.answer(206, body, fields)
        def answer(self, status, body, fields):
            self.send_response(status)
            for name, value in {"Content-Length": len(body), **fields}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(body)
        def log_message(self, *words):
            pass
    threading.Timer(300, os._exit, [1]).start()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pathlib.Path("port.new").write_text(str(server.server_address[1]))
    pathlib.Path("port.new").rename("port")
    server.serve_forever()

    """

  private static let cases: [(mode: String, reason: String)] = [
    ("start", "expected bytes 0 to 262143, but the server sent bytes 1 to 262144"),
    ("shifted", "but the server sent bytes"), ("small", "but the server sent bytes 0 to 99"),
    ("odd", "did not report which part"),
    ("silent", "did not report which part of the file it sent"),
    ("unknown", "the server does not report the size of the file"),
    ("parts", "expected one range of bytes, but the server sent several parts"),
    ("whole", "the server does not support range requests; download the file first"),
    ("gone", "the file has become shorter"), ("empty", "is empty"),
    ("packed", "the server sent them packed (gzip)"), ("claim", "but the server sent"),
    ("moved", "the file changed while it was read: it had"),
    ("mark", "the file changed while it was read: ETag was \"1\", now it is \"2\""),
    ("weak", "the file changed while it was read: ETag was W/\"0\", now it is W/\"1\""),
    (
      "dates", "the file changed while it was read: Last-Modified was Mon, 02 Jan 2023 00:00:00 GMT"
    ),
  ]

  @Test func `an answer that does not hold the requested bytes is refused`() throws {
    let place = try Workplace()
    let model = "Net(\n  (a): Linear(in_features=1000, out_features=1000, bias=True)\n)\n"
    try place.folder.write(Array(model.utf8), to: "m.txt")
    try place.folder.write(Array(Self.server.utf8), to: "server.py")
    _ = try place.ckpt("init", "m.txt", "-o", "a.safetensors", "-q")
    let run = try place.shell(
      """
      unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
      python3 server.py & server=$!
      for _ in $(seq 200); do [ -e port ] && break; sleep 0.05; done
      for mode in good \(Self.cases.map(\.mode).joined(separator: " ")); do
        ckpt hash http://127.0.0.1:$(cat port)/$mode/x -q > $mode.out 2> $mode.err
        echo $mode $?
      done
      kill $server
      """)
    #expect(
      run.lines == ["good 0"] + Self.cases.map { "\($0.mode) 2" }, "\(run.output)\(run.errors)")
    for (mode, reason) in Self.cases {
      let text = String(decoding: try place.folder.bytes(of: "\(mode).err"), as: UTF8.self)
      #expect(text.contains(reason) && text.split(separator: "\n").count == 1, "\(mode): \(text)")
      #expect(try place.folder.bytes(of: "\(mode).out").isEmpty)
    }
  }
}
