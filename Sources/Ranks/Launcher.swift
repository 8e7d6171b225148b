import Glibc
package import TensorCore

/// What the program that started this process says about the others that it has started.
///
/// Sources: the environments of Open MPI's mpirun, of MPICH's and Intel's mpiexec (Hydra), and of
/// Slurm's srun, whose numbers are those of a step and not of the whole job.
package struct Launcher: Sendable {
  /// How many processes it has started.
  package let size: Int
  /// The number of this one, from 0.
  package let rank: Int
  /// Whether standard output seems to be a terminal where it is none, as under mpirun.
  package let feignsTerminal: Bool

  /// The launcher of this process; `nil` if there is none.
  package static let current: Launcher? = {
    let variables = [
      ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"), ("PMI_SIZE", "PMI_RANK"),
      ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),
    ]
    for (size, rank) in variables {
      if let number = Self.number(size), let rank = Self.number(rank), (0..<number).contains(rank) {
        return Launcher(size: number, rank: rank, feignsTerminal: size.hasPrefix("OMPI"))
      }
    }
    return nil
  }()

  private static func number(_ name: String) -> Int? {
    unsafe getenv(name).flatMap { unsafe Int(String(cString: $0)) }
  }
}

extension Ranks {
  /// The ranks that a launcher has started, connected; one process if it has started no others.
  ///
  /// - Throws: `CheckpointError` if the launcher belongs to another MPI, where each process would take
  ///   itself for the only one.
  package static func start() throws(CheckpointError) -> Ranks {
    #if MPI
      guard let launcher = Launcher.current, launcher.size > 1 else { return alone }
      let transport = try MPITransport()
      guard transport.size == launcher.size else {
        throw CheckpointError(
          .system,
          "the launcher has started \(launcher.size) processes, but MPI connects "
            + "\(transport.size): start it with the launcher of the MPI that it was built for")
      }
      return Ranks(transport)
    #else
      return alone
    #endif
  }

  /// What is wrong with how this process was started, if it works all the same.
  package static var startWarning: String? {
    #if MPI
      return nil
    #else
      guard let launcher = Launcher.current, launcher.size > 1 else { return nil }
      return "built without MPI: each of the \(launcher.size) processes does all of the work;"
        + " build with 'swift build --traits MPI'"
    #endif
  }
}
