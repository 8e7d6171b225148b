import TestSupport
import Testing

/// What `reinit --in-place` leaves when it cannot finish: the old file or the new one, and nothing
/// beside it.
///
/// The one moment in which there is more lies between `linkat`, which gives the complete new file a
/// name, and `rename`, which puts it in place: Linux has no call that does both.
@Suite struct InPlaceFaultTests {
  static let endings = ["h5", "ckz", "safetensors", "pt", "npz", "gguf"]
  private let place: Workplace

  init() throws {
    place = try Workplace()
    let text = """
      Sequential(
        (0): Linear(in_features=1000, out_features=700, bias=True)
        (1): Linear(in_features=70, out_features=7, bias=True)
      )
      """
    try place.folder.write(Array(text.utf8), to: "net.txt")
  }

  private func make(_ ending: String) throws {
    let made = try place.ckpt("init", "net.txt", "-o", "old.\(ending)")
    try #require(made.status == 0, "\(made.errors)")
    _ = try place.shell("cp old.\(ending) a.\(ending)")
  }

  @Test(arguments: endings)
  func `a write that fails leaves the old file`(ending: String) throws {
    try make(ending)
    let names = try place.folder.names()
    // Half of the file, in blocks of 512 bytes.
    let run = try place.shell(
      "ulimit -f 2800; ckpt reinit a.\(ending) --match 1 --seed 9 --in-place --quiet")
    #expect(run.status == 2)
    #expect(run.errors.contains("a.\(ending): at byte "))
    #expect(try place.shell("cmp a.\(ending) old.\(ending)").status == 0)
    #expect(try place.folder.names() == names)
  }

  /// A library that kills the process before the call of number `KILL_AT`, from 1, of those that change a
  /// regular file or a folder.
  private static let hook = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <signal.h>
    #include <stdlib.h>
    #include <sys/stat.h>
    #include <unistd.h>
    static void count(int file) {
      static int calls;
      struct stat status;
      if (file >= 0 && (fstat(file, &status) != 0 || !S_ISREG(status.st_mode))) return;
      const char *wanted = getenv("KILL_AT");
      if (wanted && __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST) == atoi(wanted))
        kill(getpid(), SIGKILL);
    }
    #define CALL(type, name, file, parameters, arguments) \\
      type name parameters { \\
        static type (*next) parameters; \\
        if (!next) next = (type (*) parameters)dlsym(RTLD_NEXT, #name); \\
        count(file); \\
        return next arguments; \\
      }
    CALL(ssize_t, write, f, (int f, const void *b, size_t n), (f, b, n))
    CALL(ssize_t, pwrite, f, (int f, const void *b, size_t n, off_t o), (f, b, n, o))
    CALL(ssize_t, pwrite64, f, (int f, const void *b, size_t n, off64_t o), (f, b, n, o))
    CALL(ssize_t, copy_file_range, g,
         (int f, off64_t *p, int g, off64_t *q, size_t n, unsigned l), (f, p, g, q, n, l))
    CALL(int, ftruncate, f, (int f, off_t n), (f, n))
    CALL(int, ftruncate64, f, (int f, off64_t n), (f, n))
    CALL(int, fsync, f, (int f), (f))
    CALL(int, fdatasync, f, (int f), (f))
    CALL(int, fchmod, f, (int f, mode_t m), (f, m))
    CALL(int, rename, -1, (const char *a, const char *b), (a, b))
    CALL(int, renameat, -1, (int f, const char *a, int g, const char *b), (f, a, g, b))
    CALL(int, linkat, -1, (int f, const char *a, int g, const char *b, int l), (f, a, g, b, l))
    CALL(int, unlink, -1, (const char *a), (a))
    """

  @Test(arguments: endings)
  func `a process that is killed leaves the old or the new file`(ending: String) throws {
    try make(ending)
    let reinit = "reinit a.\(ending) --match 1 --seed 9 --in-place --quiet --threads 1"
    _ = try place.shell("ckpt \(reinit) && mv a.\(ending) new.\(ending)")
    try place.folder.write(Array(Self.hook.utf8), to: "hook.c")
    let compiled = try place.shell("cc -shared -fPIC -O1 -w -o hook.so hook.c -ldl")
    try #require(compiled.status == 0, "\(compiled.errors)")
    let names = (try place.folder.names() + ["a.\(ending)"]).sorted()
    let command = CommandRun.quoted(CommandRun.executable)
    // Whatever comes before a call that changes something is done; then the process is gone.
    var (killed, call, leftovers) = (true, 0, 0)
    while killed, call < 200 {
      call += 1
      let run = try place.shell(
        """
        cp old.\(ending) a.\(ending)
        env LD_PRELOAD="$PWD/hook.so" KILL_AT=\(call) \(command) \(reinit)
        """)
      killed = run.status == 128 + 9
      #expect(killed || run.status == 0, "\(run.status) \(run.errors)")
      let compared = try place.shell(
        "cmp -s a.\(ending) old.\(ending) || cmp -s a.\(ending) new.\(ending)")
      #expect(compared.status == 0, "killed before call \(call)")
      for name in Set(try place.folder.names()).subtracting(names) {
        leftovers += 1
        let left = try place.shell(
          "cmp \(CommandRun.quoted(name)) new.\(ending) && rm \(CommandRun.quoted(name))")
        #expect(left.status == 0, "\(name), killed before call \(call)")
      }
      #expect(try place.folder.names() == names, "killed before call \(call)")
    }
    #expect(call > 3 && !killed && leftovers <= 1, "\(call) calls, \(leftovers) leftovers")
  }
}
