import CheckpointKit

/// What `ckpt help` explains besides the commands, each on one screen.
enum HelpTopic: String, CaseIterable {
  case selectors, rules, recipes, models, formats, options
  case exitStatus = "exit-status"

  /// One line for the list of topics.
  var abstract: String {
    switch self {
    case .selectors: "how --match and --exclude name tensors"
    case .rules: "how --rule gives initial values"
    case .recipes: "what a script does with the generator, step by step"
    case .models: "what a MODEL may be"
    case .formats: "which files are read and written"
    case .options: "options that most commands have"
    case .exitStatus: "what the exit status means, and how errors look"
    }
  }

  /// The page: at most 40 lines of at most 80 columns.
  var page: String {
    switch self {
    case .selectors: Self.selectorsPage
    case .rules: Self.rulesPage
    case .recipes: Self.recipesPage
    case .models: Self.modelsPage
    case .formats: Self.formatsPage
    case .options: Self.optionsPage
    case .exitStatus: Self.exitStatusPage
    }
  }

  private static let selectorsPage = """
    SELECTORS

    A selector names tensors by class or by name. It is what --match and --exclude
    take, and what precedes the colon of a rule.

      Linear             the tensors of a class's layers
      Conv*              of every class that the glob matches
      layer2             a container: everything inside it
      layer2.0.weight    a tensor
      *.bias  h.[0-3]    a glob on dotted names; * crosses dots
      /conv\\d/           a regular expression (PCRE2) found in the name
      kind:Linear        a class; name:Linear is a name (for words that are both)
      *                  everything
      A & B  A | B  !A   both, either, all others; parentheses group

    Every selector must match something; otherwise the nearest name is suggested.
    --match may be repeated: a tensor is selected if any selector matches it.
    Classes come from --model, else from the file, else from names and shapes.
    Quote selectors: the shell has its own use for * & | ! ( ).

    EXAMPLES
      ckpt ls net.h5 --match layer4
      ckpt stat net.h5 --match '*.weight' --exclude layer4
      ckpt convert net.h5 part.ckz --match 'Linear & !fc'
    """

  private static let rulesPage = """
    RULES

      SELECTOR: PARAMETER=INITIALIZER, PARAMETER=INITIALIZER, ...

    A rule fills the parameters of the modules that the selector matches, as a loop
    over model.modules() with torch.nn.init would. See 'ckpt help selectors'.

    Parameters      weight, weight_ih*, weight[0:4, :]; *=orthogonal if dim > 1
    Initializers    PyTorch's, with their arguments:
                      zeros ones constant(c) eye dirac uniform(a, b)
                      normal(mean, std) trunc_normal(mean, std, a, b)
                  xavier_uniform(gain) xavier_normal(gain)
                      kaiming_uniform(a, mode, nonlinearity) kaiming_normal
                      orthogonal(gain) sparse(sparsity, std)
                    a number; default, the layer's own; current, the file's values
    Then            default * 0.5    normal(0, 0.02) clamp(-0.04, 0.04)
    Numbers         fan_in fan_out numel dim size(0), the layer's arguments
                    (in_features), sqrt log exp min max calculate_gain + - * / // **

    --order         modules: parents first, as modules() does (default)
                    apply:   children first, as apply() does
                    rules:   one loop per rule

    EXAMPLES
      ckpt init model.txt -o out/a.h5 --rule 'Linear: weight=xavier_uniform, bias=0'
      ckpt init model.txt -o out/b.h5 --rule 'Conv*: weight=normal(0, 0.02)'
      ckpt reinit net.h5 -o out/c.h5 --match fc --rule 'Linear: bias=current'
    """

  private static let recipesPage = """
    RECIPES

    A recipe lists what a script does with one generator, one statement per line.
    'ckpt init --recipe FILE' draws it; the checkpoint carries it, and verify and
    find-seed repeat it. # begins a comment.

      seed: N                       torch.manual_seed(N)
      dtype: D                      torch.set_default_dtype(D)
      model: FILE                   construct the only model
      construct FILE as NAME        construct one of several
      extra: FILE                   what the printed text of that model cannot show
      skip N | skip randn(1000)     discard draws: 32-bit words, a call, or a layer
      at construction: RULE         apply a rule to each module when it is built
      RULE                          apply a rule to all that was built so far
      order: modules|apply|rules    how the rules walk
      then                          begin another walk
      was NAME: LAYER               NAME held this layer until here
      cast DTYPE [SELECTOR]         .to(DTYPE)
      TARGET <- SOURCE              copy a module, a tensor, or a part
      keep SELECTOR                 leave out all other tensors

    The options --rule, --order, --at-construction, --skip, and --cast say the same.
    See 'ckpt help rules'; the article Recipes has examples from known scripts.
    """

  private static let modelsPage = """
    MODELS

    A MODEL is a file, or '-' for standard input, that holds one of these:

      the text of print(model)   as it was pasted: prompts, code fences, log
                                 prefixes, line numbers, and colors are removed
      a description (JSON)       from ckpt-describe (Tools/describe.py), or from
                                 'ckpt tree MODEL --json'
      a checkpoint               with its module tree: a recipe, a whole-module .pt,
                                 a Keras config

    Printed text names the layers. What a constructor does besides building layers
    is invisible in it; --library torchvision|timm|transformers|diffusers repeats
    what that library's constructors do. Bare parameters, ties, and attention
    options go into a side file (--extra).

    ckpt-describe follows a live model and leaves nothing out. It needs Python and
    PyTorch:

      ckpt-describe torchvision.models:resnet18 -o resnet18.json
      ckpt-describe nets.py:'Net(4)' -o net.json

    EXAMPLES
      ckpt tree model.txt
      ckpt init model.txt --seed 0 -o out/net.h5
      ckpt tree net.h5 --json
    """

  /// Made from the list of formats.
  private static var formatsPage: String {
    var columns = Columns([.left, .left, .left])
    let rows = CheckpointFormat.all.map { format in
      let write =
        format.capabilities.needsTemplate
        ? "into a copy (--like)" : format.write == nil ? "" : "write"
      return ["  " + format.name, write, format.extensions.joined(separator: " ")]
    }
    rows.forEach { columns.measure($0) }
    return """
      FORMATS

      Files are recognized by content when they are read, whatever their names; --to
      or the extension chooses the format that is written.

      \(rows.map { columns.line($0) }.joined(separator: "\n"))

      packed is any of these in .gz, .xz, .bz2, .zst, .tar, or .zip. Folders of shards
      with an index, and folders of distributed checkpoints, are one checkpoint.
      http:// and https:// addresses are read by range; '-' is a standard stream.
      A checkpoint in a pack is run.ckz@3, or run.ckz@latest; a part of a training
      checkpoint is chosen by --key ('ckpt ls --keys FILE' lists them).

      'ckpt convert IN OUT --dry-run' reports what OUT cannot hold. ckz is this
      program's own format: plain zlib streams with a checksum over every byte.
      """
  }

  private static let optionsPage = """
    OPTIONS THAT MOST COMMANDS HAVE

      --json           Print one JSON document instead of text; keys are stable.
      --key KEY        Read one part of a file that holds several checkpoints,
                       such as 'state_dict' of a training checkpoint;
                       'ckpt ls --keys FILE' lists them.
      --threads N      Number of worker threads; results do not depend on it.
                       Default: one per processor.
      --no-pager       Print results that are longer than the terminal without a
                       pager.
      -q, --quiet      Print no notes and no progress.
      --allow-large    Allow files that claim far more data than they hold, and
                       tensors that need much memory.
      --match, --exclude, --model
                       Select tensors: 'ckpt help selectors'.
      --force          Replace an existing output file.
      --to FORMAT      Choose the output's format: 'ckpt help formats'.
      --version, -h, --help

    FILE is a path, an address (https://...), a folder of shards, or '-' for
    standard input. A checkpoint in a pack is run.ckz@3 or run.ckz@latest.

    ENVIRONMENT
      NO_COLOR         No colors, whatever it is set to.
      PAGER            The pager; default: less. Empty or 'cat' for none.
    """

  private static let exitStatusPage = """
    EXIT STATUS

        0  success
        1  a negative answer: the checkpoints differ, a value or a seed is not
           verified, 'hash --check' found a mismatch, dangerous names were found,
           'stat --nan-only' found any, 'convert --keep-going' left tensors out
        2  failure: a file is missing, damaged, or not supported, or cannot be
           written
       64  wrong usage: an option or a value is unknown or missing
      130  interrupted (Ctrl-C); 141: the reader of the output is gone;
           143: terminated. Outputs appear whole or not at all

    Results go to standard output, everything else to standard error. An error is
    one line that names the file, the tensor, the byte, what was expected, what was
    found, and what to do:

      ckpt: net.ckz: tensor 'fc.weight' at byte 4096: checksum mismatch; ...

    -q, --quiet omits notes and progress. --json prints one document, for the
    commands that report. NO_COLOR=1 turns colors off.
    """
}
