"""Control groups of both versions, and Slurm."""

import sys
from pathlib import Path

import pytest

from cudafit.files import Files
from cudafit.machine.context import Context
from cudafit.machine.limits import parse_cgroups, read_limits
from tests.machine.trees import Folder, Tree, image, problems

GIB = 1 << 30
MEMINFO = "MemTotal:       65842140 kB\nMemFree:        1234 kB\n"
V1_GROUPS = "12:memory:/docker/3f\n4:cpu,cpuacct:/docker/3f\n1:name=systemd:/docker/3f\n"
V1_NO_LIMIT = "9223372036854771712\n"


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("0::/user.slice/user-1000.slice\n", {"": "/user.slice/user-1000.slice"}),
        ("4:cpu,cpuacct:/a\n0::/\n", {"cpu": "/a", "cpuacct": "/a", "": "/"}),
        ("1:name=systemd:/a:b\n", {"name=systemd": "/a:b"}),
        ("garbage\n\n:\n", {}),
        ("", {}),
    ],
)
def test_group_files(text: str, groups: dict[str, str]) -> None:
    assert parse_cgroups(text) == groups


@pytest.mark.parametrize(
    ("tree", "cpus", "memory_mib", "via"),
    [
        pytest.param(
            {
                "/proc/self/cgroup": "0::/\n",
                "/sys/fs/cgroup/cpu.max": "250000 100000\n",
                "/sys/fs/cgroup/memory.max": f"{8 * GIB}\n",
                "/proc/meminfo": MEMINFO,
            },
            2.5,
            8192,
            {"cpus": "control group /", "memory_mib": "control group /"},
            id="version 2 in a container",
        ),
        pytest.param(
            {
                "/proc/self/cgroup": "0::/job.slice/step.scope\n",
                "/sys/fs/cgroup/job.slice/cpu.max": "400000 100000\n",
                "/sys/fs/cgroup/job.slice/memory.max": f"{4 * GIB}\n",
                "/sys/fs/cgroup/job.slice/step.scope/cpu.max": "800000 100000\n",
                "/sys/fs/cgroup/job.slice/step.scope/memory.max": f"{16 * GIB}\n",
            },
            4.0,
            4096,
            {"cpus": "control group /job.slice", "memory_mib": "control group /job.slice"},
            id="version 2, the tighter limit is further up",
        ),
        pytest.param(
            {
                "/proc/self/cgroup": "0::/a/b\n",
                "/sys/fs/cgroup/a/memory.max": f"{4 * GIB}\n",
                "/sys/fs/cgroup/a/b/memory.max": f"{2 * GIB}\n",
                "/sys/fs/cgroup/a/b/cpu.max": "max 100000\n",
            },
            None,
            2048,
            {"memory_mib": "control group /a/b"},
            id="version 2, the tighter limit is its own",
        ),
        pytest.param(
            {
                "/proc/self/cgroup": "0::/a\n",
                "/sys/fs/cgroup/a/cpu.max": "max 100000\n",
                "/sys/fs/cgroup/a/memory.max": "max\n",
                "/proc/meminfo": MEMINFO,
            },
            None,
            64298,
            {"memory_mib": "/proc/meminfo"},
            id="version 2 without limits",
        ),
        pytest.param(
            {
                "/proc/self/cgroup": "0::/a\n",
                "/sys/fs/cgroup/a/memory.max": f"{512 * GIB}\n",
                "/proc/meminfo": MEMINFO,
            },
            None,
            64298,
            {"memory_mib": "/proc/meminfo"},
            id="a limit above what there is",
        ),
        pytest.param(
            {
                "/proc/self/cgroup": V1_GROUPS,
                "/sys/fs/cgroup/cpu/docker/3f/cpu.cfs_quota_us": "150000\n",
                "/sys/fs/cgroup/cpu/docker/3f/cpu.cfs_period_us": "100000\n",
                "/sys/fs/cgroup/memory/docker/3f/memory.limit_in_bytes": f"{2 * GIB}\n",
            },
            1.5,
            2048,
            {"cpus": "control group /docker/3f", "memory_mib": "control group /docker/3f"},
            id="version 1",
        ),
        pytest.param(
            {
                "/proc/self/cgroup": V1_GROUPS,
                "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n",
                "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes": f"{GIB}\n",
            },
            0.5,
            1024,
            {"cpus": "control group /", "memory_mib": "control group /"},
            id="version 1, seen from inside a container",
        ),
        pytest.param(
            {
                "/proc/self/cgroup": V1_GROUPS,
                "/sys/fs/cgroup/cpu/docker/3f/cpu.cfs_quota_us": "-1\n",
                "/sys/fs/cgroup/cpu/docker/3f/cpu.cfs_period_us": "100000\n",
                "/sys/fs/cgroup/memory/docker/3f/memory.limit_in_bytes": V1_NO_LIMIT,
                "/proc/meminfo": MEMINFO,
            },
            None,
            64298,
            {"memory_mib": "/proc/meminfo"},
            id="version 1 without limits",
        ),
        pytest.param({"/proc/meminfo": MEMINFO}, None, 64298, {"memory_mib": "/proc/meminfo"}, id="no groups"),
        pytest.param({}, None, None, {}, id="nothing"),
        pytest.param(
            {
                "/proc/self/cgroup": f"0::/\n4:cpu:/\n12:memory:/\n{'9' * 5000}:{'9' * 5000}\n",
                "/sys/fs/cgroup/cpu.max": "100000 0\n",
                "/sys/fs/cgroup/memory.max": "9" * 5000,
                "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "100000\n",
                "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "0\n",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes": "much\n",
                "/proc/meminfo": f"MemTotal: {'9' * 5000} kB\n",
            },
            None,
            None,
            {},
            id="numbers that are none",
        ),
    ],
)
def test_limits(tree: Tree, cpus: float | None, memory_mib: int | None, via: dict[str, str], tmp_path: Path) -> None:
    context = image(tmp_path, tree)
    limits = read_limits(context)
    assert (limits.cpus, limits.memory_mib, limits.via) == (cpus, memory_mib, via)
    assert problems(context) == []


def test_an_unreadable_limit_is_a_problem(tmp_path: Path) -> None:
    context = image(tmp_path, {"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": Folder()})
    assert read_limits(context).memory_mib is None
    assert problems(context) == ["limits: /sys/fs/cgroup/memory.max: it is a folder"]


def test_what_slurm_gave(tmp_path: Path) -> None:
    environ = {"SLURM_JOB_ID": "4711", "SLURM_GPUS_ON_NODE": "2", "SLURM_SUBMIT_HOST": "login1", "HOME": "/root"}
    assert read_limits(image(tmp_path, {}, environ)).slurm == {"SLURM_JOB_ID": "4711", "SLURM_GPUS_ON_NODE": "2"}
    assert read_limits(image(tmp_path, {})).slurm is None


@pytest.mark.skipif(sys.platform != "linux", reason="asks the running Linux")
def test_this_process_may_use_some_of_each() -> None:
    limits = read_limits(Context("linux", Files(), {}))
    assert limits.cpus is not None
    assert limits.cpus > 0
    assert limits.memory_mib is not None
    assert limits.memory_mib > 0


def test_groups_nested_without_end_are_not_walked(tmp_path: Path) -> None:
    deep = "/a" * 2000
    context = image(tmp_path, {"/proc/self/cgroup": f"0::{deep}\n", "/proc/meminfo": "MemTotal: 1048576 kB\n"})
    told = read_limits(context)
    assert (told.cpus, told.memory_mib) == (None, 1024)
    assert not problems(context)
