"""Each format as it is written, byte for byte. `CUDAFIT_GOLDEN=write` writes the files anew: look at the difference."""

import os
import re
from pathlib import Path

import pytest

from cudafit.lock.formats import FORMATS
from tests.conftest import Run
from tests.lock.channel import make
from tests.lock.every_format import GOLDEN, needs_conda
from tests.lock.world import World

PASCAL = ("torch", "numpy", "--gpu", "GTX 1080 Ti", "--driver", "580.65.06", "--glibc", "2.35", "--python", "3.12")
OLD_PROJECT = """# The project of a user.
[project]
name = "mine"  # a name
version = "1"
dependencies = [
    "requests>=2",  # for the web
    "torch>=2",
]

[tool.uv.sources]
torch = { index = "pytorch-cu118" }
mine-too = { path = "../mine-too" }

[[tool.uv.index]]
name = "company"
url = "https://example.org/simple"

[[tool.uv.index]]
name = "pytorch-cu118"
url = "https://example.org/cu118"
explicit = true

[tool.ruff]
line-length = 100
"""


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("requirements.txt", PASCAL),
        ("pylock.toml", PASCAL),
        ("pyproject.toml", PASCAL),
        ("environment.yml", PASCAL),
        ("conda-lock.yml", PASCAL),
        ("explicit.txt", PASCAL),
        ("pixi.toml", PASCAL),
        ("Dockerfile", (*PASCAL, "-o", "requirements.txt")),
        ("Dockerfile.conda", (*PASCAL, "-o", "environment.yml")),
        ("Dockerfile.cuda", ("cupy-cuda12x", *PASCAL[2:], "-o", "pylock.toml")),
        ("compose.yaml", PASCAL),
        ("devcontainer.json", PASCAL),
        ("offline-requirements.txt", (*PASCAL, "--offline")),
        ("cpu-requirements.txt", ("torch", "--cpu", "--platform", "linux-x86_64", "--python", "3.12", "--offline")),
    ],
)
def test_as_it_was(
    cudafit: Run, lock_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, words: tuple[str, ...]
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    if case == "pyproject.toml":
        Path(case).write_text(OLD_PROJECT)
    if case in {one.example for one in FORMATS if needs_conda(one)} or case == "Dockerfile.conda":
        pytest.importorskip("conda_lock", reason="conda-lock is not installed: pip install 'cudafit[conda]'")
    channel = make(tmp_path / "channel")
    env = {**lock_world.env, "CUDAFIT_CONDA_CHANNEL": channel}
    if "--offline" in words:
        env["UV_NO_CACHE"] = "1"
    done = cudafit("resolve", *words, "--matrix", str(lock_world.matrix), "-o", case, env=env)
    assert done.returncode == 0, done.stderr
    text = lock_world.masked(Path(case).read_text())
    text = text.replace(str(lock_world.matrix), "MATRIX").replace(channel, "file:///channel")
    text = re.sub(r"cudafit \d+\.\d+\.\d+\S*", "cudafit VERSION", text, count=1)
    # conda-lock's hash of the request has the channel's address in it, and uv's format may grow keys.
    text = re.sub(r"(linux-64: )[0-9a-f]{64}", r"\1HASH", text)
    place = GOLDEN / case
    if os.environ.get("CUDAFIT_GOLDEN") == "write":
        place.parent.mkdir(exist_ok=True)
        place.write_text(text)
    assert text == place.read_text()
