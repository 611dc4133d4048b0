"""`cudafit bench` on a stand-in for CuPy and the test NVML: every outcome of a GPU, without one."""

import json
import sys
import time
import venv
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run
from tests.schemas import validate

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
FAKE = Path(__file__).with_name("fake_cupy.py")

H200 = """
driver 580.159.03
cuda 13.0
nvml 13.580.159.03
gpu
  name NVIDIA H200
  uuid GPU-11111111-2222-3333-4444-555555555555
  bus 00000000:19:00.0
  device_id 0x233510DE
  cc 9.0
  memory 143771 1
  mig 0 0
  temperature 60
  clocks 1980 3201
  max_clocks 1980 3201
  throttle 0x4
  pcie 5 5 16 16
  power 690000 700000
  power_default 700000
"""

Bench = Callable[..., tuple[int, dict[str, Any], str]]


def put(env: Path, name: str, distribution: str, source: str) -> None:
    place = env / "lib" / PYTHON / "site-packages"
    (place / name).mkdir()
    (place / name / "__init__.py").write_text(source)
    (place / f"{distribution}-14.0.dist-info").mkdir()
    told = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 14.0\n"
    (place / f"{distribution}-14.0.dist-info" / "METADATA").write_text(told)


@pytest.fixture
def env(tmp_path: Path) -> Path:
    venv.create(tmp_path / "env", with_pip=False)
    return tmp_path / "env"


@pytest.fixture
def bench(cudafit: Run, env: Path, tmp_path: Path, nvml: Callable[[str], dict[str, str]]) -> Bench:
    """Runs it on the stand-in, under the name of a fault, and gives exit code, JSON and stderr."""
    put(env, "cupy", "cupy_cuda12x", FAKE.read_text())
    listed = tmp_path / "listed"
    listed.mkdir()

    def run(*options: str, fault: str = "", spec: str = H200, **more: str) -> tuple[int, dict[str, Any], str]:
        variables = {**nvml(spec), "FAKE_NVML_PROCESSES": str(listed), "FAKE_CUPY": fault, **more}
        done = cudafit("bench", str(env), "--quick", "--json", *options, env=variables, timeout=120)
        assert done.stdout, done.stderr
        told = json.loads(done.stdout)
        validate(told, "bench-1")
        return done.returncode, told, done.stderr

    return run


def causes(told: dict[str, Any]) -> str:
    return "\n".join(cause["text"] for cause in told["causes"])


def result(told: dict[str, Any], test: str, kind: str) -> dict[str, Any]:
    return next(one for one in told["results"] if one["test"] == test and one["kind"] == kind)


def test_a_sound_gpu_passes_and_nvml_is_the_proof(bench: Bench) -> None:
    code, told, stderr = bench()
    assert (code, told["verdict"]) == (0, "pass"), (told, stderr)
    assert told["device"]["used_gpu"] is True
    assert told["device"]["proof"] == "nvml"
    assert told["device"]["model"] == "H200 SXM 141GB"
    matmul = result(told, "matmul", "speed")
    assert (matmul["expected"], matmul["status"]) == (67.0, "pass")
    assert matmul["value"] == pytest.approx(50.0, rel=0.01)
    copy = result(told, "copy", "speed")
    assert (copy["expected"], copy["value"]) == (4800.0, pytest.approx(4300.0, rel=0.01))
    assert result(told, "host_to_device", "speed")["expected"] == 63.0
    assert told["load"]["readings"] >= 1


@pytest.mark.slow
def test_a_fifth_of_the_speed_is_slow_with_its_cause(bench: Bench) -> None:
    spec = H200.replace("throttle 0x4", "throttle 0x40").replace("clocks 1980 3201\n  max", "clocks 400 3201\n  max")
    code, told, _ = bench(spec=spec, FAKE_CUPY_SPEED="0.2")
    assert (code, told["verdict"]) == (1, "slow")
    assert "the GPU slows down for heat at 60 °C: hw_thermal_slowdown" in causes(told)
    assert "its cores ran at 400 MHz at most, of 1980 MHz" in causes(told)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["wrong", "nan", "zeros"])
def test_wrong_numbers_are_found(bench: Bench, fault: str) -> None:
    code, told, _ = bench(fault=fault)
    assert (code, told["verdict"]) == (1, "wrong")
    assert result(told, "matmul", "right")["status"] == "wrong"
    assert result(told, "reduction", "right")["status"] == "pass"


@pytest.mark.slow
def test_an_operation_that_raises_is_no_pass(bench: Bench) -> None:
    code, told, _ = bench(fault="raise")
    assert (code, told["verdict"]) == (1, "wrong")
    assert "no kernel image" in result(told, "matmul", "right")["note"]


@pytest.mark.slow
def test_memory_that_does_not_suffice_verifies_nothing(bench: Bench) -> None:
    code, told, _ = bench(fault="memory")
    assert (code, told["verdict"]) == (3, "not-verified")
    assert "no product of cupy was found right" in causes(told)
    _, told, _ = bench(fault="memory", spec=H200 + "process 4321 70000\n")
    assert "others compute on the GPU, and hold memory of it: process 4321" in causes(told)


def test_a_signal_verifies_nothing(bench: Bench) -> None:
    code, told, _ = bench(fault="abort")
    assert (code, told["verdict"]) == (3, "not-verified")
    assert "the process was ended by signal 6 at matmul in float32" in causes(told)


@pytest.mark.slow
def test_a_hang_is_killed_with_its_group(bench: Bench) -> None:
    start = time.monotonic()
    code, told, _ = bench("--timeout", "3", fault="hang")
    assert (code, told["verdict"]) == (3, "not-verified")
    assert "gave no end in its time, and was killed at matmul in float32" in causes(told)
    assert time.monotonic() - start < 60


@pytest.mark.slow
def test_garbage_on_stdout_does_not_disturb(bench: Bench, env: Path) -> None:
    (env / "lib" / PYTHON / "site-packages" / "sitecustomize.py").write_text("print('cudafit-bench {', end='')\n")
    code, told, _ = bench(fault="garbage")
    assert (code, told["verdict"]) == (0, "pass")


@pytest.mark.slow
def test_a_process_that_nvml_does_not_list_did_not_use_the_gpu(bench: Bench) -> None:
    code, told, _ = bench(fault="unseen")
    assert (code, told["verdict"], told["device"]["used_gpu"]) == (1, "not-verified", False)
    assert "NVML lists no process on NVIDIA H200, and not" in causes(told)


def test_a_framework_that_sees_no_gpu(bench: Bench) -> None:
    code, told, _ = bench(fault="blind")
    assert (code, told["verdict"]) == (1, "not-verified")
    assert "cupy 14.0 sees no GPU" in causes(told)


@pytest.mark.slow
def test_a_busy_gpu_is_named_with_its_processes(bench: Bench) -> None:
    code, told, stderr = bench(spec=H200 + "process 4321 70000\n", FAKE_CUPY_SPEED="0.2")
    assert code == 1
    assert "warning: process 4321" in stderr
    assert "others compute on it: process 4321" in causes(told)


def test_a_number_that_cuda_has_not(bench: Bench) -> None:
    code, told, _ = bench("--device", "cuda:1")
    assert (code, told["verdict"]) == (3, "not-verified")
    assert "there is no cuda:1: CUDA sees 1 of 1 GPUs" in causes(told)


def test_no_gpu_verifies_nothing_and_runs_nothing(bench: Bench) -> None:
    code, told, _ = bench(spec="driver 580.159.03\ncuda 13.0\n")
    assert (code, told["verdict"], told["results"]) == (3, "not-verified", [])
    assert causes(told) == "no GPU here"


@pytest.mark.slow
def test_history_baseline_and_plot(bench: Bench, cudafit: Run, env: Path, tmp_path: Path) -> None:
    saved, drawn = str(tmp_path / "good.json"), tmp_path / "good.svg"
    code, told, stderr = bench("--save", saved, "--plot", str(drawn))
    assert code == 0, stderr
    assert json.loads(Path(saved).read_text()) == told
    assert drawn.read_text().startswith("<svg xmlns=")
    code, told, _ = bench("--baseline", saved, FAKE_CUPY_SPEED="0.85")
    assert (code, told["verdict"]) == (1, "pass")
    assert {one["test"] for one in told["regressions"]} >= {"matmul", "copy"}
    code, told, _ = bench("--baseline", saved)
    assert (code, told["regressions"]) == (0, [])


def test_a_framework_that_crashes_on_import(cudafit: Run, env: Path, nvml: Callable[[str], dict[str, str]]) -> None:
    put(env, "cupy", "cupy_cuda12x", "raise ImportError('libcublas.so.12: cannot open shared object file')")
    done = cudafit("bench", str(env), "--quick", env=nvml(H200))
    assert done.returncode == 3, done.stderr
    assert "cupy: ImportError: libcublas.so.12: cannot open shared object file" in done.stdout


def test_an_environment_without_a_framework(cudafit: Run, env: Path) -> None:
    done = cudafit("bench", str(env), "--device", "cpu")
    assert done.returncode == 3
    assert "the environment has none of torch, tensorflow, jax, cupy and onnxruntime" in done.stdout


@pytest.mark.skipif(find_spec("matplotlib") is not None, reason="matplotlib is here, and draws it")
def test_a_png_without_matplotlib_names_the_way(cudafit: Run, env: Path) -> None:
    done = cudafit("bench", str(env), "--plot", "x.png")
    assert done.returncode == 2
    assert "hint: `pip install 'cudafit[plot]'`, or name a file that ends in .svg or .html" in done.stderr


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--device", "gpu"], "a device is `cpu`, or `cuda:0` and so on"),
        (["--quick", "--full"], "two lengths of a run"),
        (["--plot", "x.pdf"], "the name ends in .svg, .html or .png"),
        (["--baseline", "none.json"], "cannot read `none.json`"),
        (["--history"], "there is no earlier run"),
    ],
)
def test_wrong_usage(cudafit: Run, env: Path, options: list[str], error: str) -> None:
    done = cudafit("bench", str(env), *options)
    assert done.returncode == 2
    assert error in done.stderr
