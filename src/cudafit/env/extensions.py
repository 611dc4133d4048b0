"""Packages with CUDA code of their own (flash-attn, bitsandbytes, onnxruntime …): kernels, libraries, symbols."""

import re
from collections.abc import Iterator, Mapping, Sequence

from cudafit.env.loader import Loader
from cudafit.files import Files
from cudafit.model.elf import undefined_symbols
from cudafit.model.environment import Distribution, Extension, Load
from cudafit.model.fatbin import fatbin_kernels
from cudafit.model.frameworks import LEADING
from cudafit.model.versions import number

# They have CUDA code and do not say that they need torch; or they need it and say so only in part.
_KNOWN = re.compile(
    r"bitsandbytes|onnxruntime-gpu|llama-cpp-python|cupy(-cuda\w+)?|xgboost|ctranslate2|flash-attn\w*|xformers|faiss-gpu"
    r"[\w-]*|spconv-cu\w+|cumm-cu\w+|dgl|sgl-kernel|mamba-ssm|causal-conv1d|torchvision|torchaudio|vllm|cuml-\w+|cudf-\w+"
)
_OTHERS = frozenset(("triton", "numpy", *(one.build for one in LEADING)))
# Releases whose search in wheels has a known fault. Source: https://github.com/cupy/cupy/issues/9547
_BROKEN_FINDER = {"cupy-cuda12x": "14.0.0rc1", "cupy-cuda13x": "14.0.0rc1"}
_RECORD_LIMIT = 1 << 20
_MOST_LIBRARIES = 64
_CUDA_NAME = re.compile(r"lib(cu|nv|nccl|npp|c10|torch)[\w-]*\.so")
_TORCH_SYMBOL = re.compile(rb"_ZNK?(3c10|2at|5torch|6caffe2)")


def read_extensions(
    files: Files,
    loader: Loader,
    distributions: Sequence[Distribution],
    torch: Mapping[str, Load] | None,
    torch_files: Sequence[str],
    folders: Sequence[str],
) -> Iterator[Extension]:
    """Each package with what its libraries need; `torch` is what torch has loaded before it, by soname.

    `folders` are nvidia/*/lib, in which a package that uses cuda-pathfinder looks.
    """
    for one in distributions:
        with_torch = any(re.match(r"torch\b(?!\S*extra)", text) and "extra" not in text for text in one.requires)
        if one.name in _OTHERS or one.name.startswith(("nvidia-", "jax-")):
            continue
        if with_torch or _KNOWN.fullmatch(one.name):
            libraries = list(_libraries(files, one))
            uses_torch = torch if with_torch or one.name == "bitsandbytes" else None
            if libraries:
                finder = any(text.startswith("cuda-pathfinder") for text in one.requires)
                extra = folders if finder and one.version != _BROKEN_FINDER.get(one.name) else ()
                yield from _read(files, loader, one, libraries, uses_torch, torch_files, extra)


def _libraries(files: Files, one: Distribution) -> Iterator[str]:
    try:
        record = files.read_text(f"{one.metadata}/RECORD", _RECORD_LIMIT)
    except OSError:
        return
    count = 0
    for line in record.splitlines():
        name = line.partition(",")[0].strip('"')
        # Names of an untrusted list: nothing outside of the folder is looked at.
        if not re.search(r"\.so(\.\d+)*$", name) or name.startswith("/") or ".." in name.split("/"):
            continue
        count += 1
        if count > _MOST_LIBRARIES:
            return
        yield f"{one.place}/{name}"


def _read(
    files: Files,
    loader: Loader,
    one: Distribution,
    libraries: Sequence[str],
    torch: Mapping[str, Load] | None,
    torch_files: Sequence[str],
    folders: Sequence[str],
) -> Iterator[Extension]:
    """One for the package; for bitsandbytes, which has a library for each CUDA, one for each."""
    if one.name == "bitsandbytes":
        for path in libraries:
            yield _extension(files, loader, one.name, [path], torch, torch_files, folders)
    else:
        found = _extension(files, loader, one.name, libraries, torch, torch_files, folders)
        # That a package of CUDA code has no kernels is a fact about it; of any other it says nothing.
        if found.kernels != () or found.missing or found.symbols or _KNOWN.fullmatch(one.name):
            yield found


def _extension(
    files: Files,
    loader: Loader,
    name: str,
    libraries: Sequence[str],
    torch: Mapping[str, Load] | None,
    torch_files: Sequence[str],
    folders: Sequence[str],
) -> Extension:
    kernels: dict[str, None] = {}
    unread = False
    told_by = libraries[0]
    symbols: list[str] = []
    for path in libraries:
        if loader.elf(path) is None:
            continue
        found = _kernels(files, path)
        if found is None:
            unread = True
        elif found:
            told_by = path
            kernels.update(dict.fromkeys(found))
        if torch is not None and torch_files:
            symbols += _lacking(files, loader, path, [*torch_files, *libraries])
    loads = loader.walk(libraries, torch, folders)
    missing = [load for load in loads.values() if load.path is None and _CUDA_NAME.match(load.soname)]
    ordered = sorted(kernels, key=lambda text: (text.startswith("compute"), number(re.sub(r"\D", "", text) or "0")))
    return Extension(
        package=name,
        path=missing[0].by if missing else told_by,
        kernels=None if unread else tuple(ordered),
        missing=tuple(missing),
        symbols=tuple(dict.fromkeys(symbols))[:20],
    )


def _kernels(files: Files, path: str) -> tuple[str, ...] | None:
    try:
        with files.mapped(path) as data:
            return fatbin_kernels(data)
    except OSError:
        return None
    except ValueError:
        return ()


def _lacking(files: Files, loader: Loader, path: str, others: Sequence[str]) -> list[str]:
    """What a library takes from torch by name, and neither torch nor its neighbours have."""
    try:
        with files.mapped(path) as data:
            wanted = undefined_symbols(data, _TORCH_SYMBOL)
    except (OSError, ValueError):
        return []
    if not wanted:
        return []
    there = loader.defined([other for other in others if other != path and loader.elf(other)], wanted)
    return [name for name in wanted if name not in there] if there is not None else []
