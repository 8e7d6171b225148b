import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// The command that was built with the trait `MPI`.
private let executable = ProcessInfo.processInfo.environment["CKPT_MPI"]

/// The command under mpirun, built with the trait `MPI` (`CKPT_MPI` is its path; `Tools/check` sets
/// it): the bytes, the output, and the status of one process.
@Suite(.serialized, .enabled(if: executable != nil, "CKPT_MPI names no command"))
struct MPITests {
  private static let writing = ["init", "convert", "reinit"]
  private let counts = [1, 2, 3, 4, 7]
  private let few = [2, 7]

  let place: Workplace

  init() throws {
    place = try Workplace()
    try place.folder.write(
      Array(
        """
        Net(
          (a): Linear(in_features=1500, out_features=1100, bias=True)
          (b): Sequential(
            (0): Conv2d(3, 64, kernel_size=(7, 7), stride=(1, 1))
            (1): BatchNorm2d(64, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)
            (2): Linear(in_features=300, out_features=700, bias=False)
          )
          (c): Embedding(3000, 257)
          (d): LayerNorm((257,), eps=1e-05, elementwise_affine=True)
        )
        """.utf8), to: "net.txt")
  }

  /// Runs a command under mpirun: as root, on more ranks than there are cores, through memory alone,
  /// with its files in the test's folder, and never longer than a minute.
  private func ranks(_ count: Int, _ arguments: [String], shell: String = "") throws -> CommandRun {
    let settings = [
      "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
      "OMPI_MCA_rmaps_base_oversubscribe=1", "OMPI_MCA_hwloc_base_binding_policy=none",
      "OMPI_MCA_pml=ob1", "OMPI_MCA_btl=vader,self", "OMPI_MCA_orte_execute_quiet=1",
      "OMPI_MCA_btl_vader_backing_directory=\(place.folder.path)", "MPIEXEC_TIMEOUT=60",
      "TMPDIR=\(place.folder.path)",
      // After a status that is not 0, mpirun waits before it kills the ranks that are left; those that write
      // nothing have nothing to remove.
      "OMPI_MCA_odls_base_sigkill_timeout=\(Self.writing.contains(arguments[0]) ? 1 : 0)",
    ]
    return try CommandRun(
      ["env"] + settings + ["mpirun", "--quiet", "-n", "\(count)"]
        + (shell.isEmpty ? [] : ["/bin/sh", "-c", shell]) + [executable ?? ""] + arguments,
      in: place.folder.path)
  }

  /// What is in the folder besides what was there before, sorted.
  private func leftovers(_ before: [String]) throws -> [String] {
    try place.folder.names().filter { !before.contains($0) }
  }

  /// Compares a run on each number of ranks with that of one process.
  private func expectSame(
    _ arguments: [String], outputs: [String] = [], status: Int = 0, threads: [String] = ["2"],
    on counts: [Int], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let alone = try CommandRun([CommandRun.executable] + arguments, in: place.folder.path)
    #expect(alone.status == status, "\(alone.errors)", sourceLocation: sourceLocation)
    let expected = try outputs.map { try place.folder.bytes(of: $0) }
    for output in outputs { try place.folder.remove(output) }
    let before = try place.folder.names()
    for count in counts {
      for thread in threads {
        let run = try ranks(count, arguments + ["--threads", thread])
        let label = Comment(rawValue: "\(count) ranks, \(thread) threads: \(run.errors)")
        #expect(run.status == alone.status, label, sourceLocation: sourceLocation)
        #expect(run.output == alone.output, label, sourceLocation: sourceLocation)
        #expect(run.errors == alone.errors, label, sourceLocation: sourceLocation)
        for (output, bytes) in zip(outputs, expected) {
          // The bytes would fill pages.
          #expect(
            try place.folder.bytes(of: output) == bytes, label, sourceLocation: sourceLocation)
          try place.folder.remove(output)
        }
        #expect(try leftovers(before) == [], label, sourceLocation: sourceLocation)
      }
    }
  }

  private func make(_ name: String, _ options: String...) throws {
    let run = try CommandRun(
      [CommandRun.executable, "init", "net.txt", "-o", name, "--quiet"] + options,
      in: place.folder.path)
    #expect(run.status == 0, "\(run.errors)")
  }

  @Test(arguments: [
    "o.safetensors", "o.ckz", "o.pt", "o.npz", "o.gguf", "o.h5",
  ]) func `init writes the same file`(output: String) throws {
    let all = ["o.safetensors", "o.ckz"].contains(output)
    try expectSame(
      ["init", "net.txt", "--seed", "3", "-o", output], outputs: [output],
      threads: output == "o.ckz" ? ["1", "3"] : ["2"], on: all ? counts : few)
  }

  @Test(arguments: [
    ("x.safetensors", ["o.ckz"]), ("x.ckz", ["o.safetensors"]), ("x.pt", ["o.ckz"]),
    ("x.h5", ["o.pt", "--dtype", "bfloat16"]), ("x.npz", ["o.gguf"]),
    ("x.safetensors", ["o.npz", "--match", "*.weight", "--dtype", "float16"]),
    ("x.ckz", ["o.h5"]), ("x.ckz", ["o.ckz", "--compression", "none"]),
    ("x.safetensors", ["o.ckz", "--compression", "planes:small"]),
  ]) func `convert writes the same file`(input: String, output: [String]) throws {
    try make(input, "--seed", "1")
    try expectSame(
      ["convert", input] + output, outputs: [output[0]],
      on: output == ["o.ckz"] ? [1, 3, 4] : few)
  }

  @Test func `shards are the same`() throws {
    try make("x.ckz")
    try expectSame(
      ["convert", "x.ckz", "o.safetensors", "--shard-size", "4MB"],
      outputs: [1, 2].map { "o-0000\($0)-of-00002.safetensors" }
        + ["o.safetensors.index.json"], on: counts)
  }

  @Test func `answers are the same`() throws {
    try make("x.safetensors", "--seed", "77")
    try make("y.ckz", "--seed", "77", "--rule", "b.2: weight=uniform(0, 1)")
    try make("z.pt", "--seed", "77")
    try expectSame(["hash", "x.safetensors", "y.ckz", "z.pt"], on: few)
    try expectSame(["hash", "--manifest", "--algorithm", "sha256", "z.pt"], on: few)
    try expectSame(["check", "x.safetensors", "y.ckz", "z.pt"], on: few)
    try expectSame(["stat", "x.safetensors"], on: few)
    try expectSame(["stat", "y.ckz", "--json"], on: few)
    try expectSame(["verify", "x.safetensors"], on: few)
    try expectSame(["verify", "y.ckz", "--model", "net.txt", "--seed", "77"], status: 1, on: few)
    try expectSame(["verify", "--model", "net.txt", "--seeds", "0..4", "--json"], on: few)
    try expectSame(["diff", "x.safetensors", "y.ckz"], status: 1, on: few)
    try expectSame(["diff", "x.safetensors", "z.pt"], on: few)
    try expectSame(["find-seed", "x.safetensors", "--range", "0..1000"], on: few)
    try expectSame(["find-seed", "z.pt", "--range", "100..900"], status: 1, on: few)
  }

  @Test func `what ranks do not share the first does alone`() throws {
    try make("x.ckz")
    try make("y.ckz", "--seed", "5")
    try expectSame(["ls", "x.ckz"], on: [3])
    try expectSame(["tree", "x.ckz", "--params"], on: [3])
    try expectSame(["reinit", "x.ckz", "--match", "a", "-o", "o.ckz"], outputs: ["o.ckz"], on: [3])
    try expectSame(["convert", "x.ckz", "-", "--to", "npz"], on: [3])
    try expectSame(["--version"], on: [3])
    try expectSame(["ls"], status: 64, on: [3])
    try expectSame(["init", "net.txt", "-o", "o.unknown"], status: 2, on: [3])
    try expectSame(["ls", "nothing.ckz"], status: 2, on: [3])
    try expectSame(["convert", "x.ckz", "y.ckz"], status: 2, on: [3])
  }

  @Test func `damage is named as by one process`() throws {
    for (name, offset) in [("x.ckz", 100_000), ("x.pt", 5_000_000), ("x.safetensors", 70_000)] {
      try make(name)
      var bytes = try place.folder.bytes(of: name)
      bytes[offset] ^= 1
      try place.folder.write(bytes, to: name)
    }
    try make("good.npz")
    try expectSame(["check", "x.ckz", "good.npz", "x.pt", "x.safetensors"], status: 2, on: few)
    try expectSame(["hash", "x.ckz", "missing", "good.npz", "x.pt"], status: 2, on: few)
    try expectSame(["convert", "x.ckz", "o.safetensors"], status: 2, on: few)
    try expectSame(["convert", "x.pt", "o.ckz"], status: 2, on: few)
    try expectSame(["stat", "x.ckz"], status: 2, on: few)
  }

  @Test(arguments: [2, 4]) func `an unreadable input on one rank ends all`(count: Int) throws {
    try make("x.safetensors")
    try make("x.ckz")
    let before = try place.folder.names()
    // The last rank sees another folder in place of the input.
    let shell = """
      if [ "$OMPI_COMM_WORLD_RANK" = \(count - 1) ]; then \
      exec "$0" "$1" no-such-file "$3" --quiet; fi; exec "$0" "$@" --quiet
      """
    for (input, output) in [("x.safetensors", "o.ckz"), ("x.ckz", "o.safetensors")] {
      let run = try ranks(count, ["convert", input, output], shell: shell)
      #expect(run.status == 2)
      #expect(
        run.errors.hasPrefix(
          "ckpt: no-such-file: No such file or directory (rank \(count - 1) of \(count) on "),
        "\(run.errors)")
      #expect(run.errors.split(separator: "\n").count == 1)
      #expect(try leftovers(before) == [])
    }
  }

  @Test(arguments: ["o.safetensors", "o.ckz", "o.pt"]) func `a full disk of one rank ends all`(
    output: String
  ) throws {
    try make("x.npz")
    let before = try place.folder.names()
    // A limit on the size of files is what one rank may exceed without the others.
    let shell = """
      if [ "$OMPI_COMM_WORLD_RANK" = 2 ]; then trap '' XFSZ; ulimit -f 12000; fi; exec "$0" "$@"
      """
    let run = try ranks(3, ["convert", "x.npz", output], shell: shell)
    #expect(run.status == 2)
    #expect(run.errors.hasPrefix("ckpt: \(output): "), "\(run.errors)")
    #expect(run.errors.contains("write: File too large (rank 2 of 3 on "), "\(run.errors)")
    #expect(run.errors.split(separator: "\n").count == 1)
    #expect(try leftovers(before) == [])
  }

  private static let canUnshare =
    (try? CommandRun(["unshare", "-m", "true"], in: "/tmp").status) == 0

  @Test(.enabled(if: canUnshare, "unshare -m is not allowed"))
  func `a folder that ranks do not share is refused`() throws {
    try make("x.ckz")
    let before = try place.folder.names()
    // The last rank sees a file system of its own in place of the folder for the output.
    let shell = """
      mkdir -p out; if [ "$OMPI_COMM_WORLD_RANK" = 1 ]; then exec unshare -m /bin/sh -c \
      'mount -t tmpfs none out; exec "$0" "$@"' "$0" "$@"; fi; exec "$0" "$@"
      """
    let run = try ranks(2, ["convert", "x.ckz", "out/o.npz"], shell: shell)
    #expect(run.status == 2)
    #expect(
      run.errors.hasPrefix(
        "ckpt: out/o.npz: expected a file system that all ranks share, but the file that rank 0 made "
          + "is not here (rank 1 of 2 on "), "\(run.errors)")
    #expect(try leftovers(before) == ["out"])
    #expect(try CommandRun(["ls", "-A", "out"], in: place.folder.path).output == "")
  }

  /// A model of which a file takes seconds.
  private func makeLargeModel() throws {
    try place.folder.write(
      Array("Net(\n  (a): Linear(in_features=9000, out_features=9000, bias=True)\n)\n".utf8),
      to: "large.txt")
  }

  @Test(arguments: ["TERM", "KILL", "SEGV"], [0, 2]) func `a rank that dies takes the others along`(
    signal: String, rank: Int
  ) throws {
    try makeLargeModel()
    let before = try place.folder.names()
    let shell = """
      if [ "$OMPI_COMM_WORLD_RANK" = \(rank) ]; then \
      (sleep 1; kill -\(signal) $$) > /dev/null 2>&1 & fi; exec "$0" "$@"
      """
    let run = try ranks(
      3, ["init", "large.txt", "-o", "o.ckz", "--compression", "planes:small"], shell: shell)
    // 110 is what mpirun gives when the time is over.
    #expect(run.status != 0 && run.status != 110, "\(run.status)")
    // The segments of a rank that was killed are Open MPI's.
    #expect(try leftovers(before).filter { $0.hasPrefix(".") || $0.hasPrefix("o.") } == [])
  }

  @Test func `ranks whose launcher is killed end and leave nothing`() throws {
    try makeLargeModel()
    let before = try place.folder.names()
    let shell = """
      if [ "$OMPI_COMM_WORLD_RANK" = 0 ]; then \
      (sleep 1; kill -KILL $PPID) > /dev/null 2>&1 & fi; exec "$0" "$@"
      """
    let run = try ranks(
      3, ["init", "large.txt", "-o", "o.ckz", "--compression", "planes:small"], shell: shell)
    #expect(run.status == 137, "\(run.status)")
    for _ in 0..<100 where try leftovers(before).contains(where: { $0.hasPrefix(".") }) {
      usleep(50_000)
    }
    #expect(try leftovers(before).filter { $0.hasPrefix(".") || $0.hasPrefix("o.") } == [])
  }
}
