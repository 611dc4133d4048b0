"""What the frameworks in an environment really are: their METADATA does not tell a build for the CPU from another."""

import re
from collections.abc import Sequence

from cudafit.env.reader import SOURCE_LIMIT, Reader
from cudafit.model.environment import Distribution, TensorflowBuild, TorchBuild
from cudafit.model.frameworks import TENSORFLOW, TORCH
from cudafit.model.kernel_list import kernel_list
from cudafit.model.literals import assignments
from cudafit.model.versions import is_version


def read_torch(reader: Reader, places: Sequence[str]) -> TorchBuild | None:
    place = next((one for one in places if reader.files.is_dir(f"{one}/torch")), None)
    if place is None:
        return None
    path = f"{place}/{TORCH.build_file}"
    values = assignments(reader.text(path, SOURCE_LIMIT) or "")
    folder = f"{place}/torch/lib"
    libraries = reader.names(folder)
    has_library = any(re.match(r"(lib)?torch_cuda", name) for name in libraries) if libraries else None
    if not values:
        return TorchBuild(None, None, has_library, path, cuda_library=has_library)
    cuda = values.get("cuda")
    version = values.get("__version__")
    told = "cuda" in values
    has_cuda = isinstance(cuda, str) if told else has_library
    kernels = None
    if has_cuda:
        for name in TORCH.kernel_libraries:
            if name in libraries and (kernels := _kernel_list(reader, f"{folder}/{name}")):
                break
    return TorchBuild(
        version=version if isinstance(version, str) and is_version(version) else None,
        cuda=_version_of(cuda),
        has_cuda=has_cuda,
        path=path,
        kernels=kernels,
        hip=str(values["hip"]) if isinstance(values.get("hip"), str) else None,
        cuda_library=has_library,
    )


def _kernel_list(reader: Reader, path: str) -> tuple[str, ...] | None:
    """The file is mapped, not read: it is large, and the list stands somewhere in it."""
    try:
        with reader.files.mapped(path) as data:
            return kernel_list(data)
    except (OSError, ValueError) as error:
        reader.note(f"{path}: {error}")
        return None


def read_tensorflow(
    reader: Reader, places: Sequence[str], distributions: Sequence[Distribution]
) -> TensorflowBuild | None:
    place = next((one for one in places if reader.files.is_dir(f"{one}/tensorflow/python")), None)
    if place is None:
        return None
    path = f"{place}/{TENSORFLOW.build_file}"
    info = assignments(reader.text(path, SOURCE_LIMIT) or "").get("build_info")
    version = next((one.version for one in distributions if TENSORFLOW.is_called(one.name)), None)
    if not isinstance(info, dict):
        return TensorflowBuild(version, None, None, None, None, path)
    kernels = info.get("cuda_compute_capabilities")
    return TensorflowBuild(
        version=version,
        has_cuda=bool(info.get("is_cuda_build")),
        cuda=_version_of(info.get("cuda_version")),
        cudnn=_version_of(info.get("cudnn_version")),
        kernels=tuple(str(one) for one in kernels) if isinstance(kernels, list) else None,
        path=path,
    )


def read_companions(reader: Reader, places: Sequence[str]) -> dict[str, str]:
    """torch's, by their own version.py."""
    found: dict[str, str] = {}
    for name in TORCH.companions:
        for place in places:
            values = assignments(reader.text(f"{place}/{name}/version.py", SOURCE_LIMIT) or "")
            version = values.get("__version__")
            if name not in found and isinstance(version, str) and is_version(version):
                found[name] = version
    return found


def _version_of(value: object) -> str | None:
    """Of CUDA or cuDNN: `12.6`, or `9`."""
    return value if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9}){0,3}", value) else None
