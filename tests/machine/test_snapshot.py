"""How the probes' readings are joined, on this system and on others."""

from pathlib import Path

import pytest

from cudafit.files import Files
from cudafit.machine.context import Context
from cudafit.machine.device_nodes import read_device_nodes, with_openings
from cudafit.machine.first_probes import FIRST
from cudafit.machine.full_probes import FULL, LINUX_ONLY
from cudafit.machine.probe import EVERY, LINUX
from cudafit.machine.question import Answer
from cudafit.machine.snapshot import take
from cudafit.model.machine import DeviceNode
from tests.machine.trees import Tree, image, plant
from tests.machines import NotInstalled

CARD: Tree = {
    "/sys/bus/pci/devices/0000:01:00.0/vendor": "0x10de\n",
    "/sys/bus/pci/devices/0000:01:00.0/device": "0x1b06\n",
    "/sys/bus/pci/devices/0000:01:00.0/class": "0x030000\n",
}
LOADED: Tree = {"/sys/module/nvidia/version": "550.54.15\n"}


class Says(NotInstalled):
    """NVML that answers with these lines."""

    def __init__(self, *lines: str, broken: str | None = None) -> None:
        self.given = Answer(lines, broken)

    def answer(self) -> Answer:
        return self.given


def refused(code: int, text: str) -> Says:
    return Says(f'{{"key": "init", "gpu": null, "part": null, "code": {code}, "text": "{text}"}}')


@pytest.mark.parametrize(
    ("tree", "question", "undetermined"),
    [
        ({}, NotInstalled(), None),
        (CARD, NotInstalled(), None),
        ({}, refused(9, "Driver Not Loaded"), None),
        (CARD, refused(9, "Driver Not Loaded"), None),
        (LOADED, NotInstalled(), "NVML: libnvidia-ml.so.1 was not found (12)"),
        (LOADED, refused(9, "Driver Not Loaded"), "NVML: Driver Not Loaded (9)"),
        ({}, refused(18, "Driver/library version mismatch"), "NVML: Driver/library version mismatch (18)"),
        ({}, refused(999, "Unknown Error"), "NVML: Unknown Error (999)"),
        ({}, Says('{"call": "init"}', broken="gave no answer for 8 s"), "NVML init: gave no answer for 8 s"),
    ],
)
def test_determined_or_not(tree: Tree, question: Says, undetermined: str | None, tmp_path: Path) -> None:
    context = Context("linux", Files(str(plant(tmp_path, tree))), {})
    assert take(context, question).undetermined == undetermined


def test_a_card_without_a_driver_is_still_a_gpu(tmp_path: Path) -> None:
    machine = take(Context("linux", Files(str(plant(tmp_path, CARD))), {}), NotInstalled())
    assert machine.driver is None
    (gpu,) = machine.gpus
    assert (gpu.pci_device_id, gpu.bound_driver, gpu.compute_capability) == ("10de:1b06", None, None)


def test_a_jetson_has_a_gpu_even_if_nothing_can_be_asked(tmp_path: Path) -> None:
    tree = {"/etc/nv_tegra_release": "# R35 (release), REVISION: 3.1, GCID: 1\n", "/proc/device-tree/model": "Jetson\0"}
    (gpu,) = take(image(tmp_path, tree)).gpus
    assert (gpu.name, gpu.via) == ("Jetson", "/etc/nv_tegra_release")


def test_a_boards_own_nodes_are_no_sign_of_nvml(tmp_path: Path) -> None:
    context = Context("linux", Files(str(plant(tmp_path, {"/dev/nvmap": "", "/dev/nvhost-gpu": ""}))), {})
    machine = take(context, NotInstalled())
    assert machine.undetermined is None
    assert [node.path for node in machine.device_nodes or ()] == ["/dev/nvhost-gpu", "/dev/nvmap"]


def test_an_installed_driver_on_a_disk_that_is_not_running(tmp_path: Path) -> None:
    path = "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1"
    tree: Tree = {
        "/etc/ld.so.conf": "/usr/lib/x86_64-linux-gnu\n",
        f"{path}.x": "",
        "/usr/lib/x86_64-linux-gnu/libcuda.so.1": "",
        "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1.550.54.15": "",
    }
    machine = take(image(tmp_path, tree))
    assert machine.undetermined is None
    assert not machine.live


@pytest.mark.parametrize("system", ["windows", "macos"])
def test_other_systems_skip_what_does_not_apply_and_say_so(system: str, tmp_path: Path) -> None:
    environ = {"CUDA_PATH": "C:\\x", "PATH": "C:\\Windows", "USERPROFILE": "C:\\Users\\me", "HOME": str(tmp_path)}
    machine = take(Context(system, Files(), environ), NotInstalled() if system == "windows" else None)
    skipped = {note.probe for note in machine.skipped}
    assert set(LINUX_ONLY) <= skipped
    assert "nvml" in skipped
    assert (machine.os.system, machine.driver, machine.gpus) == (system, None, ())
    assert machine.undetermined is None


def test_device_nodes_with_owner_mode_and_opening(tmp_path: Path) -> None:
    tree: Tree = {"/dev/nvidia0": "", "/dev/nvidiactl": "", "/dev/nvidia-caps": "", "/etc/passwd": "root:x:0:0::/:\n"}
    context = image(tmp_path, tree)
    (tmp_path / "dev/nvidia0").chmod(0o660)
    first, second = read_device_nodes(context)
    assert (first.path, first.mode, first.access, second.path) == ("/dev/nvidia0", "0660", None, "/dev/nvidiactl")
    opened = with_openings((first, second), {"/dev/nvidia0": "Operation not permitted", "/dev/nvidiactl": None})
    assert [(node.access, node.error) for node in opened] == [(False, "Operation not permitted"), (True, None)]


def test_opening_leaves_unasked_nodes_as_they_are() -> None:
    node = DeviceNode("/dev/nvidia0", "0666", "root", "root", access=True)
    assert with_openings((node,), {}) == (node,)


def test_the_probes_of_a_picture_are_named_once_and_each_value_of_theirs_is_kept(tmp_path: Path) -> None:
    names = [probe.name for probe in (*FIRST, *FULL)]
    assert sorted(names) == sorted(set(names))
    assert all(probe.systems in (LINUX, EVERY) for probe in (*FIRST, *FULL))
    machine = take(image(tmp_path, CARD))
    unknown = {name for name, value in vars(machine).items() if value is None}
    brief = take(image(tmp_path, {}), brief=True)
    left_out = {name for name, value in vars(brief).items() if value is None} - unknown
    assert {"toolkits", "libraries", "conda", "limits", "compilers", "kernel_modules"} <= left_out
    assert not left_out & {"pci", "device_nodes", "pythons"}
