"""What many tests need: the real command, in an environment that says nothing of the machine that the tests run on."""

import gc
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests import compiled_facts, fake_nvml
from tests.command import hear_signals, in_a_process, in_this_process, needs_a_process

gc.set_threshold(100_000)  # as the command has it (cudafit/__main__.py), and from now on
hear_signals()
compiled_facts.as_in_a_wheel()
# What is tried is whether an answer is right, on a machine that may be busy: how long it takes has tests of its own.
settings.register_profile("right", deadline=None)
settings.load_profile("right")

Run = Callable[..., "subprocess.CompletedProcess[str]"]

# What would change an answer if it were set where the tests run.
_FOREIGN = (
    "CUDA",
    "NVIDIA_",
    "SLURM_",
    "CONDA_",
    "MAMBA_",
    "VIRTUAL_ENV",
    "UV_",
    "LD_LIBRARY_PATH",
    "NO_COLOR",
    "XDG_",
    "WSL_",
)


def pytest_collection_finish() -> None:
    """Thousands of tests stay to the end: the collector need not look at them, not even once."""
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """xdist 3.8 writes the group of a test behind its `_nodeid`, where pytest 9.2 no longer looks (pytest-xdist #1386):
    each test of a group would go to any worker, without a word."""
    for item in items:
        named = vars(item).get("_nodeid")
        if named not in (None, item.nodeid):
            item._id = item.id.parse(named)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """None leaves it to xdist."""
    if config.getvalue("dist") != "loadgroup":
        return None
    from tests.scheduling import Quick  # noqa: PLC0415 - xdist is there, but perhaps not where one test is run

    return Quick(config, log)


@pytest.fixture(scope="session")
def compiled() -> Path:
    """The packaged matrix as the command compiles it on first use in a checkout."""
    return compiled_facts.compiled()


@pytest.fixture(scope="session")
def kept_wheels() -> str:
    """uv's cache of whoever runs the tests: wheels of gigabytes are fetched and unpacked once, not for each home."""
    done = subprocess.run([sys.executable, "-m", "uv", "cache", "dir"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


@pytest.fixture
def environ(tmp_path: Path, compiled: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    """This process's environment without what would change an answer, and with a home of the test's own.

    So are the temporary folders, which a command that is killed leaves.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    home = tmp_path / "home"
    cache = home / ".cache" / "cudafit" / "matrix"
    cache.mkdir(parents=True)
    (cache / compiled.name).symlink_to(compiled)
    if request.node.get_closest_marker("online"):
        kept["UV_CACHE_DIR"] = request.getfixturevalue("kept_wheels")
    (tmp_path / "tmp").mkdir()
    return {**kept, "HOME": str(home), "TMPDIR": str(tmp_path / "tmp"), "COLUMNS": "100"}


@pytest.fixture
def cudafit(environ: dict[str, str]) -> Run:
    """Runs the command: `cudafit("inspect", "--json")`, its environment extended by `env`.

    It is called in this process, unless a variable is given that only a new interpreter heeds, or `process` is asked
    for: where a process is the point, as for signals, threads, what a child inherits, or how Python starts and ends.
    """

    def run(
        *arguments: str,
        env: dict[str, str] | None = None,
        stdin: str = "",
        timeout: float = 60,
        process: bool = False,
    ) -> "subprocess.CompletedProcess[str]":
        given = {**environ, **(env or {})}
        way = in_a_process if process or needs_a_process(given) else in_this_process
        return way(arguments, given, stdin, timeout=timeout)

    return run


@pytest.fixture(scope="session")
def package_index() -> None:
    """Skips where the package index that pip is set up for does not answer."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir", "--dest"]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([*command, folder, "six"], capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        pytest.skip(f"no package index answers here: {done.stderr.strip().splitlines()[-1][:200]}")


@pytest.fixture
def nvml(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """The variables under which the real command finds the test NVML that a spec describes."""
    if fake_nvml.compiler() is None:
        pytest.skip("the test NVML needs a C compiler (cc or gcc)")

    def variables(spec: str) -> dict[str, str]:
        made = fake_nvml.environment(spec, tmp_path / "nvml", {})
        return {name: made[name] for name in ("LD_LIBRARY_PATH", "FAKE_NVML")}

    return variables
