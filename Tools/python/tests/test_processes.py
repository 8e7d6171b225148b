"""Threads, processes that were forked, interrupts, and the command."""

import http.server
import inspect
import multiprocessing
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
import unittest

import numpy as np

import ckpt
import ckpt.numpy
from ckpt import _library

from .support import ROOT, FolderTest


def files():
    return {f"t{index}": np.random.default_rng(index).standard_normal((400, 500)).astype("f4") for index in range(8)}


def work(index, made, path):
    """Reads in all ways, writes, and hashes."""
    found = ckpt.load_file(path)
    assert all((found[name] == made[name]).all() for name in made)
    file = ckpt.open(path)
    name = f"t{index % len(made)}"
    assert (file[name] == made[name]).all()
    ckpt.save_file({name: file[name]}, f"{index}.h5")
    return ckpt.fingerprint(f"{index}.h5")


def forked(action) -> int:
    """The exit status of an action in a child of this process, 99 if it takes more than a minute."""
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        try:
            action()
        except BaseException as error:
            print(error, file=sys.stderr)
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


class RangeServer(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        data = pathlib.Path(self.path.lstrip("/")).read_bytes()
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if match:
            first, last = int(match[1]), min(int(match[2] or len(data)), len(data) - 1)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
            data = data[first:last + 1]
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    do_HEAD = do_GET


class Processes(FolderTest):
    def setUp(self):
        super().setUp()
        self.made = files()
        ckpt.save_file(self.made, "a.ckz")

    def test_after_a_fork(self):
        file = ckpt.open("a.ckz")
        file.load()
        self.assertEqual(forked(lambda: work(0, self.made, "a.ckz")), 0)
        # What was opened before is read after.
        self.assertEqual(forked(lambda: self.assert_same(file.load(), self.made)), 0)
        # A child of a child.
        self.assertEqual(forked(lambda: self.assertEqual(forked(lambda: work(1, self.made, "a.ckz")), 0)), 0)

    def test_a_pool_of_forked_workers(self):
        expected = [work(index, self.made, "a.ckz") for index in range(4)]
        with multiprocessing.get_context("fork").Pool(2) as pool:
            found = pool.starmap(work, [(index, self.made, "a.ckz") for index in range(4)])
        self.assertEqual(found, expected)

    def test_a_server(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), RangeServer)
        child = os.fork()
        if child == 0:
            server.serve_forever()
        try:
            address = f"http://127.0.0.1:{server.server_port}/a.ckz"
            self.assert_same(ckpt.load_file(address), self.made)
            # Not again in a child: see the article.
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            server.server_close()

    def test_threads_share_a_file(self):
        file = ckpt.open("a.ckz")
        failures = []

        def read():
            try:
                for name, array in self.made.items():
                    self.assert_equal(file[name], array)
            except BaseException as failure:
                failures.append(failure)

        threads = [threading.Thread(target=read) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_other_threads_run_meanwhile(self):
        # The work waits until this thread has seen some of it: it could not if the lock of Python were held.
        seen, done = threading.Event(), []

        def progress(count, total):
            done.append((count, total))
            assert seen.wait(30)

        worker = threading.Thread(target=lambda: ckpt.load_file("a.ckz", progress=progress))
        worker.start()
        while not done:
            time.sleep(0.001)
        seen.set()
        worker.join()
        self.assertEqual(done[-1], (8 * 800_000, 8 * 800_000))
        self.assertEqual(done, sorted(done))

    def test_an_error_of_progress_ends_the_work(self):
        def progress(done, total):
            raise ValueError("enough")

        for call in (lambda: ckpt.load_file("a.ckz", progress=progress),
                     lambda: ckpt.save_file(self.made, "b.ckz", progress=progress),
                     lambda: ckpt.convert("a.ckz", "b.h5", progress=progress)):
            with self.assertRaisesRegex(ValueError, "enough"):
                call()
        self.assertEqual(os.listdir(), ["a.ckz"])

    def test_a_search_ends_when_it_is_told(self):
        text = "Sequential(\n  (0): Linear(in_features=99, out_features=99, bias=False)\n)"
        tensors = ckpt.init(text, 5)
        tensors["0.weight"] = tensors["0.weight"][::-1].copy()

        def progress(done, total):
            self.assertEqual(total, 1 << 32)
            raise ValueError("enough")

        with self.assertRaisesRegex(ValueError, "enough"):
            ckpt.find_seed(tensors, text, range=(0, (1 << 32) - 1), progress=progress)

    def test_an_interrupt_ends_the_work(self):
        def progress(done, total):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.1)  # until the main thread has noticed
            os.kill(os.getpid(), signal.SIGINT)  # an impatient user
            time.sleep(0.1)

        # A shell without job control lets what it starts in the background ignore the signal.
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, signal.default_int_handler))
        with self.assertRaises(KeyboardInterrupt):
            ckpt.load_file("a.ckz", threads=1, progress=progress)
        self.assert_same(ckpt.load_file("a.ckz"), self.made)

    def test_the_number_of_threads_changes_nothing(self):
        for threads in (1, 7):
            ckpt.save_file(self.made, f"{threads}.ckz", threads=threads)
            self.assert_same(ckpt.load_file("a.ckz", threads=threads), self.made)
        self.assertEqual(pathlib.Path("1.ckz").read_bytes(), pathlib.Path("7.ckz").read_bytes())

    def command(self, *arguments):
        environment = os.environ | {"PYTHONPATH": str(ROOT / "Tools/python"), "CKPT_LIBRARY": str(_library.path())}
        return subprocess.run([sys.executable, "-m", "ckpt", *arguments], capture_output=True, text=True, env=environment,
                              check=False)

    def test_the_command(self):
        found = self.command("ls", "a.ckz")
        self.assertEqual((found.returncode, found.stderr), (0, ""))
        self.assertIn("8 tensors", found.stdout)
        found = self.command("diff", "a.ckz", "none.ckz")
        self.assertEqual((found.returncode, found.stderr), (2, "ckpt: none.ckz: No such file or directory\n"))
        found = self.command("lss")
        self.assertEqual(found.returncode, 64)
        self.assertIn("unknown command 'lss'; did you mean 'ls'?", found.stderr)
        found = self.command("ls", "--help")
        self.assertEqual(found.returncode, 0)
        self.assertIn("EXAMPLES", found.stdout)


class Interface(unittest.TestCase):
    def test_the_header_declares_what_is_called(self):
        header = (ROOT / "Sources/CCkpt/include/ckpt.h").read_text()
        header = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
        header = re.sub(r"CKPT_OUT\(\w+\)", "CKPT_OUT", header)
        declared = {name: arguments.strip() for name, arguments in re.findall(r"(ckpt_\w+)\(([^()]*)\)", header)
                    if name != "ckpt_progress"}
        for name, (_, arguments) in _library.SIGNATURES.items():
            count = 0 if declared[name] == "void" else declared[name].count(",") + 1
            self.assertEqual(count, len(arguments), name)
        library = _library.library()
        for name in declared:
            self.assertTrue(hasattr(library, name), name)

    def test_everything_public_is_documented_and_typed(self):
        for module in (ckpt, ckpt.numpy):
            for name in module.__all__:
                item = getattr(module, name)
                if name == "TENSOR":
                    continue
                self.assertTrue(inspect.getdoc(item), name)
                if inspect.isfunction(item):
                    self.assertIn("return", item.__annotations__ | ({"return": 1} if name == "init" else {}), name)
        self.assertTrue((pathlib.Path(ckpt.__file__).parent / "py.typed").exists())
