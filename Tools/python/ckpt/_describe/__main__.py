"""Writes the model description (JSON) of a live PyTorch model, for `ckpt init`.

describe.py MODULE:EXPRESSION      torchvision.models:resnet18(num_classes=10)
describe.py FILE.py:EXPRESSION     nets.py:Net(4)
describe.py MODEL.pt               a model saved whole by torch.save (it is unpickled:
                                   only files you trust)

The expression is evaluated in the module and must give an nn.Module. Modules are looked for in the
working directory, in the file's folder or package, and among the installed packages. Tensors whose values
cannot be followed are named with the reason; `ckpt init` asks for them.
"""

import argparse
import os
import sys

from . import TargetError, described, torch

NAME = os.environ.get("CKPT_DESCRIBE_NAME", "describe.py")  # as it is installed: ckpt-describe
LINE_LIMIT = 20  # tensors that are named one by one


def options():
    parser = argparse.ArgumentParser(
        prog=NAME, description=__doc__.replace("describe.py", NAME), formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", help="What to build, see above.")
    parser.add_argument("-o", "--output", default="-", metavar="FILE", help="Where to write. Default: standard output.")
    parser.add_argument("--embed-unknown", action="store_true",
                        help="Store the values of tensors that cannot be followed as constants: those of one "
                             "construction, the same for every seed.")
    return parser.parse_args()


def report(text):
    print(f"{NAME}: {text}", file=sys.stderr)


def main():
    given = options()
    # The folder of the script is not the user's.
    sys.path[0] = os.getcwd()

    try:
        description = described(given.target, given.embed_unknown)
    except TargetError as error:
        report(str(error))
        return 2
    for note in description.notes:
        report(note)
    if description.recorder is None:
        report("a saved model does not tell how it was made: layers are described as their classes begin, what the "
               "model's own constructor changed after that is not; give it with rules, or describe MODULE:EXPRESSION")
    else:
        unknown = description.unknown()
        for name, reason in list(unknown.items())[:LINE_LIMIT]:
            report(f"{name}: not knowable: {reason}")
        if len(unknown) > LINE_LIMIT:
            report(f"and {len(unknown) - LINE_LIMIT} more tensors; 'reason' in the description names each")
        near = description.near()
        for name, functions in list(near.items())[:LINE_LIMIT]:
            report(f"{name}: near PyTorch's values, not equal: computed by {', '.join(functions)}")
        if len(near) > LINE_LIMIT:
            report(f"and {len(near) - LINE_LIMIT} more tensors")
    text = description.json(f"{given.target}, torch {torch.__version__}")
    if given.output == "-":
        sys.stdout.write(text)
        return 0
    try:
        with open(given.output, "w") as file:
            file.write(text)
    except OSError as error:
        report(f"{given.output}: {error.strerror}")
        return 2
    return 0


def run():
    """Ends the process as the command does."""
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        report("interrupted")
        sys.exit(130)


if __name__ == "__main__":
    run()
