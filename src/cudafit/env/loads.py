"""The CUDA libraries that the frameworks of an environment load: torch by need, TensorFlow by name, cuDNN its parts."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from cudafit.env.loader import Loader
from cudafit.files import Files
from cudafit.model.environment import NOT_LOOKED, Load, TensorflowBuild
from cudafit.model.library import opened
from cudafit.model.sections import ForgedError
from cudafit.model.versions import numbers

# By the CUDA toolkits' release notes, which tell the libraries' own versions.
_SONAMES = {
    "11": ("libcudart.so.11.0", "libcublas.so.11", "libcufft.so.10", "libcusolver.so.11", "libcusparse.so.11"),
    "12": ("libcudart.so.12", "libcublas.so.12", "libcufft.so.11", "libcusolver.so.11", "libcusparse.so.12"),
    "13": ("libcudart.so.13", "libcublas.so.13", "libcufft.so.12", "libcusolver.so.12", "libcusparse.so.12"),
}
# What libcudnn.so.9 opens by name when it is used. Source: cuDNN's documentation, "Sub-library layout".
_CUDNN_PARTS = (
    "graph",
    "ops",
    "cnn",
    "adv",
    "engines_precompiled",
    "engines_runtime_compiled",
    "engines_tensor_ir",
    "heuristic",
)
# A small part of cuDNN, which opens cuBLAS by its name.
_TELLS_CUDA = "libcudnn_adv.so.9"
_BLAS = re.compile(r"libcublas(Lt)?\.so\.")
_LIBRARY = re.compile(r"lib[\w-]+\.so\.\d+")
# Of the toolkit itself: what NVSHMEM or cuFile would like from a network card's maker may be missing.
_TOOLKIT = re.compile(r"lib(cudart|cublas|cublasLt|cufft|cusolver|cusparse|curand|nvJitLink|nvrtc)\.so\.\d+")
_MOST_LIBRARIES = 200
# Where JAX's own code is, now and up to 0.6.
_JAX = ("jaxlib/libjax_common.so", "jaxlib/xla_extension.so")
# The libraries from which TensorFlow opens the others: their RUNPATH counts.
_TENSORFLOW = ("libtensorflow_framework.so.2", "libtensorflow_cc.so.2", "python/_pywrap_tensorflow_internal.so")


def read_loads(
    files: Files, loader: Loader, places: Sequence[str], tensorflow: TensorflowBuild | None
) -> dict[str, tuple[Load, ...]]:
    """By framework; one whose libraries cannot be read is left out."""
    found: dict[str, tuple[Load, ...]] = {}
    if torch := _torch(files, loader, places):
        found["torch"] = tuple(torch.values())
    if tensorflow and tensorflow.has_cuda and tensorflow.cuda and (told := _tensorflow(loader, places, tensorflow)):
        found["tensorflow"] = told
    if torn := _torn(files, loader, places, {load.soname for load in found.get("torch", ()) if load.path}):
        found["nvidia"] = torn
    cudnn = [load for loads in found.values() for load in loads if load.soname == "libcudnn.so.9" and load.path]
    if parts := [part for load in cudnn[:1] for part in _cudnn_parts(loader, load)]:
        found["cudnn"] = tuple(parts)
    return found


def cudnn_made_for(
    files: Files, places: Sequence[str], loads: Mapping[str, tuple[Load, ...]]
) -> tuple[str, str] | None:
    """The CUDA library that the frameworks' cuDNN opens (libcublasLt.so.12), and which of its files does.

    Its own name and its version are the same for every CUDA; the wheels for 12 and 13 fill one folder.
    """
    told = [load.path for load in loads.get("cudnn", ()) if load.soname == _TELLS_CUDA and load.path]
    for path in (*told, *(f"{place}/nvidia/cudnn/lib/{_TELLS_CUDA}" for place in places)):
        try:
            with files.mapped(path) as data:
                names = opened(data)
        except (OSError, ValueError, ForgedError):
            continue
        return next(((name, path) for name in names if _BLAS.match(name)), None)
    return None


def newest_glibc(
    loader: Loader, places: Sequence[str], prefix: str, loads: Mapping[str, tuple[Load, ...]]
) -> tuple[str, str] | None:
    """The newest GLIBC_2.x that the frameworks' libraries in the environment need, and which library does.

    Tags do not tell: conda's packages have none, and a wheel's may promise more than it keeps.
    """
    paths = [load.path for several in loads.values() for load in several if load.path]
    paths += [f"{place}/{name}" for place in places for name in (*_JAX, *(f"tensorflow/{one}" for one in _TENSORFLOW))]
    paths += [load.by for several in loads.values() for load in several]
    own = tuple(f"{folder}/" for folder in (prefix, *places))
    found = [
        (version, path)
        for path in dict.fromkeys(paths)
        if path.startswith(own) and (elf := loader.elf(path))
        for version in elf.needs_versions
        if re.fullmatch(r"GLIBC_\d[\d.]*", version)
    ]
    return max(found, key=lambda one: numbers(one[0].removeprefix("GLIBC_")), default=None)


def torch_files(files: Files, places: Sequence[str]) -> list[str]:
    """The libraries of torch that have the symbols which extensions take from it."""
    place = next((one for one in places if files.is_file(f"{one}/torch/lib/libc10.so")), None)
    names = ("c10", "c10_cuda", "torch_cpu", "torch_cuda", "torch", "torch_python")
    paths = [f"{place}/torch/lib/lib{name}.so" for name in names] if place else []
    return [path for path in paths if files.is_file(path)]


def nvidia_folders(files: Files, places: Sequence[str], below: str = "lib") -> list[str]:
    """`nvidia/*/lib`, in which torch looks by itself where the linker found nothing; on Windows `nvidia/*/bin`."""
    found = []
    for place in places:
        try:
            names = files.names(f"{place}/nvidia")
        except OSError:
            continue
        found += [path for name in names if files.is_dir(path := f"{place}/nvidia/{name}/{below}")]
    return found


def _torch(files: Files, loader: Loader, places: Sequence[str]) -> Mapping[str, Load]:
    place = next((one for one in places if files.is_file(f"{one}/torch/lib/libtorch_cuda.so")), None)
    if place is None:
        return {}
    roots = [f"{place}/torch/lib/libtorch_global_deps.so"]
    roots += [f"{place}/torch/{name}" for name in _names(files, f"{place}/torch") if re.match(r"_C\..*\.so$", name)]
    roots += [f"{place}/torch/lib/libtorch_cuda.so"]
    return loader.walk([root for root in roots if files.is_file(root)], extra=nvidia_folders(files, places))


def _tensorflow(loader: Loader, places: Sequence[str], build: TensorflowBuild) -> tuple[Load, ...]:
    names = _SONAMES.get((build.cuda or "").partition(".")[0], ())
    callers = [f"{place}/tensorflow/{name}" for place in places for name in _TENSORFLOW]
    callers = [path for path in callers if loader.elf(path)]
    if not callers or not names:
        return ()
    cudnn = (f"libcudnn.so.{build.cudnn.partition('.')[0]}",) if build.cudnn else ()
    nowhere = "nowhere" if loader.system is not None else NOT_LOOKED
    found = []
    for soname in (*names, *cudnn):
        told = next((load for path in callers if (load := loader.find(soname, path))), None)
        found.append(told or Load(soname, None, callers[0], nowhere))
    return tuple(found)


def _torn(files: Files, loader: Loader, places: Sequence[str], loaded: Collection[str]) -> tuple[Load, ...]:
    """What the CUDA libraries of the environment need of each other, and is nowhere: parts of two CUDA releases."""
    if loader.system is None:
        return ()
    folders = nvidia_folders(files, places)
    roots = [f"{folder}/{name}" for folder in folders for name in _names(files, folder) if _LIBRARY.fullmatch(name)]
    found = loader.walk(roots[:_MOST_LIBRARIES], extra=folders)
    return tuple(
        load
        for load in found.values()
        if load.path is None and _TOOLKIT.match(load.soname) and load.soname not in loaded
    )


def _cudnn_parts(loader: Loader, cudnn: Load) -> Iterator[Load]:
    if cudnn.path is None:
        return
    for part in _CUDNN_PARTS:
        if load := loader.find(f"libcudnn_{part}.so.9", cudnn.path):
            yield load


def _names(files: Files, path: str) -> list[str]:
    try:
        return files.names(path)
    except OSError:
        return []
