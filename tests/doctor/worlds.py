"""Worlds for doctor: a machine by a saved snapshot, changed in one point, and an environment that lies on the disk."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cudafit.env.inventory import read_inventory
from cudafit.env.prefixes import at
from cudafit.files import Files
from cudafit.machine.saved import load
from cudafit.matrix.load import open_matrix
from cudafit.model.environment import Environment
from cudafit.model.machine import Gpu, Machine
from cudafit.resolve.problem import Library
from tests.machines import FOLDER

FACTS = Library(open_matrix(environ={"HOME": str(Path.home())}))


@functools.cache
def saved(name: str) -> Machine:
    return load(str(FOLDER / f"{name}.json"))


def machine(name: str = "rtx4090-550", *, gpu: Mapping[str, Any] | None = None, **changes: Any) -> Machine:
    """A saved machine with some fields changed; `gpu` changes the first GPU."""
    found = saved(name)
    if gpu is not None:
        first: Gpu = replace(found.gpus[0], **gpu)
        changes["gpus"] = (first, *found.gpus[1:])
    if "os" in changes:
        changes["os"] = replace(found.os, **changes["os"])
    if "driver" in changes and isinstance(changes["driver"], dict):
        changes["driver"] = replace(found.driver, **changes["driver"])  # type: ignore[type-var]
    return replace(found, **changes)


def tree(prefix: Path, files: Mapping[str, str | bytes], dists: Sequence[str] = (), python: str = "3.12") -> Path:
    """A venv with distributions given as `name==1.0` or `name==1.0; needs a, b==2`; `SITE/` stands for its packages."""
    site = f"lib/python{python}/site-packages"
    given: dict[str, str | bytes] = {"pyvenv.cfg": f"home = /usr/bin\nversion = {python}.4\n"}
    for text in dists:
        head, _, needs = text.partition("; needs ")
        name, _, version = head.partition("==")
        folder = f"{site}/{name.replace('-', '_')}-{version}.dist-info"
        requires = "".join(f"Requires-Dist: {need.strip()}\n" for need in needs.split(" & ") if need)
        given[f"{folder}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}\n"
        given[f"{folder}/RECORD"] = "a,,\n" * 40 + "".join(f"{path},,\n" for path in _owned(name, files))
        given[f"{folder}/INSTALLER"] = "pip\n"
    for path, content in {**given, **{key.replace("SITE/", f"{site}/"): value for key, value in files.items()}}.items():
        place = prefix / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    return prefix


def _owned(name: str, files: Mapping[str, str | bytes]) -> list[str]:
    """The shared libraries among the files that lie in a folder, or are called, after a distribution."""
    given = name.replace("-", "_").lower()
    paths = [
        path.removeprefix("SITE/") for path in files if path.startswith("SITE/") and path.endswith((".so", ".dll"))
    ]
    tops = {path: path.partition("/")[0].partition(".")[0].lower() for path in paths}
    return [path for path, top in tops.items() if top.startswith(given) or given.startswith(top)]


def torch(version: str, cuda: str | None, kernels: str = "") -> dict[str, str | bytes]:
    """The files by which torch tells what it is."""
    files: dict[str, str | bytes] = {
        "SITE/torch/version.py": f"__version__ = {version!r}\ncuda = {cuda!r}\nhip = None\n"
    }
    files["SITE/torch/lib/libtorch_python.so"] = b"\0junk\0" + kernels.encode() + b"\0more"
    if cuda:
        files["SITE/torch/lib/libtorch_cuda.so"] = b""
    return files


def tensorflow(
    cuda: str | None, cudnn: str = "9", kernels: Sequence[str] = ("sm_60", "sm_70", "sm_80", "sm_89", "compute_90")
) -> dict[str, str | bytes]:
    told = [("is_cuda_build", cuda is not None)]
    if cuda:
        told += [("cuda_version", cuda), ("cudnn_version", cudnn), ("cuda_compute_capabilities", list(kernels))]  # type: ignore[list-item]
    text = f"import collections\nbuild_info = collections.OrderedDict({told!r})\n"
    return {"SITE/tensorflow/python/platform/build_info.py": text}


CUDA_LIBRARIES: dict[str, str | bytes] = {
    "SITE/nvidia/cuda_runtime/lib/libcudart.so.12": b"",
    "SITE/nvidia/cublas/lib/libcublas.so.12": b"",
    "SITE/nvidia/cudnn/lib/libcudnn.so.9": b"",
    "SITE/nvidia/cufft/lib/libcufft.so.11": b"",
    "SITE/nvidia/cusolver/lib/libcusolver.so.11": b"",
    "SITE/nvidia/cusparse/lib/libcusparse.so.12": b"",
}
CU126 = "sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_90"
CU132 = "sm_75 sm_80 sm_86 sm_90 sm_100 sm_120"


def environment(prefix: Path, environ: Mapping[str, str] | None = None) -> Environment:
    files = Files()
    located = at(files, str(prefix), "named")
    assert located
    return read_inventory(files, located, environ, ())
