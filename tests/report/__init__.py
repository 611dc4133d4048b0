"""Rooms of machines on a page."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from cudafit.model import bench, finding
from cudafit.model.bench import Bench, Device, Result
from cudafit.model.record import to_plain

MACHINES = Path(__file__).parent.parent / "machines"
LOCK = """\
# Written by cudafit 0.1.0 matrix 2026.11.21.
# for: linux-x86_64, glibc 2.35, CUDA up to 13.0, GPUs from sm_75, Python 3.12
numpy==2.1.0 --hash=sha256:0c0a26565f66028935c30b09c953289c2e670ec334e4b0a8e2dc803c3561d61b
torch==2.15.0 --hash=sha256:df4894f573393466f26fef55638edc0f2ae0e44be9433503ec6fd1cae3d28571
"""
OLD_LOCK = LOCK.replace("2.15.0", "2.14.1+cu126")
MARKUP = "<img src=x onerror=alert(1)>"
# Each machine, what it is a copy of, and doctor's word on it.
ROOM = {
    "ws01": ("rtx4090-550", "torch.cpu_wheel"),
    "ws02": ("rtx4090-550", "torch.cpu_wheel"),
    "ws03": ("rtx4090-550", None),
    "gpu01": ("a100x8-535", None),
    "gpu02": ("h100x8-580", None),
    "old": ("gtx1080ti-535", None),
    "broken": ("library-mismatch", None),
    "driverless": ("nouveau", None),
    "login": ("no-gpu", None),
    MARKUP: ("rtx5090-570", None),
}


def diagnosis(cause: str | None, **more: Any) -> dict[str, Any]:
    """A report of doctor's, as far as it is read, and with what a newer one may tell besides."""
    found = [
        {"id": cause, "severity": "error", "layer": "framework", "title": "torch in /home/alice/env is a CPU build"},
        {
            "id": "torch.companion_mismatch",
            "severity": "warning",
            "layer": "framework",
            "title": "x",
            "explained_by": cause,
        },
    ]
    told = {"status": "error" if cause else "ok", "cause": cause, "findings": found if cause else [], "gpus": 1}
    return {"schema": finding.SCHEMA, **told, **more}


def benchmark(
    value: float, *, status: bench.Status = "pass", date: str = "2026-11-20T10:00:00+00:00"
) -> dict[str, Any]:
    matmul = Result("matmul", "bfloat16", value, "TFLOP/s", 165.0, value / 165, 1e-4, status, "torch", "speed", 0.5)
    copy = Result("copy", "float32", value * 5, "GB/s", 1008.0, value * 5 / 1008, 0.0, "pass", "torch", "speed", 0.7)
    launch = Result("launch", "float32", 2.5, "us", None, None, None, "measured", "torch", "speed")
    device = Device("NVIDIA GeForce RTX 4090", True, "nvml", number="cuda:0")
    record = Bench("pass", device, (matmul, copy, launch), date=date)
    return {"schema": bench.SCHEMA, **to_plain(replace(record, verdict="slow" if status == "slow" else "pass"))}


def room(folder: Path) -> Path:
    """A room with something of everything in it."""
    folder.mkdir()
    for name, (like, cause) in ROOM.items():
        shutil.copy(MACHINES / f"{like}.json", folder / f"{name}.json")
        if cause:
            _write(folder / f"{name}.doctor.json", diagnosis(cause))
    (folder / "gpu02").mkdir()
    _write(folder / "gpu02" / "doctor.json", diagnosis(None, newer={"key": 1}))
    _write(folder / "ws01.bench.json", benchmark(120.0, date="2026-11-19T10:00:00+00:00"))
    _write(folder / "ws01" / "bench.json", benchmark(140.0))
    _write(folder / "ws02.bench.json", benchmark(141.0))
    _write(folder / "ws03.bench.json", benchmark(60.0, status="slow"))
    (folder / "locks").mkdir()
    (folder / "locks" / "requirements.txt").write_text(LOCK)
    (folder / "old.lock.txt").write_text(OLD_LOCK)
    (folder / "ws01.freeze.txt").write_text("numpy==2.1.0\ntorch==2.15.0\npip==25.0\n")
    (folder / "ws02.freeze.txt").write_text("numpy==2.0.0\ntorch==2.15.0\nrich==14.0\n")
    (folder / "ws03.freeze.txt").write_text("rich==14.0\n")
    _write(
        folder / "gpu01" / "environment.json",
        [{"name": "NumPy", "version": "2.1.0"}, {"name": "torch", "version": "2.14.1+cu126"}],
    )
    _write(folder / "newer.json", {"schema": "cudafit.machine/7"})
    (folder / "notes.json").write_text("{")
    (folder / "photo.png").write_bytes(b"\x89PNG")
    return folder


def _write(path: Path, value: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
