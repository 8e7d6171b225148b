"""Builds the wheel: `pip install Tools/python` calls this, and Tools/build-wheel.

The wheel holds the package and libckpt.so, which Tools/build-library makes with the Swift toolchain, or which the
environment variable CKPT_LIBRARY names. It needs no Swift where it is installed, and no other package than NumPy.
"""

import base64
import hashlib
import os
import pathlib
import platform
import re
import shutil
import subprocess
import tempfile
import zipfile

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

FOLDER = pathlib.Path(__file__).resolve().parent


def _project():
    return tomllib.loads((FOLDER / "pyproject.toml").read_text())["project"]


def _built(folder):
    """The library, built unless there is one already."""
    if given := os.environ.get("CKPT_LIBRARY"):
        return pathlib.Path(given)
    subprocess.run([FOLDER.parent / "build-library", folder], check=True)
    return pathlib.Path(folder) / "libckpt.so"


def _platform(library):
    """The platform of a wheel with this library: what it needs of glibc says how old a system may be."""
    versions = {int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)", library)}
    return f"manylinux_2_{max(versions)}_{platform.machine()}"


def _metadata(project):
    lines = ["Metadata-Version: 2.1", f"Name: {project['name']}", f"Version: {project['version']}",
             f"Summary: {project['description']}", f"Requires-Python: {project['requires-python']}"]
    lines += [f"Requires-Dist: {text}" for text in project["dependencies"]]
    lines += [f"Classifier: {text}" for text in project["classifiers"]]
    return "\n".join(lines) + "\n"


def _entries(project):
    lines = [f"{name} = {place}" for name, place in project["scripts"].items()]
    return "[console_scripts]\n" + "\n".join(lines) + "\n"


def _package():
    """The package's files: their names in the wheel, and their bytes."""
    for path in sorted((FOLDER / "ckpt").rglob("*")):
        if path.suffix in (".py", ".typed"):
            yield str(path.relative_to(FOLDER)), path.read_bytes()


def _write(folder, tag, files):
    """Writes a wheel; equal content gives equal bytes."""
    project = _project()
    info = f"{project['name']}-{project['version']}.dist-info"
    wheel = f"Wheel-Version: 1.0\nGenerator: ckpt\nRoot-Is-Purelib: false\nTag: {tag}\n"
    files = [*files, (f"{info}/METADATA", _metadata(project).encode()), (f"{info}/WHEEL", wheel.encode()),
             (f"{info}/entry_points.txt", _entries(project).encode())]
    record = ""
    for name, data in files:
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(data)}\n"
    files.append((f"{info}/RECORD", (record + f"{info}/RECORD,,\n").encode()))
    name = f"{project['name']}-{project['version']}-{tag}.whl"
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files:
            entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return name


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    with tempfile.TemporaryDirectory() as folder:
        library = _built(folder).read_bytes()
    header = (FOLDER.parents[1] / "Sources/CCkpt/include/ckpt.h").read_bytes()
    files = [*_package(), ("ckpt/ckpt.h", header), ("ckpt/libckpt.so", library)]
    return _write(wheel_directory, f"py3-none-{_platform(library)}", files)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    """The package stays where it is; the library is put into its folder."""
    with tempfile.TemporaryDirectory() as folder:
        library = _built(folder)
        shutil.copyfile(library, FOLDER / "ckpt/libckpt.so")
        tag = f"py3-none-{_platform(library.read_bytes())}"
    return _write(wheel_directory, tag, [("ckpt.pth", f"{FOLDER}\n".encode())])


def build_sdist(sdist_directory, config_settings=None):
    raise SystemExit("ckpt is built from a checkout of its repository: pip install Tools/python")
