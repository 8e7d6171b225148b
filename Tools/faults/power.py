"""Power cuts: what was written is recorded, and after each operation a disk is made that lost what was not synced.

A file system may have written any of the changes since the last sync of a file, in any order and in parts of a block,
and any of the changes of names since the last sync of their directory; a rename is one change. That is more than
journaled file systems lose.
"""
import pathlib
import random
import shutil

import scene as scenes
import sweep

BLOCK = 4096


class Disk:
    """Files by inode, and names; each with what is durable and what is pending."""

    def __init__(self, folder):
        self.names, self.files, self.pending_names = {}, {}, []
        self.pending = {}
        for path in sorted(folder.rglob("*")):
            name = str(path.relative_to(folder))
            if path.is_symlink():
                self.names[name] = ("link", path.readlink())
            elif path.is_dir():
                self.names[name] = ("folder",)
            else:
                inode = path.stat().st_ino
                self.names[name] = ("file", inode)
                self.files[inode] = path.read_bytes()

    def write(self, inode, offset, data):
        self.pending.setdefault(inode, []).append((offset, data))

    def size(self, inode, size):
        self.pending.setdefault(inode, []).append((size, None))

    def sync(self, inode):
        self.files[inode] = applied(self.files.get(inode, b""), self.pending.pop(inode, []))

    def sync_names(self, folder):
        """Makes the changes of names in a folder durable, in order."""
        rest = []
        for change in self.pending_names:
            if any(str(pathlib.PurePath(name).parent) == folder for name in change):
                self.names = renamed(self.names, change)
            else:
                rest.append(change)
        self.pending_names = rest

    def after_cut(self, way, generator):
        """Names and files as a cut may leave them; `way` says what of the pending changes is there."""
        names, chosen = self.names, self.pending_names
        if way in ("none", "data"):
            chosen = []
        elif way == "random":
            chosen = [change for change in chosen if generator.random() < 0.5]
        for change in chosen:
            names = renamed(names, change)
        files = {}
        for inode in {*self.files, *self.pending}:
            changes = self.pending.get(inode, [])
            if way in ("none", "names"):
                changes = []
            elif way == "random":
                changes = torn(changes, generator)
            files[inode] = applied(self.files.get(inode, b""), changes)
        return names, files


def applied(content, changes):
    content = bytearray(content)
    for offset, data in changes:
        if data is None:
            content = content[:offset] + bytes(max(offset - len(content), 0))
            continue
        if len(content) < offset + len(data):
            content += bytes(offset + len(data) - len(content))
        content[offset:offset + len(data)] = data
    return bytes(content)


def torn(changes, generator):
    """Some blocks of some writes, the size as if all were there or not."""
    kept = []
    for offset, data in changes:
        if data is None:
            kept += [(offset, data)] * (generator.random() < 0.5)
            continue
        for start in range(0, len(data), BLOCK):
            if generator.random() < 0.5:
                kept.append((offset + start, data[start:start + BLOCK]))
    return kept


def renamed(names, change):
    """Names after a change: a dictionary of names to what they lead to, or to nothing."""
    names = dict(names)
    for name, target in change.items():
        if target is None:
            names.pop(name, None)
        else:
            names[name] = target
    return names


def current(disk):
    names = disk.names
    for change in disk.pending_names:
        names = renamed(names, change)
    return names


def operations(path):
    """The recorded operations."""
    data = path.read_bytes()
    at = 0
    while at < len(data):
        end = data.index(b"\n", at)
        kind, _, rest = data[at:end].decode(errors="surrogateescape").partition(" ")
        at = end + 1
        if kind == "write":
            inode, offset, count = map(int, rest.split())
            yield kind, inode, offset, data[at:at + count]
            at += count
        else:
            yield kind, rest


def play(disk, operation, place):
    """Does a recorded operation on the model of the disk."""
    def inside(path):
        return str(pathlib.PurePath(path).relative_to(place))
    kind, *rest = operation
    if kind == "write":
        disk.write(*rest)
    elif kind == "size":
        disk.size(*map(int, rest[0].split()))
    elif kind == "new":
        disk.files[int(rest[0])] = b""
    elif kind == "name":
        inode, _, path = rest[0].partition(" ")
        disk.files.setdefault(int(inode), b"")
        disk.pending_names.append({inside(path): ("file", int(inode))})
    elif kind == "rename":
        old, new = map(inside, rest[0].split("\t"))
        names = current(disk)
        change = {old: None, new: names[old]}
        for name in names:
            if name.startswith(old + "/"):  # what is in a folder moves with it
                change |= {name: None, new + name[len(old):]: names[name]}
        disk.pending_names.append(change)
    elif kind in ("unlink", "rmdir"):
        disk.pending_names.append({inside(rest[0]): None})
    elif kind == "mkdir":
        disk.pending_names.append({inside(rest[0]): ("folder",)})
    elif kind == "sync":
        disk.sync(int(rest[0]))
    elif kind == "names":
        disk.sync_names(inside(rest[0]))


def made(names, files, folder):
    """Makes the files of a disk in a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, target in sorted(names.items()):
        path = folder / name
        if not path.parent.is_dir():
            continue  # its folder was never made
        if target[0] == "folder":
            path.mkdir(exist_ok=True)
        elif target[0] == "link":
            path.symlink_to(target[1])
        else:
            path.write_bytes(files.get(target[1], b""))


def cuts(stage, report, seed=1, randoms=6):
    """Cuts the power after each operation; returns the number of disks that were judged."""
    record = stage.root / "record"
    record.unlink(missing_ok=True)
    stage.set_up()
    disk = Disk(stage.place)
    result = stage.run(**sweep.preload(stage, FAULT_ROOT=str(stage.place)), FAULT_RECORD=str(record))
    if result.returncode != 0:
        raise SystemExit(f"{stage.scene.name}: fails without a fault: {result.stderr.decode(errors='replace')}")
    done = list(operations(record))
    generator = random.Random(seed)
    known, count = set(), 0
    cut = stage.root / "cut"
    for number in range(len(done) + 1):
        is_over = number == len(done)
        for way in ("none", "all", "names", "data", *["random"] * randoms):
            names, files = disk.after_cut(way, generator)
            made(names, files, cut)
            key = (tuple(sorted(scenes.state(cut).items())), is_over)
            count += 1
            if key in known:
                continue
            known.add(key)
            what = f"cut after operation {number} of {len(done)} ({done[number - 1][0] if number else 'start'}), {way}"
            found = stage.problems(cut, finished=False, killed=True)
            if is_over and not found:
                found = lost(stage, cut)
            report(stage, what, found)
        if not is_over:
            play(disk, done[number], stage.place)
    return count


def lost(stage, cut):
    """After exit 0 the new files are there whatever happens."""
    now = scenes.state(cut)
    missing = {name: digest for name, digest in stage.new.items() if now.get(name) != digest}
    return [f"exit 0, then the power went: {scenes.difference(stage.new, now)}"] if missing else []
