"""Why a GPU is slow, by what NVML read while it worked. Pure."""

from collections.abc import Iterator, Sequence

from cudafit.bench.peaks import Peaks
from cudafit.model.bench import SLOW, Cause, Device, Load, Result

_HEAT = {"sw_thermal_slowdown", "hw_thermal_slowdown"}
_TRANSFERS = ("host_to_device", "device_to_host")

# Below this part of its largest clock a GPU that works is held back by something.
_CLOCK_SHARE = 0.7


def causes_of(device: Device, results: Sequence[Result], peaks: Peaks, load: Load) -> Iterator[Cause]:
    """The likely causes of what is slow, the most telling first; and why speed could not be judged."""
    slow = [one for one in results if one.status == SLOW]
    if not slow:
        if peaks.missing and device.kind != "cpu" and results:
            yield Cause(f"{peaks.missing}, so its speed is not judged", "gpus.yaml")
        return
    found = [*_of_the_link(slow, load), *_of_the_chip(slow, load)]
    yield from found
    if not found:
        yield Cause(_unexplained(load), f"NVML, {load.readings} readings under load")


def _of_the_link(slow: Sequence[Result], load: Load) -> Iterator[Cause]:
    if not any(one.test in _TRANSFERS for one in slow):
        return
    now, most = (load.pcie_generation, load.pcie_width), (load.pcie_generation_max, load.pcie_width_max)
    if None not in (*now, *most) and now != most:
        text = f"the PCIe link runs at generation {now[0]} x{now[1]}, and could at generation {most[0]} x{most[1]}"
        yield Cause(text, "NVML under load")


def _of_the_chip(slow: Sequence[Result], load: Load) -> Iterator[Cause]:
    if all(one.test in _TRANSFERS for one in slow):
        return
    reasons = set(load.throttle_reasons)
    if reasons & _HEAT:
        at = f" at {load.temperature_c} °C" if load.temperature_c is not None else ""
        yield Cause(f"the GPU slows down for heat{at}: {', '.join(sorted(reasons & _HEAT))}", "NVML under load")
    if "hw_power_brake_slowdown" in reasons:
        yield Cause("the power supply tells the GPU to slow down: hw_power_brake_slowdown", "NVML under load")
    elif "hw_slowdown" in reasons and not reasons & _HEAT:
        yield Cause("the board tells the GPU to slow down: hw_slowdown", "NVML under load")
    limit, usual = load.power_limit_w, load.power_limit_default_w
    if limit and usual and limit < usual * 0.95:
        capped = ", and it is reached" if "sw_power_cap" in reasons else ""
        yield Cause(f"its power limit is {limit:g} W, and {usual:g} W by default{capped}", "NVML under load")
    clock, most = load.clock_mhz, load.clock_max_mhz
    if clock and most and clock < most * _CLOCK_SHARE:
        why = ", ".join(one for one in load.throttle_reasons if one not in _HEAT) or "NVML gives no reason"
        yield Cause(f"its cores ran at {clock} MHz at most, of {most} MHz ({why})", "NVML under load")
    if load.others:
        yield Cause(f"others compute on it: {', '.join(load.others[:5])}", "NVML's process list")


def _unexplained(load: Load) -> str:
    if not load.readings:
        return "the GPU could not be read while it worked, so the reason is not known"
    clock = f", the cores ran at {load.clock_mhz} of {load.clock_max_mhz} MHz" if load.clock_mhz else ""
    return (
        f"no throttling, no other process{clock}: the framework's own kernels do not use the GPU well; "
        "`cudafit doctor` tells whether the build fits it"
    )
