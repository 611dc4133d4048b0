"""CUDA libraries that the loader finds outside of any Python environment: they can shadow an environment's own."""

import os
import re

from cudafit.machine.context import Context
from cudafit.model.machine import Library

PROBE = "libraries"
LOADER_CONF = "/etc/ld.so.conf"
LOADER_CACHE = "/etc/ld.so.cache"
_CACHE_LIMIT = 16 << 20
WSL_LIBRARIES = "/usr/lib/wsl/lib"
_DEFAULT_FOLDERS = ("/lib64", "/usr/lib64", "/lib", "/usr/lib")
_MAX_INCLUDES = 100
_MAX_FOLDERS = 1000

# Library file -> its short name. The driver's own (libcuda, libnvidia-ml) are here too: a stub or a
# forward-compatibility copy of libcuda that is found first decides what every CUDA program does.
_NAMES = {
    "libcuda.so.1": "libcuda",
    "libnvidia-ml.so.1": "libnvidia-ml",
    "libcudnn.so": "cudnn",
    "libnccl.so": "nccl",
    "libcudart.so": "cudart",
    "libcublas.so": "cublas",
    "libnvinfer.so": "tensorrt",
}
_FILE = re.compile(r"(lib(?:cuda|nvidia-ml)\.so\.1|lib(?:cudnn|nccl|cudart|cublas|nvinfer)\.so)(?:\.[0-9.]+)?")

# The header that carries a library's version, where its file name is cut short (`libcudnn.so.9`).
_HEADERS = {
    "cudnn": (("cudnn_version.h", "cudnn.h"), ("CUDNN_MAJOR", "CUDNN_MINOR", "CUDNN_PATCHLEVEL")),
    "nccl": (("nccl.h",), ("NCCL_MAJOR", "NCCL_MINOR", "NCCL_PATCH")),
}


def read_libraries(context: Context) -> tuple[Library, ...]:
    """In the loader's order of search; of several names for one file only the first."""
    found: dict[str, Library] = {}
    for folder, via in _folders(context):
        for name in context.names(PROBE, folder):
            match = _FILE.fullmatch(name)
            if match is None:
                continue
            path = f"{folder}/{name}"
            if not context.files.exists(path):
                context.note_broken_link(PROBE, path)
                continue
            real = context.files.real(path)
            if real not in found:
                short = _NAMES[match.group(1)]
                version, how = _version(context, short, folder, real)
                elsewhere = real if os.path.dirname(real) != context.files.real(folder) else None
                found[real] = Library(short, version, path, how or via, elsewhere)
    return tuple(found.values())


def loader_knows_wsl(context: Context) -> bool | None:
    """Whether the loader finds WSL's libcuda without LD_LIBRARY_PATH; None where its configuration is not here."""
    if WSL_LIBRARIES in (folder.rstrip("/") for folder in loader_folders(context)):
        return True
    try:
        cache = context.files.read_bytes(LOADER_CACHE, _CACHE_LIMIT)
    except OSError:
        return None
    return f"{WSL_LIBRARIES}/libcuda.so.1".encode() in cache


def system_folders(context: Context) -> list[tuple[str, str]]:
    """Where the linker looks by itself, each with who says so."""
    return [(folder, via) for folder, via in _folders(context) if via != "LD_LIBRARY_PATH"]


def _folders(context: Context) -> list[tuple[str, str]]:
    given = [(folder, "LD_LIBRARY_PATH") for folder in context.environ.get("LD_LIBRARY_PATH", "").split(":")]
    configured = [(folder, LOADER_CONF) for folder in loader_folders(context)]
    default = [(folder, "default folders") for folder in _DEFAULT_FOLDERS]
    seen: set[str] = set()
    folders = []
    for folder, via in [*given, *configured, (WSL_LIBRARIES, "WSL"), *default]:
        if not folder.startswith("/") or not context.files.is_dir(folder):
            continue
        real = context.files.real(folder)
        if real not in seen:
            seen.add(real)
            folders.append((folder.rstrip("/") or "/", via))
    return folders


def loader_folders(context: Context) -> list[str]:
    """The folders of ld.so.conf(5) and of what it includes."""
    folders: dict[str, None] = {}
    waiting = [LOADER_CONF]
    for path in waiting:  # it grows meanwhile
        for line in (context.read(PROBE, path) or "").splitlines():
            words = line.split("#", 1)[0].split()
            if len(waiting) > _MAX_INCLUDES or len(folders) > _MAX_FOLDERS:
                context.notes.problem(PROBE, f"{LOADER_CONF} names more files or folders than are read")
                return list(folders)
            if words[:1] == ["include"]:
                for pattern in words[1:]:
                    folder, name = os.path.split(pattern if pattern.startswith("/") else f"/etc/{pattern}")
                    waiting += [f"{folder}/{match}" for match in context.names(PROBE, folder, name)][:_MAX_INCLUDES]
            elif words and words[0].startswith("/"):
                folders[words[0]] = None
    return list(folders)


def _version(context: Context, name: str, folder: str, real: str) -> tuple[str | None, str | None]:
    match = re.search(r"\.so\.(\d+(?:\.\d+)*)$", real)
    version = match.group(1) if match else None
    if version is not None and "." in version:
        return version, "file name"
    for header in _HEADERS.get(name, ((), ()))[0]:
        for place in (f"{os.path.dirname(folder)}/include/{header}", f"/usr/include/{header}"):
            told = _from_header(context, place, _HEADERS[name][1])
            if told and version in (None, told.split(".", 1)[0]):  # a header of another version is not this file's
                return told, place
    # libcuda.so.1 names an interface, not a version.
    return (None if name in ("libcuda", "libnvidia-ml") else version), None


def _from_header(context: Context, path: str, macros: tuple[str, ...]) -> str | None:
    if not context.files.is_file(path):
        return None
    text = context.head(PROBE, path, 1 << 18) or ""
    values = dict(re.findall(r"^#define\s+(\w+)\s+(\d+)\s*$", text, re.M))
    return ".".join(values[macro] for macro in macros) if all(macro in values for macro in macros) else None
