"""`create`, the real command: what doctor finds an error in, pip inside, and what is possible with another Python."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.repair.world import CPU, PYTHON, World, wheel, world

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the small world is for Linux"),
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world")) as made:
        yield made


def lock_for_the_cpu(folder: Path) -> str:
    """Of a torch for the CPU, which is wrong for the GPU of this world."""
    ((name, data),) = ((name, data) for name, data in CPU.items() if name.startswith("torch-"))
    (folder / name).write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    path = folder / "pylock.toml"
    path.write_text(
        'lock-version = "1.0"\ncreated-by = "a test"\n\n[[packages]]\nname = "torch"\nversion = "2.14.1+cpu"\n'
        f'wheels = [{{name = "{name}", path = "{name}", hashes = {{sha256 = "{digest}"}}}}]\n'
    )
    return str(path)


def test_what_doctor_finds_an_error_in_is_removed_unless_it_is_to_be_kept(
    cudafit: Run, small: World, tmp_path: Path
) -> None:
    lock, env = lock_for_the_cpu(tmp_path), tmp_path / "e"
    words = (str(env), "--from", lock, "--python", PYTHON, *small.words)
    done = cudafit("create", *words, env=small.env)
    assert done.returncode == 4
    assert "create failed" in done.stderr
    assert "was removed again" in done.stderr
    assert "(torch.cpu_wheel)" in done.stderr
    assert "with `--keep` it stays" in done.stderr
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(("e", ".cudafit"))] == []
    kept = cudafit("create", *words, "--keep", env=small.env)
    assert kept.returncode == 1
    assert "(torch.cpu_wheel)" in kept.stdout
    assert (env / "bin" / "python").exists()
    # Where it is asked for the CPU it is no fault.
    wanted = cudafit("create", str(tmp_path / "f"), "--from", lock, "--cpu", *words[3:], env=small.env)
    assert (wanted.returncode, (tmp_path / "f").exists()) == (1, True)


def test_pip_is_inside_with_seed_alone(cudafit: Run, small: World, tmp_path: Path) -> None:
    words = ("torch", "--python", PYTHON, *small.words)
    without = cudafit("create", str(tmp_path / "a"), *words, env=small.env)
    assert without.returncode == 0, without.stderr
    assert "no pip inside: `uv pip install` installs into it; `--seed` puts one in" in without.stdout
    assert not list((tmp_path / "a").glob("lib/python3*/site-packages/pip"))
    small.default.packages["pip"] = dict([wheel("pip", "99.0", {"pip/__init__.py": ""})])
    seeded = cudafit("create", str(tmp_path / "b"), "--seed", *words, env=small.env)
    assert seeded.returncode == 0, seeded.stderr
    assert "no pip inside" not in seeded.stdout
    assert list((tmp_path / "b").glob("lib/python3*/site-packages/pip"))
    assert 'name = "pip"' in (tmp_path / "b" / "pylock.cudafit.toml").read_text()
    refused = cudafit("create", str(tmp_path / "c"), "--seed", "--from", str(tmp_path / "b" / "pylock.cudafit.toml"))
    assert (refused.returncode, (tmp_path / "c").exists()) == (2, False)


def test_with_another_python_what_there_is(cudafit: Run, small: World, tmp_path: Path) -> None:
    done = cudafit("create", str(tmp_path / "e"), "torch", "--python", "3.99", *small.words, env=small.env)
    assert done.returncode == 2
    assert "there is no Python 3.99 on this machine" in done.stderr
    assert f"torch --cpu --python {PYTHON}" not in done.stderr
    assert f"--python {PYTHON}`: with Python {PYTHON}: torch 2.14.1+cu126" in done.stderr
