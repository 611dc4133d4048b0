"""What this process may use of the host: processors, memory, and what Slurm gave it."""

import os
import re

from cudafit.machine.context import Context
from cudafit.model.machine import Limits

PROBE = "limits"
V2 = "/sys/fs/cgroup"
_UNLIMITED_V1 = 1 << 60  # the kernel writes "no limit" as a number near 2^63
_DEEPEST = 100  # groups within groups

SLURM = ("SLURM_JOB_ID", "SLURM_JOB_GPUS", "SLURM_STEP_GPUS", "SLURM_GPUS_ON_NODE", "SLURM_JOB_PARTITION")


def read_limits(context: Context) -> Limits:
    via: dict[str, str] = {}
    groups = parse_cgroups(context.read(PROBE, "/proc/self/cgroup") or "")
    cpus = _cpus(context, groups, via)
    memory = _memory(context, groups, via)
    slurm = {name: context.environ[name] for name in SLURM if name in context.environ}
    return Limits(cpus, memory, slurm or None, via)


def parse_cgroups(text: str) -> dict[str, str]:
    """Controller -> path; version 2's one path is under the empty name."""
    groups = {}
    for line in text.splitlines():
        _, _, rest = line.partition(":")
        controllers, separator, path = rest.partition(":")
        if separator:
            groups.update(dict.fromkeys(controllers.split(","), path))
    return groups


def _cpus(context: Context, groups: dict[str, str], via: dict[str, str]) -> float | None:
    count: float | None = None
    if context.here and hasattr(os, "sched_getaffinity"):
        count, via["cpus"] = float(len(os.sched_getaffinity(0))), "sched_getaffinity"
    for path in _folders(groups, ""):
        quota, _, period = (context.read(PROBE, f"{V2}{path}/cpu.max") or "").partition(" ")
        count = _tighter(count, _share(_int(quota), _int(period)), "cpus", path, via)
    for path in _folders(groups, "cpu"):
        quota = context.read(PROBE, f"{V2}/cpu{path}/cpu.cfs_quota_us") or ""
        period = context.read(PROBE, f"{V2}/cpu{path}/cpu.cfs_period_us") or ""
        count = _tighter(count, _share(_int(quota), _int(period)), "cpus", path, via)
    return count


def _memory(context: Context, groups: dict[str, str], via: dict[str, str]) -> int | None:
    limit: float | None = None
    for path in _folders(groups, ""):
        limit = _tighter(limit, _int(context.read(PROBE, f"{V2}{path}/memory.max")), "memory_mib", path, via)
    for path in _folders(groups, "memory"):
        given = _int(context.read(PROBE, f"{V2}/memory{path}/memory.limit_in_bytes"))
        limit = _tighter(limit, given if given and given < _UNLIMITED_V1 else None, "memory_mib", path, via)
    match = re.search(r"^MemTotal:\s*(\d{1,20}) kB", context.read(PROBE, "/proc/meminfo") or "", re.M)
    total = int(match.group(1)) << 10 if match else None
    if total is not None and (limit is None or total < limit):  # a limit may be above what there is
        limit, via["memory_mib"] = total, "/proc/meminfo"
    return None if limit is None else int(limit) >> 20


def _share(quota: int | None, period: int | None) -> float | None:
    """Processors' worth of time; `max` (version 2) and -1 (version 1) stand for no limit."""
    return quota / period if quota and period and quota > 0 and period > 0 else None


def _folders(groups: dict[str, str], controller: str) -> list[str]:
    """A group's own folder and those above it: the tightest limit on the way counts. Nobody nests a hundred."""
    if controller not in groups or groups[controller].count("/") > _DEEPEST:
        return []
    path = groups[controller].rstrip("/")
    found = [path]
    while path:
        path = path.rpartition("/")[0]
        found.append(path)
    return found


def _tighter(now: float | None, given: float | None, name: str, path: str, via: dict[str, str]) -> float | None:
    if given is None or (now is not None and now <= given):
        return now
    via[name] = f"control group {path or '/'}"
    return given


def _int(text: str | None) -> int | None:
    stripped = (text or "").strip()
    return int(stripped) if re.fullmatch(r"-?\d{1,20}", stripped) else None
