"""Dockerfiles and compose files against a machine, as files in a folder."""

import json
import os
from pathlib import Path

import pytest

from cudafit.doctor.diagnose import diagnose
from cudafit.doctor.registry import container_checks, every_check, every_kind
from cudafit.doctor.world import World
from cudafit.model.container_files import ContainerFiles
from cudafit.model.finding import ERROR, INFO, Report
from cudafit.model.machine import Machine
from cudafit.model.project import Project
from cudafit.project.compose import read_compose
from cudafit.project.dockerfile import read_dockerfile
from tests.conftest import Run
from tests.doctor.container_cases import BLACKWELL, CUDA, FILE_CASES, GOOD, RESERVED, FileCase, service
from tests.doctor.worlds import FACTS, machine
from tests.machines import FOLDER


def world_of(folder: Path, text: str, given: Machine, more: dict[str, str] | None = None) -> World:
    folder.mkdir()
    for name, content in (more or {}).items():
        (folder / name).write_text(content)
    if text.startswith("services:"):
        path = folder / "compose.yaml"
        path.write_text(text)
        files = ContainerFiles((str(path),), (), read_compose([str(path)], {}))
    else:
        path = folder / "Containerfile"
        path.write_text(text)
        files = ContainerFiles((str(path),), (read_dockerfile(str(path)),), ())
    return World(given, None, FACTS, Project(containers=files))


def looked(folder: Path, text: str, given: Machine, more: dict[str, str] | None = None) -> Report:
    return diagnose(world_of(folder, text, given, more))


@pytest.mark.parametrize("case", FILE_CASES, ids=[f"{case.id}-{number}" for number, case in enumerate(FILE_CASES)])
def test_the_finding_and_its_opposite(case: FileCase, tmp_path: Path) -> None:
    found = looked(tmp_path / "bad", case.bad, case.machine, dict(case.more))
    mine = [one for one in found.findings if one.id == case.id]
    assert mine, f"found {[one.id for one in found.findings]}, not checked {found.skipped}"
    for one in mine:
        assert one.evidence
        assert any(":" in evidence.via and "/bad/" in evidence.via for evidence in one.evidence)
        assert one.fix
        assert one.fix.text
    alike = looked(tmp_path / "good", case.good, case.not_machine or case.machine, dict(case.more))
    assert case.id not in [one.id for one in alike.findings]


def test_every_finding_of_container_files_has_a_case() -> None:
    of_files = {kind.id for check in container_checks() for kind in check.kinds}
    told = of_files | {kind.id for kind in every_kind() if kind.id.startswith(("image.", "compose."))}
    assert {case.id for case in FILE_CASES} == told
    assert {name for check in every_check() for name in check.ids} >= told


@pytest.mark.parametrize(
    ("text", "given"),
    [
        (CUDA + "RUN pip install torch==2.9.1 --index-url https://download.pytorch.org/whl/cu126\n", GOOD),
        (service("image: nvidia/cuda:12.8.1-runtime-ubuntu22.04", RESERVED), BLACKWELL),
        ("FROM python:3.12-slim\nRUN pip install flask\nENV CUDA_VISIBLE_DEVICES=-1\n", GOOD),
        (service("image: postgres:17\n    environment: [POSTGRES_PASSWORD=x]"), GOOD),
    ],
)
def test_right_files_are_left_in_peace(text: str, given: Machine, tmp_path: Path) -> None:
    assert [one.id for one in looked(tmp_path / "a", text, given).findings if one.severity != INFO] == []


def test_without_a_gpu_nothing_is_said_about_drivers_and_kernels(tmp_path: Path) -> None:
    found = looked(tmp_path / "a", "FROM nvidia/cuda:13.0.1-base-ubuntu24.04\n", machine("no-gpu"))
    assert not [one for one in found.findings if one.severity == ERROR]
    assert any("CUDA 13.0.1" in one.reason for one in found.skipped)


def test_the_command(cudafit: Run, tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text("FROM nvidia/cuda:13.0.1-base-ubuntu24.04\nRUN pip install torch\n")
    done = cudafit("doctor", "--dockerfile", str(path), "--machine", str(FOLDER / "rtx4090-550.json"), "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["cause"] == "image.base_too_new"
    (mine,) = [one for one in told["findings"] if one["id"] == told["cause"]]
    assert mine["evidence"][0]["via"] == f"{path}:1"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("Dockerfile", b"\0\1\2", "binary"),
        ("Dockerfile", b"", "no FROM"),
        ("Dockerfile", b"RUN true\n", "no FROM"),
        ("Dockerfile", b"FROM a\n" + b"USER a\n" * 6000, "5000 instructions"),
        ("Dockerfile", b"FROM a AS b\n" * 600, "500 stages"),
        ("Dockerfile", b"FROM a\nENV " + b" ".join(b"A%d=1" % number for number in range(2000)), "1000 variables"),
        ("Dockerfile", b"\n".join(b"ARG A%d=1" % number for number in range(2000)), "1000 variables"),
        ("Dockerfile", "FROM caf\xe9\n".encode("latin-1"), "UTF-8"),
        ("compose.yaml", b"a: [1, 2\n", "not YAML"),
        ("compose.yaml", b"a: 1\n", "no `services`"),
        ("compose.yaml", b"services: " + b"[" * 20000, "nested too deeply"),
        ("compose.yaml", b"services:\n" + b"# padding\n" * 40000, "larger than 256 KiB"),
    ],
)
def test_what_is_no_such_file(name: str, content: bytes, words: str, cudafit: Run, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    option = "--dockerfile" if name == "Dockerfile" else "--compose"
    done = cudafit("doctor", option, str(path), "--machine", str(FOLDER / "rtx4090-550.json"))
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_pipe_and_a_missing_file_are_refused(cudafit: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path / "none", tmp_path):
        done = cudafit("doctor", "--dockerfile", str(path), "--machine", str(FOLDER / "rtx4090-550.json"))
        assert done.returncode == 2
        assert "cannot read" in done.stderr


def test_secrets_and_control_characters_are_not_shown(cudafit: Run, tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text(
        "FROM nvidia/cuda:12.4.1-base-ubuntu22.04\nENV TOKEN=hunter2 CUDA_VISIBLE_DEVICES=-1\n"
        "RUN pip install torch --index-url https://me:hunter2@example.org/whl/cpu?t=hunter2 \x1b[31m\n"
    )
    options = ("--dockerfile", str(path), "--machine", str(FOLDER / "rtx4090-550.json"))
    for form in ((), ("--json",), ("--format", "markdown"), ("--format", "sarif")):
        done = cudafit("doctor", *options, *form)
        assert done.returncode == 1
        assert "hunter2" not in done.stdout + done.stderr
        assert "\x1b[31m" not in done.stdout


def test_one_dockerfile_of_many_services_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM a\n" + "RUN x\n" * 3000)
    text = "services:\n" + "".join(f"  s{number}: {{build: .}}\n" for number in range(200))
    (tmp_path / "compose.yaml").write_text(text)
    found = read_compose([str(tmp_path / "compose.yaml")], {})
    assert len({id(one.dockerfile) for one in found}) == 1
    assert all(one.dockerfile and not one.unread for one in found)


def test_dockerfiles_without_end_are_read_in_part_which_is_said(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM a\n" + "#\n" * 100_000)
    text = "services:\n" + "".join(
        f"  s{number}: {{build: {{context: ., args: [A={number}]}}}}\n" for number in range(20)
    )
    (tmp_path / "compose.yaml").write_text(text)
    found = read_compose([str(tmp_path / "compose.yaml")], {})
    assert [one.dockerfile is not None for one in found] == [True] * 5 + [False] * 15
    assert "the Dockerfiles up to this one are larger than 1024 KiB together" in found[-1].unread[0]


def test_services_that_extend_the_same_have_it_once(tmp_path: Path) -> None:
    text = "services:\n  a: {image: x, environment: [A=1]}\n" + "".join(
        f"  s{number}: {{extends: {'a' if not number else f's{number - 1}'}, environment: [B={number}]}}\n"
        for number in range(10)
    )
    (tmp_path / "compose.yaml").write_text(text)
    last = read_compose([str(tmp_path / "compose.yaml")], {})[-1]
    assert (last.name, last.image, [(one.name, one.value) for one in last.settings]) == (
        "s9",
        "x",
        [("A", "1"), ("B", "9")],
    )


OWN = """FROM python:3.12-slim
COPY ["requirements.txt", "/opt/lock/"]
RUN pip install --no-deps --require-hashes -r "/opt/lock/requirements.txt"
"""


def test_a_lock_that_was_made_for_another_driver(tmp_path: Path, cudafit: Run) -> None:
    """As `resolve -o requirements.txt -o Dockerfile` writes them: for 580 right, and for 535 not."""
    (tmp_path / "Dockerfile").write_text(OWN)
    (tmp_path / "requirements.txt").write_text("torch==2.15.0 \\\n    --hash=sha256:ab\nnumpy==2.4.0\n")
    words = ("doctor", "--dockerfile", str(tmp_path / "Dockerfile"), "--gpu", "RTX 4090", "--json", "--driver")
    found = json.loads(cudafit(*words, "535.183.01").stdout)
    assert found["cause"] == "image.wheel_too_new"
    assert "requirements.txt (which " in found["findings"][0]["fix"]["text"]
    assert json.loads(cudafit(*words, "580.65.06").stdout)["cause"] is None
