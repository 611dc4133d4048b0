"""Control groups and Slurm."""

from pathlib import Path

import pytest

from cudafit.machine.limits import parse_cgroups, read_limits
from tests.machine.trees import Tree, image

V2 = "/sys/fs/cgroup"
MEMORY = {"/proc/meminfo": "MemTotal:       65536000 kB\nMemFree: 1 kB\n"}


@pytest.mark.parametrize(
    ("tree", "cpus", "memory"),
    [
        ({}, None, 64000),
        ({"/proc/self/cgroup": "0::/a/b\n", f"{V2}/a/b/cpu.max": "150000 100000\n"}, 1.5, 64000),
        (
            {"/proc/self/cgroup": "0::/a/b\n", f"{V2}/a/b/cpu.max": "max 100000\n", f"{V2}/a/cpu.max": "200000 100000"},
            2.0,
            64000,
        ),
        ({"/proc/self/cgroup": "0::/a\n", f"{V2}/a/memory.max": "max\n"}, None, 64000),
        (
            {"/proc/self/cgroup": "0::/a\n", f"{V2}/a/memory.max": "1073741824\n", f"{V2}/memory.max": "9999999999"},
            None,
            1024,
        ),
        (
            {
                "/proc/self/cgroup": "4:memory:/job\n3:cpu,cpuacct:/job\n",
                f"{V2}/memory/job/memory.limit_in_bytes": "2147483648\n",
                f"{V2}/cpu/job/cpu.cfs_quota_us": "400000\n",
                f"{V2}/cpu/job/cpu.cfs_period_us": "100000\n",
            },
            4.0,
            2048,
        ),
        (
            {
                "/proc/self/cgroup": "4:memory:/\n3:cpu:/\n",
                f"{V2}/memory/memory.limit_in_bytes": "9223372036854771712\n",
                f"{V2}/cpu/cpu.cfs_quota_us": "-1\n",
            },
            None,
            64000,
        ),
        ({"/proc/self/cgroup": "garbage\n"}, None, 64000),
    ],
)
def test_limits(tree: Tree, cpus: float | None, memory: int, tmp_path: Path) -> None:
    limits = read_limits(image(tmp_path, {**MEMORY, **tree}))
    assert (limits.cpus, limits.memory_mib) == (cpus, memory)


def test_slurm(tmp_path: Path) -> None:
    environ = {"SLURM_JOB_ID": "7", "SLURM_JOB_GPUS": "0,1", "OTHER": "x"}
    assert read_limits(image(tmp_path, {}, environ)).slurm == {"SLURM_JOB_ID": "7", "SLURM_JOB_GPUS": "0,1"}
    assert read_limits(image(tmp_path / "b", {})).slurm is None


def test_cgroup_lines() -> None:
    assert parse_cgroups("0::/a\n3:cpu,cpuacct:/b:c\n\nnonsense\n") == {"": "/a", "cpu": "/b:c", "cpuacct": "/b:c"}
