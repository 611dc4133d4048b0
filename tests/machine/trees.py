"""Small file trees for probes to read: `plant(root, {"/etc/os-release": "ID=debian", "/lib": Link("usr/lib")})`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cudafit.files import Files
from cudafit.machine.context import Context


@dataclass(frozen=True)
class Link:
    """A symbolic link, with what it says."""

    target: str


@dataclass(frozen=True)
class Folder:
    """A folder with nothing in it."""


Tree = Mapping[str, str | bytes | Link | Folder]

# The first 20 bytes of a program: little-endian, e_type, and e_machine 0x3E (x86-64) or 0xB7 (AArch64).
ELF_X86_64 = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00\x3e\x00"
ELF_AARCH64 = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00\xb7\x00"


def plant(root: Path, tree: Tree) -> Path:
    """Make the tree below `root`; the folders on the way are made too."""
    root.mkdir(parents=True, exist_ok=True)
    for path, content in tree.items():
        place = root / path.lstrip("/")
        if isinstance(content, Folder):
            place.mkdir(parents=True, exist_ok=True)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Link):
            os.symlink(content.target, place)
        elif isinstance(content, bytes):
            place.write_bytes(content)
        else:
            place.write_text(content, encoding="utf-8")
    return root


def image(root: Path, tree: Tree, environ: Mapping[str, str] | None = None) -> Context:
    """A look at the files of the tree only; `environ` is what a program that ran there would have."""
    return Context("linux", Files(str(plant(root, tree))), environ or {}, live=False)


def problems(context: Context) -> list[str]:
    """What was noted, as text."""
    return [f"{problem.probe}: {problem.error}" for problem in context.notes.problems]
