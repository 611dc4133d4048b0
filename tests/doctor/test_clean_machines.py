"""Sound machines with the build that resolve picks for them: doctor has nothing to say above a note.

The machines differ in card, driver, system and in how programs get at the GPU; each is a snapshot taken by the probes.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cudafit.doctor.diagnose import diagnose
from cudafit.doctor.world import World
from cudafit.machine.described import Description, described
from cudafit.model.environment import SYSTEM, Environment
from cudafit.model.finding import INFO, OK
from cudafit.model.machine import Library, Machine
from cudafit.model.matrix import Build
from cudafit.model.requirement import wanted
from cudafit.resolve.answer import solved
from cudafit.resolve.request import Request
from tests.doctor.test_cases import there
from tests.doctor.worlds import FACTS, environment, machine, torch, tree

# What each may be told, beside that its kernel log could not be read.
SNAPSHOTS: dict[str, tuple[str, ...]] = {
    "a100-mig-550": ("info.mig_single_visible",),
    "a100x4-slurm-550": (),
    "a100x8-535": (),
    "b200x2-575": (),
    "gb10-580": ("ok.arch_minor_compatible",),
    "gh200-560": (),
    "gtx1080ti-535": (),
    "h100x8-580": (),
    "h200-580": (),
    "l4-podman-570": (),
    "mixed-1080ti-3090-580": (),
    "rtx2080ti-470-centos7": (),
    "rtx3090x2-535-debian": (),
    "rtx4060-laptop-575": (),
    "rtx4080-580-arch": ("ok.pcie_idle_downshift",),
    "rtx4090-550": (),
    "rtx5090-570": (),
    "rtx6000ada-570-fedora": ("perf.throttled",),
    "rtxpro6000-580": (),
    "t4-kubernetes-535": (),
    "v100-535": (),
    "v100-mps-535": (),
    "wsl2-560": (),
    "wsl2-docker-566": (),
}
# Of these there is no snapshot: the probes read Windows by its own means, and a Jetson's NVML tells little.
DESCRIBED = {
    "windows": described(Description("580.65.06", ("RTX 4090",), "windows-x86_64"), None, "", FACTS.book.facts),
    "jetson": there("Orin", driver="540.4.0", platform="linux-aarch64"),
}
# Card, driver and system of more of them: what resolve picks for each is sound there.
_CARDS = (
    ("RTX 3060", "535.183.01"),
    ("RTX 4070", "550.54.15"),
    ("GTX 1080 Ti", "535.183.01"),
    ("RTX 2080 Ti", "470.256.02"),
    ("RTX 5080", "575.57.08"),
    ("T4", "525.147.05"),
    ("A100", "580.65.06"),
    ("L40S", "570.133.07"),
    ("RTX 3080", "560.35.03"),
    ("RTX 4090", "545.29.06"),
    ("RTX 5090", "580.95.05"),
    ("RTX A4000", "550.54.15"),
)
_MORE = (
    ("GH200", "560.35.03", "linux-aarch64"),
    ("GB10", "580.95.05", "linux-aarch64"),
    ("GB200", "580.65.06", "linux-aarch64"),
    ("H100", "550.54.15", "linux-x86_64"),
    ("B200", "580.65.06", "linux-x86_64"),
    ("V100", "535.183.01", "linux-x86_64"),
    ("RTX A6000", "545.29.06", "linux-x86_64"),
    ("P100", "535.183.01", "linux-x86_64"),
    ("A10", "535.183.01", "linux-x86_64"),
    ("L4", "550.54.15", "linux-x86_64"),
)
DESCRIBED |= {
    f"{card} {driver} {system}": described(Description(driver, (card,), system, "2.35"), None, "", FACTS.book.facts)
    for card, driver, system in (
        *((card, driver, system) for card, driver in _CARDS for system in ("linux-x86_64", "windows-x86_64")),
        *_MORE,
    )
}
NOTES = {"info.kernel_log_unreadable", "triton.no_c_compiler"}
JETSON = torch("2.5.0a0+872d972e41.nv24.08", "12.6", "sm_87")


def picked(seen: Machine) -> Build:
    """The torch that resolve picks, for the Python that it picks."""
    world = World(seen, None, FACTS)
    _, found = solved(FACTS, Request((wanted("torch"),)), (world.host.kind,))
    assert found is not None
    return found.picks[0].build


def with_torch(seen: Machine, folder: Path) -> Environment:
    build = picked(seen)
    assert build.cuda, f"{build.variant} is no build for a GPU"
    local = build.version if "+" in build.version else f"{build.version}+{build.variant}"
    files = torch(local, build.cuda, " ".join(build.kernels or ()))
    pins = [text for text in build.requires if "==" in text]
    needs = " & ".join(pins)
    dists = [f"torch=={local}" + (f"; needs {needs}" if needs else ""), *(text.partition(";")[0] for text in pins)]
    return environment(tree(folder, files, dists))


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_nothing_above_a_note_is_said_of_a_sound_machine(name: str, tmp_path: Path) -> None:
    seen = machine(name)
    found = diagnose(World(seen, with_torch(seen, tmp_path / "e"), FACTS))
    told = [(one.id, one.severity, [str(fact) for fact in one.evidence]) for one in found.findings]
    assert all(one.severity == INFO for one in found.findings), told
    assert {one.id for one in found.findings} - NOTES == set(SNAPSHOTS[name]), told
    assert (found.status, found.cause) == (OK, None)


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_nor_without_an_environment(name: str) -> None:
    found = diagnose(World(machine(name), None, FACTS))
    assert all(one.severity == INFO for one in found.findings), [one.id for one in found.findings]
    assert found.status == OK


@pytest.mark.parametrize("name", DESCRIBED)
def test_nor_of_one_that_is_described(name: str, tmp_path: Path) -> None:
    seen = DESCRIBED[name]
    if name == "jetson":
        made = environment(tree(tmp_path / "e", JETSON, ["torch==2.5.0a0+872d972e41.nv24.08"]))
    else:
        made = with_torch(seen, tmp_path / "e")
    found = diagnose(World(seen, made, FACTS))
    assert all(one.severity == INFO for one in found.findings), [one.id for one in found.findings]
    assert found.cause is None


CONDA_AND_SYSTEM = (
    "rtx4090-550",
    "rtx5090-570",
    "h100x8-580",
    "a100x8-535",
    "t4-kubernetes-535",
    "l4-podman-570",
    "wsl2-560",
    "wsl2-docker-566",
)


@pytest.mark.parametrize("name", CONDA_AND_SYSTEM)
def test_nor_in_a_conda_environment(name: str, tmp_path: Path) -> None:
    """With the build of conda-forge that resolve picks, installed by conda."""
    seen = machine(name)
    world = World(seen, None, FACTS)
    _, found = solved(FACTS, Request((wanted("torch"),), conda=True), (world.host.kind,))
    assert found
    build = found.picks[0].build
    assert build.cuda
    files = torch(build.version, build.cuda, " ".join(build.kernels or ()))
    name_of = f"cuda{build.cuda.replace('.', '')}_generic_py312_h0_200"
    told = {"name": "pytorch", "version": build.version, "build": name_of, "channel": "https://conda.test/conda-forge/"}
    files[f"conda-meta/pytorch-{build.version}-{name_of}.json"] = json.dumps(told)
    prefix = tree(tmp_path / "e", files, [f"torch=={build.version}"])
    (prefix / "pyvenv.cfg").unlink()
    for place in prefix.glob("lib/*/site-packages/*/INSTALLER"):
        place.write_text("conda\n")
    made = environment(prefix)
    assert (made.kind, len(made.conda)) == ("conda", 1)
    report = diagnose(World(seen, made, FACTS))
    assert all(one.severity == INFO for one in report.findings), [one.id for one in report.findings]
    assert report.status == OK


@pytest.mark.parametrize("name", CONDA_AND_SYSTEM)
def test_nor_with_the_python_of_an_image(name: str, tmp_path: Path) -> None:
    """Whose packages lie below its own prefix, as in `python:3.12` and on Colab."""
    seen = machine(name)
    made = with_torch(seen, tmp_path / "usr")
    report = diagnose(World(seen, replace(made, kind=SYSTEM), FACTS))
    assert all(one.severity == INFO for one in report.findings), [one.id for one in report.findings]
    assert report.status == OK


def test_nor_of_nvidias_image_on_an_older_driver_that_its_libcuda_bridges(tmp_path: Path) -> None:
    copy = Library("libcuda", "580.82.07", "/usr/local/cuda/compat/lib/libcuda.so.1", "/etc/ld.so.conf")
    seen = machine("a100x8-535")
    seen = replace(seen, libraries=(copy,), os=replace(seen.os, container="docker"))
    files = torch("2.9.0a0+50eac811a6.nv25.09", "13.0", "sm_80 sm_86 sm_90 sm_100 sm_110 sm_120 compute_120")
    made = environment(tree(tmp_path, files, ["torch==2.9.0a0+50eac811a6.nv25.9"]))
    report = diagnose(World(seen, made, FACTS))
    assert all(one.severity == INFO for one in report.findings), [one.id for one in report.findings]


def test_there_are_many_and_they_differ() -> None:
    shown = [machine(name) for name in SNAPSHOTS]
    assert len(shown) >= 20
    assert len(SNAPSHOTS) + len(DESCRIBED) >= 60
    assert len({gpu.name for one in shown for gpu in one.gpus}) >= 15
    assert len({one.driver.version for one in shown if one.driver}) >= 10
