import ArgumentParser

extension Ckpt {
  struct Completions: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "completions",
      abstract: "Print a shell's completion script: bash, zsh, or fish.",
      discussion: """
        EXAMPLES
          ckpt completions bash > /etc/bash_completion.d/ckpt
          ckpt completions zsh > ~/.zfunc/_ckpt
        """)

    @Argument(help: "bash, zsh, or fish.", completion: .list(["bash", "zsh", "fish"])) var shell:
      String

    func run() throws {
      guard let shell = CompletionShell(rawValue: shell) else {
        throw ValidationError("unknown shell '\(shell)': expected bash, zsh, or fish")
      }
      var output = StandardOutput()
      try output.line(Ckpt.completionScript(for: shell))
      try output.flush()
    }
  }
}
