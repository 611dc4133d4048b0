"""`cudafit explain`."""

import json
from pathlib import Path

import pytest

from tests.conftest import Run

MACHINES = Path(__file__).parent.parent / "machines"
OLD = "RuntimeError: The NVIDIA driver on your system is too old (found version 11040)."


def test_a_message_is_explained(cudafit: Run) -> None:
    done = cudafit("explain", "--no-look", OLD)
    assert done.returncode == 0
    assert "driver.too_old_for_runtime" in done.stdout
    assert "CUDA 11.4" in done.stdout


def test_a_log_of_a_file_and_of_a_pipe(cudafit: Run, tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text(f"step 1\n{OLD}\n")
    told = [
        json.loads(cudafit("explain", "--no-look", "--json", "--file", str(log)).stdout),
        json.loads(cudafit("explain", "--no-look", "--json", "-", stdin=log.read_text()).stdout),
    ]
    assert told[0] == told[1]
    assert told[0]["schema"] == "cudafit.explain/1"
    assert told[0]["root"] == "driver.too_old_for_runtime"
    match = told[0]["matches"][0]
    assert match["lines"] == [2]
    assert match["values"] == {"found": "11040"}
    assert match["holds_here"] is None
    assert match["harmless"] is False
    assert match["fix"]["text"]


@pytest.mark.parametrize(
    ("machine", "root", "holds"),
    [
        ("container-no-gpu", "container.no_gpu_exposed", True),
        ("no-gpu", "gpu.none", True),
        ("rtx4090-550", "driver.not_loaded", False),
    ],
)
def test_the_machine_is_asked(cudafit: Run, machine: str, root: str, holds: bool) -> None:
    words = [
        "explain",
        "--machine",
        str(MACHINES / f"{machine}.json"),
        "RuntimeError: Found no NVIDIA driver on your system.",
    ]
    told = json.loads(cudafit(*words, "--json").stdout)
    assert told["root"] == root
    assert next(one for one in told["matches"] if one["id"] == root)["holds_here"] is holds
    shown = cudafit(*words).stdout
    assert ("it holds on this machine" in shown) is holds
    assert ("no sign of it on this machine" in shown) is not holds
    # The words alone mean a driver that is not loaded; its remedy is none for a machine without a GPU.
    assert ("install or load NVIDIA's driver" in shown) is (root == "driver.not_loaded")


def test_what_is_not_so_here_is_not_offered_to_be_typed(cudafit: Run, tmp_path: Path) -> None:
    text = "Could not load dynamic library 'libcudnn.so.8'; dlerror: libcudnn.so.8: cannot open shared object file"
    looked = cudafit("explain", "--machine", str(MACHINES / "rtx4090-550.json"), text)
    assert "no sign of it" in looked.stdout
    assert "cudafit repair" not in looked.stdout
    assert "cudafit repair" in cudafit("explain", "--no-look", text).stdout


@pytest.mark.parametrize(
    ("words", "input_text", "code", "said"),
    [
        (["explain", "-"], "", 3, "there is no text to explain"),
        (["explain", "-"], "all is well\n", 3, "nothing"),
        (["explain", "--no-look", "-"], "\x00\x01\x02" * 4000, 3, "this is no text"),
        (["explain", " "], "", 2, "there is no text"),
        (["explain", "--file", "/nowhere/error.log"], "", 2, "cannot read `/nowhere/error.log`"),
        (["explain", "/nowhere/RuntimeError: x"], "", 3, "nothing"),
        (["explain", "nosuchfile.log"], "", 2, "there is no file `nosuchfile.log`"),
        (["explain", "./logs/train"], "", 2, "there is no file `./logs/train`"),
        (["explain", "nosuchfile.log", "CUDA"], "", 3, "nothing"),
        (["explain", "--file", "x", "y"], "", 2, "each give what is to be explained"),
        (["explain", "torch.cpu_weel"], "", 2, "did you mean `torch.cpu_wheel`"),
        (["explain", "--no-look", "ModuleNotFoundError: No module named 'einops'"], "", 3, "no sign of a GPU problem"),
        (["explain", "--no-look", "TF-TRT Warning: Could not find TensorRT"], "", 0, "does not matter"),
    ],
)
def test_other_input(cudafit: Run, words: list[str], input_text: str, code: int, said: str) -> None:
    done = cudafit(*words, stdin=input_text)
    assert done.returncode == code
    assert said in done.stdout + done.stderr


def test_a_file_that_is_given_as_text(cudafit: Run, tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text(OLD)
    done = cudafit("explain", str(log))
    assert done.returncode == 2
    assert f"--file {log}" in done.stderr


def test_forged_escapes_reach_no_terminal(cudafit: Run) -> None:
    done = cudafit("explain", "--no-look", "-", stdin=f"\x1b]0;owned\x07\x1b[2J\x9b31m::error::x {OLD}\n")
    assert "\x1b" not in done.stdout
    assert "\x9b" not in done.stdout
    assert "driver.too_old_for_runtime" in done.stdout


def test_groups_and_lists(cudafit: Run) -> None:
    groups = cudafit("explain").stdout
    assert len(groups.splitlines()) < 60
    assert "torch.cpu_wheel" in cudafit("explain", "torch").stdout
    assert cudafit("explain", "torch.cpu_wheel").stdout.startswith("# torch.cpu_wheel")
    assert len(cudafit("explain", "all").stdout.splitlines()) > 150


def test_what_holds_is_shown_with_its_evidence_and_its_own_remedy(cudafit: Run) -> None:
    words = ["explain", "--machine", str(MACHINES / "no-gpu.json"), "RuntimeError: No CUDA GPUs are available"]
    match = json.loads(cudafit(*words, "--json").stdout)["matches"][0]
    assert (match["id"], match["holds_here"]) == ("gpu.none", True)
    assert match["evidence"][0]["via"]
    assert match["fix"]["text"].startswith("run it on a machine with an NVIDIA GPU")
    assert match["evidence"][0]["fact"] in cudafit(*words).stdout


def test_doctor_takes_a_log_as_evidence(cudafit: Run, tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("step 1\nRuntimeError: Found no NVIDIA driver on your system.\n")
    words = ["doctor", "--env", str(tmp_path), "--log", str(log), "--machine"]
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.12.1\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").touch(0o755)
    held = json.loads(cudafit(*words, str(MACHINES / "container-no-gpu.json"), "--json").stdout)
    assert held["log"]["said"][0]["id"] == "container.no_gpu_exposed"
    finding = next(one for one in held["findings"] if one["id"] == "container.no_gpu_exposed")
    assert finding["evidence"][-1]["via"] == f"{log}:2"
    shown = cudafit(*words, str(MACHINES / "rtx4090-550.json")).stdout
    assert "the log says so, and there is no sign of it here" in shown
    assert "nothing in 1 line concerns a GPU" in cudafit("doctor", "--log", "-", stdin="all is well\n").stdout
    assert cudafit("doctor", "--log", "/nowhere/x.log").returncode == 2


def test_the_root_is_what_holds_of_what_a_text_says(cudafit: Run) -> None:
    """TensorFlow in a machine without a GPU: cuInit's error has many reasons, the line before it has this one."""
    text = (
        "Could not find cuda drivers on your machine, GPU will not be used.\n"
        "failed call to cuInit: CUDA_ERROR_UNKNOWN: unknown error\n"
    )
    told = json.loads(cudafit("explain", "--machine", str(MACHINES / "no-gpu.json"), "--json", text).stdout)
    assert told["root"] == "gpu.none"
    assert told["matches"][0]["id"] == "gpu.none"
    assert {one["follows_from"] for one in told["matches"][1:]} <= {"gpu.none", None}


def test_without_a_gpu_nothing_of_an_environment_is_called_absent(cudafit: Run, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.12.1\n")
    (tmp_path / "bin/python").touch(0o755)
    text = "Could not load dynamic library 'libcudnn.so.8'; dlerror: libcudnn.so.8: cannot open shared object file"
    words = ["explain", "--env", str(tmp_path), "--json", text, "--machine"]
    for machine, holds in (("no-gpu", None), ("rtx4090-550", False)):
        told = json.loads(cudafit(*words, str(MACHINES / f"{machine}.json")).stdout)
        assert told["matches"][0]["holds_here"] is holds
