import CheckpointCommand

/// The program `ckpt`.
@main
enum Program {
  static func main() async { await Ckpt.main(with: nil) }
}
