"""Container files: bases, and what they refuse."""

from pathlib import Path

import pytest

from cudafit.errors import InputError
from cudafit.lock.containers import compose_text, devcontainer_text, dockerfile_text
from cudafit.lock.formats import format_of
from cudafit.lock.order import Order
from cudafit.model.fit import CPU, FIT, MatrixVersion, Pick, Resolution, Status, Target
from tests.conftest import Run

REQUIREMENTS = format_of("requirements.txt")
TOOLKITS = ("11.8.0", "12.4.1", "12.6.3", "12.9.1", "13.0.2")


def order(*picks: tuple[str, str, str], status: Status = FIT, cuda: str | None = "12.8", python: str = "3.12") -> Order:
    made = tuple(
        Pick(name, "1", variant, None, None, requirement, "pypi", "native", (), ())
        for name, variant, requirement in picks
    )
    targets = (Target("linux-x86_64", "glibc 2.35", cuda),)
    resolution = Resolution(status, python, made, (), (), MatrixVersion("1"), targets=targets)
    return Order(resolution, (), cudafit="9", toolkits=TOOLKITS)


def base(given: Order) -> str:
    text = dockerfile_text(given, "Dockerfile", "requirements.txt", REQUIREMENTS)
    return next(line for line in text.splitlines() if line.startswith("FROM ")).removeprefix("FROM ")


@pytest.mark.parametrize(
    ("given", "image"),
    [
        (order(("torch", "cu126", "torch==1")), "python:3.12-slim"),
        (order(("tensorflow", "cu125", "tensorflow[and-cuda]==2.21")), "python:3.12-slim"),
        (
            order(("tensorflow", "cu118", "tensorflow==2.13"), cuda="13.0"),
            "nvidia/cuda:11.8.0-cudnn-runtime-ubuntu22.04",
        ),
        (order(("cupy-cuda12x", "cu12", "cupy-cuda12x==14")), "nvidia/cuda:12.6.3-cudnn-runtime-ubuntu22.04"),
        (order(("cupy-cuda12x", "cu12", "x==14"), cuda="13.0"), "nvidia/cuda:12.9.1-cudnn-runtime-ubuntu22.04"),
        (order(("cupy-cuda12x", "cu12", "x==14"), cuda="12.2"), "nvidia/cuda:12.9.1-cudnn-runtime-ubuntu22.04"),
    ],
)
def test_a_slim_base_where_wheels_bring_cuda(given: Order, image: str) -> None:
    assert base(given) == image


def test_a_cpu_image_asks_for_no_gpu() -> None:
    given = order(("torch", "cpu", "torch==1+cpu"), status=CPU, cuda=None)
    assert "NVIDIA_VISIBLE_DEVICES=void" in dockerfile_text(
        given, "Dockerfile", "requirements.txt", format_of("requirements.txt")
    )
    assert "nvidia" not in compose_text(given, "Dockerfile", "compose.yaml")
    assert "gpus" not in devcontainer_text(given, "Dockerfile", "devcontainer.json")


def test_it_runs_as_nobody_special() -> None:
    lines = dockerfile_text(order(), "Dockerfile", "requirements.txt", REQUIREMENTS).splitlines()
    assert lines.index("USER app") > max(number for number, line in enumerate(lines) if line.startswith("RUN"))


@pytest.mark.parametrize("lock", ["../requirements.txt", '"; RUN x', "a\nb", "$(x)", "a\x7fb", "a\u202eb"])
def test_what_an_image_cannot_copy(lock: str) -> None:
    with pytest.raises(InputError, match="cannot copy"):
        dockerfile_text(order(), "Dockerfile", lock, REQUIREMENTS)


def test_no_image_of_a_free_threaded_python() -> None:
    with pytest.raises(InputError, match=r"no Python image for 3\.13t"):
        dockerfile_text(order(python="3.13t"), "Dockerfile", "requirements.txt", REQUIREMENTS)


def test_the_files_find_each_other(cudafit: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".devcontainer").mkdir()
    outputs = ("requirements.txt", "gpu.Dockerfile", "compose.yaml", ".devcontainer/devcontainer.json")
    words = [word for one in outputs for word in ("-o", one)]
    done = cudafit("resolve", "torch", "--gpu", "A100", "--driver", "580", "--offline", *words)
    assert done.returncode == 0, done.stderr
    assert "dockerfile: gpu.Dockerfile" in Path("compose.yaml").read_text()
    assert '"dockerfile": "../gpu.Dockerfile"' in Path(".devcontainer/devcontainer.json").read_text()
    assert '"context": ".."' in Path(".devcontainer/devcontainer.json").read_text()
