"""A driver that is there and does not work, or is there only in part: what is said, and what is not advised."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cudafit.doctor.diagnose import diagnose
from cudafit.doctor.world import World
from cudafit.machine.described import Description, described
from cudafit.model.finding import Finding, Fix, Report
from cudafit.model.machine import GpuProcess, Library, Machine, PciDevice, Problem
from tests.doctor.test_cases import GONE, there
from tests.doctor.worlds import FACTS, environment, torch, tree

KERNEL = "6.5.0-44-generic"
CARD = (PciDevice("0000:01:00.0", "10de:2204", "0x030000", None),)  # RTX 3090
LIBRARIES = tuple(
    Library(name, "550.54.15", f"/usr/lib/x86_64-linux-gnu/{name}.so.550.54.15", "file name")
    for name in ("libcuda", "libnvidia-ml")
)
MISMATCH = Problem("nvml", "Driver/library version mismatch (18)")


def looked(machine: Machine) -> Report:
    return diagnose(World(machine, None, FACTS))


def cause_of(machine: Machine) -> Finding:
    found = looked(machine)
    return next(one for one in found.findings if one.id == found.cause)


def fix_of(finding: Finding) -> Fix:
    assert finding.fix
    return finding.fix


def gone(**changes: Any) -> Machine:
    return there(**{**GONE, "pci": CARD, **changes})


@pytest.mark.parametrize(
    ("folder", "distro", "says", "commands"),
    [
        ("updates/dkms", "ubuntu 22.04", "headers", [f"apt install linux-headers-{KERNEL}", "dkms autoinstall"]),
        (
            "kernel/nvidia-550",
            "ubuntu 22.04",
            "signed",
            [f"apt install linux-modules-nvidia-550-{KERNEL}", "modprobe nvidia"],
        ),
        ("extra/nvidia", "fedora 40", "build", [f"akmods --kernels {KERNEL}", "modprobe nvidia"]),
        ("kernel/drivers/video", "ubuntu 22.04", ".run file", []),
        ("extra", "ubuntu 22.04", "as it was built", []),
    ],
)
def test_a_module_comes_anew_in_the_way_in_which_it_came(
    folder: str, distro: str, says: str, commands: list[str]
) -> None:
    base = gone(
        kernel_modules=("6.5.0-41-generic",), kernel_module_folders=(f"/lib/modules/6.5.0-41-generic/{folder}",)
    )
    found = cause_of(replace(base, os=replace(base.os, distro=distro, kernel=KERNEL)))
    assert found.id == "driver.module_missing_for_kernel"
    assert says in fix_of(found).text
    assert [" ".join(words) for words in fix_of(found).commands] == commands


def test_libraries_without_a_module_are_named_and_no_other_branch_is_put_beside_them() -> None:
    found = cause_of(gone(libraries=LIBRARIES, kernel_modules=()))
    assert found.id == "driver.not_loaded"
    assert "the libraries of driver 550.54.15 are there" in [one.fact for one in found.evidence]
    assert "550.54.15" in fix_of(found).text
    assert not any("install" in words for words in fix_of(found).commands)


def test_nvml_that_says_mismatch_is_enough() -> None:
    found = looked(gone(problems=(MISMATCH,), libraries=LIBRARIES, undetermined=f"NVML: {MISMATCH.error}"))
    assert found.cause == "driver.lib_kernel_mismatch"
    assert "driver.not_loaded" not in [one.id for one in found.findings]


@pytest.mark.parametrize("driver", ["none", "580.65.06"])
def test_no_driver_is_seen_on_a_machine_that_is_only_described(driver: str) -> None:
    seen = described(Description(driver, ("RTX 4090",), "linux-x86_64"), None, "", FACTS.book.facts)
    assert looked(seen).cause == ("driver.not_loaded" if driver == "none" else None)


@pytest.mark.parametrize(("gpu", "cause"), [("GTX 1080 Ti", "driver.branch_dropped_gpu"), ("RTX 2080 Ti", None)])
def test_a_branch_that_dropped_the_card_is_seen_there_too(gpu: str, cause: str | None) -> None:
    seen = described(Description("590.48.01", (gpu,), "linux-x86_64"), None, "", FACTS.book.facts)
    assert looked(seen).cause == cause


def test_a_driver_older_than_the_facts_is_said_to_be_so() -> None:
    seen = described(Description("301.42", ("GTX 680",), "linux-x86_64"), None, "", FACTS.book.facts)
    assert World(seen, None, FACTS).driver_evidence.fact == "driver 301.42, which is older than the facts reach"


@pytest.mark.parametrize(
    ("gpu", "version", "cause"),
    [
        ("A100", "580.82.07", None),  # NVIDIA's own image on a driver whose CUDA it brings along
        ("A100", "550.54.15", "driver.too_old_for_runtime"),  # that copy is for CUDA 12.4
        ("A100", None, "driver.too_old_for_runtime"),  # nobody knows which
        ("RTX 3090", "580.82.07", "driver.compat_on_geforce"),
    ],
)
def test_a_libcuda_for_forward_compatibility_that_serves_is_no_fault(
    gpu: str, version: str | None, cause: str | None, tmp_path: Path
) -> None:
    copy = Library("libcuda", version, "/usr/local/cuda/compat/lib/libcuda.so.1", "/etc/ld.so.conf")
    seen = there(gpu, driver="535.183.01", libraries=(copy, LIBRARIES[0]), os={"container": "docker"})
    made = environment(tree(tmp_path, torch("2.9.1+cu130", "13.0", "sm_80 sm_86 sm_90"), ["torch==2.9.1"]))
    assert diagnose(World(seen, made, FACTS)).cause == cause


def test_a_log_that_may_not_be_read_is_not_checked_and_no_finding() -> None:
    """As in most containers: marin-community/marin issue 7344. It is never said that there are no errors in it."""
    found = looked(there("GB200", os={"container": "kubernetes"}, kernel_log=None))
    assert not found.findings
    assert [one.check for one in found.skipped] == ["environment", "kernel-log"]


def test_the_parent_of_a_process_that_has_ended_is_named() -> None:
    base = there()
    held = GpuProcess(4711, "compute", "python", 300, "Z", 4690)
    found = looked(
        replace(base, gpus=(replace(base.gpus[0], memory_mib=24576, memory_used_mib=400, processes=(held,)),))
    )
    (one,) = found.findings
    assert one.id == "gpu.memory_held"
    assert "end its parent, process 4690" in fix_of(one).text


def ignored(branch: str) -> Machine:
    """A card that no row knows, and a driver that left it alone and said so: the module has unloaded itself."""
    log = (
        "NVRM: The NVIDIA GeForce GTX 760 GPU installed in this system is",
        f"NVRM:  supported through the NVIDIA {branch}.xx Legacy drivers. Please",
        "NVRM:  information.  The 535.288.01 NVIDIA driver will ignore",
        "NVRM:  this GPU.  Continuing probe...",
    )
    card = (PciDevice("0000:01:00.0", "10de:ffff", "0x030000", None),)
    return gone(pci=card, kernel_log=log)


def test_the_branch_that_the_driver_itself_names_is_the_one_to_install() -> None:
    """ProtonVPN/proton-vpn-gtk-app issue 168: 535 was offered again and again for a card of 470."""
    found = cause_of(ignored("470"))
    assert found.id == "driver.branch_dropped_gpu"
    assert "GeForce GTX 760" in found.title
    assert fix_of(found).commands == (("apt", "install", "nvidia-driver-470"),)


def test_one_of_two_lines_alone_names_no_branch() -> None:
    whole = ignored("470")
    for log in ((whole.kernel_log or ())[:2], (whole.kernel_log or ())[2:]):
        assert looked(replace(whole, kernel_log=log)).cause == "driver.not_loaded"


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("NVRM: Open nvidia.ko is only ready for use on Data Center GPUs.", "driver.open_module_unsupported"),
        ("NVRM: installed in this system is not supported by open", "driver.open_module_unsupported"),
        (
            "NVRM: installed in this system requires use of the NVIDIA open kernel modules.",
            "driver.open_module_required",
        ),
        ("NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  580.65.06", "gpu.init_failed"),
    ],
)
def test_the_kind_of_module_by_its_own_words(line: str, cause: str) -> None:
    held = (PciDevice("0000:01:00.0", "10de:ffff", "0x030000", "nvidia"),)
    log = (line, "NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x63:0x0:1905)")
    assert looked(there(driver="515.43.04", gpus=(), pci=held, kernel_log=log)).cause == cause
    # A card that came up is not the one of which it is said.
    assert looked(there(driver="515.43.04", kernel_log=log[:1])).cause is None


@pytest.mark.parametrize(
    ("modules", "secure", "cause"),
    [
        ((KERNEL,), True, "driver.secureboot_rejected"),
        ((KERNEL,), False, "driver.nouveau_bound"),
        (("6.5.0-41-generic",), False, "driver.module_missing_for_kernel"),
        ((), True, "driver.nouveau_bound"),
    ],
)
def test_nouveau_takes_what_nvidias_module_left(modules: tuple[str, ...], secure: bool, cause: str) -> None:
    card = (replace(CARD[0], driver="nouveau"),)
    found = cause_of(gone(pci=card, kernel_modules=modules, os={"secure_boot": secure}))
    assert found.id == cause
    assert any("driven by nouveau" in one.fact for one in found.evidence)
    if modules == (KERNEL,) and not secure:
        assert fix_of(found).commands == (("update-initramfs", "-u"),)
        assert "blacklist nouveau" in fix_of(found).text
