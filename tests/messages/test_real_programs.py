"""Real programs that fail here: what they say is read by `run --explain`, by `explain` and in a notebook."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.real_venv import installed, made

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="run watches through /proc"),
    pytest.mark.skipif(os.path.exists("/dev/nvidiactl"), reason="they fail where there is no GPU"),
]
NO_DRIVER = {"gpu.none", "driver.not_loaded", "container.no_gpu_exposed"}
# A model of one node, as ONNX's protobuf has it.
ONNX = """
import sys, onnxruntime
def field(number, data): return bytes([number << 3 | 2, len(data)]) + data
def value(number, one): return bytes([number << 3, one])
tensor = field(1, value(1, 1) + field(2, field(1, value(1, 1))))
named = lambda name: field(1, name) + field(2, tensor)
node = field(1, b"x") + field(2, b"y") + field(4, b"Identity")
graph = field(1, node) + field(2, b"g") + field(11, named(b"x")) + field(12, named(b"y"))
model = value(1, 8) + field(7, graph) + field(8, value(2, 13))
session = onnxruntime.InferenceSession(model, providers=["CUDAExecutionProvider"])
sys.exit("not on the GPU" if "CUDAExecutionProvider" not in session.get_providers() else 0)
"""
TENSORFLOW = """
import sys, tensorflow
sys.exit(0 if tensorflow.config.list_physical_devices("GPU") else "no GPU")
"""


class Told:
    """What a program said on stderr, and what `run --explain` and `explain` make of it."""

    def __init__(self, environ: dict[str, str], folder: Path, python: str, code: str) -> None:
        report, log = folder / "report.json", folder / "stderr.log"
        command = [sys.executable, "-m", "cudafit"]
        with log.open("wb") as file:
            words = ["run", "--explain", "--json-file", str(report), "--", python, "-c", code]
            done = subprocess.run(
                [*command, *words],
                env=environ,
                cwd=folder,
                stdout=subprocess.DEVNULL,
                stderr=file,
                timeout=300,
                check=False,
            )
        assert done.returncode, "it was to fail"
        self.run: dict[str, Any] = json.loads(report.read_text())["explained"]
        log.write_bytes(log.read_bytes().partition(b"cudafit run\n")[0])
        words = ["explain", "--no-look", "--json", "--file", str(log)]
        self.text: dict[str, Any] = json.loads(subprocess.check_output([*command, *words], env=environ))

    @property
    def root(self) -> dict[str, Any]:
        (found,) = [one for one in self.run["matches"] if one["id"] == self.run["root"]]
        return dict(found)


def in_a_notebook(environ: dict[str, str], folder: Path, env: Path, cell: str) -> str:
    """What the extension says below the error of a cell, with the environment's packages at hand."""
    pytest.importorskip("IPython", reason="IPython is not installed")
    (packages,) = env.glob("lib/python3*/site-packages")
    cells = ["%load_ext cudafit", f"import sys; sys.path.insert(0, {str(packages)!r})", cell]
    shell = "from IPython.core.interactiveshell import InteractiveShell\nip = InteractiveShell.instance()\n"
    code = shell + "".join(f"ip.run_cell({one!r})\n" for one in cells)
    variables = {**environ, "IPYTHONDIR": str(folder / "ipython")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, timeout=300, check=False
    )
    told = done.stdout.partition("cudafit: what this error means here\n")[2]
    assert told, done.stdout + done.stderr
    return told


Explained = Callable[[str, str], Told]


@pytest.fixture
def explained(environ: dict[str, str], tmp_path: Path) -> Explained:
    return lambda python, code: Told(environ, tmp_path, python, code)


@pytest.mark.online
@pytest.mark.usefixtures("package_index")
def test_torch_without_a_driver(explained: Explained, environ: dict[str, str], tmp_path: Path) -> None:
    env = made(tmp_path / "e", "torch==2.15.0")
    told = explained(str(env / "bin/python"), "import torch; torch.zeros(1).cuda()")
    assert told.root["id"] in NO_DRIVER
    assert told.root["holds_here"] is True
    assert "Found no NVIDIA driver on your system" in told.root["text"]
    assert told.text["root"] in NO_DRIVER
    assert f"({told.root['id']})" in in_a_notebook(environ, tmp_path, env, "import torch; torch.zeros(1).cuda()")


@pytest.mark.online
@pytest.mark.usefixtures("package_index")
def test_tensorflow_without_cuda_libraries(explained: Explained, tmp_path: Path) -> None:
    told = explained(str(made(tmp_path / "e", "tensorflow==2.21.0") / "bin/python"), TENSORFLOW)
    assert told.root["id"] in NO_DRIVER
    assert told.root["holds_here"] is True
    assert any(one["harmless"] for one in told.run["matches"])


@pytest.mark.online
@pytest.mark.usefixtures("package_index")
def test_jax_with_a_plugin_of_another_version(explained: Explained, environ: dict[str, str], tmp_path: Path) -> None:
    env = made(tmp_path / "e", "jax==0.10.2", "jax-cuda12-plugin==0.10.2", "jax-cuda12-pjrt==0.10.2")
    installed(env, "--no-deps", "jaxlib==0.9.0")
    told = explained(str(env / "bin/python"), "import jax; print(jax.devices('cuda'))")
    assert (told.root["id"], told.root["holds_here"]) == ("jax.plugin_version_skew", True)
    assert told.text["root"] == "jax.plugin_version_skew"
    assert "jaxlib 0.9.0" in [one["fact"] for one in told.root["evidence"]]
    cell = "import jax; print(jax.devices('cuda'))"
    assert "(jax.plugin_version_skew)" in in_a_notebook(environ, tmp_path, env, cell)


@pytest.mark.online
@pytest.mark.usefixtures("package_index")
def test_onnxruntime_without_cublas(explained: Explained, tmp_path: Path) -> None:
    told = explained(str(made(tmp_path / "e", "onnxruntime-gpu==1.31.1") / "bin/python"), ONNX)
    assert told.root["id"] == told.text["root"] == "ext.cuda_libs_missing"
    assert told.root["holds_here"] is None  # without a GPU nobody looks for it


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_an_extension_with_an_undefined_symbol(explained: Explained, tmp_path: Path) -> None:
    source = tmp_path / "x.c"
    source.write_text(
        "extern int _ZN3c104cuda9SetDeviceEa(int);\nint use(void) { return _ZN3c104cuda9SetDeviceEa(0); }\n"
    )
    library = tmp_path / "flash_attn_2_cuda.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True, timeout=60)
    told = explained(sys.executable, f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import flash_attn_2_cuda")
    assert told.root["id"] == told.text["root"] == "ext.abi_mismatch"
    assert told.root["values"]["symbol"] == "_ZN3c104cuda9SetDeviceEa"


def test_a_program_that_asks_nvml_with_another_version_loaded(
    environ: dict[str, str], nvml: Callable[[str], dict[str, str]], tmp_path: Path
) -> None:
    """As nvidia-smi does, with the test NVML."""
    found = {**environ, **nvml("driver 580.65.06\ncuda 13.0\nnvml 13.580.65.06\ninit 18\n")}
    told = Told(found, tmp_path, sys.executable, "import pynvml; pynvml.nvmlInit()")
    assert (told.root["id"], told.root["holds_here"]) == ("driver.lib_kernel_mismatch", True)
