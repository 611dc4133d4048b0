"""Packages with CUDA code of their own (flash-attn, bitsandbytes, onnxruntime …): kernels, libraries, symbols."""

import re
from collections.abc import Iterator, Mapping, Sequence

from cudafit.env.dlls import NEEDED, PART_OF_CUDNN, SHELL_OF_CUDNN, Dlls, stem
from cudafit.env.loader import Loader
from cudafit.env.reader import Reader
from cudafit.files import Files
from cudafit.model.elf import undefined_symbols
from cudafit.model.environment import NOT_LOOKED, Distribution, Extension, Load
from cudafit.model.fatbin import fatbin_kernels, has_fatbins
from cudafit.model.frameworks import LEADING, LEADING_BUILDS
from cudafit.model.library import opened
from cudafit.model.versions import number, numbers

# They have CUDA code and do not say that they need torch; or they need it and say so only in part.
_KNOWN = re.compile(
    r"bitsandbytes|onnxruntime-gpu|llama-cpp-python|cupy(-cuda\w+)?|xgboost|ctranslate2|flash-attn\w*|xformers|faiss-gpu"
    r"[\w-]*|lightgbm|spconv-cu\w+|cumm-cu\w+|dgl|sgl-kernel|mamba-ssm|causal-conv1d|torchvision|torchaudio|vllm|cuml-\w+|cudf-\w+"
)
_OTHERS = frozenset(("triton", "numpy", *LEADING_BUILDS))
# Releases whose search in wheels has a known fault. Source: https://github.com/cupy/cupy/issues/9547
_BROKEN_FINDER = {"cupy-cuda12x": "14.0.0rc1", "cupy-cuda13x": "14.0.0rc1"}
_MOST_LIBRARIES = 64
_SMALLEST = 1 << 16  # a library with kernels of its own is larger, and scipy's hundred small ones need not be opened
_LISTED = re.compile(r'"?([^,"\n]+\.(?:so(?:\.\d+)*|dll|pyd))"?,[^,\n]*,(\d*)\r?$')
_OF_WINDOWS = (".dll", ".pyd")
_CUDA_NAME = re.compile(r"lib(cu|nv|nccl|npp|c10|torch)[\w-]*\.so")
_TORCH_SYMBOL = re.compile(rb"_ZNK?(3c10|2at|5torch|6caffe2)")
# Opened by name when it is used, and nothing works without it; of NCCL, cuDNN and the like a program can do without.
_OPENED = re.compile(r"(lib(?:cublas|cublasLt|cudart|cufft|curand|cusolver|cusparse))\.so\.\d+")
_SHELL_OF_CUDNN = re.compile(r"libcudnn(-[0-9a-f]{4,16})?\.so\.8[\d.]*")
_PART_OF_CUDNN = re.compile(r"libcudnn_ops_infer\.so\.8")

Listed = tuple[tuple[str, int | None], ...]


def read_extensions(
    files: Files,
    loader: Loader,
    dlls: Dlls,
    distributions: Sequence[tuple[Distribution, Listed]],
    torch: Mapping[str, Load] | None,
    torch_files: Sequence[str],
    folders: Sequence[str],
) -> Iterator[Extension]:
    """Each package with what its libraries need; `torch` is what torch has loaded before it, by soname.

    `folders` are nvidia/*/lib, in which a package that uses cuda-pathfinder looks.
    """
    for one, listed in distributions:
        if one.name in _OTHERS or one.name.startswith(("nvidia-", "jax-")) or _is_framework(one.name):
            continue
        with_torch = any(
            text.startswith("torch") and "extra" not in text and re.match(r"torch\b", text) for text in one.requires
        )
        if not listed or not (with_torch or _KNOWN.fullmatch(one.name) or _has_kernels(files, listed)):
            continue
        uses_torch = torch if with_torch or one.name == "bitsandbytes" else None
        finder = any(text.startswith("cuda-pathfinder") for text in one.requires)
        extra = folders if finder and one.version != _BROKEN_FINDER.get(one.name) else ()
        libraries = [path for path, _ in listed]
        yield from _read(files, loader, dlls, one, libraries, uses_torch, torch_files, extra)


def gone_libraries(
    files: Files, distributions: Sequence[tuple[Distribution, Listed]]
) -> Iterator[tuple[Distribution, str]]:
    """A shared library that a package says it has, and that is not there: one for each such package."""
    for one, listed in distributions:
        if not one.editable and (gone := next((path for path, _ in listed if not files.exists(path)), "")):
            yield one, gone


def listed_libraries(reader: Reader, one: Distribution) -> Listed:
    """The shared libraries of a package, with the sizes that its RECORD tells."""
    return tuple(_libraries(reader, one))


def _is_framework(name: str) -> bool:
    return any(one.is_called(name) for one in LEADING)


def _has_kernels(files: Files, listed: Listed) -> bool:
    """Whatever the package is called: by the sections of its libraries."""
    for path, size in listed:
        if size is not None and size < _SMALLEST:
            continue
        try:
            with files.mapped(path) as data:
                if has_fatbins(data):
                    return True
        except (OSError, ValueError):
            continue
    return False


def _libraries(reader: Reader, one: Distribution) -> Iterator[tuple[str, int | None]]:
    count = 0
    for line in reader.record(one.metadata)[1]:
        match = _LISTED.match(line)
        if match is None:
            continue
        name = match[1]
        # Names of an untrusted list: nothing outside of the folder is looked at.
        if name.startswith("/") or ".." in name.split("/"):
            continue
        count += 1
        if count > _MOST_LIBRARIES:
            return
        yield f"{one.place}/{name}", number(match[2]) if match[2] and len(match[2]) < 15 else None


def _read(
    files: Files,
    loader: Loader,
    dlls: Dlls,
    one: Distribution,
    libraries: Sequence[str],
    torch: Mapping[str, Load] | None,
    torch_files: Sequence[str],
    folders: Sequence[str],
) -> Iterator[Extension]:
    """One for the package; for bitsandbytes, which has a library for each CUDA, one for each."""
    if one.name == "bitsandbytes":
        for path in libraries:
            yield _extension(files, loader, dlls, one.name, [path], torch, torch_files, folders)
    else:
        found = _extension(files, loader, dlls, one.name, libraries, torch, torch_files, folders)
        # That a package of CUDA code has no kernels is a fact about it; of any other it says nothing.
        if found.kernels != () or found.missing or found.symbols or _KNOWN.fullmatch(one.name):
            yield found


def _extension(
    files: Files,
    loader: Loader,
    dlls: Dlls,
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
    glibc: list[tuple[str, str]] = []
    by_name: dict[str, str] = {}
    for path in libraries:
        elf = loader.elf(path)
        if elf is None and not path.endswith(_OF_WINDOWS):
            continue
        glibc += [
            (version, path)
            for version in (elf.needs_versions if elf else ())
            if re.fullmatch(r"GLIBC_\d[\d.]*", version)
        ]
        found, by_their_names = _kernels_and_opened(files, path)
        by_name.update(dict.fromkeys(_parts_of_cudnn(files, path), path))
        if found is None:
            unread = True
        elif found:
            told_by = path
            kernels.update(dict.fromkeys(found))
            by_name.update(dict.fromkeys(by_their_names, path))
        if torch is not None and torch_files:
            symbols += _lacking(files, loader, path, [*torch_files, *libraries])
    loads = loader.walk(libraries, torch, folders)
    missing = [load for load in loads.values() if load.path is None and _CUDA_NAME.match(load.soname)]
    not_opened = list(_not_opened(files, loader, dlls, by_name, {**(torch or {}), **loads}, folders))
    missing += not_opened
    ordered = sorted(kernels, key=lambda text: (text.startswith("compute"), number(re.sub(r"\D", "", text) or "0")))
    return Extension(
        package=name,
        path=missing[0].by if missing else told_by,
        kernels=None if unread else tuple(ordered),
        missing=tuple(missing),
        by_name=tuple(load.soname for load in not_opened),
        symbols=tuple(dict.fromkeys(symbols))[:20],
        glibc=max(glibc, key=lambda one: numbers(one[0].removeprefix("GLIBC_")), default=None),
    )


def _parts_of_cudnn(files: Files, path: str) -> list[str]:
    """What a copy of cuDNN 8 that a package brings opens when it is used: it is a shell without them.

    SYSTRAN/faster-whisper issue 516: ctranslate2 before 4.5 brings `libcudnn-….so.8.1.0`, and not its parts.
    """
    name = path.rpartition("/")[2]
    if not _SHELL_OF_CUDNN.fullmatch(name) and name != SHELL_OF_CUDNN:
        return []
    try:
        with files.mapped(path) as data:
            return [name for name in opened(data) if _PART_OF_CUDNN.fullmatch(name) or name == PART_OF_CUDNN]
    except (OSError, ValueError):
        return []


def _not_opened(
    files: Files,
    loader: Loader,
    dlls: Dlls,
    names: Mapping[str, str],
    loaded: Mapping[str, Load],
    folders: Sequence[str],
) -> Iterator[Load]:
    """Libraries that are opened by name, and that are nowhere in any of the versions that the package knows."""
    by_stem: dict[str, list[str]] = {}
    for soname in names:
        by_stem.setdefault(stem(soname), []).append(soname)
    for several in by_stem.values():
        if any(soname in loaded and not loaded[soname].path for soname in several):
            continue  # it is linked as well, and told of by the walk
        if several[0].endswith(".dll"):
            if not any(dlls.find(name, names[name]) for name in several):
                newest = max(several, key=numbers)
                yield dlls.missing(newest, names[newest])
            continue
        there = any(
            (soname in loaded and loaded[soname].path)
            or loader.find(soname, names[soname])
            or any(files.is_file(f"{folder}/{soname}") for folder in folders)
            for soname in several
        )
        if not there:
            newest = max(several, key=lambda text: numbers(text.rpartition(".so.")[2]))
            yield Load(newest, None, names[newest], "nowhere" if loader.system is not None else NOT_LOOKED)


def _kernels_and_opened(files: Files, path: str) -> tuple[tuple[str, ...] | None, list[str]]:
    """A library's kernels; where it has any, the libraries that it opens by name, too. It is mapped once for both."""
    kernels: tuple[str, ...] | None = ()
    try:
        with files.mapped(path) as data:
            kernels = fatbin_kernels(data)
            if not kernels:
                return kernels, []
            return kernels, [name for name in opened(data) if _OPENED.fullmatch(name) or NEEDED.fullmatch(name)]
    except OSError:
        return None, []
    except ValueError:
        return kernels, []


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
