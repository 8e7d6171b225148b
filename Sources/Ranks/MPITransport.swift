#if MPI
  import CMPI
  import Glibc
  import TensorCore

  /// The ranks of MPI's world.
  struct MPITransport: RankTransport {
    let rank: Int
    let size: Int

    /// The most bytes that one call gives to a rank: MPI counts with 32 bits.
    private static let mostBytes = 1 << 28

    init() throws(CheckpointError) {
      guard cmpi_start() == 1 else {
        throw CheckpointError(.system, "MPI cannot be started for several threads")
      }
      (rank, size) = (Int(cmpi_rank()), Int(cmpi_size()))
    }

    func gather(_ bytes: [UInt8]) -> [[UInt8]] {
      var all = [UInt8](repeating: 0, count: bytes.count * size)
      require(unsafe cmpi_gather(bytes, Int32(bytes.count), &all))
      return (0..<size).map { Array(all[$0 * bytes.count..<($0 + 1) * bytes.count]) }
    }

    func gather(_ bytes: [UInt8], counts: [Int]) -> [[UInt8]] {
      var parts = counts.map { _ in [UInt8]() }
      let step = max(Self.mostBytes / size, 1)
      for start in stride(from: 0, to: counts.max() ?? 0, by: step) {
        let lengths = counts.map { Int32(min(max($0 - start, 0), step)) }
        var offsets: [Int32] = []
        var total: Int32 = 0
        for length in lengths {
          offsets.append(total)
          total += length
        }
        var all = [UInt8](repeating: 0, count: max(Int(total), 1))
        let own = Array(bytes.dropFirst(start).prefix(step))
        require(unsafe cmpi_gather_varied(own, Int32(own.count), &all, lengths, offsets))
        for (rank, length) in lengths.enumerated() {
          parts[rank] += all[Int(offsets[rank])..<Int(offsets[rank] + length)]
        }
      }
      return parts
    }

    func finish() { cmpi_finish() }

    func abort(status: Int32, saying text: String) -> Never {
      let line = Array("ckpt: \(text)\n".utf8)
      _ = unsafe write(STDERR_FILENO, line, line.count)
      cmpi_abort(status)
      _exit(status)
    }

    /// MPI ends the process itself where it fails; should it be told not to, this does.
    private func require(_ failure: Int32) {
      if failure != 0 { abort(status: 2, saying: "MPI failed with error \(failure)") }
    }
  }

  extension Ranks {
    /// This rank's share of the machine's processors.
    package var threads: Int? { size > 1 ? Int(cmpi_threads()) : nil }
  }
#else
  extension Ranks {
    /// This rank's share of the machine's processors; without MPI there is nobody to share with.
    package var threads: Int? { nil }
  }
#endif
