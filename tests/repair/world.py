"""A small world for repairs: an index with torch for CUDA, a venv with torch for the CPU, and a matrix of both."""

import atexit
import base64
import functools
import hashlib
import io
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.matrix.harvest.server import Index, serving
from tests.scenarios import FOLDER as SCENARIOS
from tests.uv_cache import uv_cache

FACTS = SCENARIOS / "facts"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
TAG = f"cp{PYTHON.replace('.', '')}-cp{PYTHON.replace('.', '')}-manylinux_2_28_x86_64"
KERNELS = "sm_60 sm_70 sm_80 sm_86 sm_90"
MATRIX = f"""# Builds of torch.
package: torch

builds:
- {{version: 2.14.1, variant: cu126, platform: linux-x86_64, index: pytorch-cu126, cuda: 12.6, cudnn: 9.10.2.21, \
kernels: {KERNELS}, pythons: {PYTHON}, tags: manylinux_2_28_x86_64, requires: nvidia-cudnn-cu12==9.10.2.21, \
sources: doc}}
- {{version: 2.14.1, variant: cpu, platform: linux-x86_64, index: pytorch-cpu, pythons: {PYTHON}, \
tags: manylinux_2_28_x86_64, sources: doc}}
"""
# RTX 4090 with a driver that runs CUDA 12 and not 13.
MACHINE = ("--gpu", "RTX 4090", "--driver", "550.54.15")


def wheel(
    name: str, version: str, files: Mapping[str, str | bytes], tag: str = "py3-none-any", requires: str = ""
) -> tuple[str, bytes]:
    """A wheel that uv installs, with a right RECORD; the same words make the same bytes."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}\n"
    whole: dict[str, str | bytes] = {
        **files,
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    rows = [f"{path},sha256={_digest(data)},{len(data)}" for path, data in whole.items()] + [f"{info}/RECORD,,"]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, data in {**whole, f"{info}/RECORD": "\n".join(rows) + "\n"}.items():
            archive.writestr(zipfile.ZipInfo(path), data)
    return f"{name}-{version}-{tag}.whl", out.getvalue()


def _digest(data: str | bytes) -> str:
    content = data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def torch(version: str, cuda: str | None, requires: str = "", filling: int = 200_000) -> tuple[str, bytes]:
    told = f"__version__ = {version!r}\ncuda = {cuda!r}\nhip = None\n"
    files: dict[str, str | bytes] = {
        "torch/version.py": told,
        "torch/__init__.py": "from .version import __version__\n",
    }
    files["torch/lib/libtorch_python.so"] = b"\0" + (KERNELS.encode() if cuda else b"") + b"\0" * filling
    if cuda:
        files["torch/lib/libtorch_cuda.so"] = b""
    return wheel("torch", version, files, TAG, requires)


CUDNN = wheel("nvidia_cudnn_cu12", "9.10.2.21", {"nvidia/cudnn/lib/libcudnn.so.9": b"\1" * 150_000})
CUDNN_NEEDED = "Requires-Dist: nvidia-cudnn-cu12==9.10.2.21"
PYTORCH = {"torch": dict([torch("2.14.1+cu126", "12.6", CUDNN_NEEDED)])}
CPU = dict([torch("2.14.1+cpu", None)])
DEFAULT = {
    "numpy": dict([wheel("numpy", version, {"numpy/__init__.py": ""}) for version in ("2.1.0", "2.2.0")]),
    "rich": dict([wheel("rich", version, {"rich/__init__.py": ""}) for version in ("13.9.4", "14.0.0")]),
    "nvidia-cudnn-cu12": dict([CUDNN]),
    "torch": dict([torch("2.99.0", None)]),  # a decoy
}


@dataclass(frozen=True)
class World:
    """The indexes, the matrix, and the variables under which cudafit uses them."""

    default: Index
    pytorch: Index
    matrix: Path
    uv_cache: str

    @property
    def env(self) -> dict[str, str]:
        base = self.pytorch.address.rstrip("/").removesuffix("/cu126")
        return {"UV_DEFAULT_INDEX": self.default.address, "CUDAFIT_PYTORCH_INDEX": base, "UV_CACHE_DIR": self.uv_cache}

    @property
    def words(self) -> tuple[str, ...]:
        return (*MACHINE, "--matrix", str(self.matrix))


@contextmanager
def world(folder: Path) -> Iterator[World]:
    matrix = folder / "matrix"
    shutil.copytree(FACTS, matrix)
    (matrix / "frameworks").mkdir()
    (matrix / "frameworks" / "torch.yaml").write_text(MATRIX)
    with serving(Index(dict(DEFAULT))) as default, serving(Index(dict(PYTORCH), prefix="cu126")) as pytorch:
        yield World(default, pytorch, matrix, uv_cache(folder))


def broken_env(path: Path, folder: Path) -> Path:
    """A venv with torch for the CPU, numpy and rich, none of them the newest; `folder` gets their wheels."""
    for name, content in _wheels().items():
        (folder / name).write_bytes(content)
    shutil.copytree(_made_once(), path, symlinks=True, dirs_exist_ok=True)
    return path


def _wheels() -> dict[str, bytes]:
    chosen = {**CPU, "numpy-2.1.0-py3-none-any.whl": b"", "rich-13.9.4-py3-none-any.whl": b""}
    return {
        name: data or next(files[name] for files in DEFAULT.values() if name in files) for name, data in chosen.items()
    }


@functools.cache
def _made_once() -> Path:
    """Made by uv once a process, to be copied, which is quick. (Its scripts to activate it name the first place.)"""
    top = tempfile.TemporaryDirectory(prefix="cudafit-tests-")
    atexit.register(top.cleanup)
    path, folder = Path(top.name, ".venv"), Path(top.name, "wheels")
    folder.mkdir()
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(path)], check=True, timeout=120)
    for name, content in _wheels().items():
        (folder / name).write_bytes(content)
    pins = [f"{name.partition('-')[0]}=={name.split('-')[1]}" for name in _wheels()]
    install = [*uv, "pip", "install", "--quiet", "--no-index", "--find-links", str(folder), "--python", str(path)]
    subprocess.run([*install, *pins], check=True, timeout=120)
    return path
