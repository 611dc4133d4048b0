"""Reported failures whose cause is in the code: the environment is right, and doctor with `--code` names the line."""

import json
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.doctor.worlds import CU126, torch, tree
from tests.machines import FOLDER

MOVED = """
model = model.to(device)
for x, y in loader:
    x, y = x.to(device), y.to(device)
    loss = torch.nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
"""
HEAD = """
import torch
from torch.utils.data import DataLoader, TensorDataset
loader = DataLoader(TensorDataset(torch.rand(8, 4), torch.rand(8, 1)))
model = torch.nn.Linear(4, 1)
"""
LATE = """
import os
import torch
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
x = torch.zeros(1, device="cuda")
os.environ["CUDA_VISIBLE_DEVICES"] = "1"
"""
TRAINER = """
import pytorch_lightning as pl
trainer = pl.Trainer(max_epochs=3, {})
trainer.fit(model, data)
"""
PIPELINE = """
from transformers import pipeline
generate = pipeline("text-generation", model="gpt2", device={})
for line in lines:
    print(generate(line))
"""
TENSORFLOW = """
import tensorflow as tf
x = tf.random.uniform((2, 2))
gpus = tf.config.list_physical_devices("GPU")
for gpu in gpus:
    tf.config.experimental.set_memory_growth(gpu, True)
"""
HIDDEN = """
import jax
import tensorflow as tf
tf.config.set_visible_devices([], "GPU")
data = tf.data.Dataset.range(8).batch(2)
step = jax.jit(lambda x: x * 2)
for batch in data.as_numpy_iterator():
    step(batch)
"""
FORCED = """
import jax
jax.config.update("jax_platforms", "cpu")
step = jax.jit(lambda x: x * 2)
"""
ARGUMENTS = """
from transformers import Trainer, TrainingArguments
arguments = TrainingArguments(output_dir="out", use_cpu=True)
Trainer(model=model, args=arguments, train_dataset=data).train()
"""
CALLED = """
from transformers import pipeline
generate = pipeline("text-generation", model="gpt2")
for line in lines:
    print(generate(line, device=0))
"""
SIMPLE = """
from simpletransformers.classification import ClassificationModel
model = ClassificationModel("roberta", "roberta-base", use_cuda={}, args={{"n_gpu": 1}})
model.train_model(frame)
"""
# (case, finding, thread, file name, text)
CASES = [
    ("L08", "code.cvd_set_too_late", "https://github.com/pytorch/pytorch/issues/23544", "t.py", LATE),
    (
        "Z02",
        "code.lightning_cpu",
        "https://github.com/THUNLP-MT/PS-VAE/issues/5",
        "t.py",
        TRAINER.format('accelerator="cpu"'),
    ),
    (
        "Z03",
        "code.lightning_cpu",
        "https://github.com/Lightning-AI/pytorch-lightning/issues/2837",
        "t.py",
        TRAINER.format("gpus=0"),
    ),
    ("Z05", "code.hf_pipeline_cpu", "https://github.com/samsledje/ConPLex/issues/37", "t.py", PIPELINE.format("-1")),
    (
        "F21",
        "code.tf_config_too_late",
        "https://github.com/hunglc007/tensorflow-yolov4-tflite/issues/171",
        "t.py",
        TENSORFLOW,
    ),
    (
        "GG1",
        "info.tf_gpu_hidden_for_other_framework",
        "https://github.com/google/flax/pull/472",
        "t.py",
        HIDDEN,
    ),
    ("GG4", "code.jax_cpu_forced", "https://github.com/Physical-Intelligence/openpi/pull/175", "t.py", FORCED),
    (
        "HH1",
        "code.model_on_cpu",
        "https://github.com/sql-machine-learning/elasticdl/pull/2484",
        "t.py",
        HEAD
        + "optimizer = torch.optim.SGD(model.parameters(), 0.1)\n"
        + MOVED.replace("model = model.to(device)\n", "").replace("    x, y = x.to(device), y.to(device)\n", ""),
    ),
    (
        "HH3",
        "code.config_device_cpu",
        "https://github.com/kaiko-ai/eva/issues/580",
        "fit.yaml",
        "trainer:\n  class_path: lightning.pytorch.Trainer\n  init_args:\n    accelerator: cpu\n    max_epochs: 3\n",
    ),
    (
        "Z07",
        "code.hf_pipeline_cpu",
        "https://github.com/Lightning-Universe/lightning-transformers/issues/121",
        "t.py",
        CALLED,
    ),
    (
        "HH6",
        "code.device_hardcoded_cpu",
        "https://github.com/ThilinaRajapakse/simpletransformers/issues/242",
        "t.py",
        SIMPLE.format("False"),
    ),
    ("HH4", "code.hf_trainer_cpu", "https://github.com/ibm-granite/granite-tsfm/issues/138", "t.py", ARGUMENTS),
]


# The thread whose package has changed its ways since: both the call and the pipeline without a device are named.
OF_ITS_TIME = {"Z07": "transformers==4.5.1"}


def diagnosed(cudafit: Run, folder: Path, name: str, text: str, *dists: str) -> list[dict[str, str]]:
    env = tree(folder / "env", torch("2.14.1+cu126", "12.6", CU126), ["torch==2.14.1", *dists])
    (folder / name).write_text(text)
    machine = ("--machine", str(FOLDER / "rtx4090-550.json"))
    done = cudafit("doctor", "--env", str(env), "--code", str(folder / name), *machine, "--json")
    shown = json.loads(done.stdout)
    found: list[dict[str, str]] = [one for one in shown["findings"] if one["layer"] == "project"]
    errors = [one["id"] for one in found if one["severity"] == "error"]
    assert shown["cause"] == (errors[0] if errors else None)
    assert done.returncode == (1 if errors else 0)
    return found


@pytest.mark.parametrize(("case", "finding", "thread", "name", "text"), CASES, ids=[one[0] for one in CASES])
def test_the_line_is_named(
    case: str, finding: str, thread: str, name: str, text: str, cudafit: Run, tmp_path: Path
) -> None:
    found = diagnosed(cudafit, tmp_path, name, text, *([OF_ITS_TIME[case]] if case in OF_ITS_TIME else ()))
    assert [one["id"] for one in found] == [finding] * (2 if case in OF_ITS_TIME else 1), (case, thread)


@pytest.mark.parametrize(
    "text",
    [
        HEAD
        + 'device = torch.device("cuda")\nmodel.to(device)\noptimizer = torch.optim.SGD(model.parameters(), 0.1)\n'
        + MOVED,
        TRAINER.format('accelerator="auto"'),
        PIPELINE.format("0"),
        SIMPLE.format("True"),
        # Y01 (NVIDIA-NeMo/Speech 1204): it waits for its data, but not on the CPU; `cudafit run` sees that.
        HEAD + 'device = torch.device("cuda")\nmodel.to(device)\n'
        "optimizer = torch.optim.SGD(model.parameters(), 0.1)\n"
        + MOVED.replace("loader", "DataLoader(loader.dataset, num_workers=0)"),
        # Z08 (hiyouga/LlamaFactory 4697): whether the model fits shows when it is loaded; `cudafit run` sees it.
        'import transformers\nmodel = transformers.AutoModel.from_pretrained("gpt2", device_map="auto")\n',
        LATE.replace('x = torch.zeros(1, device="cuda")\n', "").replace("import torch\n", "", 1) + "import torch\n",
    ],
)
def test_right_code_is_left_in_peace(text: str, cudafit: Run, tmp_path: Path) -> None:
    assert diagnosed(cudafit, tmp_path, "t.py", text) == []


def test_code_that_cannot_be_read_is_not_checked(cudafit: Run, tmp_path: Path) -> None:
    (tmp_path / "t.py").write_text("def broken(:\n")
    done = cudafit("doctor", "--code", str(tmp_path / "t.py"), "--machine", str(FOLDER / "no-gpu.json"), "--json")
    assert any("t.py" in one["reason"] for one in json.loads(done.stdout)["skipped"])
    assert cudafit("doctor", "--code", str(tmp_path / "nowhere.py")).returncode == 2
