"""Notebooks: cells, magics, and what is no Python in them."""

import json

import pytest

from cudafit.lint.check import UnreadableError, configurations_named, lint_text
from cudafit.lint.notebook import python_of

TRAIN = [
    "model = torch.nn.Linear(3, 3)\n",
    "opt = torch.optim.SGD(model.parameters(), 0.1)\n",
    "for _ in range(3):\n",
    "    model(torch.randn(2, 3)).sum().backward()\n",
    "    opt.step()",
]


def notebook(*cells: str | list[str]) -> str:
    made = [{"cell_type": "markdown", "source": ["# Title"]}]
    made += [{"cell_type": "code", "source": cell} for cell in cells]
    return json.dumps({"cells": made, "nbformat": 4})


def places(text: str, skipped: list[str] | None = None) -> list[tuple[str, int | None, int]]:
    return [(one.id, one.cell, one.line) for one in lint_text(text, "a.ipynb", skipped)]


def test_a_finding_names_its_cell_and_the_line_in_it() -> None:
    assert places(notebook("import torch", ["%matplotlib inline\n", *TRAIN])) == [("code.model_on_cpu", 3, 2)]


def test_a_model_moved_in_a_later_cell_is_correct() -> None:
    text = notebook("import torch", TRAIN[0], "model.to('cuda')", "".join(TRAIN[1:]))
    assert places(text) == []


def test_a_magic_that_hides_the_gpus() -> None:
    text = notebook("%env CUDA_VISIBLE_DEVICES=-1\nimport torch")
    assert places(text) == [("code.cvd_disabled", 2, 1)]


def test_a_cell_that_is_no_python_is_named_and_the_others_are_read() -> None:
    skipped: list[str] = []
    text = notebook("import torch", "def f(:", "%%bash\nls -l", "".join(TRAIN))
    assert places(text, skipped) == [("code.model_on_cpu", 5, 1)]
    assert skipped == ["cell 3: invalid syntax"]


def test_a_notebook_from_stdin() -> None:
    assert [one.cell for one in lint_text(notebook("import torch", "".join(TRAIN)), "-")] == [3]


def test_the_old_format() -> None:
    cells = [{"cell_type": "code", "input": ["import torch\n", *TRAIN]}]
    text = json.dumps({"worksheets": [{"cells": cells}], "nbformat": 3})
    assert places(text) == [("code.model_on_cpu", 1, 2)]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"cells": 3}', '{"cells": [{"cell_type": "code", "source": 3}]}']
)
def test_what_is_no_notebook(text: str) -> None:
    with pytest.raises(UnreadableError):
        lint_text(text, "a.ipynb")


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("%load_ext autoreload\nx = 1", ["pass", "x = 1"]),
        ("if x:\n    !pip install torch", ["if x:", "    pass"]),
        ("files = !ls", ["files = None"]),
        ("!pip install \\\n  torch \\\n  timm\nx = 1", ["pass", "", "", "x = 1"]),
        ("x = 1 + \\\n  2", ["x = 1 + \\", "  2"]),
        ("torch.nn?", ["pass"]),
        ("%%time\nx = 1", ["", "x = 1"]),
        ("%time model.fit()", ["model.fit()"]),
        ("%%html\n<b>", None),
        ("x = 5 % 3\ny = a != b", ["x = 5 % 3", "y = a != b"]),
    ],
)
def test_magics(source: str, lines: list[str] | None) -> None:
    assert python_of(source) == lines


def test_of_a_notebook_its_code_names_configurations_and_its_pictures_do_not() -> None:
    shown = {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo=", "text/plain": "see other.yaml"}}
    cells = [
        {"cell_type": "markdown", "source": "read notes.toml first"},
        {"cell_type": "code", "source": ["load('a.yaml')\n", "load('b.json')"], "outputs": [shown]},
    ]
    text = json.dumps({"cells": cells, "nbformat": 4})
    assert configurations_named(text, "n.ipynb") == configurations_named(text, "-") == {"a.yaml", "b.json"}


def test_the_text_above_a_cell_says_why() -> None:
    code = ["import os\n", 'os.environ["CUDA_VISIBLE_DEVICES"] = ""\n', "import torch\n", "x = torch.zeros(3)\n"]
    hiding = {"cell_type": "code", "source": code[1:]}
    start = {"cell_type": "code", "source": code[:1]}
    said = {
        "cell_type": "markdown",
        "source": ["## Workers\n", "\n", "All GPUs are hidden, as the workers share them."],
    }
    for cells, expected in (
        ([start, said, hiding], ("info.cpu_on_purpose", 3, 1)),
        ([start, hiding], ("code.cvd_disabled", 2, 1)),
    ):
        (found,) = lint_text(json.dumps({"cells": cells}), "a.ipynb")
        assert (found.id, found.cell, found.line) == expected


def test_another_line_that_a_message_names_is_counted_in_its_cell() -> None:
    late = 'os.environ["CUDA_VISIBLE_DEVICES"] = "1"'
    (found,) = lint_text(notebook("import os\nimport torch", "x = 1\ntorch.cuda.device_count()", late), "a.ipynb")
    assert found.message.startswith("CUDA was started in cell 3, line 2 (")


def test_a_model_that_is_trained_on_both_shows_both() -> None:
    loop = "for _ in range(3):\n    model(torch.randn(2, 3)).sum().backward()\n    opt.step()"
    start = "".join(TRAIN[:2])
    assert places(notebook("import torch", start, loop, "model.to('cuda')", loop)) == []
    (late,) = lint_text(notebook("import torch", start, loop, "model.to('cuda')", "model.eval()"), "a.ipynb")
    assert late.message.endswith("moved to the GPU only after it was trained or used")
