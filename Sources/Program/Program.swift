import CheckpointCommand

/// The program `ckpt`.
@main
enum Program {
  @MainActor static func main() async { await Ckpt.main() }
}
