import CheckpointCommand

/// The program `ckpt`.
@main
enum Program {
  @MainActor static func main() async {
    // Now, since the threads of tasks open files of their own.
    Ckpt.openStandardStreams()
    await Ckpt.main()
  }
}
