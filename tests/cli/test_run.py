"""`cudafit run` with real jobs: over a test NVML, and without any."""

import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cudafit.machine.processes import every_pid, read_process
from tests import fake_nvml
from tests.real_venv import for_cpu_torch, with_cpu_torch
from tests.schemas import validate

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="run watches through /proc")

PYTHON = shlex.quote(sys.executable)  # for lines of a shell
A100 = """
driver 580.65.06
cuda 13.0
nvml 13.580.65.06
gpu
  name NVIDIA A100-SXM4-40GB
  uuid GPU-00000000-1111-2222-3333-444444444444
  cc 8.0
  memory 40960 512
  utilization {utilization} 1
  compute_mode 0
"""

# A job that NVML lists, as it lists one that made a CUDA context.
USES = """
import os, sys, time
place = os.path.join(os.environ["FAKE_NVML_PROCESSES"], str(os.getpid()))
time.sleep(float(sys.argv[1]) if len(sys.argv) > 1 else 0)
with open(place + ".new", "w") as file:
    file.write("0 2048")
os.rename(place + ".new", place)
end = time.monotonic() + float(sys.argv[2]) if len(sys.argv) > 2 else time.monotonic() + 2
while time.monotonic() < end:
    if len(sys.argv) < 4:
        time.sleep(0.05)
os.unlink(place)
"""
NEVER_MOVED = """\
import torch
from torch import nn

model = nn.Linear(8, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loader = [(torch.randn(4, 8), torch.randn(4, 2)) for _ in range(3)]
for x, y in loader:
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
"""


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


class World:
    """A machine with a GPU, as far as programs can tell, and a folder to work in."""

    def __init__(self, environ: dict[str, str], folder: Path) -> None:
        self.environ = environ
        self.folder = folder

    @property
    def processes(self) -> str:
        return self.environ["FAKE_NVML_PROCESSES"]

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "cudafit", "run", *words]

    def start(self, *words: str, **options: Any) -> "subprocess.Popen[str]":
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.Popen(self.command(*words), env=self.environ, cwd=self.folder, text=True, **options)

    def run(self, *words: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(*words),
            env=self.environ,
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def reported(self, *words: str) -> tuple["subprocess.CompletedProcess[str]", dict[str, Any]]:
        done = self.run("--json-file", "report.json", *words)
        return done, json.loads((self.folder / "report.json").read_text())


@pytest.fixture
def world(environ: dict[str, str], nvml: Callable[[str], dict[str, str]], tmp_path: Path) -> World:
    for name in ("processes", "work"):
        (tmp_path / name).mkdir()
    found = {**environ, **nvml(A100.format(utilization=90)), "FAKE_NVML_PROCESSES": str(tmp_path / "processes")}
    (tmp_path / "work/uses.py").write_text(USES)
    return World(found, tmp_path / "work")


@pytest.fixture
def bare(environ: dict[str, str], tmp_path: Path) -> World:
    """Without an NVML of the test's own: what is tested does not depend on GPUs."""
    (tmp_path / "work").mkdir()
    return World(environ, tmp_path / "work")


@pytest.mark.slow
def test_a_job_that_uses_the_gpu(world: World) -> None:
    done, told = world.reported("--", sys.executable, "uses.py", "0.5", "3")
    assert done.returncode == 0
    assert (told["used_gpu"], told["proof"], told["exit_code"], told["causes"]) == (True, "nvml", 0, [])
    assert (told["peak_memory_mib"], told["mean_utilization"]) == (2048, 90.0)
    assert 0.5 < told["gpus"][0]["share"] < 1
    assert told["samples"] >= 8
    assert "your job used GPU 0" in done.stderr
    assert "peak 2.0 GiB" in done.stderr
    validate(told, "run-1")


@pytest.mark.slow
def test_a_job_whose_child_uses_it(world: World) -> None:
    _, told = world.reported("--", "sh", "-c", f"{PYTHON} uses.py 0 3; true")
    assert told["used_gpu"] is True


@pytest.mark.slow
def test_a_job_that_never_does_and_whose_code_says_why(world: World) -> None:
    (world.folder / "train.py").write_text(f"import time; time.sleep(1.5)\n{NEVER_MOVED}")
    done, told = world.reported("--", "sh", "-c", f"{PYTHON} train.py 2>/dev/null; true")
    assert done.returncode == 0
    assert (told["used_gpu"], told["peak_memory_mib"], told["mean_utilization"]) == (False, 0, None)
    assert told["python"]["script"] == "train.py"
    assert "code.model_on_cpu" in told["causes"]
    finding = next(one for one in told["findings"] if one["id"] == "code.model_on_cpu")
    assert finding["evidence"][0]["via"] == "train.py:5"
    assert "your job never created a CUDA context" in done.stderr


@pytest.mark.slow
def test_the_code_of_a_command_is_read_too(world: World) -> None:
    code = NEVER_MOVED.replace("import torch\n", "import time; time.sleep(1.2)\nimport torch\n", 1)
    _, told = world.reported("--", sys.executable, "-c", code)
    assert told["causes"][-1] == "code.model_on_cpu"


@pytest.mark.slow
def test_a_gpu_that_waits(world: World, nvml: Callable[[str], dict[str, str]]) -> None:
    world.environ.update(nvml(A100.format(utilization=6)))
    done, told = world.reported("--", sys.executable, "uses.py", "0", "7", "busy")
    assert told["causes"] == ["perf.input_bound"]
    assert "GPU 0 waits for" in done.stderr


def test_output_and_input_are_the_jobs_own(bare: World) -> None:
    code = "import sys; data = sys.stdin.read(); print(data.upper()); sys.stdout.buffer.write(bytes(range(256)))"
    command = [sys.executable, "-c", code]
    alone = subprocess.run(command, input=b"words\n", env=bare.environ, capture_output=True, check=True)
    watched = subprocess.run(
        bare.command("--", *command), input=b"words\n", env=bare.environ, capture_output=True, check=True
    )
    assert watched.stdout == alone.stdout


@pytest.mark.slow
def test_arguments_need_no_dashes(bare: World) -> None:
    done = bare.run("echo", "--epochs", "3", "--json-file", "x")
    assert (done.stdout, done.returncode) == ("--epochs 3 --json-file x\n", 0)


@pytest.mark.parametrize(("code", "expected"), [("exit 7", 7), ("kill -9 $$", 137), ("kill -TERM $$", 143)])
def test_the_exit_code_is_the_jobs_own(bare: World, code: str, expected: int) -> None:
    done, told = bare.reported("--", "sh", "-c", code)
    assert done.returncode == told["exit_code"] == expected
    assert told["signal"] == {137: "SIGKILL", 143: "SIGTERM"}.get(expected)


@pytest.mark.slow
@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", ">&-", "<&-"])
def test_a_report_that_nobody_can_read_changes_nothing(bare: World, redirection: str) -> None:
    job = ["sh", "-c", "exit 5"]
    line = ["sh", "-c", f'exec "$@" {redirection}', "sh"]
    assert subprocess.run([*line, *bare.command("--", *job)], env=bare.environ, check=False).returncode == 5


@pytest.mark.slow
def test_json_may_go_to_stdout(bare: World) -> None:
    done = bare.run("--json-file", "/dev/stdout", "--", "true")
    assert json.loads(done.stdout)["exit_code"] == 0


@pytest.mark.slow
def test_a_broken_pipe_ends_the_job_as_it_does_alone(bare: World) -> None:
    command = shlex.join(bare.command("--", "yes"))
    line = f"{command} 2>/dev/null | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line], env=bare.environ, capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "y\n141\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR2])
def test_signals_are_passed_on(bare: World, number: signal.Signals) -> None:
    code = (
        "import signal, sys, time\n"
        f"signal.signal({number.value}, lambda *_: sys.exit(42))\n"
        "print('ready', flush=True)\ntime.sleep(30)\n"
    )
    with bare.start("--", sys.executable, "-c", code) as job:
        assert job.stdout is not None
        assert job.stdout.readline() == "ready\n"
        job.send_signal(number)
        assert job.wait(30) == 42


def on_a_terminal(command: list[str], environ: dict[str, str], keys: bytes) -> tuple[int, str]:
    """The wait status, and what was shown; the keys are pressed when it says `ready`."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(command[0], command, environ)
    shown = b""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:
            break
        shown += part
        if keys and b"ready" in shown:
            time.sleep(0.3)
            os.write(terminal, keys)
            keys = b""
    return os.waitpid(pid, 0)[1], shown.decode()


@pytest.mark.slow
def test_ctrl_c_reaches_the_job_once(bare: World) -> None:
    code = (
        "import time\nhits = 0\nprint('ready', flush=True)\n"
        "for _ in range(2):\n"
        "    try: time.sleep(1.5)\n"
        "    except KeyboardInterrupt: hits += 1\n"
        "raise SystemExit(10 + hits)\n"
    )
    status, shown = on_a_terminal(bare.command("--", sys.executable, "-c", code), bare.environ, b"\x03")
    assert os.waitstatus_to_exitcode(status) == 11
    assert "verdict" in shown


@pytest.mark.slow
def test_who_dies_of_ctrl_c_takes_a_loop_of_the_shell_along(bare: World) -> None:
    command = bare.command("--", "sh", "-c", "echo ready; sleep 30")
    status, _ = on_a_terminal(command, bare.environ, b"\x03")
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGINT


@pytest.mark.slow
def test_a_report_on_request_and_every_so_often(world: World) -> None:
    with world.start("--every", "1s", "--", sys.executable, "uses.py", "0", "5") as job:
        until(lambda: bool(os.listdir(world.processes)))
        time.sleep(1.5)
        job.send_signal(signal.SIGUSR1)
        _, shown = job.communicate(timeout=60)
    assert job.returncode == 0
    assert shown.count("your job uses GPU 0") >= 3
    assert shown.count("your job used GPU 0") == 1


@pytest.mark.slow
def test_a_gpu_that_is_required(world: World) -> None:
    start = time.monotonic()
    done, told = world.reported("--require-gpu=1.5", "--", "sh", "-c", "sleep 60 & sleep 61")
    assert done.returncode == 1
    assert time.monotonic() - start < 30
    assert told["ended_by"] == "no CUDA context after 1.5 s (--require-gpu)"
    assert (told["used_gpu"], told["signal"], told["still_running"]) == (False, "SIGTERM", [])


@pytest.mark.slow
def test_a_job_that_will_not_end_is_killed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    done, told = world.reported("--require-gpu=1", "--", sys.executable, "-c", code)
    assert (done.returncode, told["signal"]) == (1, "SIGKILL")


@pytest.mark.slow
def test_a_required_gpu_that_is_used_or_not_in_time(world: World) -> None:
    assert world.run("--require-gpu=3", "--", sys.executable, "uses.py", "0.3", "4").returncode == 0
    assert world.run("--require-gpu", "--", "sleep", "1.5").returncode == 1
    assert world.run("--require-gpu", "--", "sh", "-c", "sleep 1; exit 9").returncode == 9


@pytest.mark.slow
def test_a_running_job_is_watched(world: World) -> None:
    job = subprocess.Popen([sys.executable, "uses.py", "0", "3"], cwd=world.folder, env=world.environ)
    done, told = world.reported("--attach", str(job.pid))
    assert job.wait(10) == 0
    assert done.returncode == 0
    assert (told["used_gpu"], told["exit_code"], told["pid"]) == (True, None, job.pid)
    assert told["command"][-2:] == ["0", "3"]
    with subprocess.Popen(["sleep", "30"]) as other:
        watcher = world.start("--attach", str(other.pid))
        # It has begun when it has a child, the process that asks NVML.
        until(lambda: watcher.pid in [one.parent for pid in every_pid() if (one := read_process(pid))])
        time.sleep(1)
        watcher.send_signal(signal.SIGINT)
        _, shown = watcher.communicate(timeout=60)
        assert other.poll() is None
        other.kill()
    assert watcher.returncode == 3  # it still runs, so it may yet
    assert "goes on" in shown


@pytest.mark.slow
def test_a_job_that_forks_away(world: World) -> None:
    done, told = world.reported("--", "sh", "-c", "(setsid sleep 4 &); sleep 1")
    assert done.returncode == 0
    assert told["used_gpu"] is None
    (left,) = told["still_running"]
    assert left.endswith("(sleep)")
    assert f"cudafit run --attach {left.split()[0]}" in done.stderr
    os.kill(int(left.split()[0]), signal.SIGKILL)


@pytest.mark.slow
def test_a_daemon_that_is_seen_to_use_it(world: World) -> None:
    there = f"ls {shlex.quote(str(world.processes))} | grep -q ."
    line = f"(setsid {PYTHON} uses.py 0 8 >/dev/null 2>&1 &); until {there}; do sleep 0.1; done; sleep 1.5"
    _, told = world.reported("--", "sh", "-c", line)
    assert told["used_gpu"] is True
    assert len(told["still_running"]) == 1


@pytest.mark.slow
def test_a_client_of_a_daemon_is_not_the_job(world: World) -> None:
    docker = world.folder / "docker"
    docker.write_text("#!/bin/sh\nsleep 1\n")
    docker.chmod(0o755)
    for command in (["./docker", "run", "image"], ["sh", "-c", "./docker run image; true"]):
        done, told = world.reported("--", *command)
        assert told["used_gpu"] is None
        assert "`docker` runs programs elsewhere" in done.stderr
        assert told["causes"] == []


@pytest.mark.slow
def test_a_job_of_twenty_processes(world: World) -> None:
    line = f"for i in $(seq 20); do {PYTHON} uses.py 0.5 3 & done; wait"
    _, told = world.reported("--", "sh", "-c", line)
    assert told["used_gpu"] is True
    assert told["processes"] >= 21
    assert told["peak_memory_mib"] == 20 * 2048


@pytest.mark.slow
def test_in_the_background_of_a_shell(world: World) -> None:
    command = shlex.join(world.command("--json-file", "r.json", "--", sys.executable, "uses.py", "0", "3"))
    line = f"{command} & first=$!; echo started; wait $first; echo ended $?"
    done = subprocess.run(
        ["bash", "-c", line],
        env=world.environ,
        cwd=world.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "started\nended 0\n"
    assert json.loads((world.folder / "r.json").read_text())["used_gpu"] is True


@pytest.mark.slow
def test_in_a_container_files_and_memory_tell(world: World, tmp_path: Path) -> None:
    if reason := fake_nvml.can_mount():
        pytest.skip(f"a folder cannot be put in the place of /dev here: {reason}")
    devices = tmp_path / "dev"
    devices.mkdir()
    for name in ("nvidia0", "nvidia-uvm", "null", "urandom"):
        (devices / name).touch()
    code = (
        "import os, time\nfiles = [open('/dev/nvidia-uvm'), open('/dev/nvidia0')]\ntime.sleep(2.5)\n"
        # As the host calls it.
        "place = os.path.join(os.environ['FAKE_NVML_PROCESSES'], '3999999')\n"
        "open(place, 'w').write('0 800')\ntime.sleep(2.5)\nos.unlink(place)\n"
    )
    mounts = "mount --bind /dev/null $1/null && mount --bind /dev/urandom $1/urandom && mount --rbind $1 /dev"
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", f'{mounts} && shift && exec "$@"', "sh"]
    run = [*command, str(devices), *world.command("--json-file", "r.json", "--", sys.executable, "-c", code)]
    environ = {**world.environ, "container": "podman"}
    done = subprocess.run(
        run,
        env=environ,
        cwd=world.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    told = json.loads((world.folder / "r.json").read_text())
    assert (told["used_gpu"], told["proof"]) == (True, "device files and memory"), done.stderr
    assert told["peak_memory_mib"] == 800


@pytest.mark.slow
def test_a_picture_of_the_course(world: World) -> None:
    for name in ("course.svg", "course.html"):
        done = world.run("--plot", name, "--", sys.executable, "uses.py", "0.3", "2.5")
        assert done.returncode == 0
        text = (world.folder / name).read_text()
        assert text.count("<polyline") == 3
        assert "your job used GPU 0" in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "no command is named"),
        (("--", "no-such-command"), "`no-such-command`: there is no such command"),
        (("--", "/"), "`/` may not be run"),
        (("--", "./plain"), "could not be started"),
        (("--attach", "4194999"), "there is no process 4194999"),
        (("--attach", "1", "--", "true"), "there is no command to give"),
        (("--attach", "1", "--require-gpu=2"), "only watched"),
        (("--require-gpu", "python"), "put `--` before the command"),
        (("--every", "0s", "--", "true"), "is no time"),
        (("--plot", "a.gif", "--", "true"), "the name ends in .svg or .html"),
        (("--json-file", "no/such/folder.json", "--", "true"), "there is no such folder"),
    ],
)
def test_wrong_input(bare: World, words: tuple[str, ...], told: str) -> None:
    plain = bare.folder / "plain"
    plain.write_text("no program")
    plain.chmod(0o755)
    done = bare.run(*words)
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stdout == ""


@pytest.mark.slow
def test_a_driver_that_hangs_does_not_hold_the_job_up(world: World, nvml: Callable[[str], dict[str, str]]) -> None:
    world.environ.update(nvml(A100.format(utilization=5) + "hang nvmlDeviceGetComputeRunningProcesses_v3\n"))
    done, told = world.reported("--", sys.executable, "-c", "import time; time.sleep(1.5)")
    assert done.returncode == 0
    assert told["used_gpu"] is None
    assert told["seconds"] < 10


@pytest.mark.slow
@pytest.mark.online
@pytest.mark.usefixtures("package_index")
@for_cpu_torch
def test_real_torch_for_the_cpu(world: World, tmp_path: Path) -> None:
    place = with_cpu_torch(tmp_path / "e")
    # Long enough for its libraries to be looked at, however fast the machine is.
    (world.folder / "train.py").write_text(f"{NEVER_MOVED}import time; time.sleep(3)\n")
    world.environ["PATH"] = f"{place}/bin{os.pathsep}{world.environ['PATH']}"
    done, told = world.reported("--", "python", "train.py")
    assert done.returncode == 0
    assert told["used_gpu"] is False
    assert told["python"]["interpreter"] == f"{place}/bin/python"
    assert told["causes"] == ["torch.cpu_wheel", "code.model_on_cpu"]
    assert told["repair"] == ["cudafit", "repair", str(place)]
    shown = done.stderr[done.stderr.index("cudafit run\n") :].replace(str(place), "/home/ada/nets/.venv")
    shown = re.sub(r"\d+\.\d s, \d\.\d cores busy", "42.0 s, 1.0 cores busy", shown)
    page = (Path(__file__).parents[2] / "docs/run.md").read_text(encoding="utf-8")
    assert f"```\n$ cudafit run -- python train.py\n{shown}```" in page
