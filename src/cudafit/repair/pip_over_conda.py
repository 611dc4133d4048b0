"""Distributions that pip put over conda's packages, taken out by their own list of files.

pip itself is not asked: it is part of the environment that is broken. What conda owns of these files comes back
afterwards.
"""

import csv
import io
import os
import shutil

from cudafit.errors import CudafitError
from cudafit.system.reading import is_possible, read_text

_LIMIT = 64 << 20


def remove_distribution(prefix: str, metadata: str) -> None:
    """Raises CudafitError for one without a list; OSError. No file outside of the prefix is touched."""
    place = os.path.dirname(metadata)
    root = os.path.realpath(prefix) + os.sep
    try:
        text = read_text(os.path.join(metadata, "RECORD"), _LIMIT)
        paths = [row[0] for row in csv.reader(io.StringIO(text)) if row and is_possible(row[0])]
    except (OSError, csv.Error) as error:
        told = getattr(error, "strerror", None) or error
        raise CudafitError(f"`{metadata}` does not tell its files, so they cannot be removed: {told}") from None
    folders = set()
    for path in paths:
        file_path = os.path.normpath(os.path.join(place, path))
        folder = os.path.dirname(file_path)
        if not (os.path.realpath(folder) + os.sep).startswith(root):
            continue  # a script elsewhere, or a list that is not to be believed
        if os.path.isdir(file_path) and not os.path.islink(file_path):
            continue
        if os.path.lexists(file_path):
            os.unlink(file_path)
        folders.add(folder)
    if (os.path.realpath(metadata) + os.sep).startswith(root) and os.path.isdir(metadata):
        shutil.rmtree(metadata)
    for folder in sorted(folders, key=len, reverse=True):
        _remove_empty(folder, place)


def _remove_empty(folder: str, place: str) -> None:
    """The folder and those above it that hold nothing but what Python compiled, up to the packages' own place."""
    while folder.startswith(place + os.sep) and os.path.isdir(folder):
        names = os.listdir(folder)
        if names == ["__pycache__"]:
            shutil.rmtree(os.path.join(folder, "__pycache__"))
        elif names:
            return
        os.rmdir(folder)
        folder = os.path.dirname(folder)
