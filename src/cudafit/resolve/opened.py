"""CUDA libraries that a build opens by name and nothing beside it brings: no installer would miss them."""

import re
from collections.abc import Collection, Iterable

from cudafit.model.matrix import Build
from cudafit.model.sonames import package_of
from cudafit.resolve.drivers import build_cuda
from cudafit.resolve.pins import is_gpu, requirements
from cudafit.system.commands import word_text

_CUDNN = re.compile(r"libcudnn\w*\.so\.(\d+)")
_BRINGS = ("nvidia-", "cuda-toolkit")


def lacking(build: Build, beside: Iterable[Build], asked: Collection[str]) -> dict[str, list[str]]:
    """Requirement -> the libraries in it. `asked` are the names of all packages that are asked for.

    A build that brings NVIDIA's packages of one CUDA major (torch, jax with its extra) brings what others open of it.
    """
    cuda = build_cuda(build)
    if cuda is None or not build.opens or any(_brings(one, cuda[0]) for one in beside):
        return {}
    own = {item.name for item in requirements(build)}
    if "cuda-toolkit" in own:
        return {}
    found: dict[str, list[str]] = {}
    for soname in build.opens:
        if need := _requirement(soname, cuda[0]):
            found.setdefault(need, []).append(soname)
    if build.cudnn and not any(need.startswith("nvidia-cudnn") for need in found):
        number = build.cudnn.partition(".")[0]  # of those that open it by a name put together when they run
        found[f"nvidia-cudnn-cu{cuda[0]}=={number}.*"] = [f"libcudnn.so.{number}"]
    return {need: names for need, names in found.items() if need.partition("==")[0] not in {*own, *asked}}


def told(build: Build, needs: dict[str, list[str]]) -> str:
    names = [name for opened in needs.values() for name in opened]
    few = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    words = " ".join(map(word_text, needs))
    return (
        f"{build.name} {build.version} opens {few}, which nothing here brings: install {words} beside it, unless the"
        f" system has it (source: {build.sources[0] if build.sources else 'none told'})"
    )


def _brings(one: Build, major: int) -> bool:
    cuda = build_cuda(one)
    if not is_gpu(one) or cuda is None or cuda[0] != major:
        return False
    return any(item.name.startswith(_BRINGS) for item in requirements(one))


def _requirement(soname: str, major: int) -> str | None:
    if match := _CUDNN.fullmatch(soname):
        return f"nvidia-cudnn-cu{major}=={match[1]}.*"
    return package_of(soname, str(major))
