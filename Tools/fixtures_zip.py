"""Writes Fixtures/zip: small archives by Python's zipfile and by NumPy, with the SHA-256 of every member."""
import hashlib
import sys
import zipfile

import numpy


def archives(folder):
    folder.mkdir(exist_ok=True)
    text = b"the same words again and again, " * 40
    with zipfile.ZipFile(folder / "python.zip", "w") as out:
        for name, method in [("stored", zipfile.ZIP_STORED), ("a/deflated", zipfile.ZIP_DEFLATED), ("\u00fc", zipfile.ZIP_STORED)]:
            out.writestr(zipfile.ZipInfo(name), text, method)
        with out.open(zipfile.ZipInfo("wide"), "w", force_zip64=True) as member:
            member.write(text)
        out.mkdir("folder")
    arrays = {"w": numpy.arange(60, dtype="<f4").reshape(5, 12), "n": numpy.array(7), "\u00fc/x": numpy.zeros(3, "<i2")}
    numpy.savez(folder / "savez.npz", **arrays)
    numpy.savez_compressed(folder / "savez_compressed.npz", **arrays)
    for path in [folder / "python.zip", folder / "savez.npz", folder / "savez_compressed.npz"]:
        with zipfile.ZipFile(path) as archive:
            lines = [f"{hashlib.sha256(archive.read(name)).hexdigest()}  {name}\n" for name in archive.namelist()]
        path.with_name(path.name + ".sha256").write_text("".join(lines))
    (folder / "README.md").write_text(
        "# Zip archives by other programs\n\n"
        f"Written by `Tools/make-fixtures.py zip` with Python {sys.version.split()[0]}'s zipfile and NumPy {numpy.__version__};\n"
        "beside each the SHA-256 of its members in the directory's order.\n")


if __name__ == "__main__":
    import pathlib
    archives(pathlib.Path(__file__).parent.parent / "Fixtures/zip")
