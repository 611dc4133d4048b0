"""Jetson and other boards whose GPU is part of the chip: they have drivers and wheels of their own."""

import re

from cudafit.machine.context import Context
from cudafit.model.machine import Tegra

PROBE = "tegra"
RELEASE = "/etc/nv_tegra_release"
MODEL = "/proc/device-tree/model"
COMPATIBLE = "/proc/device-tree/compatible"


def read_tegra(context: Context) -> Tegra | None:
    release = context.read(PROBE, RELEASE) if context.files.exists(RELEASE) else None
    compatible = (context.read(PROBE, COMPATIBLE) or "") if context.files.exists(COMPATIBLE) else ""
    if release is None and not re.search(r"nvidia,tegra", compatible):
        return None
    model = (context.read(PROBE, MODEL) or "").strip("\0\n ") or None
    via = RELEASE if release is not None else COMPATIBLE
    return Tegra(model, parse_l4t(release) if release else None, via)


def parse_l4t(text: str) -> str | None:
    """`# R36 (release), REVISION: 4.3, GCID: …` is Jetson Linux 36.4.3."""
    match = re.search(r"R(\d+) \(release\), REVISION:\s*(\d+(?:\.\d+)*)", text)
    return f"{match.group(1)}.{match.group(2)}" if match else None
