"""Where a program on Windows finds a DLL: the package's own folder, those that Python's packages name, and PATH.

Sources: Microsoft's "Dynamic-link library search order"; `__init__.py` of ctranslate2 and of torch, which load what
lies beside them; cuda-pathfinder's documentation for the folders of NVIDIA's wheels.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from cudafit.env.loads import nvidia_folders
from cudafit.files import Files
from cudafit.model.environment import NOT_LOOKED, Load

# Without these nothing works; the others a program can do without.
NEEDED = re.compile(r"(cublas|cublasLt|cudart|cufft|curand|cusolver|cusparse)64_\d+\.dll")
# A shell of cuDNN 8, and the part without which it does nothing.
SHELL_OF_CUDNN = "cudnn64_8.dll"
PART_OF_CUDNN = "cudnn_ops_infer64_8.dll"


def stem(name: str) -> str:
    """`cublas` of cublas64_12.dll, `libcublas` of libcublas.so.12: the same library in any version."""
    return re.split(r"64_|\.", name, maxsplit=1)[0]


def is_of_windows(files: Files, prefix: str, environ: Mapping[str, str]) -> bool:
    """By the variables of the process, or by where its interpreter lies: in a venv, or in conda's prefix."""
    if any(name.upper() == "SYSTEMROOT" for name in environ):
        return True
    return any(files.is_file(f"{prefix}/{name}") for name in ("Scripts/python.exe", "python.exe"))


class Dlls:
    """Windows' view of one environment; `known` where PATH and the system's folder are those of this machine."""

    def __init__(self, files: Files, prefix: str, places: Sequence[str], environ: Mapping[str, str]) -> None:
        self.files = files
        given = {name.upper(): value for name, value in environ.items()}
        system = given.get("SYSTEMROOT", "")
        self.known = bool(system)
        self._prefix, self._places = prefix, places
        self._path = [part for part in given.get("PATH", "").split(";") if part] if self.known else []
        self._system = [f"{system}/System32"] if self.known else []

    def find(self, name: str, by: str) -> str | None:
        """The file that a library of this path would get."""
        folders = (by.rpartition("/")[0], *self._folders())
        return next((path for folder in folders if self.files.is_file(path := f"{folder}/{name}")), None)

    def missing(self, name: str, by: str) -> Load:
        return Load(name, None, by, "nowhere" if self.known else NOT_LOOKED)

    def _folders(self) -> Iterator[str]:
        yield from (self._prefix, f"{self._prefix}/Library/bin")
        for place in self._places:
            yield f"{place}/torch/lib"
        for folder in nvidia_folders(self.files, self._places, "bin"):
            yield from (folder, f"{folder}/x86_64")
        yield from (*self._path, *self._system)
