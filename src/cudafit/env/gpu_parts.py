"""What else in an environment decides about the GPU: CUDA's own libraries, and parts of single packages."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from cudafit.env.reader import SOURCE_LIMIT, Reader
from cudafit.model.bitsandbytes import NEAREST, WITHOUT_LT
from cudafit.model.environment import SharedLibrary

_LONGEST = 40  # of a number that a package tells of itself
_NVIDIA_LIBRARY = re.compile(r"(lib[A-Za-z_]+\.so\.\d+)(\.\d+)*|([a-z_]+64_\d+)\.dll", re.I)


def read_libraries(reader: Reader, places: Sequence[str]) -> Iterator[SharedLibrary]:
    """The shared libraries below `nvidia/` and in `torch/lib`."""
    for place in places:
        for folder in _nvidia_folders(reader, place):
            for name in reader.names(folder):
                if match := _NVIDIA_LIBRARY.fullmatch(name):
                    yield SharedLibrary(match[1] or match[3], f"{folder}/{name}")
        for name in reader.names(f"{place}/torch/lib"):
            if (match := _NVIDIA_LIBRARY.fullmatch(name)) and re.match(r"lib(cu|nccl|nv)", name):
                yield SharedLibrary(match[1] or match[3], f"{place}/torch/lib/{name}")


def _nvidia_folders(reader: Reader, place: str) -> Iterator[str]:
    for name in reader.names(f"{place}/nvidia"):
        for folder in (f"{place}/nvidia/{name}/lib", f"{place}/nvidia/{name}/bin"):
            if reader.files.is_dir(folder):
                yield folder


def bitsandbytes(reader: Reader, places: Sequence[str]) -> tuple[str, ...] | None:
    """Its libraries by name; None where it is not installed."""
    place = _with_folder(reader, places, "bitsandbytes")
    names = reader.names(f"{place}/bitsandbytes") if place else []
    return tuple(name for name in names if name.startswith("libbitsandbytes")) if place else None


def bitsandbytes_falls_back(reader: Reader, places: Sequence[str]) -> bool:
    """By its own source: older releases load the library of torch's CUDA or none."""
    place = _with_folder(reader, places, "bitsandbytes")
    text = reader.text(f"{place}/bitsandbytes/cextension.py", SOURCE_LIMIT) if place else None
    return text is None or NEAREST in text


def bitsandbytes_without_lt(reader: Reader, places: Sequence[str]) -> bool:
    """By its own source: up to 0.44 it has a library of its own for cards before Turing."""
    place = _with_folder(reader, places, "bitsandbytes")
    files = [f"{place}/bitsandbytes/{name}" for name in ("cextension.py", "cuda_setup/main.py")] if place else []
    return any(WITHOUT_LT in (reader.text(path, SOURCE_LIMIT) or "") for path in files)


def _with_folder(reader: Reader, places: Sequence[str], name: str) -> str | None:
    return next((one for one in places if reader.files.is_dir(f"{one}/{name}")), None)


def xformers_cuda(reader: Reader, places: Sequence[str]) -> str | None:
    place = next((one for one in places if reader.files.is_file(f"{one}/xformers/cpp_lib.json")), None)
    if place is None:
        return None
    try:
        value = json.loads(reader.small(f"{place}/xformers/cpp_lib.json") or "")
        return str(value["version"]["cuda"] or "")[:_LONGEST]
    except (ValueError, KeyError, TypeError, RecursionError):
        reader.note(f"{place}/xformers/cpp_lib.json is not as it should be")
        return None


# Of conda's cuda-nvvm-impl and cuda-nvcc, and of cudatoolkit before CUDA 12.
_LIBDEVICE_OF_CONDA = (
    "nvvm/libdevice",
    "targets/x86_64-linux/nvvm/libdevice",
    "targets/sbsa-linux/nvvm/libdevice",
    "lib",
)


def libdevice(reader: Reader, places: Sequence[str], prefix: str) -> str | None:
    """In the wheels' folders, and where conda has it."""
    for folder in _LIBDEVICE_OF_CONDA:
        if reader.files.is_file(f"{prefix}/{folder}/libdevice.10.bc"):
            return f"{prefix}/{folder}/libdevice.10.bc"
    for place in places:
        for folder in ("cuda_nvcc", "cu13", "cu12"):
            path = f"{place}/nvidia/{folder}/nvvm/libdevice/libdevice.10.bc"
            if reader.files.is_file(path):
                return path
    return None


def openmp(reader: Reader, prefix: str, places: Sequence[str]) -> Iterator[str]:
    """Where wheels and conda put it: a package's own folder, its `lib`, `NAME.libs`, and the prefix's own."""
    folders = [f"{prefix}/lib", f"{prefix}/Library/bin"]
    for place in places:
        for name in reader.names(place):
            if not name.endswith((".dist-info", ".egg-info", ".py", ".pth")):
                folders += [f"{place}/{name}", f"{place}/{name}/lib"]
    seen: set[str] = set()
    for folder in folders:
        for name in reader.listed(folder):
            path = f"{folder}/{name}"
            if (
                name.startswith("libiomp5")
                and re.match(r"libiomp5(md)?[.-]", name)
                and (real := reader.real(path)) not in seen
            ):
                seen.add(real)
                yield path


# What torch loads first of all, and says by itself that it lacks. Source: torch/__init__.py.
_VC_RUNTIME = ("vcruntime140.dll", "msvcp140.dll", "vcruntime140_1.dll")
# pytorch/pytorch issue 131662, kohya-ss/sd-scripts issue 1597.
_OPENMP = "libomp140.x86_64.dll"


def no_vc_runtime(reader: Reader, prefix: str, base: str | None, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Which of them are neither of the system nor beside the interpreter, in conda's folder or torch's; on Windows."""
    system = next((value for name, value in environ.items() if name.upper() == "SYSTEMROOT" and value), None)
    torch = f"{prefix}/Lib/site-packages/torch/lib"
    if system is None or not reader.files.is_dir(torch) or not reader.files.is_dir(f"{system}/System32"):
        return ()
    folders = (f"{system}/System32", prefix, f"{prefix}/Library/bin", torch, *((base,) if base else ()))
    needed = (*_VC_RUNTIME, *((_OPENMP,) if _asks_for_openmp(reader, f"{torch}/fbgemm.dll") else ()))
    return tuple(name for name in needed if not any(reader.files.is_file(f"{folder}/{name}") for folder in folders))


def _asks_for_openmp(reader: Reader, path: str) -> bool:
    """By the library itself: that of torch 2.4.0 was linked against Visual C++'s OpenMP, which comes with its tools."""
    try:
        with reader.files.mapped(path) as data:
            return data.find(_OPENMP.encode()) >= 0
    except (OSError, ValueError):
        return False


def accelerate_for_the_cpu(reader: Reader, environ: Mapping[str, str]) -> str | None:
    """The configuration of Accelerate that says use_cpu."""
    home = environ.get("HF_HOME") or f"{environ.get('HOME', '')}/.cache/huggingface"
    path = f"{home}/accelerate/default_config.yaml"
    text = reader.small(path) if path.startswith("/") else None
    return path if re.search(r"^use_cpu:\s*(true|yes|on)\s*$", text or "", re.M | re.I) else None
