"""`cudafit inspect`, the real command: over the test NVML, over described machines, and over wrong input."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import fake_nvml
from tests.conftest import Run
from tests.machines import FOLDER
from tests.schemas import validate

Nvml = Callable[[str], dict[str, str]]

FIRST = "GPU-0a1b2c3d-1111-2222-3333-444455556666"
SECOND = "GPU-5a1b2c3d-1111-2222-3333-444455556666"
TWO_GPUS = f"""
driver 550.54.15
cuda 12.4
nvml 12.550.54.15
gpu
  name NVIDIA GeForce RTX 4090
  uuid {FIRST}
  bus 00000000:01:00.0
  device_id 0x268410DE
  cc 8.9
  memory 24564 512
  compute_mode 0
gpu
  name NVIDIA GeForce RTX 4090
  uuid {SECOND}
  bus 00000000:02:00.0
  device_id 0x268410DE
  cc 8.9
  memory 24564 0
  compute_mode 0
"""

HAS_NVML = os.path.exists("/proc/driver/nvidia") or os.path.exists("/dev/dxg")


def test_shows_the_gpus_driver_and_cuda_limit_that_nvml_states(cudafit: Run, nvml: Nvml) -> None:
    done = cudafit("inspect", "--json", env=nvml(TWO_GPUS))
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    validate(shown, "machine-1")
    assert shown["driver"]["version"] == "550.54.15"
    assert shown["driver"]["cuda"] == "12.4"
    assert shown["driver"]["via"] == "nvml"
    assert [gpu["uuid"] for gpu in shown["gpus"]] == [FIRST, SECOND]
    assert [gpu["compute_capability"] for gpu in shown["gpus"]] == ["8.9", "8.9"]
    assert [gpu["memory_mib"] for gpu in shown["gpus"]] == [24564, 24564]
    assert [gpu["pci_address"] for gpu in shown["gpus"]] == ["0000:01:00.0", "0000:02:00.0"]
    assert shown["problems"] == []


def test_screen_names_each_layer_and_where_it_was_read(cudafit: Run, nvml: Nvml) -> None:
    done = cudafit("inspect", env=nvml(TWO_GPUS))
    assert done.returncode == 0
    assert "GPU 0       NVIDIA GeForce RTX 4090 · sm_89 · 24564 MiB, 512 used  [nvml]" in done.stdout
    assert "driver      550.54.15  [nvml]" in done.stdout
    assert "CUDA limit  12.4  [nvml]" in done.stdout
    assert "\x1b" not in done.stdout


# What CUDA gives on a machine with two GPUs (CUDA Programming Guide, "CUDA Environment Variables").
@pytest.mark.parametrize(
    ("value", "order"),
    [
        (None, [0, 1]),
        ("1,0", [1, 0]),
        ("1", [1]),
        ("", []),
        ("-1", []),
        (SECOND, [1]),
        ("GPU-5a1b", [1]),
        (f"GPU-5a1b,{FIRST}", [1, 0]),
        ("5", []),
        ("0,banana,1", [0]),
        ("0,-1,1", [0]),
        ("0,0", []),
    ],
)
def test_visible_gpus_are_those_that_cuda_would_give(
    value: str | None, order: list[int], cudafit: Run, nvml: Nvml
) -> None:
    given = {} if value is None else {"CUDA_VISIBLE_DEVICES": value}
    shown = json.loads(cudafit("inspect", "--json", env={**nvml(TWO_GPUS), **given}).stdout)
    assert shown["visible_devices"]["order"] == order
    assert [gpu["index"] for gpu in shown["gpus"] if gpu["visible"]] == sorted(order)
    assert shown["environment"].get("CUDA_VISIBLE_DEVICES") == value


def test_mismatch_shows_both_versions_and_exits_3(environ: dict[str, str], tmp_path: Path) -> None:
    if reason := fake_nvml.can_mount():
        pytest.skip(f"a kernel module's version cannot be shown here: {reason}")
    spec = "driver 550.90.07\ncuda 12.4\nnvml 12.550.90.07\ninit 18\n"
    variables = fake_nvml.environment(spec, tmp_path / "nvml", environ)
    command = [sys.executable, "-m", "cudafit", "inspect", "--json"]
    done = subprocess.run(
        fake_nvml.namespace_command("550.54.15", tmp_path, command),
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    shown = json.loads(done.stdout)
    assert shown["driver"]["kernel"] == "550.54.15"
    assert shown["driver"]["library"] == "550.90.07"
    assert {"probe": "nvml", "error": "Driver/library version mismatch (18)"} in shown["problems"]
    assert "kernel module 550.54.15 (via /proc/driver/nvidia/version)" in done.stderr
    assert "hint: reboot" in done.stderr


@pytest.mark.skipif(HAS_NVML, reason="this machine has an NVIDIA driver of its own")
def test_no_gpu_is_said_plainly_and_is_no_failure(cudafit: Run) -> None:
    done = cudafit("inspect")
    assert done.returncode == 0
    assert "no NVIDIA GPU on this machine" in done.stdout or "no NVIDIA GPU in this" in done.stdout
    assert "no NVIDIA driver is loaded" in done.stdout
    assert done.stderr == ""


def test_saved_snapshot_shows_the_same_object(cudafit: Run, nvml: Nvml, tmp_path: Path) -> None:
    path = str(tmp_path / "m.json")
    variables = nvml(TWO_GPUS)
    saved = cudafit("inspect", "--save", path, "--json", env=variables)
    assert saved.returncode == 0
    shown = cudafit("inspect", "--machine", path, "--json")
    assert shown.stdout == saved.stdout == Path(path).read_text(encoding="utf-8")
    piped = cudafit("inspect", "--machine", "-", "--json", stdin=saved.stdout)
    assert piped.stdout == saved.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected JSON, but expecting value: line 1 column 1 (char 0)"),
        ("not json", "expected JSON, but expecting value: line 1 column 1 (char 0)"),
        ("[]", "expected a JSON object"),
        ("{}", "at `schema`: expected `cudafit.machine/1`, no such key"),
        ('{"schema": "cudafit.machine/9"}', 'at `schema`: expected `cudafit.machine/1`, found "cudafit.machine/9"'),
        ('{"schema": "cudafit.machine/1"}', "at `os`: expected an object, found no such key"),
        (
            '{"schema": "cudafit.machine/1", "os": {"system": 1}}',
            "at `os.system`: expected a text, found 1",
        ),
        ("[" * 100_000, "it is nested too deeply"),
    ],
)
def test_what_is_no_snapshot_is_refused_in_one_line(text: str, said: str, cudafit: Run, tmp_path: Path) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(text, encoding="utf-8")
    done = cudafit("inspect", "--machine", str(path))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == f"error: `{path}` is not a machine snapshot: {said}\n"


def test_missing_key_is_named_with_its_place(cudafit: Run, tmp_path: Path) -> None:
    value = json.loads((FOLDER / "rtx4090-550.json").read_text(encoding="utf-8"))
    del value["gpus"][0]["memory_mib"]
    path = tmp_path / "m.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    done = cudafit("inspect", "--machine", str(path))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "at `gpus[0].memory_mib`: expected a whole number or null, found no such key" in done.stderr


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_unreadable_snapshot(name: str, cudafit: Run, tmp_path: Path) -> None:
    done = cudafit("inspect", "--machine", str(tmp_path / name))
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: cannot read `{tmp_path / name}`: ")


@pytest.mark.slow
def test_hanging_driver_is_cut_off_recorded_and_exits_3(cudafit: Run, nvml: Nvml) -> None:
    start = time.monotonic()
    done = cudafit("inspect", "--json", "--timeout", "1", env=nvml("driver 550.54.15\nhang nvmlInitWithFlags\n"))
    assert time.monotonic() - start < 30
    assert done.returncode == 3
    shown = json.loads(done.stdout)
    assert {"probe": "nvml", "error": "init: gave no answer for 1 s"} in shown["problems"]
    assert "error: the driver could not be asked for its GPUs" in done.stderr


def test_crashing_driver_takes_nothing_else_with_it(cudafit: Run, nvml: Nvml) -> None:
    done = cudafit("inspect", "--json", env=nvml(TWO_GPUS + "crash nvmlDeviceGetPowerUsage 1\n"))
    shown = json.loads(done.stdout)
    assert [gpu["name"] for gpu in shown["gpus"]] == ["NVIDIA GeForce RTX 4090"] * 2
    assert any("crashed (SIGSEGV)" in problem["error"] for problem in shown["problems"])
    assert done.returncode == 0, "what matters was told before the crash"


def test_lost_gpu_is_shown_as_lost(cudafit: Run, nvml: Nvml) -> None:
    done = cudafit("inspect", "--json", env=nvml(TWO_GPUS + "lost\n"))
    shown = json.loads(done.stdout)
    assert shown["gpus"][1]["name"] is None
    assert shown["gpus"][1]["unread"] == {"handle": "GPU is lost (15)"}
    assert {"probe": "nvml", "error": "GPU 1: GPU is lost (15)"} in shown["problems"]


def test_old_driver_and_refused_calls_are_recorded_per_gpu(cudafit: Run, nvml: Nvml) -> None:
    spec = TWO_GPUS + "missing nvmlDeviceGetRemappedRows\nerror nvmlDeviceGetTemperature 4\n"
    shown = json.loads(cudafit("inspect", "--json", env=nvml(spec)).stdout)
    for gpu in shown["gpus"]:
        assert gpu["unread"]["ecc.remapped"] == "Function Not Found (13)"
        assert gpu["unread"]["temperature_c"] == "Insufficient Permissions (4)"
        assert gpu["compute_capability"] == "8.9"


def test_root_reads_files_only(cudafit: Run, nvml: Nvml, tmp_path: Path) -> None:
    root = tmp_path / "image"
    (root / "etc").mkdir(parents=True)
    (root / "etc/os-release").write_text("ID=rocky\nVERSION_ID=9.4\n", encoding="utf-8")
    (root / "proc/driver/nvidia").mkdir(parents=True)
    (root / "proc/driver/nvidia/version").write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.223.02  Sat Oct  7 15:39:11 UTC 2023\n", encoding="utf-8"
    )
    done = cudafit("inspect", "--root", str(root), "--json", env={**nvml(TWO_GPUS), "CUDA_VISIBLE_DEVICES": "0"})
    shown = json.loads(done.stdout)
    assert done.returncode == 0
    assert shown["os"]["distro"] == "rocky 9.4"
    assert shown["driver"]["version"] == "470.223.02"
    assert shown["gpus"] == []
    assert shown["environment"] == {}
    assert {"probe": "nvml", "reason": f"only files below {root} were read"} in shown["skipped"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["inspect", "--root", "/no/such"], "error: `--root /no/such`: there is no such folder"),
        (["inspect", "--machine", "a", "--machine", "b"], "error: inspect shows one machine"),
        (["inspect", "--machine", "a", "--root", "/"], "error: `--machine` shows a saved snapshot"),
        (["inspect", "--nonsense"], "error: no such option"),
        (["inspect", "surplus"], "error: got unexpected extra argument"),
        (["inspect", "--timeout", "0"], "error: invalid value for '--timeout'"),
        (["inspekt"], "error: no such command 'inspekt'"),
        (["inspect", "--save", "/no/such/folder/m.json"], "error: cannot write `/no/such/folder/m.json`"),
    ],
)
def test_wrong_usage_exits_2_with_one_error(arguments: list[str], said: str, cudafit: Run) -> None:
    done = cudafit(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_colour_is_for_terminals_and_for_who_asks(cudafit: Run) -> None:
    machine = ["inspect", "--machine", str(FOLDER / "rtx4090-550.json")]
    assert "\x1b[" not in cudafit(*machine).stdout
    assert "\x1b[" in cudafit(*machine, "--color", "always").stdout
    assert "\x1b[" in cudafit("--color", "always", *machine).stdout
    assert "\x1b[" in cudafit(*machine, "--color", "always", env={"NO_COLOR": "1"}).stdout
    assert "\x1b[" not in cudafit(*machine, "--color", "never", env={"FORCE_COLOR": "1"}).stdout


def test_a_closed_pipe_is_no_error(environ: dict[str, str]) -> None:
    machine = str(FOLDER / "h100x8-580.json")
    command = f'"{sys.executable}" -m cudafit inspect --json --machine "{machine}" | head -c 10'
    done = subprocess.run(["sh", "-c", command], env=environ, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout == '{\n  "schem'


@pytest.mark.slow
def test_interrupt_exits_130_and_leaves_no_child(environ: dict[str, str], nvml: Nvml) -> None:
    variables = {**environ, **nvml("driver 550.54.15\nhang nvmlInitWithFlags\n")}
    command = [sys.executable, "-m", "cudafit", "inspect", "--timeout", "50"]
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        children = Path(f"/proc/{child.pid}/task/{child.pid}/children")
        deadline = time.monotonic() + 20
        while not (pids := children.read_text().split()) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(1)  # let it come to the hanging call
        child.send_signal(signal.SIGINT)
        _, stderr = child.communicate(timeout=20)
    assert child.returncode == 130
    assert stderr == "interrupted\n"
    assert pids
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_unicode_screen_survives_an_ascii_terminal(cudafit: Run) -> None:
    done = cudafit(
        "inspect", "--machine", str(FOLDER / "rtx4090-550.json"), env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    )
    assert done.returncode == 0
    assert "RTX 4090" in done.stdout
