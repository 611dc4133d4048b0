"""What the child's lines mean, and the child itself over a real libnvidia-ml.so.1."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from cudafit.machine.nvml import Reading, interpret, pci_address
from cudafit.machine.question import Answer, Question
from cudafit.model.machine import Fabric
from tests import fake_nvml

INIT = {"key": "init", "gpu": None, "part": None, "value": True}
needs_compiler = pytest.mark.skipif(fake_nvml.compiler() is None, reason="the test NVML needs a C compiler (cc or gcc)")


def told(*facts: Mapping[str, object], broken: str | None = None) -> Reading:
    return interpret(Answer(tuple(json.dumps(fact) for fact in facts), broken))


def fact(key: str, value: object, gpu: int | None = None) -> dict[str, object]:
    return {"key": key, "gpu": gpu, "part": None, "value": value}


def refusal(key: str, code: int, text: str, gpu: int | None = None) -> dict[str, object]:
    return {"key": key, "gpu": gpu, "part": None, "code": code, "text": text}


def test_driver_and_cuda() -> None:
    reading = told(INIT, fact("driver", "580.65.06"), fact("nvml", "13.580.65.06"), fact("cuda", 13000))
    assert (reading.driver, reading.cuda, reading.library) == ("580.65.06", "13.0", "580.65.06")
    assert reading.opened
    assert reading.problems == ()


def test_library_by_its_file_name_before_its_own_word() -> None:
    path = "/usr/lib/libnvidia-ml.so.550.90.07"
    reading = told(INIT, fact("library_path", path), fact("nvml", "12.550.90"))
    assert (reading.library, reading.library_via) == ("550.90.07", path)


@pytest.mark.parametrize("word", ["N/A", "", "[Not Supported]", None])
def test_a_driver_version_that_is_none(word: str | None) -> None:
    reading = told(INIT, fact("driver", word))
    assert reading.driver is None
    assert reading.problems == (f"driver version reads {word!r}",)


def test_init_refused() -> None:
    reading = told(refusal("init", 18, "Driver/library version mismatch"), fact("nvml", "12.550.90.07"))
    assert (reading.error, reading.code) == ("Driver/library version mismatch (18)", 18)
    assert reading.library == "550.90.07"
    assert not reading.opened
    assert not reading.absent


def test_absent_library_is_told_from_a_broken_one() -> None:
    assert told(refusal("init", 12, "libnvidia-ml.so.1 was not found")).absent
    load_error = {"key": "load_error", "text": "libnvidia-ml.so.1: wrong ELF class"}
    broken = told(load_error, refusal("init", 12, "libnvidia-ml.so.1 was not found"))
    assert not broken.absent
    assert broken.error == "libnvidia-ml.so.1: wrong ELF class"


def test_broken_off_in_the_middle_keeps_what_came_before() -> None:
    lines = (INIT, fact("driver", "550.54.15"), fact("name", "A", 0), {"call": "name", "gpu": 1})
    reading = told(*lines, broken="gave no answer for 8 s")
    assert [gpu.name for gpu in reading.gpus] == ["A"]
    assert reading.problems == ("name of GPU 1: gave no answer for 8 s",)
    assert reading.broken


def test_noise_on_the_line_is_no_fact() -> None:
    reading = interpret(Answer(("libcuda: hello\n", "[1, 2]\n", json.dumps(INIT), json.dumps(fact("driver", "1.2")))))
    assert reading.driver == "1.2"


def test_numbers_become_words() -> None:
    reading = told(
        INIT,
        fact("compute_mode", 3, 0),
        fact("virtualization", 2, 0),
        fact("throttle", 0x1 | 0x40 | 0x1000, 0),
        fact("power", 71500, 0),
        fact("pci", {"bus": "0000000F:01:00.0", "device": 0x2E1210DE, "subsystem": 0}, 0),
    )
    (gpu,) = reading.gpus
    assert (gpu.compute_mode, gpu.virtualization) == ("exclusive_process", "vgpu")
    assert gpu.throttle_reasons == ("gpu_idle", "hw_thermal_slowdown", "unknown_0x1000")
    assert gpu.power_w == 71.5
    assert (gpu.pci_address, gpu.pci_device_id, gpu.pci_subsystem_id) == ("000f:01:00.0", "10de:2e12", None)


def test_values_that_are_new_are_unknown() -> None:
    (gpu,) = told(INIT, fact("compute_mode", 9, 0), fact("virtualization", 9, 0)).gpus
    assert (gpu.compute_mode, gpu.virtualization) == ("unknown", "unknown")


def test_no_mig_is_known_refused_mig_is_not() -> None:
    without = told(INIT, refusal("mig", 3, "Not Supported", 0)).gpus[0]
    refused = told(INIT, refusal("mig", 4, "Insufficient Permissions", 0)).gpus[0]
    assert (without.mig, "mig" in without.unread) == (False, False)
    assert (refused.mig, refused.unread["mig"]) == (None, "Insufficient Permissions (4)")


@pytest.mark.parametrize(
    ("bus", "address"),
    [
        ("00000000:01:00.0", "0000:01:00.0"),
        ("0000:AB:00.0", "0000:ab:00.0"),
        ("00010000:01:00.0", "10000:01:00.0"),
        ("garbage", None),
        (None, None),
    ],
)
def test_pci_address(bus: str | None, address: str | None) -> None:
    assert pci_address(bus) == address


def asked(spec: str, folder: Path, silence_s: float = 20) -> Reading:
    return interpret(Question(fake_nvml.environment(spec, folder, dict(os.environ)), silence_s).answer())


GPU = "driver 550.54.15\ncuda 12.4\ngpu\n  name A\n  uuid GPU-1\n  bus 00000000:01:00.0\n  cc 8.9\n  memory 1024 1\n"


@pytest.mark.slow
@needs_compiler
def test_a_hanging_call_is_named_and_what_came_before_is_kept(tmp_path: Path) -> None:
    reading = asked(GPU + "hang nvmlDeviceGetTemperature\n", tmp_path, silence_s=2)
    assert reading.broken
    assert reading.problems == ("temperature of GPU 0: gave no answer for 2 s",)
    assert (reading.driver, reading.gpus[0].compute_capability) == ("550.54.15", "8.9")


@needs_compiler
def test_a_crash_is_named(tmp_path: Path) -> None:
    reading = asked(GPU + "crash nvmlDeviceGetName\n", tmp_path)
    assert reading.problems[0] == "name of GPU 0: crashed (SIGSEGV)"
    assert reading.driver == "550.54.15"


@needs_compiler
def test_an_old_driver_lacks_the_newer_names_of_calls(tmp_path: Path) -> None:
    missing = "missing nvmlSystemGetCudaDriverVersion_v2\nmissing nvmlDeviceGetCurrentClocksEventReasons\n"
    reading = asked(GPU + "  throttle 0x4\n" + missing, tmp_path)
    assert reading.cuda == "12.4"
    assert reading.gpus[0].throttle_reasons == ("sw_power_cap",)
    assert reading.problems == ()


@needs_compiler
@pytest.mark.parametrize(
    ("spec", "fabric"),
    [
        ("  fabric 3 0\n", Fabric("completed", 0)),
        ("  fabric 3 999\n", Fabric("completed", 999)),
        ("  fabric 2 0\n", Fabric("in_progress")),
        ("  fabric 1 0\n", Fabric("not_started")),
        ("  fabric 0 0\n", Fabric("not_supported")),
        ("", Fabric("not_supported")),
        ("  fabric 3 0\nmissing nvmlDeviceGetGpuFabricInfoV\n", Fabric("completed", 0)),
        ("missing nvmlDeviceGetGpuFabricInfoV\nmissing nvmlDeviceGetGpuFabricInfo\n", None),
    ],
)
def test_the_fabric(spec: str, fabric: Fabric | None, tmp_path: Path) -> None:
    reading = asked(GPU + spec, tmp_path)
    assert reading.gpus[0].fabric == fabric
    assert ("fabric" in reading.gpus[0].unread) == (fabric is None)
    assert reading.problems == ()


@needs_compiler
def test_the_limit_that_is_enforced_and_the_one_it_comes_with(tmp_path: Path) -> None:
    (gpu,) = asked(GPU + "  power 100000 240000\n  power_default 400000\n", tmp_path).gpus
    assert (gpu.power_limit_w, gpu.power_limit_default_w) == (240.0, 400.0)


def test_a_library_that_is_no_library_is_not_called_absent(tmp_path: Path) -> None:
    (tmp_path / "libnvidia-ml.so.1").write_text("not a library", encoding="utf-8")
    environ = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}
    reading = interpret(Question(environ, 20).answer())
    assert not reading.absent
    assert "libnvidia-ml.so.1" in (reading.error or "")


@pytest.mark.parametrize(
    "line",
    [
        '{"failed": false}',
        '{"look": 1}',
        '{"key": "driver", "gpu": {}}',
        '{"key": "node"}',
        '{"key": "load_error", "gpu": null}',
        '{"key": ["a"], "gpu": null}',
        '{"key": "memory", "gpu": 0, "part": null, "value": "much"}',
        '{"key": "memory", "gpu": "0", "part": null, "value": [1, 2]}',
        '{"key": "cuda", "gpu": null, "value": 1e999}',
        '{"call": 1, "gpu": null}',
    ],
)
def test_a_library_that_prints_what_looks_like_a_fact_is_no_bug(line: str) -> None:
    reading = interpret(Answer((json.dumps(INIT), line, json.dumps(fact("driver", "580.65.06")))))
    assert reading.driver == "580.65.06" or (reading.broken and "makes no sense" in (reading.error or ""))
