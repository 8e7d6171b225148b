import TestSupport
import Testing

/// Files on a web server: only the bytes needed are fetched, and failures are reported.
@Suite struct RemoteTests {
  /// Serves the folder with ranges, and notes each answer's length in `log`.
  ///
  /// Under `/whole/` without ranges, under `/change/` with another mark at every answer, under
  /// `/flaky/` with status 503 where a range is wanted for the first time. Under `/crowd/` large answers wait until three are
  /// wanted at once, and `most` says how many were.
  private static let server = """
    import http.server, os, pathlib, re, threading
    count = 0
    flaky = set()
    crowd, wanted, most = threading.Condition(), 0, 0
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def do_GET(self):
            global count
            count += 1
            *mode, name = self.path.strip("/").split("/")
            mark = '"%d"' % (count if "change" in mode else 1)
            if "flaky" in mode and self.headers["Range"] not in flaky:
                flaky.add(self.headers["Range"])
                return self.answer(503, b"")
            if not pathlib.Path(name).exists():
                return self.answer(404, b"none")
            if self.headers.get("If-Match", mark) != mark:
                return self.answer(412, b"")
            data = pathlib.Path(name).read_bytes()
            low, high = map(int, re.fullmatch(r"bytes=(\\d+)-(\\d+)", self.headers["Range"]).groups())
            if "whole" in mode:
                return self.answer(200, data)
            part = data[low:high + 1]
            if "crowd" in mode and len(part) >= 500000:
                self.meet()
            self.answer(206, part, ("ETag", mark),
                        ("Content-Range", "bytes %d-%d/%d" % (low, low + len(part) - 1, len(data))))
        def meet(self):
            global wanted, most
            with crowd:
                wanted += 1
                most = max(most, wanted)
                pathlib.Path("most").write_text(str(most))
                crowd.notify_all()
                crowd.wait_for(lambda: most >= 3, 20)
                wanted -= 1
        def answer(self, status, body, *fields):
            self.send_response(status)
            for field in (("Content-Length", len(body)), *fields):
                self.send_header(field[0], str(field[1]))
            self.end_headers()
            # Before the client has the body, and may ask what is in the log.
            with open("log", "a") as log:
                print(len(body), file=log)
            self.wfile.write(body)
        def log_message(self, *words):
            pass
    threading.Timer(300, os._exit, [1]).start()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pathlib.Path("port.new").write_text(str(server.server_address[1]))
    pathlib.Path("port.new").rename("port")
    server.serve_forever()

    """

  /// Runs shell lines in which `$web` is the server's address.
  private static func serving(_ place: Workplace, _ lines: String) throws -> CommandRun {
    try place.folder.write(Array(server.utf8), to: "server.py")
    return try place.shell(
      """
      unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
      python3 server.py & server=$!
      for _ in $(seq 200); do [ -e port ] && break; sleep 0.05; done
      web=http://127.0.0.1:$(cat port)
      (
      \(lines)
      )
      status=$?
      kill $server
      exit $status
      """)
  }

  @Test(arguments: ["a.ckz", "a.h5"])
  func `a file on a web server is read in part`(file: String) throws {
    let place = try Workplace()
    let model = "Net(\n  (a): Linear(in_features=1000, out_features=1000, bias=True)\n)\n"
    try place.folder.write(Array(model.utf8), to: "big.txt")
    _ = try place.shell("ckpt init big.txt -o \(file)")
    let run = try Self.serving(
      place,
      """
      ckpt ls $web/\(file) > ls; wc -l < log
      awk '{ sum += $1 } END { print (sum < 600000) }' log
      ckpt diff \(file) $web/flaky/\(file) && ckpt check $web/\(file) > check && ckpt hash $web/\(file) > hash
      """)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.lines.prefix(2).last == "1")
    let listed = String(decoding: try place.folder.bytes(of: "ls"), as: UTF8.self)
    #expect(listed == (try place.ckpt("ls", file).output))
    let hash = String(decoding: try place.folder.bytes(of: "hash").prefix(64), as: UTF8.self)
    #expect(hash == (try place.fingerprint(file)))
  }

  @Test(arguments: [1, 20])
  func `requests in flight do not depend on the number of threads`(threads: Int) throws {
    let place = try Workplace()
    let model = "Net(\n  (a): Linear(in_features=1000, out_features=4000, bias=True)\n)\n"
    try place.folder.write(Array(model.utf8), to: "big.txt")
    _ = try place.shell("ckpt init big.txt -o a.safetensors")
    let run = try Self.serving(
      place, "ckpt hash --threads \(threads) $web/crowd/a.safetensors > hash; cat most")
    #expect(run.status == 0, "\(run.errors)")
    #expect((3...8).contains(Int(run.output) ?? 0), "\(run.output)")
    let hash = String(decoding: try place.folder.bytes(of: "hash").prefix(64), as: UTF8.self)
    #expect(hash == (try place.fingerprint("a.safetensors")))
  }

  @Test func `what a web server cannot do is reported in one line`() throws {
    let place = try Workplace()
    try place.makeArticle("a.ckz")
    let run = try Self.serving(
      place,
      """
      for file in none.ckz whole/a.ckz; do ckpt ls $web/$file; echo $?; done
      ckpt ls http://127.0.0.1:1/a.ckz; echo $?
      """)
    #expect(run.output == "2\n2\n2\n")
    let ends = [
      "/none.ckz: the server answered with HTTP status 404",
      "/whole/a.ckz: the server does not support range requests; download the file first",
    ]
    let lines = run.errors.split(separator: "\n").map(String.init)
    #expect(lines.count == 3)
    for (line, end) in zip(lines, ends) { #expect(line.hasSuffix(end), "\(line)") }
  }

  @Test func `a file that changes on the server while it is read is refused`() throws {
    let place = try Workplace()
    let model = "Net(\n  (a): Linear(in_features=1000, out_features=1000, bias=True)\n)\n"
    try place.folder.write(Array(model.utf8), to: "big.txt")
    _ = try place.shell("ckpt init big.txt -o a.ckz")
    let run = try Self.serving(place, "ckpt ls $web/change/a.ckz")
    #expect(run.status == 2)
    #expect(run.errors.contains("the file changed while it was read"), "\(run.errors)")
  }
}
