"""What is kept of the environment: what decides over CUDA, and nothing that may be secret."""

import pytest

from cudafit.machine.environment import NAMES, overrides, read_environment
from cudafit.model.machine import Override


def test_only_variables_that_matter_are_kept() -> None:
    environ = {
        "CUDA_VISIBLE_DEVICES": "",
        "LD_LIBRARY_PATH": "/opt/lib",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "HF_TOKEN": "secret",
        "CUDA_SOMETHING": "unknown",
        "cuda_home": "another case",
    }
    assert read_environment(environ) == {"CUDA_VISIBLE_DEVICES": "", "LD_LIBRARY_PATH": "/opt/lib"}
    assert read_environment({}) == {}


def test_no_name_sounds_like_a_secret_or_is_there_twice() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert not [name for name in NAMES if any(word in name for word in ("TOKEN", "KEY", "SECRET", "PASS"))]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"CONDA_OVERRIDE_CUDA": "12.4"}, (Override("CONDA_OVERRIDE_CUDA", "driver.cuda", "12.4"),)),
        ({"CONDA_OVERRIDE_CUDA": ""}, (Override("CONDA_OVERRIDE_CUDA", "driver.cuda", ""),)),
        (
            {"UV_CUDA_DRIVER_VERSION": "550.54.15", "CONDA_OVERRIDE_CUDA": "11.8"},
            (
                Override("CONDA_OVERRIDE_CUDA", "driver.cuda", "11.8"),
                Override("UV_CUDA_DRIVER_VERSION", "driver.version", "550.54.15"),
            ),
        ),
        (
            {"CONDA_OVERRIDE_CUDA_ARCH": "8.6"},
            (Override("CONDA_OVERRIDE_CUDA_ARCH", "gpus.compute_capability", "8.6"),),
        ),
        ({"CUDA_HOME": "/usr/local/cuda"}, ()),
    ],
)
def test_overrides_name_the_fact_that_they_replace(environ: dict[str, str], expected: tuple[Override, ...]) -> None:
    assert overrides(environ) == expected
