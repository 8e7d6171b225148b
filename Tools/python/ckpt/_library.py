"""The C interface, ckpt.h, as Python sees it."""

from __future__ import annotations

import _thread
import ctypes
import functools
import os
import pathlib
import queue
import sys
import threading
from ctypes import POINTER, byref, c_char_p, c_int32, c_int64, c_uint8, c_uint32, c_uint64, c_void_p
from typing import Any

from ._errors import CODES, CheckpointError

ABI_VERSION = 1


class Error(ctypes.Structure):
    _fields_ = [("code", c_int32), ("system_number", c_int32), ("offset", c_int64), ("message", c_char_p),
                ("reason", c_char_p), ("path", c_char_p), ("tensor", c_char_p)]


class Table(ctypes.Structure):
    _fields_ = [("count", c_uint64), ("names", c_void_p), ("name_ends", c_void_p), ("dtypes", c_void_p),
                ("sizes", c_void_p), ("size_ends", c_void_p), ("byte_counts", c_void_p), ("aliases", c_void_p)]


class Report(ctypes.Structure):
    _fields_ = [("status", c_int32), ("document", c_char_p), ("notes", c_char_p)]


Progress = ctypes.CFUNCTYPE(None, c_void_p, c_uint64, c_uint64)
Texts = POINTER(c_char_p)
ErrorPointer = POINTER(Error)

SIGNATURES = {
    "ckpt_abi_version": (c_uint32, []),
    "ckpt_error_free": (None, [ErrorPointer]),
    "ckpt_call_new": (c_void_p, []),
    "ckpt_call_free": (None, [c_void_p]),
    "ckpt_call_set_threads": (None, [c_void_p, c_uint32]),
    "ckpt_call_set_progress": (None, [c_void_p, Progress, c_void_p]),
    "ckpt_call_cancel": (None, [c_void_p]),
    "ckpt_dtype_name": (c_char_p, [c_uint8]),
    "ckpt_open": (ErrorPointer, [c_void_p, c_char_p, Texts, POINTER(c_void_p)]),
    "ckpt_open_model": (ErrorPointer, [c_void_p, c_char_p, Texts, POINTER(c_void_p)]),
    "ckpt_file_free": (None, [c_void_p]),
    "ckpt_tensors": (POINTER(Table), [c_void_p]),
    "ckpt_format": (c_char_p, [c_void_p]),
    "ckpt_values": (ErrorPointer, [c_void_p, POINTER(c_void_p)]),
    "ckpt_notes": (ErrorPointer, [c_void_p, POINTER(c_void_p)]),
    "ckpt_text_free": (None, [c_void_p]),
    "ckpt_read": (ErrorPointer, [c_void_p, c_uint64, c_uint64, c_uint64, c_void_p]),
    "ckpt_read_many": (ErrorPointer, [c_void_p, c_void_p, c_uint64, c_void_p]),
    "ckpt_write": (ErrorPointer, [c_void_p, c_char_p, Texts, POINTER(Table), c_void_p, c_char_p, POINTER(c_void_p)]),
    "ckpt_run": (ErrorPointer, [c_void_p, Texts, POINTER(POINTER(Report))]),
    "ckpt_report_free": (None, [POINTER(Report)]),
    "ckpt_main": (None, [ctypes.c_int, Texts]),
}


def path() -> pathlib.Path:
    """The library: $CKPT_LIBRARY, or the one in the package's folder."""
    given = os.environ.get("CKPT_LIBRARY")
    return pathlib.Path(given) if given else pathlib.Path(__file__).resolve().parent / "libckpt.so"


@functools.cache
def library() -> ctypes.CDLL:
    """The library, loaded when it is first needed."""
    try:
        loaded = ctypes.CDLL(str(path()))
    except OSError as error:
        raise CheckpointError(f"{path()}: cannot be loaded: {error}; install the package, or set CKPT_LIBRARY",
                              code="system", path=str(path())) from None
    for name, (result, arguments) in SIGNATURES.items():
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    if loaded.ckpt_abi_version() != ABI_VERSION:
        raise CheckpointError(f"{path()}: expected interface {ABI_VERSION}, found {loaded.ckpt_abi_version()}",
                              path=str(path()))
    return loaded


@functools.cache
def dtype_names() -> list[str]:
    """The names of element types by number."""
    names: list[str] = []
    while (name := library().ckpt_dtype_name(len(names))) is not None:
        names.append(name.decode())
    return names


def encoded(item) -> bytes:
    """A text or a path for the library."""
    found = os.fsencode(item)
    if b"\0" in found:
        raise CheckpointError(f"expected a text without zero bytes, found {found!r}", code="usage")
    return found


def texts(items) -> ctypes.Array:
    """A list of texts that ends with NULL."""
    found = [encoded(item) for item in items]
    return (c_char_p * (len(found) + 1))(*found, None)


def check(error) -> None:
    """Raises an error of the library."""
    if not error:
        return
    found = error.contents
    try:
        raise CheckpointError(
            found.message.decode(errors="replace"), code=CODES.get(found.code, "unsupported"),
            reason=found.reason.decode(errors="replace"),
            path=None if found.path is None else os.fsdecode(found.path),
            tensor=None if found.tensor is None else found.tensor.decode(errors="replace"),
            offset=None if found.offset < 0 else found.offset, errno=found.system_number or None)
    finally:
        library().ckpt_error_free(error)


def take_text(pointer: c_void_p) -> str:
    """A text that belongs to the caller."""
    try:
        return ctypes.string_at(pointer.value or 0).decode()
    finally:
        library().ckpt_text_free(pointer)


class Call:
    """One operation: its threads, its progress, and its end by Ctrl-C.

    The work is done on another Python thread if this is the main thread, so that signals are handled meanwhile; in
    a process that was forked, threads can be started as well.
    """

    def __init__(self, threads: int | None = None, progress=None):
        if threads is not None and not 1 <= threads <= 1024:
            raise CheckpointError(f"threads: expected 1 to 1024, found {threads}", code="usage")
        self.pointer = library().ckpt_call_new()
        if threads is not None:
            library().ckpt_call_set_threads(self.pointer, threads)
        self.failure: BaseException | None = None
        self.callback: Any = None
        if progress is not None:
            self.progress = progress
            self.callback = Progress(self._tell)
            library().ckpt_call_set_progress(self.pointer, self.callback, None)

    def __del__(self):
        if getattr(self, "pointer", None):
            library().ckpt_call_free(self.pointer)

    def _tell(self, _, done, total):
        if self.failure is not None:
            return
        try:
            self.progress(done, total)
        except BaseException as failure:  # raised again where the caller is
            self.failure = failure
            library().ckpt_call_cancel(self.pointer)

    def run(self, function, *arguments) -> None:
        """Runs a function of the library; KeyboardInterrupt, or an error of the progress, cancels it."""
        try:
            self._run(function, arguments)
        finally:
            # A method of this object refers back to it.
            self.callback = None
        if self.failure is not None:
            raise self.failure

    def _run(self, function, arguments) -> None:
        if threading.current_thread() is not threading.main_thread():
            return self._check(function(self.pointer, *arguments))
        result: list = []
        ended: queue.SimpleQueue = queue.SimpleQueue()
        first = threading.Lock()

        def work():
            if first.acquire(blocking=False):
                result.append(function(self.pointer, *arguments))
                ended.put(None)

        # However often it is interrupted: until the work has ended, it uses memory that the caller would free. Not
        # Thread.join, which takes a thread for ended once it was interrupted (CPython 3.9 to 3.12).
        interrupt: BaseException | None = None
        is_started = False
        while not result:
            try:
                if not is_started:
                    _thread.start_new_thread(work, ())
                    is_started = True
                ended.get()
            except RuntimeError as error:
                if is_started:
                    raise
                raise CheckpointError(f"cannot create another thread: {error}", code="system") from None
            except BaseException as error:
                interrupt = interrupt or error
                library().ckpt_call_cancel(self.pointer)
        if interrupt is not None:
            if result[0]:
                library().ckpt_error_free(result[0])
            raise interrupt
        self._check(result[0])

    def _check(self, error) -> None:
        if self.failure is None:
            return check(error)
        if error:
            library().ckpt_error_free(error)


class Handle:
    """An opened checkpoint of the library."""

    def __init__(self, pointer: int, is_near: bool = False):
        self.pointer = pointer
        # Whether a small tensor is read so soon that Ctrl-C can wait: not from a web server, nor drawn.
        self.is_near = is_near

    def __del__(self):
        if self.pointer:
            library().ckpt_file_free(self.pointer)
            self.pointer = 0

    def text(self, function) -> str:
        """A text that the library makes of it."""
        result = c_void_p()
        check(function(self.pointer, byref(result)))
        return take_text(result)


def opened(function, name, options=(), call: Call | None = None) -> Handle:
    """Opens a file or a model."""
    result = c_void_p()
    check(function(call.pointer if call else None, encoded(name), texts(options), byref(result)))
    is_near = function is library().ckpt_open and not str(name).startswith(("http:", "https:"))
    return Handle(result.value or 0, is_near)


def run(arguments, threads: int | None = None, progress=None) -> tuple[int, str, list[str]]:
    """Runs a command: its status, what it prints, and its notes."""
    result = POINTER(Report)()
    Call(threads, progress).run(library().ckpt_run, texts(arguments), byref(result))
    try:
        report = result.contents
        return report.status, report.document.decode(), report.notes.decode(errors="replace").splitlines()
    finally:
        library().ckpt_report_free(result)


def main(arguments: list[str]) -> None:
    """The command as a program, which ends the process."""
    sys.stdout.flush()
    sys.stderr.flush()
    library().ckpt_main(len(arguments), texts(arguments))
