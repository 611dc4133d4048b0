"""A conda channel of real content: this Python as a package, and wheels repackaged."""

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

import pytest

from cudafit.model.requirement import normalised
from tests.lock.channel import write
from tests.older import sha256_of

zstandard = pytest.importorskip("zstandard", reason="zstandard is not installed: pip install 'cudafit[conda]'")

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
SITE = f"lib/python{PYTHON}/site-packages"
TORCH = "2.13.0"
_PYTHON = f"python >={PYTHON},<{PYTHON}.99"
# What a Python needs not: tests, and packages of whoever uses it.
_LEFT_OUT = re.compile(rf"(^|/)(test|tests|__pycache__|idlelib|tkinter|turtledemo)(/|$)|^{SITE}/(?!pip(-|/))|\.a$")
# Of torch's files eight in ten, and a fifth of its bytes: whoever computes needs none of them.
_FOR_COMPILERS = ("torch/include/", "torch/test/", "torch/bin/test_", "torch/bin/protoc")
Content = tuple[str, bytes, int, str | None]  # path, bytes, mode, target of a link


class Channel:
    """Packages are added one by one; `finish` writes the lists."""

    def __init__(self, folder: Path, subdir: str) -> None:
        self.folder = folder
        self.subdir = subdir
        self.listed: dict[str, dict[str, Any]] = {"noarch": {}, subdir: {}}
        for name in self.listed:
            (folder / name).mkdir(parents=True)

    def has(self, *told: str) -> bool:
        """Name, version, build."""
        entries = (entry for listed in self.listed.values() for entry in listed.values())
        return any((entry["name"], entry["version"], entry["build"]) == told for entry in entries)

    def add(self, index: dict[str, Any], files: Iterable[Content] = (), placeholder: str | None = None) -> None:
        """In conda's second format: zstd at its quickest takes a small part of the time of bzip2."""
        stem = f"{index['name']}-{index['version']}-{index['build']}"
        index = {"build_number": 0, "depends": [], "constrains": [], "subdir": self.subdir, "license": "MIT", **index}
        path = self.folder / index["subdir"] / f"{stem}.conda"
        paths = []
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as package:
            package.writestr("metadata.json", json.dumps({"conda_pkg_format_version": 2}))
            with _part(package, f"pkg-{stem}") as archive:
                for inside, content, mode, target in files:
                    paths.append(_entry(inside, content, target, placeholder))
                    _put(archive, inside, content, mode, target)
            with _part(package, f"info-{stem}") as archive:
                told = {"paths_version": 1, "paths": paths}
                _put(archive, "info/paths.json", json.dumps(told).encode())
                _put(archive, "info/files", "".join(f"{one['_path']}\n" for one in paths).encode())
                _put(archive, "info/index.json", json.dumps(index).encode())
        with path.open("rb") as file:
            digest = sha256_of(file)
        self.listed[index["subdir"]][path.name] = {**index, "sha256": digest, "size": path.stat().st_size}

    def finish(self) -> str:
        return write(self.folder, self.listed)


@contextmanager
def _part(package: zipfile.ZipFile, name: str) -> Iterator[tarfile.TarFile]:
    compressor = zstandard.ZstdCompressor(level=-5, threads=-1)
    with (
        package.open(f"{name}.tar.zst", "w", force_zip64=True) as raw,
        compressor.stream_writer(raw, closefd=False) as packed,
        tarfile.open(fileobj=packed, mode="w|") as archive,
    ):
        yield archive


def _entry(path: str, content: bytes, target: str | None, placeholder: str | None) -> dict[str, Any]:
    if target is not None:
        return {"_path": path, "path_type": "softlink"}
    entry = {"_path": path, "path_type": "hardlink", "sha256": hashlib.sha256(content).hexdigest()}
    if placeholder and placeholder.encode() in content and b"\0" not in content:
        entry |= {"prefix_placeholder": placeholder, "file_mode": "text"}
    return {**entry, "size_in_bytes": len(content)}


def _put(archive: tarfile.TarFile, path: str, content: bytes, mode: int = 0o644, target: str | None = None) -> None:
    info = tarfile.TarInfo(path)
    info.mode = mode
    if target is not None:
        info.type, info.linkname = tarfile.SYMTYPE, target
        archive.addfile(info)
        return
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def this_python() -> Iterator[Content]:
    base = Path(sys.base_prefix)
    for folder, folders, names in os.walk(base):
        folders.sort()
        for name in sorted([*names, *(one for one in folders if os.path.islink(os.path.join(folder, one)))]):
            path = Path(folder, name)
            inside = path.relative_to(base).as_posix()
            if _LEFT_OUT.search(inside) or not inside.startswith(("bin/", "lib/", "include/")):
                continue
            if path.is_symlink():
                yield inside, b"", 0o777, os.readlink(path)
            else:
                yield inside, path.read_bytes(), path.stat().st_mode & 0o777, None


def of_wheel(wheel: Path, installer: str = "conda") -> Iterator[Content]:
    with zipfile.ZipFile(wheel) as archive:
        for item in archive.infolist():
            if not item.is_dir() and ".data/" not in item.filename and not item.filename.startswith(_FOR_COMPILERS):
                mode = item.external_attr >> 16 & 0o777 or 0o644
                content = archive.read(item)
                if item.filename.endswith(".dist-info/RECORD"):
                    lines = content.decode().splitlines(keepends=True)
                    content = "".join(line for line in lines if not line.startswith(_FOR_COMPILERS)).encode()
                yield f"{SITE}/{item.filename}", content, mode, None
                if item.filename.endswith(".dist-info/METADATA"):
                    info = item.filename.rpartition("/")[0]
                    yield f"{SITE}/{info}/INSTALLER", f"{installer}\n".encode(), 0o644, None


def add_python(channel: Channel) -> None:
    version = ".".join(map(str, sys.version_info[:3]))
    index = {"name": "python", "version": version, "build": "h0_cpython", "depends": []}
    channel.add(index, this_python(), sys.base_prefix)


def cpu_wheels(folder: Path) -> list[Path]:
    """torch for the CPU and numpy, with all that they need, as pip finds them; a test that asks for them is skipped
    where it finds none."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder), f"torch=={TORCH}", "numpy"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode != 0 or not list(folder.glob("torch-*cpu*")):
        pytest.skip(f"pip finds no CPU build of torch {TORCH} here")
    return sorted(folder.glob("*.whl"))


def add_wheels(channel: Channel, wheels: Sequence[Path]) -> None:
    """torch for the CPU as conda calls it; the others under their own names, each needing Python alone but torch all of
    them."""
    named = {wheel: wheel.name.split("-")[0].lower().replace("_", "-") for wheel in wheels}
    for wheel, name in named.items():
        version = wheel.name.split("-")[1].partition("%2B")[0].partition("+")[0]
        if name == "torch":
            needs = [other for other in named.values() if other != "torch"]
            _add_torch(channel, version, "cpu_generic_0", needs, of_wheel(wheel))
        else:
            _add_package(channel, name, version, of_wheel(wheel))


def cuda_torch(folder: Path, version: str = TORCH) -> Path:
    """torch for CUDA with all that it needs, from the wheels of the package index, as a folder of packages; a test that
    asks for it is skipped where the index has none.

    uv unpacks wheels once for all environments, and pip would download 2.5 GB at each run.
    """
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(folder), f"torch=={version}"]
    done = subprocess.run(
        [*command, "--python", sys.executable], capture_output=True, text=True, timeout=1800, check=False
    )
    if done.returncode != 0 or not (folder / "torch/lib/libtorch_cuda.so").exists():
        pytest.skip(f"uv finds no CUDA build of torch {version} here: {done.stderr.strip()[-200:]}")
    return folder


# conda-forge's names of NVIDIA's libraries, which the package index calls `nvidia-NAME` or `nvidia-NAME-cu13`.
_NVIDIA = {
    "cublas": "libcublas",
    "cuda-runtime": "cuda-cudart",
    "cufft": "libcufft",
    "cufile": "libcufile",
    "curand": "libcurand",
    "cusolver": "libcusolver",
    "cusparse": "libcusparse",
    "nvjitlink": "libnvjitlink",
    "nvshmem": "libnvshmem3",
    "nvtx": "cuda-nvtx",
}


def add_cuda_torch(channel: Channel, folder: Path, cuda: str) -> None:
    """torch for `cuda` and its libraries in conda-forge's names and order: the build string, the number that makes it
    preferred, `__cuda`, `cuda-version`. The packages that are there already are used."""
    major = int(cuda.partition(".")[0])
    # As conda-forge does: only the driver's major is asked for.
    version = {"name": "cuda-version", "version": cuda, "build": "h0", "subdir": "noarch", "noarch": "generic"}
    channel.add({**version, "constrains": [f"__cuda >={major}"]})
    same_cuda = f"cuda-version >={cuda},<{major + 1}"
    found = {normalised(one.name): one for one in distributions(path=[str(folder)])}
    torch = found.pop("torch")
    needs = []
    for name, one in sorted(found.items()):
        own = name.removeprefix("nvidia-").removesuffix(f"-cu{major}")
        of_nvidia = name.startswith("nvidia-")
        package = _NVIDIA.get(own, own) if of_nvidia else name
        needs.append(f"{package} =={one.version}")
        own_build = f"cuda{major}_0" if of_nvidia else "0"
        if not channel.has(package, one.version, own_build):
            more = [same_cuda] if of_nvidia else ()
            _add_package(channel, package, one.version, of_folder(folder, one), more, own_build)
    build = f"cuda{cuda.replace('.', '')}_generic_200"
    needs += ["__cuda", same_cuda]
    _add_torch(channel, torch.version, build, needs, of_folder(folder, torch), number=200)


def of_folder(folder: Path, distribution: Distribution) -> Iterator[Content]:
    """What a wheel brought, by its RECORD: without scripts, which are for another Python, and what is made of it."""
    for file in distribution.files or ():
        if file.parts[0] in ("bin", "share", "..") or file.suffix == ".pyc":
            continue
        path = folder / file
        content = b"conda\n" if file.name == "INSTALLER" else path.read_bytes()
        yield f"{SITE}/{file}", content, path.stat().st_mode & 0o777, None


def _add_package(
    channel: Channel, name: str, version: str, files: Iterable[Content], needs: Sequence[str] = (), build: str = "0"
) -> None:
    channel.add({"name": name, "version": version, "build": build, "depends": [_PYTHON, *needs]}, files)


def _add_torch(
    channel: Channel, version: str, build: str, needs: Sequence[str], files: Iterable[Content], number: int = 0
) -> None:
    """With the metapackage that asks for this kind of build; each kind keeps the other's away, as on conda-forge."""
    kind, other = ("pytorch-gpu", "pytorch-cpu") if number else ("pytorch-cpu", "pytorch-gpu")
    index = {"version": version, "build": build, "build_number": number}
    apart = [f"{kind} =={version}", f"{other} ==99999999"]
    channel.add({"name": "pytorch", **index, "depends": [_PYTHON, *needs], "constrains": apart}, files)
    channel.add({"name": kind, **index, "depends": [f"pytorch {version} {build}"]})
