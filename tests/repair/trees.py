"""Small environments, and what makes two of them the same: a reading of a tree that shares no code with cudafit's."""

import hashlib
import os
import stat
from pathlib import Path

Reading = dict[str, tuple[object, ...]]

MTIME_NS = 1_600_000_000_123_456_789
CHANGED_NS = 1_700_000_000_987_654_321
LARGE = 200 << 10  # far above the size from which files are hard-linked


def reading(root: Path) -> Reading:
    """Every path with its kind, mode, time, bytes and link target."""
    found: Reading = {}
    for path in [root, *sorted(root.rglob("*"))]:
        status = path.lstat()
        name = os.fsdecode(os.path.relpath(path, root))
        mode, when = stat.S_IMODE(status.st_mode), status.st_mtime_ns
        if stat.S_ISLNK(status.st_mode):
            found[name] = ("link", when, os.readlink(path))
        elif stat.S_ISDIR(status.st_mode):
            found[name] = ("folder", mode, when)
        elif stat.S_ISREG(status.st_mode):
            # A file of gigabytes is an empty one that looks large.
            data = path.read_bytes() if status.st_size < 1 << 30 else str(status.st_size).encode()
            found[name] = ("file", mode, when, hashlib.sha256(data).hexdigest())
        else:
            found[name] = (stat.S_IFMT(status.st_mode), mode, when)
    return found


def make_env(root: Path) -> Path:
    """An environment with one of everything that must come back as it was."""
    packages = root / "lib/python3.12/site-packages"
    for folder in ("bin", "share/empty/deep", "share/sealed"):
        (root / folder).mkdir(parents=True)
    packages.mkdir(parents=True)
    (root / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (root / "bin/python").symlink_to("/usr/bin/python3")
    (root / "bin/nowhere").symlink_to("no such file")
    (root / "lib64").symlink_to("lib")
    script = root / "bin/tool"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    (packages / "empty").write_bytes(b"")
    (packages / "naïve name\n.py").write_text("x = 1\n")
    (Path(os.fsdecode(os.fsencode(packages) + b"/bytes-\xff"))).write_bytes(b"not text")
    for number in range(3):
        (packages / f"lib{number}.so").write_bytes(bytes([number]) * (LARGE + number))
        (packages / f"small{number}.py").write_text(f"number = {number}\n")
    os.link(packages / "lib0.so", packages / "lib0.so.1")
    os.link(packages / "small0.py", packages / "same0.py")
    secret = packages / "secret"
    secret.write_text("for me\n")
    secret.chmod(0o400)
    (root / "share/sealed/file").write_text("x")
    for path in sorted(root.rglob("*"), reverse=True):
        os.utime(path, ns=(MTIME_NS, MTIME_NS), follow_symlinks=False)
    (root / "share/sealed").chmod(0o555)
    root.chmod(0o750)
    os.utime(root, ns=(MTIME_NS, MTIME_NS))
    return root


def change_env(root: Path) -> None:
    """What an installer, and a careless one too, does to it."""
    packages = root / "lib/python3.12/site-packages"
    (root / "pyvenv.cfg").write_text("home = /elsewhere\n")  # in place
    with (packages / "small1.py").open("a") as file:
        file.write("more\n")
    (packages / "lib1.so").unlink()
    (packages / "lib1.so").write_bytes(b"n" * LARGE)
    (packages / "lib2.so").chmod(0o600)  # one mode for both names
    (packages / "small2.py").unlink()
    (packages / "new").mkdir()
    (packages / "new/lib.so").write_bytes(b"new" * LARGE)
    (packages / "new/link").symlink_to("lib.so")
    (root / "share/sealed").chmod(0o755)
    (root / "share/sealed/file").unlink()
    (root / "share/empty/deep").rmdir()
    (root / "bin/python").unlink()
    (root / "bin/python").symlink_to("/usr/bin/python3.12")
    (root / "lib64").unlink()
    (root / "bin/tool").chmod(0o644)
    for path in [*root.rglob("*"), root]:  # each time the same, so that two readings can be compared
        if path.lstat().st_mtime_ns != MTIME_NS:
            os.utime(path, ns=(CHANGED_NS, CHANGED_NS), follow_symlinks=False)


def beside(env: Path) -> Path:
    """Where the state of an environment lies, by the rule and not by the code."""
    return env.with_name(f"{env.name}.cudafit" if env.name.startswith(".") else f".cudafit-{env.name}")
