"""What is refused, what is silenced, and how the edits are made."""

import ast
import os
import sys

import pytest

from cudafit.lint.check import UnreadableError, lint_text
from cudafit.lint.edits import applied, column_of, source_lines
from cudafit.lint.signs import Signs, may_hold_findings
from cudafit.model.code_finding import Edit
from cudafit.model.kinds import IN_CODE
from cudafit.shipped import folder

MOVED = 'import torch\nx = torch.ones(3)\nx.to("cuda")'


@pytest.mark.parametrize(
    ("comment", "silent"),
    [
        ("# cudafit: ignore", True),
        ("# cudafit: ignore[code.to_result_discarded]", True),
        ("# a reason  # cudafit:ignore[code.model_on_cpu, code.to_result_discarded]", True),
        ("# cudafit: ignore[code]", True),
        ("# cudafit: ignore[code.model_on_cpu]", False),
        ("# noqa", False),
    ],
)
def test_comments(comment: str, silent: bool) -> None:
    assert (lint_text(f"{MOVED}  {comment}\n", "a.py") == []) is silent


LONG_SUM = "import torch\nx = " + "+".join(["1"] * 20000)


def is_refused(code: str | bytes) -> bool:
    """How long a sum may be differs from one Python to the next: 3.10 and 3.15 read this one."""
    try:
        ast.parse(code)
    except RecursionError:
        return True
    return False


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import torch\nprint 'x'", "line 2: this is Python 2"),
        pytest.param(
            "try:\n    import torch\nexcept ImportError, e:\n    pass",
            "line 3: this is Python 2",
            marks=pytest.mark.skipif(sys.version_info >= (3, 14), reason="from 3.14 on this is Python 3 (PEP 758)"),
        ),
        ("import torch\nx = (", "line 2: '(' was never closed"),
        ("import torch\x00", "it is a binary file"),
        pytest.param(
            LONG_SUM,
            "it is nested too deeply to be read",
            marks=pytest.mark.skipif(not is_refused(LONG_SUM), reason="this Python's parser reads so long a sum"),
        ),
    ],
)
def test_what_cannot_be_read_is_named(text: str, reason: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        lint_text(text, "a.py")
    assert str(caught.value) == reason


def test_a_part_that_is_too_deep_is_named_and_the_rest_is_read() -> None:
    branches = "if a:\n    pass\n" + "".join(f"elif a == {number}:\n    pass\n" for number in range(300))
    skipped: list[str] = []
    assert [one.line for one in lint_text(f"import torch\n{branches}{MOVED}\n", "a.py", skipped)] == [606]
    assert skipped == ["line 2: it is nested too deeply to be followed"]


@pytest.mark.slow
def test_a_file_of_50000_lines() -> None:
    functions = "".join(f"def f{n}(x):\n    y = torch.zeros({n})\n    z = y + f{n - 1}(x)\n\n\n" for n in range(10000))
    skipped: list[str] = []
    found = lint_text(f"{MOVED}\n{functions}", "a.py", skipped)
    assert [one.id for one in found] == ["code.to_result_discarded"]


def test_columns_count_characters() -> None:
    line = "é.to(x)"
    assert column_of(line, len("é".encode())) == 2
    assert lint_text('import torch\nß = torch.ones(3); ß.to("cuda")\n', "a.py")[0].column == 20


def test_edits_keep_the_ends_of_lines() -> None:
    assert source_lines("a\r\nb\rc\x0cd\ne") == ["a\r\n", "b\r", "c\x0cd\n", "e"]
    assert applied("é = 1\r\nx = 2", [Edit(1, 2, 1, 2, "b"), Edit(2, 0, 2, 1, "yy")]) == "éb = 1\r\nyy = 2"


def test_every_edit_gives_code_without_the_finding() -> None:
    found = lint_text(MOVED, "a.py")
    after = applied(MOVED, found[0].edits)
    assert after.endswith('x = x.to("cuda")')
    assert lint_text(after, "a.py") == []


def test_every_kind_has_its_page() -> None:
    assert {f"{name}.md" for name in IN_CODE} <= set(os.listdir(folder("docs/findings")))


LOOP = """import torch
from torch import nn
from torch.utils.data import DataLoader

device = torch.device("cuda")
net = nn.Linear(784, 10)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
for i, (inputs, labels) in enumerate(DataLoader([])):
    loss = nn.functional.cross_entropy(net(inputs.view(-1, 784)), labels)
    loss.backward()
    optimizer.step()
"""


def test_the_model_is_moved_with_all_that_it_meets() -> None:
    found = lint_text(LOOP, "a.py")
    after = applied(LOOP, found[0].edits)
    assert "net = nn.Linear(784, 10).to(device)\n" in after
    assert "\n    inputs, labels = inputs.to(device), labels.to(device)\n    loss = " in after
    assert lint_text(after, "a.py") == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("device = ", "other = "),  # no such name
        ("labels)\n    loss.b", "target(labels))\n    loss.b"),  # something unknown meets it
        ("    loss = nn", "    pass; loss = nn"),
    ],
)
def test_the_model_is_not_moved_alone(old: str, new: str) -> None:
    text = LOOP.replace(old, new)
    edits = lint_text(text, "a.py")[0].edits
    assert not edits or "inputs.to(device)" in applied(text, edits)


def test_a_chain_of_functions_is_followed_from_its_end() -> None:
    chain = "".join(f"def f{number + 1}(x):\n    return f{number}(x)\n" for number in range(50))
    text = f"import torch\ndef f0(x):\n    return x.to('cpu')\n{chain}class Other:\n    pass\n"
    tree = ast.parse(text)
    signs = Signs(tree, text.splitlines(keepends=True))
    marked = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef) and signs.has(node)]
    assert marked == [f"f{number}" for number in range(51)]


NETWORK = "class Net(nn.Module):\n    def forward(self, x):\n        "


@pytest.mark.parametrize(
    ("text", "possible"),
    [
        ("import torch\nloss.backward()\n", True),
        ("import numpy\nloss.backward()\n", False),
        ("import torch\nprint('cpu')\n", False),  # nothing is trained
        ("import torch\nimport keras\nprint('cpu')\n", True),
        ("import torch\nfrom ray import (\n    tune)\ntune.run('PPO')\n", True),
        ("import torch\nx = a.is_available()\n", False),
        ("import torch\nx = torch.cuda.is_available\n", True),
        ("import torch\nx = 'cpu' if a.is_available() else b\n", True),
        ("import torch\nx = torch.ones(3)\n", False),
        (f"from torch import nn\n{NETWORK}return x * torch.ones(3)\n", True),
        (f"from torch import nn\n{NETWORK}return x\n", False),
        ("from torch.nn import Linear\nclass A(Linear):\n    def g(self):\n        self.parts = []\n", True),
        ("import torch\nif a: x.to(device)\n", True),
        ("import torch\ny = x.to(device)\n", False),
        ("import torch\nself.w = nn.Parameter(x).cuda()\n", True),
        ("import torch\nx = y.numpy()\n", False),
        ("import torch, cupy\nx = y.tolist()\n", True),
    ],
)
def test_which_files_are_followed(text: str, possible: bool) -> None:
    assert may_hold_findings(text) is possible


def test_which_methods_of_a_class_matter() -> None:
    text = (
        "import torch\nclass Agent:\n"
        "    def learn(self):\n        self.loss().backward()\n        self.rate.now()\n"
        "    def run(self):\n        self.learn()\n"
        "    def begin(self):\n        self.rate = Rate()\n        self.count += 1\n"
        "    def show(self):\n        self.shown = print(self)\n"
        "    def name(self):\n        return 'agent'\n"
    )
    tree = ast.parse(text)
    agent = tree.body[1]
    assert isinstance(agent, ast.ClassDef)
    needed = Signs(tree, text.splitlines(keepends=True)).in_class(agent.body)
    assert [getattr(node, "name", "") for node in agent.body if node in needed] == ["learn", "run", "begin"]


def test_what_a_test_does_on_the_cpu_is_on_purpose() -> None:
    text = "import lightning as L\n\nL.Trainer(accelerator='cpu').fit(model)\n"
    found = {path: [one.id for one in lint_text(text, path)] for path in ("train.py", "a/test_it.py", "it_test.py")}
    assert found == {
        "train.py": ["code.lightning_cpu"],
        "a/test_it.py": ["info.cpu_on_purpose"],
        "it_test.py": ["info.cpu_on_purpose"],
    }


def test_a_model_that_is_only_used_is_moved_before_that() -> None:
    text = (
        "from transformers import AutoModelForCausalLM\nm = AutoModelForCausalLM.from_pretrained('a')\nm.generate(x)\n"
    )
    assert [one.fix.split(":")[0] for one in lint_text(text, "a.py")] == [
        "move it before it is used, and what it is given"
    ]


@pytest.mark.parametrize(
    ("line", "installed", "expected"),
    [
        ("transformers.pipeline('x')", {"transformers": "4.46.3"}, "code.hf_pipeline_cpu"),
        ("transformers.pipeline('x')", {"transformers": "4.47.0"}, ""),
        ("transformers.pipeline('x')", {}, "info.version_decides"),
        ("onnxruntime.InferenceSession('a')", {"onnxruntime-gpu": "1.15.1"}, "code.library_on_cpu"),
        ("onnxruntime.InferenceSession('a')", {"onnxruntime-gpu": "1.16.3"}, ""),
        ("onnxruntime.InferenceSession('a')", {"onnxruntime": "1.15.1"}, ""),
        ("lightning.pytorch.Trainer(max_epochs=3)", {"lightning": "1.9.5"}, "code.lightning_cpu"),
        ("lightning.pytorch.Trainer(max_epochs=3)", {"lightning": "2.0.0"}, ""),
        ("lightning.pytorch.Trainer(max_epochs=3)", {}, ""),
        ("xgboost.XGBClassifier(tree_method='gpu_hist')", {}, "info.version_decides"),
        ("xgboost.XGBClassifier(tree_method='gpu_hist')", {"xgboost": "3.1.1"}, "code.library_on_cpu"),
        ("xgboost.XGBClassifier(gpu_id=0)", {"xgboost": "3.1.1"}, "code.library_on_cpu"),
        ("xgboost.XGBClassifier(gpu_id=0)", {"xgboost": "3.0.5"}, ""),
        ("xgboost.XGBClassifier(predictor='gpu_predictor')", {"xgboost": "3.0.5"}, "code.library_on_cpu"),
        ("xgboost.XGBClassifier(device='cuda')", {"xgboost": "1.7.6"}, "code.library_on_cpu"),
        ("xgboost.XGBClassifier(device='cuda')", {"xgboost": "2.0.0"}, ""),
        ("lightgbm.LGBMRegressor(device='gpu')", {"lightgbm": "3.3.5"}, "info.version_decides"),
        ("lightgbm.LGBMRegressor(device='gpu')", {"lightgbm": "4.0.0"}, ""),
        ("lightgbm.train({'device_type': 'CUDA'}, 0)", {"lightgbm": "4.6.0"}, "info.version_decides"),
        ("keras.config.set_backend('numpy')", {"keras": "3.15.1"}, "code.keras_backend_cpu_only"),
        ("keras.config.set_backend('openvino')", {"keras": "3.8.0"}, "code.keras_backend_cpu_only"),
        ("keras.config.set_backend('numpy')", {"keras": "2.15.0"}, ""),
    ],
)
def test_what_the_installed_version_decides(line: str, installed: dict[str, str], expected: str) -> None:
    text = f"import {line.partition('.')[0]}\n{line}\n"
    found = lint_text(text, "train.py", installed=installed)
    assert "".join(one.id for one in found) == expected
    assert all(f"{name} {version} is installed" in one.message for one in found for name, version in installed.items())
