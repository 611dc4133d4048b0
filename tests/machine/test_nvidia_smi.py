"""nvidia-smi, a stand-in for the program with its real texts."""

from pathlib import Path

import pytest

from cudafit.files import Files
from cudafit.machine.context import Context
from cudafit.machine.nvidia_smi import ask, cuda_limit, find
from cudafit.system import programs

ROW = "0, NVIDIA GeForce RTX 4090, GPU-1, 00000000:01:00.0, 550.54.15, 24564, 512, 8.9, [N/A], Default, 41"
ROW_2 = "1, Tesla V100, GPU-2, 00000000:02:00.0, 550.54.15, 16384, 1, 7.0, Disabled, Exclusive_Process, [Unknown Error]"


def program(folder: Path, script: str) -> Context:
    path = folder / "nvidia-smi"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return Context("linux", Files(), {"PATH": f"{folder}:/usr/bin:/bin"}, silence_s=1)


def answering(query: str, version: str = "") -> str:
    return f"""case "$1" in --version) cat <<'END'\n{version}\nEND\n;; *) cat <<'END'\n{query}\nEND\n;; esac"""


def test_two_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "FOLDERS", (str(tmp_path),))
    context = program(tmp_path, answering(f"{ROW}\n{ROW_2}", "CUDA Version        : 12.4"))
    found = find(context)
    assert found == str(tmp_path / "nvidia-smi")
    answer = ask(context, found)
    assert (answer.driver, answer.cuda, answer.error) == ("550.54.15", "12.4", None)
    first, second = answer.gpus
    assert (first.name, first.uuid, first.compute_capability, first.memory_mib) == (
        "NVIDIA GeForce RTX 4090",
        "GPU-1",
        "8.9",
        24564,
    )
    assert (first.mig, first.compute_mode, first.pci_address) == (False, "default", "0000:01:00.0")
    assert (second.mig, second.compute_mode) == (False, "exclusive_process")
    assert (second.temperature_c, second.unread) == (None, {"temperature_c": "Unknown Error"})


def test_one_that_is_not_the_systems_is_named_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "FOLDERS", ())
    context = program(tmp_path, f"echo > {tmp_path}/was-run")
    assert find(context) is None
    (problem,) = context.notes.problems
    assert (problem.probe, problem.error) == (
        "nvidia-smi",
        f"{tmp_path}/nvidia-smi was not run: {tmp_path} is no folder of the system",
    )


def test_a_field_that_it_does_not_know_is_left_out(tmp_path: Path) -> None:
    refuse = """case "$1" in *compute_cap*) echo 'Field "compute_cap" is not a valid field to query.'; exit 2;; esac"""
    row = ROW.replace(" 8.9,", "")
    answer = ask(program(tmp_path, f"{refuse}\n{answering(row)}"), str(tmp_path / "nvidia-smi"))
    assert (answer.error, answer.gpus[0].compute_capability, answer.gpus[0].mig) == (None, None, False)


def test_failure_in_its_own_words(tmp_path: Path) -> None:
    said = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."
    answer = ask(program(tmp_path, f'echo "{said}"; exit 9'), "nvidia-smi-is-elsewhere")
    assert "No such file" in (answer.error or "")
    answer = ask(program(tmp_path, f'echo "{said}"; exit 9'), str(tmp_path / "nvidia-smi"))
    assert answer.error == f"{tmp_path}/nvidia-smi: {said} (exit code 9)"


@pytest.mark.slow
def test_a_hang_is_cut_off(tmp_path: Path) -> None:
    answer = ask(program(tmp_path, "exec sleep 60"), str(tmp_path / "nvidia-smi"))
    assert answer.broken
    assert answer.error == f"{tmp_path}/nvidia-smi: gave no answer for 1 s"


def test_garbage(tmp_path: Path) -> None:
    answer = ask(program(tmp_path, answering("total garbage", "also")), str(tmp_path / "nvidia-smi"))
    assert (answer.driver, answer.cuda) == (None, None)
    assert [gpu.compute_capability for gpu in answer.gpus] == [None]


@pytest.mark.parametrize(
    ("text", "cuda"),
    [
        ("NVIDIA-SMI version  : 550.54.15\nCUDA Version        : 12.4\n", "12.4"),
        ("NVIDIA-SMI version  : 610.43.02\nKMD version : 610.43.02\nCUDA UMD Version    : 13.3\n", "13.3"),
        ("CUDA Version : N/A\n", None),
        ("", None),
    ],
)
def test_cuda_limit_in_both_wordings(text: str, cuda: str | None) -> None:
    assert cuda_limit(text) == cuda
