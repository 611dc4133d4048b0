"""The project's own files: names that cannot be installed, and a Python that no build is for."""

import re
from collections.abc import Iterable, Iterator

from cudafit.doctor.checks.packages import TAKEN_NAMES
from cudafit.doctor.world import World
from cudafit.model import kinds
from cudafit.model.finding import Evidence, Finding, Fix
from cudafit.model.frameworks import LEADING
from cudafit.model.requirement import Wanted
from cudafit.model.versions import numbers
from cudafit.resolve.pythons import has_wheel

# With CUDA 13 these lost their suffix; what is called -cu13 is an empty package whose installation fails.
_RENAMED = re.compile(
    r"nvidia-(cublas|cuda-runtime|cuda-nvrtc|cuda-cupti|cuda-nvcc|cufft|cufile|curand|cusolver|cusparse|nvjitlink|nvtx)-cu13"
)


# Names that are kept for another one, and whose installation fails. Source: the README of
# https://github.com/scikit-learn/sklearn-pypi-package ("2023 December 1st onwards: always raise an exception").
_KEPT = {"sklearn": ("scikit-learn", "https://github.com/scikit-learn/sklearn-pypi-package")}


def names(world: World) -> Iterator[Finding]:
    yield from wrong_names(world, world.project.wanted)


def wrong_names(world: World, asked: Iterable[Wanted]) -> Iterator[Finding]:
    """Of requirement files, and of the lines of a Dockerfile."""
    for want in asked:
        if match := _RENAMED.fullmatch(want.name):
            yield kinds.provision.cu13_stub_name.found(
                f"`{want.name}` is an empty package; with CUDA 13 it is called nvidia-{match[1]}",
                (Evidence(f"`{want.text}`", want.origin),),
                Fix(f"ask for nvidia-{match[1]} in {want.origin}"),
            )
        elif want.name == "tensorflow-gpu" and not re.search(r"[<=]=?\s*2\.(\d|10|11)(\D|$)", want.specifier):
            yield kinds.tf.gpu_stub_package.found(
                "`tensorflow-gpu` has been an empty package since 2.12",
                (Evidence(f"`{want.text}`", want.origin),),
                Fix(f"ask for tensorflow[and-cuda] in {want.origin}"),
                layer="project",
            )
        elif want.name in TAKEN_NAMES and want.url is None and (row := world.facts.named(want.name, "wrong")):
            yield kinds.provision.wrong_package.found(
                f"`{want.name}` is another package than it is taken for",
                (Evidence(f"`{want.text}`", want.origin), Evidence(row.note or "", ", ".join(row.sources))),
                Fix(f"take it out of {want.origin}; ask for the real one by its address"),
                layer="project",
            )
        elif want.name in _KEPT and want.url is None:
            name, source = _KEPT[want.name]
            yield kinds.provision.wrong_package.found(
                f"`{want.name}` cannot be installed: the package is called {name}",
                (Evidence(f"`{want.text}`", want.origin), Evidence(f"it is kept for {name}, and fails", source)),
                Fix(f"ask for {name} in {want.origin}"),
                layer="project",
            )


def python(world: World) -> Iterator[Finding]:
    """A framework that is asked for, is not installed, and has no wheel for the environment's Python."""
    environment = world.environment
    match = re.match(r"3\.\d+", environment.python or "") if environment else None
    if environment is None or match is None:
        return
    platform = f"{world.machine.os.system}-{world.machine.os.arch}"
    builds = [one.build for one in LEADING]
    for want in world.project.wanted:
        if want.name not in builds or environment.distribution(want.name):
            continue
        here = [one for one in world.facts.builds(want.name) if one.platform in (platform, "any")]
        if not here or any(has_wheel(one.pythons, one.requires_python, match[0]) for one in here):
            continue
        known = sorted({one.rstrip("t+") for build in here for one in build.pythons}, key=numbers)
        yield kinds.provision.no_wheel_for_python.found(
            f"{want.name} has no wheel for Python {match[0]}",
            (
                Evidence(f"`{want.text}`", want.origin),
                Evidence(f"wheels are for Python {', '.join(known[-4:])}", "the matrix"),
            ),
            Fix(f"make the environment with Python {known[-1]}", (("uv", "venv", "--python", known[-1]),)),
        )


def notebooks(world: World) -> Iterator[Finding]:
    if places := world.project.bang_pip:
        yield kinds.jupyter.bang_pip.found(
            "a notebook installs with `!pip`, which may be another Python's",
            tuple(Evidence("`!pip install`", place) for place in places[:3]),
            Fix("write `%pip install`: it is the kernel's own"),
        )
