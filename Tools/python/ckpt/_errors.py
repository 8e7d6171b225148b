"""Errors of the package."""

from __future__ import annotations

CODES = {1: "system", 2: "malformed", 3: "unsupported", 4: "mismatched", 5: "missing", 6: "usage", 7: "cancelled"}


class CheckpointError(Exception):
    """Something is wrong with a file, a tensor, or an argument, described in one line.

    `str(error)` is the line that the command `ckpt` prints. `code` is one of `system`, `malformed`, `unsupported`,
    `mismatched`, `missing`, `usage`, and `cancelled`; `reason` is the line without the places; `path`, `tensor`,
    `offset` (a byte of the file), and `errno` are None where they are not known.
    """

    def __init__(self, message: str, *, code: str = "unsupported", reason: str | None = None, path: str | None = None,
                 tensor: str | None = None, offset: int | None = None, errno: int | None = None):
        super().__init__(message)
        self.code, self.reason, self.path = code, reason or message, path
        self.tensor, self.offset, self.errno = tensor, offset, errno

    def __reduce__(self):
        return _made, (str(self), self.code, self.reason, self.path, self.tensor, self.offset, self.errno)


def _made(message, code, reason, path, tensor, offset, errno):
    return CheckpointError(message, code=code, reason=reason, path=path, tensor=tensor, offset=offset, errno=errno)
