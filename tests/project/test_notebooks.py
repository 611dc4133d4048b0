"""Notebooks that install with `!pip`."""

import json
import os
from pathlib import Path

from cudafit.project.notebooks import bang_pip


def notebook(*cells: tuple[str, object]) -> str:
    return json.dumps({"cells": [{"cell_type": kind, "source": source} for kind, source in cells]})


def test_the_cells_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text(
        notebook(
            ("markdown", "!pip install torch"),
            ("code", ["import os\n", "!pip install torch\n"]),
            ("code", "%pip install torch"),
            ("code", "! python -m pip install x"),
        )
    )
    (tmp_path / "b.ipynb").write_text("{")
    (tmp_path / "c.ipynb").write_text('{"cells": [3]}')
    (tmp_path / "d.ipynb").mkdir()
    (tmp_path / "e.py").write_text("!pip install x")
    os.mkfifo(tmp_path / "f.ipynb")
    assert bang_pip(str(tmp_path)) == ("a.ipynb, cell 2", "a.ipynb, cell 4")
    assert bang_pip(str(tmp_path / "nowhere")) == ()
