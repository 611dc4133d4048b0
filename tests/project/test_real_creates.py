"""Environments of what stands on torch, made for the CPU from the real index, with the one real build for the CPU that
pip finds here as PyTorch's index: older than the newest that the facts know."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.machines import FOLDER
from tests.matrix.harvest.server import Index, serving
from tests.real_venv import CPU_TORCH, cpu_torch, for_cpu_torch

pytestmark = [
    pytest.mark.online,
    pytest.mark.slow,
    for_cpu_torch,
    pytest.mark.xdist_group("real creates"),
    pytest.mark.usefixtures("package_index"),
]
# With a call that goes through its own code down to torch's, and needs no model from elsewhere.
CALLS = {
    "transformers[torch]": "from transformers import BertConfig, BertModel\n"
    "small = BertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, vocab_size=9)\n"
    "shape = BertModel(small)(torch.tensor([[1, 2, 3]])).last_hidden_state.shape\n",
    "sentence-transformers": "from sentence_transformers.util import cos_sim\n"
    "assert cos_sim(torch.ones(1, 3), torch.ones(1, 3)).item() > 0.99\nshape = (1, 3, 16)\n",
    "openai-whisper": "import whisper\n"
    "assert whisper.log_mel_spectrogram(torch.zeros(16000)).shape[0] == 80\nshape = (1, 3, 16)\n",
}


@pytest.fixture(scope="module")
def pytorch() -> Iterator[str]:
    wheel = cpu_torch()
    with serving(Index({"torch": {wheel.name: wheel.read_bytes()}}, prefix="cpu", html=True)) as index:
        yield index.address.removesuffix("/cpu/")


@pytest.mark.parametrize("package", CALLS)
def test_what_stands_on_torch_is_made_for_the_cpu_and_runs(
    cudafit: Run, pytorch: str, tmp_path: Path, package: str
) -> None:
    env = tmp_path / "env"
    words = (package, "--cpu", "--python", "3.11", "--json", "--machine", str(FOLDER / "no-gpu.json"))
    done = cudafit("create", f"{env}/", *words, env={"CUDAFIT_PYTORCH_INDEX": pytorch}, timeout=900)
    assert done.returncode == 0, done.stderr
    [told] = [one for one in json.loads(done.stdout)["notes"] if "which the facts know" in one]
    assert told.endswith(f"torch {CPU_TORCH} (cpu) is the next that is there and fits")
    code = f"import torch\n{CALLS[package]}assert tuple(shape) == (1, 3, 16)\nprint(torch.__version__)"
    python = str(env / "bin/python")
    ran = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert (ran.returncode, ran.stdout.strip()) == (0, f"{CPU_TORCH}+cpu"), ran.stderr
    assert not list(env.glob("lib/python*/site-packages/nvidia_*")), "a build for the CPU brings no CUDA"
