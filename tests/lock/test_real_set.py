"""A set whose C++ must agree: what `resolve` picks for torch and what stands on it is installed, loaded and called."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.real_venv import PYTHON, UV, made

pytestmark = [
    pytest.mark.online,
    pytest.mark.slow,
    pytest.mark.xdist_group("real set"),
    pytest.mark.usefixtures("package_index"),
    pytest.mark.skipif(importlib.util.find_spec("uv") is None, reason="uv is not installed"),
]

PACKAGES = ("torch", "torchvision", "torchaudio", "torchcodec", "torchao")

# Each calls, on the CPU, what is not Python in its package; torchao tells its libraries only by having loaded them.
CALLS = """
import torch, torchvision, torchaudio, torchao
box = torchvision.ops.nms(torch.tensor([[0.0, 0, 1, 1], [0, 0, 1, 1]]), torch.tensor([0.5, 0.4]), 0.5)
assert box.tolist() == [0]
one = torch.tensor([1.0, 0.0])
assert torchaudio.functional.lfilter(torch.ones(4), one, one).tolist() == [1, 1, 1, 1]
loaded = {line.rsplit("/", 1)[-1] for line in open("/proc/self/maps") if "/torchao/" in line}
assert loaded, "none of torchao's libraries was loaded"
"""

DECODES = """
import sys
from torchcodec.decoders import VideoDecoder
video = VideoDecoder(sys.argv[1])
assert (len(video), video[0].shape) == (5, (3, 64, 64)), (len(video), video[0].shape)
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("real-set") / "env"


@pytest.fixture
def env(cudafit: Run, folder: Path, place: Path) -> Path:
    """Made once, of the lock that `resolve` writes."""
    if place.exists():
        return place
    machine = ("--gpu", "RTX 4090", "--driver", "610.10", "--glibc", "2.28", "--python", PYTHON)
    done = cudafit("resolve", *PACKAGES, *machine, "-o", "requirements.txt")
    assert done.returncode == 0, done.stderr
    made(place)
    install = [*UV, "pip", "install", "--quiet", "--python", str(place), "--require-hashes", "-r", "requirements.txt"]
    _ran(install, timeout=1800)
    return place


def test_torch_and_its_companions_compute(env: Path) -> None:
    _ran([str(env / "bin" / "python"), "-c", CALLS])


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="torchcodec needs FFmpeg, Debian's package ffmpeg")
def test_torchcodec_decodes(env: Path, folder: Path) -> None:
    film = str(folder / "film.mp4")
    _ran(["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=duration=1:size=64x64:rate=5", film])
    _ran([str(env / "bin" / "python"), "-c", DECODES, film])


def _ran(command: list[str], timeout: int = 600) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, done.stderr
