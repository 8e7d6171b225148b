"""The command `ckpt`: python -m ckpt …"""

import sys

from ._errors import CheckpointError
from ._library import main


def run() -> None:
    """Runs the command with this process's arguments and ends the process."""
    try:
        main(["ckpt", *sys.argv[1:]])
    except CheckpointError as error:
        sys.exit(f"ckpt: {error}")


if __name__ == "__main__":
    run()
