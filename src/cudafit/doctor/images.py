"""What the name of an image tells: its CUDA, the framework in it, its C library.

Sources: the naming of tags as the repositories document it: nvidia/cuda (`13.0.1-base-ubuntu24.04`), pytorch/pytorch
(`2.9.1-cuda12.8-cudnn9-runtime`), tensorflow/tensorflow (`2.15.0-gpu`), python (`3.12-slim`, `3.12-alpine`).
"""

import re

from cudafit.model.frameworks import FRAMEWORKS
from cudafit.model.frozen import frozen

# NVIDIA's monthly images; the matrix has no table of what is in which month.
_MONTHLY = re.compile(r"(^|/)nvcr\.io/nvidia/(pytorch|tensorflow|jax|nemo|tensorrt|tritonserver|cuquantum)$")
_CUDA = re.compile(r"(?:^|[-_.])(?:cuda|cu)-?(\d{2}\.\d+(?:\.\d+)?)(?![\d])")


@frozen
class Image:
    """`gpu`: made for a GPU; `cuda` is None where its name does not tell it."""

    name: str
    repository: str
    gpu: bool = False
    cuda: str | None = None
    framework: str | None = None  # torch, tensorflow
    version: str | None = None  # of the framework
    cpu_only: bool = False
    musl: bool = False
    python: str | None = None
    monthly: bool = False


def image(name: str) -> Image:
    """`docker.io/nvidia/cuda:12.4.1-base-ubuntu22.04@sha256:…`"""
    plain = name.partition("@")[0]
    head, sign, last = plain.rpartition("/")
    last, _, tag = last.partition(":")
    repository = re.sub(r"^(index\.)?docker\.io/(library/)?", "", f"{head}{sign}{last}".lower())
    tag = tag.lower()
    short = "/".join(repository.split("/")[-2:])
    found = _CUDA.search(tag)
    musl = bool(re.search(r"(^|[-_.\d])alpine", tag)) or last.lower() == "alpine"
    if _MONTHLY.search(repository):
        return Image(name, repository, gpu=True, monthly=True, framework=_framework(last))
    if short == "nvidia/cuda":
        match = re.match(r"\d+\.\d+(\.\d+)?(?=-|$)", tag)
        return Image(name, repository, gpu=True, cuda=match[0] if match else None)
    if short == "pytorch/pytorch":
        match = re.match(r"(\d+\.\d+(?:\.\d+)?)-cuda", tag)
        return Image(name, repository, True, found[1] if found else None, "torch", _whole(match[1]) if match else None)
    if short == "tensorflow/tensorflow":
        match = re.match(r"(\d+\.\d+\.\d+)-", f"{tag}-")
        gpu = "gpu" in tag
        return Image(name, repository, gpu, None, "tensorflow", match[1] if match else None, cpu_only=not gpu)
    python = re.match(r"3\.\d+", tag) if last == "python" else re.search(r"python-?(3\.\d+)", tag)
    return Image(
        name,
        repository,
        gpu=bool(found),
        cuda=found[1] if found else None,
        musl=musl and "conda" not in repository,  # conda's images on Alpine bring glibc
        python=re.sub(r"[^\d.]", "", python[0]) if python else None,
    )


def _framework(last: str) -> str | None:
    return next((one.name for one in FRAMEWORKS if last.lower() in one.images), None)


def _whole(version: str) -> str:
    return version if version.count(".") > 1 else f"{version}.0"
