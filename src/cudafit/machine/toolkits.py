"""CUDA toolkits on the disk. A file tells the version; a compiler is run only when asked (`--deep`), and only from a
folder of the system."""

import json
import os
import re
from dataclasses import replace

from cudafit.machine.context import Context
from cudafit.model.machine import Toolkit
from cudafit.model.versions import cuda_from_number, dotted_version, natural_key
from cudafit.process import run
from cudafit.system.programs import why_not

PROBE = "toolkits"


def read_toolkits(context: Context) -> tuple[Toolkit, ...]:
    """Each toolkit once, newest first: /usr/local/cuda is most often a link to another that is listed."""
    found: dict[str, Toolkit] = {}
    for path in _folders(context):
        if not context.files.is_dir(path):
            context.note_broken_link(PROBE, path)
            continue
        real = context.files.real(path)
        if real not in found and (toolkit := _toolkit(context, path, real)):
            found[real] = toolkit
    toolkits = sorted(found.values(), key=lambda toolkit: natural_key(toolkit.version or ""), reverse=True)
    return tuple(_with_nvcc(context, toolkit) for toolkit in toolkits) if context.deep else tuple(toolkits)


def _folders(context: Context) -> list[str]:
    if context.system == "windows":
        named = [value for name, value in context.environ.items() if re.fullmatch(r"CUDA_PATH(_V\d+_\d+)?", name)]
        base = context.environ.get("PROGRAMFILES", r"C:\Program Files") + r"\NVIDIA GPU Computing Toolkit\CUDA"
        return named + [os.path.join(base, name) for name in context.names(PROBE, base, "v*")]
    local = sorted(context.names(PROBE, "/usr/local", "cuda*"), key=natural_key, reverse=True)
    folders = [f"/usr/local/{name}" for name in local]
    folders += [f"/opt/{name}" for name in context.names(PROBE, "/opt", "cuda*")]
    folders += [context.environ[name] for name in ("CUDA_HOME", "CUDA_PATH") if context.environ.get(name)]
    for folder in context.environ.get("PATH", "").split(os.pathsep):
        if folder.startswith("/") and context.files.is_file(f"{folder}/nvcc"):
            folders.append(os.path.dirname(os.path.dirname(context.files.real(f"{folder}/nvcc"))))
    if context.files.is_file("/usr/bin/nvcc") or context.files.is_dir("/usr/lib/cuda"):
        folders.append("/usr/lib/cuda")  # Debian's own package: /usr/bin/nvcc, headers in /usr/include
    return list(dict.fromkeys(folders))


def _toolkit(context: Context, path: str, real: str) -> Toolkit | None:
    """None for a folder with nothing of a toolkit in it: /usr, found through a wrapper called nvcc, is not one."""
    for reader in (_version_json, _version_txt, _header):
        if told := reader(context, path):
            return Toolkit(told[0], path, told[1], cudnn=_cudnn(context, path))
    if match := re.search(r"cuda-(\d+\.\d+)$", real):
        return Toolkit(match.group(1), path, "folder name")
    # A compiler needs its back end; a wrapper script called nvcc in /usr/local/bin has none beside it.
    return Toolkit(None, path, "nvvm") if context.files.is_dir(f"{path}/nvvm") else None


def _version_json(context: Context, path: str) -> tuple[str, str] | None:
    text = context.read(PROBE, f"{path}/version.json")
    if text is None:
        return None
    try:
        version = dotted_version(json.loads(text)["cuda"]["version"])
    except (ValueError, KeyError, TypeError, RecursionError):
        version = None
    if version is None:
        context.notes.problem(PROBE, f"{path}/version.json: no CUDA version in it")
        return None
    return version, "version.json"


def _version_txt(context: Context, path: str) -> tuple[str, str] | None:
    """Up to CUDA 11.0: `CUDA Version 10.2.89`."""
    match = re.match(r"CUDA Version (\d+(?:\.\d+)+)", context.read(PROBE, f"{path}/version.txt") or "")
    return (match.group(1), "version.txt") if match else None


def _header(context: Context, path: str) -> tuple[str, str] | None:
    text = context.head(PROBE, f"{path}/include/cuda.h", 1 << 18) or ""
    match = re.search(r"^#define\s+CUDA_VERSION\s+(\d{4,6})\b", text, re.M)
    return (cuda_from_number(int(match.group(1))), "include/cuda.h") if match else None


def _cudnn(context: Context, path: str) -> str | None:
    """NVIDIA's archive for Windows is unpacked into the toolkit; before 8.0 the version stood in cudnn.h."""
    for name in ("cudnn_version.h", "cudnn.h"):
        told = f"{path}/include/{name}"
        text = (context.head(PROBE, told, 1 << 18) or "") if context.files.is_file(told) else ""
        values = dict(re.findall(r"^#define\s+CUDNN_(MAJOR|MINOR|PATCHLEVEL)\s+(\d{1,9})\s*$", text, re.M))
        if len(values) == 3:
            return f"{values['MAJOR']}.{values['MINOR']}.{values['PATCHLEVEL']}"
    return None


def _with_nvcc(context: Context, toolkit: Toolkit) -> Toolkit:
    program = os.path.join(toolkit.path, "bin", "nvcc")
    if not context.live or not context.files.is_file(program):
        return toolkit
    if reason := why_not(program, context.environ, windows=context.system == "windows"):
        context.notes.problem(PROBE, f"{program} was not run: {reason}")
        return toolkit
    try:
        finished = run([program, "--version"], timeout_s=context.silence_s, environ=context.environ)
    except OSError as error:
        context.notes.problem(PROBE, f"{program}: {error.strerror or error}")
        return toolkit
    version = parse_nvcc(finished.stdout)
    if version is None:
        context.notes.problem(PROBE, f"{program} --version: {'cut off' if finished.cut_off else 'no version in it'}")
        return toolkit
    if toolkit.version is None:
        return replace(toolkit, version=version, via="nvcc --version", nvcc=version)
    return replace(toolkit, nvcc=version)


def parse_nvcc(text: str) -> str | None:
    """`Cuda compilation tools, release 12.4, V12.4.131` -> 12.4.131."""
    match = re.search(r"release \d+\.\d+, V(\d+\.\d+\.\d+)", text)
    return match.group(1) if match else None
