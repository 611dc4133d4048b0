"""What tests use and Python 3.10 does not have."""

import hashlib
import sys
from typing import BinaryIO

if sys.version_info >= (3, 11):
    import tomllib

    SAFE_PYTHON = [sys.executable, "-P"]
else:
    import tomli as tomllib

    SAFE_PYTHON = [sys.executable]

__all__ = ["SAFE_PYTHON", "sha256_of", "tomllib"]


def sha256_of(file: BinaryIO) -> str:
    found = hashlib.sha256()
    while data := file.read(1 << 20):
        found.update(data)
    return found.hexdigest()
