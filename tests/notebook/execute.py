"""Executes cells in a kernel: a JSON list of sources on stdin, a JSON list of their outputs on stdout.

In a process of its own, since what the client of a kernel warns of is not the tests' business.
"""

import json
import os
import sys
from pathlib import Path

import nbclient
import nbformat

KERNEL = "here"


def prepare(folder: Path) -> None:
    """A kernel that is this Python, or the one that is named."""
    place = folder / "kernels" / KERNEL
    place.mkdir(parents=True)
    words = [os.environ["KERNEL_PYTHON"], "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (place / "kernel.json").write_text(json.dumps({"argv": words, "display_name": KERNEL, "language": "python"}))


def main() -> None:
    prepare(Path(os.environ["JUPYTER_DATA_DIR"]))
    cells = [nbformat.v4.new_code_cell(source) for source in json.load(sys.stdin)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = nbclient.NotebookClient(
        notebook,
        kernel_name=KERNEL,
        allow_errors=True,
        timeout=60,
        resources={"metadata": {"path": os.getcwd()}},
    )
    client.execute()
    nbformat.validate(notebook)
    json.dump([cell.outputs for cell in notebook.cells], sys.stdout)


if __name__ == "__main__":
    main()
