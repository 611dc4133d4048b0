"""`--deep`: what frameworks do when they are run, in a time limit; a crash and a hang are answers."""

import json
import sys
import time
import venv
from pathlib import Path

import pytest

from cudafit.env.deep import ask_frameworks
from tests.conftest import Run

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def env(tmp_path: Path) -> Path:
    venv.create(tmp_path / "env", with_pip=False)
    return tmp_path / "env"


def put(env: Path, name: str, source: str) -> None:
    place = env / "lib" / PYTHON / "site-packages"
    (place / name).mkdir(exist_ok=True)
    (place / name / "__init__.py").write_text(source)


GOOD = """
import types
print("a framework that talks", flush=True)
__version__ = "2.9"
class Ones:
    def __matmul__(self, other): return self
    def sum(self): return self
    def item(self): return 64.0 ** 3
    def view(self, *_): return self
    def __getitem__(self, _): return self
    def reshape(self, *_): return self
def ones(*_, device): return Ones()
cuda = types.SimpleNamespace(device_count=lambda: 2, is_available=lambda: True)
version = types.SimpleNamespace(cuda="12.6")
nn = types.SimpleNamespace(functional=types.SimpleNamespace(conv2d=lambda *_: None))
backends = types.SimpleNamespace(cudnn=types.SimpleNamespace(version=lambda: 91000))
"""


def test_a_framework_that_works_and_talks(env: Path) -> None:
    put(env, "torch", GOOD)
    (env / "lib" / PYTHON / "site-packages" / "sitecustomize.py").write_text("print('{noise', flush=True)\n")
    (ran,) = ask_frameworks(str(env / "bin" / "python"), ["torch"], {}, 60)
    assert (ran.version, ran.devices, ran.worked, ran.error, ran.imported) == ("2.9", 2, (0, 1), None, True)


UNAVAILABLE = """
def init(): raise RuntimeError({reason!r})
cuda.is_available, cuda.init = lambda: False, init
"""


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("Error 802: system not yet initialized", "RuntimeError: Error 802: system not yet initialized"),
        ("No CUDA GPUs are available", None),
    ],
)
def test_why_cuda_is_not_available(env: Path, reason: str, error: str | None) -> None:
    put(env, "torch", GOOD + UNAVAILABLE.format(reason=reason))
    (ran,) = ask_frameworks(str(env / "bin" / "python"), ["torch"], {}, 60)
    assert (ran.worked, ran.error) == ((), error)


@pytest.mark.parametrize(
    ("source", "error", "imported"),
    [
        ("raise ImportError('libcudnn.so.9: cannot open shared object file')", "ImportError: libcudnn.so.9", False),
        ("import os; os.abort()", "ended by signal 6", False),
        ("import sys; sys.exit(3)", "SystemExit: 3", False),
        ("import os; os._exit(3)", "ended with 3", False),
        (GOOD + "\ndef ones(*_, device): raise RuntimeError('no kernel image is available')", "no kernel image", True),
        ("import sys; print('cudafit-probe {'); sys.stdout.flush(); 1 / 0", "ZeroDivisionError", False),
    ],
)
def test_what_goes_wrong_is_told(env: Path, source: str, error: str, imported: bool) -> None:
    put(env, "torch", source)
    (ran,) = ask_frameworks(str(env / "bin" / "python"), ["torch"], {}, 60)
    assert ran.error
    assert error in ran.error
    assert ran.imported == imported


JAX = """
import os, types
os.write(2, b"E0000 cuda_driver.cc:268] failed call to cuInit: CUDA_ERROR_UNKNOWN: unknown error\\n")
__version__ = "0.9"
def devices(): return [types.SimpleNamespace(platform="cpu")]
def default_backend(): return "cpu"
"""


def test_what_a_framework_writes_beside_its_answer_is_kept(env: Path) -> None:
    """JAX falls back to the CPU without an error, and tells on stderr alone why: gbionics/jaxsim issue 50."""
    put(env, "jax", JAX)
    (ran,) = ask_frameworks(str(env / "bin" / "python"), ["jax"], {}, 60)
    assert (ran.devices, ran.error) == (0, None)
    assert "CUDA_ERROR_UNKNOWN" in ran.stderr[0]


@pytest.mark.slow
def test_a_hang_is_cut_off(env: Path) -> None:
    put(env, "torch", "import time; time.sleep(600)")
    start = time.monotonic()
    (ran,) = ask_frameworks(str(env / "bin" / "python"), ["torch"], {}, 2)
    assert ran.error == "gave no answer for 2 s"
    assert time.monotonic() - start < 60


def test_an_interpreter_that_is_not_there() -> None:
    (ran,) = ask_frameworks("/nowhere/python", ["torch"], {}, 10)
    assert ran.error == "/nowhere/python: No such file or directory"


@pytest.mark.slow
def test_the_command_explains_what_was_said(cudafit: Run, env: Path) -> None:
    put(env, "torch", "raise ImportError('libcudnn.so.9: cannot open shared object file')")
    (env / "lib" / PYTHON / "site-packages" / "torch" / "version.py").write_text("__version__ = '2.9'\ncuda = '12.8'\n")
    done = cudafit("doctor", "--env", str(env), "--deep", "--json")
    assert done.returncode == 1, done.stderr
    (finding,) = [one for one in json.loads(done.stdout)["findings"] if one["id"] == "run.import_failed"]
    assert finding["title"].startswith("torch cannot be imported: ")
    assert "libcudnn.so.9" in finding["title"]
    assert finding["fix"]["commands"][-1][:2] == ["cudafit", "explain"]
    static = cudafit("doctor", "--env", str(env), "--json")
    assert "run.import_failed" not in static.stdout, "nothing is run unless asked"


def test_deep_and_a_saved_machine_do_not_go_together(cudafit: Run, env: Path, tmp_path: Path) -> None:
    done = cudafit("doctor", "--env", str(env), "--deep", "--root", str(tmp_path))
    assert done.returncode == 2
