"""The extension in plain IPython, and what loading it costs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("IPython", reason="IPython is not installed")

TOP = Path(__file__).parents[2]
SHELL = "from IPython.core.interactiveshell import InteractiveShell\nip = InteractiveShell.instance()\n"


@pytest.fixture
def python(environ: dict[str, str], tmp_path: Path) -> "Python":
    return Python(environ, tmp_path)


class Python:
    """Runs code in an interpreter of its own."""

    def __init__(self, environ: dict[str, str], folder: Path) -> None:
        self.environ = {
            **environ,
            "PYTHONPATH": str(TOP / "src"),
            "IPYTHONDIR": str(folder / "ipython"),
            "TERM": "dumb",
        }
        self.folder = folder

    def __call__(self, code: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-c", code],
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.mark.slow
def test_importing_cudafit_imports_nothing_else(python: Python) -> None:
    done = python("import sys\nbefore = set(sys.modules)\nimport cudafit\nprint(sorted(set(sys.modules) - before))")
    assert done.stdout == "['cudafit']\n", done.stderr


def test_loading_the_extension_imports_only_itself(python: Python) -> None:
    code = (
        f"{SHELL}ip.run_cell('%load_ext storemagic')\n"  # what IPython itself needs for any extension
        "import json, sys\nbefore = set(sys.modules)\n"
        "ip.run_cell('%load_ext cudafit')\nprint(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = python(code)
    found = [name for name in json.loads(done.stdout) if not name.startswith("IPython")]
    assert found == ["cudafit", "cudafit.errors", "cudafit.notebook", "cudafit.system", "cudafit.system.text"], (
        done.stderr
    )


def test_cells_in_plain_ipython(python: Python) -> None:
    cells = [
        "%load_ext cudafit",
        "%cudafit",
        "%%cudafit\nx = 6 * 7\nx",
        "%%cudafit\nawait __import__('asyncio').sleep(0)",
    ]
    code = SHELL + "".join(f"ip.run_cell({cell!r}, store_history=True)\n" for cell in cells)
    done = python(code)
    assert done.stdout.count("cudafit doctor\n") == 1, done.stderr
    assert "Out[3]: 42\ncudafit: did this cell use the GPU?\nverdict " in done.stdout
    assert done.stdout.count("verdict ") == 2
    assert "Traceback" not in done.stdout + done.stderr


def test_in_a_terminal_a_cell_is_complete_after_an_empty_line(python: Python) -> None:
    code = (
        f"{SHELL}ip.run_cell('%load_ext cudafit')\n"
        "for cell in ('%%cudafit', '%%cudafit\\nx = 1', '%%cudafit\\nx = 1\\n\\n'):\n"
        "    print(ip.check_complete(cell)[0])"
    )
    assert python(code).stdout.split() == ["incomplete", "incomplete", "complete"]


@pytest.mark.slow
def test_a_notebook_that_was_made_a_script(python: Python) -> None:
    code = (
        f"{SHELL}ip.run_cell('%load_ext cudafit')\n"
        "ip.run_cell_magic('cudafit', '', 'x = 5\\nprint(x)')\nip.run_line_magic('cudafit', 'help')"
    )
    done = python(code)
    assert done.stdout.startswith("5\ncudafit: did this cell use the GPU?\nverdict "), done.stderr
    assert "%%cudafit    as the first line of a cell" in done.stdout


@pytest.mark.slow
def test_loaded_twice_and_unloaded(python: Python) -> None:
    code = (
        f"{SHELL}before = list(ip.input_transformers_cleanup), {{k: list(v) for k, v in ip.events.callbacks.items()}}\n"
        "import cudafit\ncudafit.load_ipython_extension(ip)\ncudafit.load_ipython_extension(ip)\n"
        "ip.run_cell('%reload_ext cudafit')\n"
        "ip.run_cell('%%cudafit\\n1')\ncudafit.unload_ipython_extension(ip)\ncudafit.unload_ipython_extension(ip)\n"
        "print(before == (list(ip.input_transformers_cleanup), {k: list(v) for k, v in ip.events.callbacks.items()}))\n"
        "print(ip.find_line_magic('cudafit'), ip.find_cell_magic('cudafit'))"
    )
    done = python(code)
    assert done.stdout.count("verdict ") == 1, done.stderr
    assert done.stdout.splitlines()[-2:] == ["True", "None None"]


def test_an_error_that_concerns_the_gpu_is_explained(python: Python) -> None:
    cells = [
        "%load_ext cudafit",
        "raise ValueError('an ordinary one')",
        "raise RuntimeError('Found no NVIDIA driver on your system. Please check')",
    ]
    done = python(SHELL + "".join(f"ip.run_cell({cell!r}, store_history=True)\n" for cell in cells))
    before, _, told = done.stdout.partition("cudafit: what this error means here\n")
    assert "an ordinary one" in before
    assert "what this error means" not in told, done.stderr
    assert told.startswith("cause ")
    assert "RuntimeError: Found no NVIDIA driver on your system. Please check" in told
    assert "it holds on this machine" in told
