"""What the frameworks in an environment really are: their METADATA does not tell a build for the CPU from another."""

import re
from collections.abc import Iterator, Mapping, Sequence

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
    path = next((path for path in _build_files(places) if reader.files.is_dir(path[: -len(_BELOW_PYTHON)])), None)
    if path is None:
        return None
    values = assignments(reader.text(path, SOURCE_LIMIT) or "")
    info = values.get("build_info") or _before_2_3(values)
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


_BELOW_PYTHON = "/platform/build_info.py"
_IN_TENSORFLOW = f"/python{_BELOW_PYTHON}"


def _build_files(places: Sequence[str]) -> Iterator[str]:
    """In 1.15 to 2.1 the package was called tensorflow_core, and `tensorflow` led to it."""
    for place in places:
        yield f"{place}/tensorflow{_IN_TENSORFLOW}"
        yield f"{place}/tensorflow_core{_IN_TENSORFLOW}"


def _before_2_3(values: Mapping[str, object]) -> dict[str, object] | None:
    """As single names: `cuda_version_number = '10.1'`. Source: tensorflow/tools/build_info/gen_build_info.py of 2.1."""
    if "is_cuda_build" not in values:
        return None
    named = {"cuda_version": "cuda_version_number", "cudnn_version": "cudnn_version_number"}
    return {"is_cuda_build": values["is_cuda_build"], **{name: values.get(old) for name, old in named.items()}}


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
    """Of CUDA or cuDNN: `12.6`, or `9`. On Windows as the names of DLLs have it: `64_112` is 11.2, `64_8` is 8."""
    if not isinstance(value, str):
        return None
    if match := re.fullmatch(r"64_(\d{1,2})(\d)", value):
        return f"{match[1]}.{match[2]}"
    value = value.removeprefix("64_")
    return value if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9}){0,3}", value) else None
