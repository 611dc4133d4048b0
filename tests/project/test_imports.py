"""The last resort: what code imports."""

import json
from pathlib import Path

from cudafit.project.imports import imported

KNOWN = ("torch", "torchvision", "flash-attn")


def test_what_is_known_is_found_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.py").write_text("import numpy\nfrom flash_attn.ops import x\nimport torch.nn as nn\n")
    (tmp_path / "b.py").write_text("def f():\n    import jax\nfrom . import torchvision\n")
    (tmp_path / "c.ipynb").write_text(
        json.dumps({"cells": [{"cell_type": "code", "source": ["%pip install x\n", "import tensorflow as tf"]}]})
    )
    (tmp_path / "two.py").write_text("print 'torch'\nimport torchvision\n")
    assert [(one.name, one.origin) for one in imported(str(tmp_path), KNOWN)] == [
        ("jax", "b.py:2"),
        ("tensorflow", "c.ipynb:1"),
        ("flash-attn", "deep/a.py:2"),
        ("torch", "deep/a.py:3"),
    ]


def test_environments_and_modules_of_its_own_are_no_answer(tmp_path: Path) -> None:
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "pyvenv.cfg").touch()
    (tmp_path / "env" / "a.py").write_text("import torch\n")
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "a.py").write_text("import torchvision\n")
    assert imported(str(tmp_path), KNOWN) == ()
