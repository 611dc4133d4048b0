"""What the libraries in a wheel hold and need, whatever the package says of itself."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from cudafit.matrix.harvest.errors import HarvestError
from cudafit.matrix.harvest.index import WheelFile
from cudafit.matrix.harvest.remote import WHOLE_LIMIT, RemoteWheel
from cudafit.model.fatbin import Fatbins, together
from cudafit.model.library import CPP, Library, read_library
from cudafit.model.sections import ForgedError
from cudafit.model.versions import numbers

_LIBRARY = re.compile(r"\.(so(\.\d+)*|pyd|dll)$")
_WITH_CUDA = ("linux-", "windows-", "any")
# Of what was superseded within its minor version, a wheel with more libraries than this is not fetched whole.
_MOST_OF_OLD = 60 << 20
_MOST = 3 << 30
_FEW = 6
_CUDNN_FRONT = re.compile(r"libcudnn(?:-[0-9a-f]{8})?\.so\.(9|[1-9]\d)[.\d]*|cudnn64_(9|[1-9]\d)\.dll")  # from 9 on
# Those whose number is the major of CUDA.
_OF_ONE_MAJOR = re.compile(r"libcu(?:blas(?:Lt)?|dart|sparse)\.so\.(\d+)|cu(?:blas(?:Lt)?|dart|sparse)64_(\d\d).*")
# Source: PTX ISA, "Release History". 8.5 is written by CUDA 12.5 and by 12.6, and tells the major alone.
_CUDA_OF_PTX = {
    (6, 0): "9.0", (6, 1): "9.1", (6, 2): "9.2", (6, 3): "10.0", (6, 4): "10.1", (6, 5): "10.2",
    (7, 0): "11.0", (7, 1): "11.1", (7, 2): "11.2", (7, 3): "11.3", (7, 4): "11.4", (7, 5): "11.5", (7, 6): "11.6",
    (7, 7): "11.7", (7, 8): "11.8",
    (8, 0): "12.0", (8, 1): "12.1", (8, 2): "12.2", (8, 3): "12.3", (8, 4): "12.4", (8, 5): "12", (8, 7): "12.8",
    (8, 8): "12.9",
    (9, 0): "13.0", (9, 1): "13.1",
}  # fmt: skip


def read_libraries(wheel: RemoteWheel, only: re.Pattern[str] = _LIBRARY) -> list[Library] | None:
    """Those of a wheel; None where they are too large to be fetched for it. Raises HarvestError for a forged one."""
    if not wheel.file.platform.startswith(_WITH_CUDA):
        return []
    names = [name for name in wheel.names if only.search(name)]
    size = sum(wheel.packed_size(name) for name in names)
    if size > _MOST or (size > _MOST_OF_OLD and not wheel.newest):
        return None
    if len(names) > _FEW and size < WHOLE_LIMIT // 2:
        wheel.fetch_whole()
    found = []
    for name in names:
        with wheel.mapped(name) as data:
            try:
                library = read_library(data)
            except ForgedError as error:
                raise HarvestError(wheel.file.name, f"`{name}`: {error}") from None
        if library is not None:
            found.append(library)
    return found


def kernels_of(wheel: RemoteWheel, only: re.Pattern[str] = _LIBRARY) -> dict[str, Any]:
    """The kernels alone, for a reader that knows the rest by other files; nothing where the libraries are too large to
    be fetched for it. `only`: in libraries of these names."""
    held = read_libraries(wheel, only)
    facts = facts_of(held, wheel.names) if held else {}
    return {name: facts[name] for name in ("kernels", "partly") if facts.get(name)}


def facts_of(libraries: Sequence[Library], bundled: Iterable[str]) -> dict[str, Any]:
    """The fields of a row that libraries tell; `bundled` are the names of the wheel's own files."""
    own = {name.rpartition("/")[2] for name in bundled} | {one.name for one in libraries if one.name}
    opens = {name for one in libraries for name in one.opens} | set(_parts_of_cudnn(own))
    facts: dict[str, Any] = {"opens": sorted(opens - own)}
    facts["needs"] = _newest(text for one in libraries for text in one.needs)
    abis = {one.torch_abi for one in libraries if one.torch_abi}
    if abis:
        facts["torch_abi"] = CPP if CPP in abis else abis.pop()
    fatbins = [one.fatbins for one in libraries]
    known = [one for one in fatbins if one is not None]
    if len(known) == len(fatbins):
        whole = together(known)
        facts["kernels"] = list(whole.kernels)
        facts["partly"] = _partly(whole)
        if cuda := cuda_of(whole.ptx):
            facts["cuda"] = cuda
    return facts


def _parts_of_cudnn(own: Collection[str]) -> Iterator[str]:
    """A wheel that brings cuDNN's front alone (`libcudnn-74a4c495.so.9.1.0`) has it open the parts, whose names it puts
    together when it runs."""
    for name in own:
        if match := _CUDNN_FRONT.fullmatch(name):
            part = f"libcudnn_ops.so.{match[1]}" if match[1] else f"cudnn_ops64_{match[2]}.dll"
            if not any(one.startswith(part.partition(".")[0]) for one in own):
                yield part


def cuda_of(ptx: tuple[int, int]) -> str | None:
    """The CUDA whose compiler wrote this version of PTX; its major alone where that is all it tells."""
    if ptx in _CUDA_OF_PTX:
        return _CUDA_OF_PTX[ptx]
    return {8: "12", 9: "13"}.get(ptx[0])


def cuda_majors(opens: Iterable[str]) -> set[int]:
    """`libcublas.so.12`, `cudart64_12.dll` -> 12; of libraries whose number is that of CUDA."""
    found = set()
    for name in opens:
        if match := re.fullmatch(
            r"libcu(?:blas(?:Lt)?|dart|sparse)\.so\.(\d+)|cu(?:blas(?:Lt)?|dart|sparse)64_(\d\d).*", name
        ):
            found.add(int(match[1] or match[2]))
    return {major for major in found if major >= 9}


def major_of_name(file: WheelFile) -> int | None:
    """`faiss-gpu-cu12` -> 12, `spconv-cu120` -> 12, `nvidia-dali-cuda120` -> 12."""
    match = re.search(r"-(?:cu|cuda)(\d\d)\d?x?$", file.package)
    return int(match[1]) if match else None


def _partly(fatbins: Fatbins) -> list[str]:
    """`sm_90:249/1398`: what only some of the fat binaries hold."""
    pairs = zip(fatbins.kernels, fatbins.held, strict=True)
    return [f"{name}:{held}/{fatbins.count}" for name, held in pairs if held < fatbins.count]


def _newest(texts: Iterable[str]) -> list[str]:
    newest: dict[str, str] = {}
    for text in texts:
        name = text.partition("_")[0]
        if name not in newest or numbers(text) > numbers(newest[name]):
            newest[name] = text
    return [newest[name] for name in sorted(newest)]
